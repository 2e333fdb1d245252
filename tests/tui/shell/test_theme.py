"""The themes: every text can be read on every background, and no two hues look alike to the colour-blind."""

from __future__ import annotations

import itertools
import math

import pytest
from textual.color import Color

from tests.tui.driver import app_on, press
from tui.shell.theme import DARK, LIGHT, THEMES

BACKGROUNDS = ("background", "surface", "panel")
TEXTS = ("primary", "secondary", "accent", "success", "warning", "error", "foreground")
VARIABLES = ("value", "gradient", "done", "remark", "faint", "footer-key-foreground")
HUES = ("value", "gradient", "done", "remark")
EACH_THEME = pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)


def luminance(colour: Color) -> float:
    """Relative luminance, as WCAG 2.1 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def colour(theme, name: str) -> Color:
    return Color.parse(theme.variables[name] if name in theme.variables else getattr(theme, name))


def test_contrast_is_measured_as_wcag_does():
    assert contrast(Color.parse("#000000"), Color.parse("#ffffff")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), Color.parse("#ffffff")) == pytest.approx(4.48, abs=0.01)


@EACH_THEME
@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("text", [*TEXTS, *VARIABLES])
def test_every_text_colour_can_be_read_on_every_background(theme, text, background):
    assert contrast(colour(theme, text), colour(theme, background)) >= 4.5


@EACH_THEME
@pytest.mark.parametrize("text", ["value-aside", "gradient-aside"])
def test_numbers_off_the_path_can_be_read_in_the_diagram(theme, text):
    assert contrast(colour(theme, text), colour(theme, "background")) >= 4.5


@EACH_THEME
@pytest.mark.parametrize("text", ["accent", "primary"])
def test_what_is_marked_by_reversing_can_be_read(theme, text):
    assert contrast(colour(theme, "background"), colour(theme, text)) >= 4.5


# ── colour blindness ────────────────────────────────────────────────────────────────────────────────

# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB.
SEEN_BY = {
    "everybody": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopes": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopes": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopes": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}  # fmt: skip


def lab(colour: Color, matrix) -> tuple[float, float, float]:
    """CIE L*a*b* of a colour as somebody sees it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    r, g, b = (min(max(sum(m * c for m, c in zip(row, linear, strict=True)), 0.0), 1.0) for row in matrix)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@EACH_THEME
@pytest.mark.parametrize("who", SEEN_BY)
def test_no_two_hues_look_alike(theme, who):
    """A difference of 2.3 is just noticeable; these are several times that."""
    for one, other in itertools.combinations(HUES, 2):
        seen = [lab(colour(theme, name), SEEN_BY[who]) for name in (one, other)]
        assert math.dist(*seen) > 9, (one, other)


# ── in the app ──────────────────────────────────────────────────────────────────────────────────────


async def test_ctrl_t_switches_between_the_two(monkeypatch):
    app = app_on("tutorial-b")
    async with app.run_test() as pilot:
        assert app.theme == DARK.name
        await press(pilot, "ctrl+t")
        assert app.theme == LIGHT.name
        await press(pilot, "ctrl+t")
        assert app.theme == DARK.name


@pytest.mark.parametrize(("setting", "theme"), [("light", LIGHT), ("dark", DARK), ("mauve", DARK)])
def test_the_environment_chooses_the_first(monkeypatch, setting, theme):
    monkeypatch.setenv("BPTUI_THEME", setting)
    assert app_on().theme == theme.name
