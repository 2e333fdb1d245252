"""The network in one line, where there is no room for more: the path that is followed, and where on it one is.

W⁽¹⁾₁₁ ─ f⁽¹⁾₁₀ ─ a⁽¹⁾₁₀ ━ f⁽²⁾₀₀ ─ Ŷ₀₀ ─ ℰ        the step is ∂f⁽²⁾₀₀/∂a⁽¹⁾₁₀
"""

from __future__ import annotations

from textual.content import Content

from engine.derivation.chain_rule import Derivation
from engine.formula.notation import Style, symbol_text
from engine.formula.text_width import cells


def path_line(derivation: Derivation, step: int, style: Style, width: int) -> Content:
    """The path from the target to what is differentiated on one line; of a long path what is around the step.

    The step's two scalars and the line between them are marked: heavy, so that it is not told by colour alone.
    """
    names = [symbol_text(symbol, style) for symbol in reversed(derivation.path)]
    glyphs = style.glyphs
    line, heavy = f" {glyphs.bar} ", f" {glyphs.heavy_bar} "
    before, after = f"{glyphs.before} ", f" {glyphs.after}"
    here = len(names) - 2 - step  # the edge between this name and the next
    marked = (here, here + 1)
    first, last = here, here + 1

    def needed(first: int, last: int) -> int:
        ends = len(before) * (first > 0) + len(after) * (last < len(names) - 1)
        return sum(map(cells, names[first : last + 1])) + len(line) * (last - first) + ends

    while first > 0 or last < len(names) - 1:
        wider = [(first - 1, last)] if first > 0 else []
        wider += [(first, last + 1)] if last < len(names) - 1 else []
        fitting = [one for one in wider if needed(*one) <= width]
        if not fitting:
            break
        first, last = min(fitting, key=lambda one: abs((one[0] + one[1]) / 2 - here - 0.5))
    parts: list[Content | str | tuple[str, str]] = [(before if first > 0 else "", "$faint")]
    for place in range(first, last + 1):
        parts.append((names[place], "bold $accent" if place in marked else "$value"))
        if place < last:
            parts.append((heavy, "bold $accent") if place == here else (line, "$faint"))
    parts.append((after if last < len(names) - 1 else "", "$faint"))
    return Content.assemble(*parts)
