"""Practice: the tutorials' own questions first, then exercises by level, with hints in steps, score and streak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from textual.content import Content
from typing_extensions import override

from engine.derivation.targets import TargetError
from engine.formula.course_notation import CourseNames
from engine.formula.layout import LayoutBox, draw, one_line, row
from engine.formula.notation import symbol_text
from engine.formula.number_text import number_text
from engine.formula.numbers_in_words import counted
from engine.practice.assignments.assignment import (
    Assignment,
    AssignmentQuestion,
    load_assignment,
    parse_assignment,
)
from engine.practice.assignments.generated_exercises import LEVELS, exercises
from engine.practice.assignments.grading import judge_question
from engine.practice.assignments.worksheet import (
    Solution,
    abridged,
    asked_in,
    derivation_lines,
    equations,
    solution,
)
from engine.practice.verdict import Verdict
from tui.practice.asking_screen import AskingScreen
from tui.practice.learner_progress import ProgressFile
from tui.practice.network_blocks import network_blocks
from tui.shell.busy_screen import at_length
from tui.shell.csv_table import Cell, CsvTable, Rows
from tui.shell.key_command import bindings
from tui.shell.keys import PRACTICE_COMMANDS
from tui.shell.prompt import Prompt
from tui.shell.verdict_content import numbers_of

PER_SET = 10
"""Exercises of one seed and level."""


class PracticeScreen(AskingScreen):
    """Practice: asks one question after the other, and keeps what was answered."""

    COMMANDS_SHOWN = PRACTICE_COMMANDS
    BINDINGS = bindings(PRACTICE_COMMANDS)

    def __init__(self, kept: ProgressFile, asked: Assignment | None = None) -> None:
        super().__init__()
        self.kept = kept
        self.level = 0
        self._first = load_assignment("tutorials") if asked is None else asked
        self.assignment = self._first
        self.place = self._first_open()
        self.tries = 0
        self.hints = 0
        self._worked_out: set[str] = set()  # what took long to work out, and is known now

    def on_mount(self) -> None:
        """Says once what is wrong with the file that progress is kept in."""
        super().on_mount()
        if (problem := self.kept.take_problem()) is not None:
            self.notify(problem, severity="warning", timeout=10, markup=False)

    @property
    def question(self) -> AssignmentQuestion:
        """The question that is asked."""
        return self.assignment.questions[self.place]

    @property
    @override
    def names(self) -> CourseNames:
        return self.question.experiment.names

    def _first_open(self) -> int:
        for place, question in enumerate(self.assignment.questions):
            if not self._is_done(question):
                return place
        return 0

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────────

    def title_line(self) -> Content:
        """Which set of questions, and how it goes."""
        progress = self.kept.progress
        where = f"level {self.level}, seed {progress.seed}" if self.level else self.assignment.title
        score = f"{_points(progress.points)} · streak {progress.streak} · best {progress.best_streak}"
        return Content.assemble(
            (" Practice ", "bold reverse $primary"),
            (f"  {self.said(where)}  {self.place + 1} of {len(self.assignment.questions)}", "bold"),
            (self.said(f"   {score}"), "$faint"),
        )

    def question_lines(self) -> Content:
        """The question, the network with its numbers, and the hints that were asked for."""
        question, style = self.question, self.glyphs
        lines = [Content.styled(self.said(question.spec.text or "What is this gradient?"), "bold")]
        done = self.kept.progress
        if question.id in done.answered:
            lines.append(Content.styled(self.said("✓ answered before"), "$done"))
        elif question.id in done.given_up:
            lines.append(Content.styled("given up before", "$remark"))
        lines += [Content.styled(self.said(f"Asked for: {self._asked()}"), "$accent"), Content("")]
        lines += [
            Content.styled(self.said(f"Hint: {hint}"), "$remark") for hint in self._hints()[: self.hints]
        ]
        if self.hints:
            lines.append(Content(""))
        if self.has_room_beside:
            lines += [*self._equations_drawn(), *self._found_before()]
            return Content("\n").join(lines)
        gap = Content.styled(style.glyphs.ellipsis, "$faint")
        given = list(numbers_of(question.evaluated.graph, forward=False, style=style))
        numbers = [gap if one is None else one for one in abridged(given)]
        if question.spec.kind == "number":
            lines += [*numbers, Content("")]
        limited = replace(style, max_terms=4)
        for equation in abridged(equations(question.evaluated.graph)):
            if equation is None:
                lines.append(gap)
                continue
            symbol, formula = equation
            lines.append(
                Content.styled(f"{symbol_text(symbol, style)} = {one_line(formula, limited)}", "$faint")
            )
        if question.spec.kind != "number":
            lines += [Content(""), *numbers]
        return Content("\n").join(lines)

    def _equations_drawn(self) -> list[Content]:
        """How each matrix is computed, at its first entry, in two dimensions."""
        style = replace(self.glyphs, max_terms=4)
        equal = LayoutBox.of(" = ")
        lines: list[Content] = []
        for equation in abridged(equations(self.question.evaluated.graph)):
            if equation is None:
                lines += [Content.styled(style.glyphs.ellipsis, "$faint"), Content("")]
                continue
            symbol, formula = equation
            drawn = row([draw(symbol, style), equal, draw(formula, style)])
            flat = f"{symbol_text(symbol, style)} = {one_line(formula, style)}"
            lines += [Content("\n".join(drawn.lines) if drawn.width <= self.room else flat), Content("")]
        return lines

    def _found_before(self) -> list[Content]:
        """What was found in the questions of the same item: the next one builds on it."""
        item, done = self.question.spec.item, self.kept.progress
        lines: list[Content] = []
        for question in self.assignment.questions[: self.place]:
            known = question.id in done.answered or question.id in done.given_up
            if not item or question.spec.item != item or not known or question.spec.kind == "bug":
                continue
            if question.is_long and question.id not in self._worked_out:
                continue
            style = replace(self.glyphs, names=question.experiment.names)
            found = solution(question)
            name = LayoutBox.of(f"{asked_in(question, style)} = ")
            if found.formula is not None:
                drawn = row([name, draw(found.formula, style)])
                flat = f"{name.lines[0]}{one_line(found.formula, style)}"
                lines.append(Content("\n".join(drawn.lines) if drawn.width <= self.room else flat))
            elif found.number is not None:
                lines.append(Content(f"{name.lines[0]}{number_text(found.number, style)}"))
        return [Content.styled(f"found before, in {item}", "$faint"), *lines] if lines else []

    def network_picture(self, width: int) -> Content:
        """The matrices in their order: numbers where they are given, names where they are to be computed."""
        return network_blocks(self.question.evaluated.graph, self.glyphs, width, numbers=False)

    def record_lines(self) -> Content:
        """Which questions are answered, item by item; the streak; what was mistaken most."""
        progress = self.kept.progress
        lines: list[Content] = []
        for name, questions in self._by_item():
            marks = [self._mark(question.id) for question in questions]
            here = any(question is self.question for question in questions)
            pieces = [Content.styled(f"{name:<6}", "bold" if here else "$faint")]
            pieces += [Content.styled(self.said(f"{mark} "), paint) for mark, paint in marks]
            lines.append(Content("").join(pieces))
        ids, done, given_up = self._standing()
        at_once, bugs = sum(progress.answered[one] == 1 for one in done), progress.bugs
        score = f"{_points(progress.points)} · streak {progress.streak} · best streak {progress.best_streak}"
        lines += [
            Content(""),
            Content(
                f"{len(done)} of {len(ids)} answered, {at_once} of them at once; {len(given_up)} given up"
            ),
            Content(self.said(score)),
            Content(f"{counted(len(bugs), 'bug')} looked for, {sum(bugs.values())} found at the first mark"),
            Content(""),
            Content.styled("mistaken most" if progress.mistakes else "no mistake yet", "$faint"),
        ]
        lines += [Content(self.said(f"{number}× {text}")) for text, number in progress.most_mistaken(8)]
        return Content("\n").join(lines)

    def _by_item(self) -> list[tuple[str, list[AssignmentQuestion]]]:
        """The questions by the tutorials' item, or all of them together."""
        found: dict[str, list[AssignmentQuestion]] = {}
        for question in self.assignment.questions:
            found.setdefault(question.spec.item or "all", []).append(question)
        return list(found.items())

    def _mark(self, name: str) -> tuple[str, str]:
        """How a question stands: a mark and its paint."""
        if name == self.question.id:
            return "●", "bold $accent"
        if name in self.kept.progress.answered:
            return "✓", "$done"
        return ("✗", "$remark") if name in self.kept.progress.given_up else ("·", "$faint")

    def _asked(self) -> str:
        """What is asked for, in the screen's letters."""
        spec, asked = self.question.spec, asked_in(self.question, self.glyphs)
        if not self.question.has_target or spec.kind == "shape":
            return asked
        given = ", ".join(f"dE/d{one}" for one in spec.given)
        return f"{asked}, a {spec.kind}" + (f"; {given} may be used" if given else "")

    def _hints(self) -> list[str]:
        """From the vaguest to the formula itself."""
        hints = list(self.question.hints)
        style = self.glyphs
        hints += [one_line(line, style) for line in derivation_lines(self.question)[:1]]
        return hints

    # ── answering ───────────────────────────────────────────────────────────────────────────────────

    def answered(self, text: str) -> None:
        """Judges an answer; a right one counts, and Enter on an empty line goes on."""
        question = self.question
        attempts = question.spec.attempts
        if attempts is not None and self.tries >= attempts:
            self.show_verdict(
                Content.styled(
                    f"all {counted(attempts, 'attempt')} are used; F6 shows the solution", "$remark"
                )
            )
            return
        told = partial(self._judged, question, text)
        at_length(self, question.is_long, "Judging the answer", partial(judge_question, question, text), told)

    def _judged(self, question: AssignmentQuestion, text: str, verdict: Verdict) -> None:
        """Says what an answer is worth, and counts it."""
        progress = self.kept.progress
        self._worked_out.add(question.id)
        lines = list(self.verdict_lines(verdict, text))
        if verdict.verdict == "right":
            self.tries += 1
            progress.right(question.id, question.spec.points, self.tries + self.hints)
            self.kept.save()
            open_still = any(not self._is_done(one) for one in self.assignment.questions)
            further = "↵ goes on to the next question" if open_still else "all are done; Esc leads back"
            lines.append(Content.styled(self.said(further), "$faint"))
            self.clear_answer()
        elif verdict.verdict == "wrong":
            self.tries += 1
            progress.wrong([mistake.text for mistake in verdict.mistakes if mistake.kind != "unknown"])
            self.kept.save()
        if (problem := self.kept.take_problem()) is not None:
            lines.append(Content.styled(self.said(problem), "$remark"))
        self.show_verdict(*lines)
        self.redraw()

    def _is_done(self, question: AssignmentQuestion) -> bool:
        done = self.kept.progress
        return question.id in done.answered or question.id in done.given_up

    @override
    def entered_nothing(self) -> None:
        if self._is_done(self.question) and len(self.assignment.questions) > 1:
            self.action_turn(1)

    @override
    def what_to_type(self) -> str:
        match self.question.spec.kind:
            case "number":
                return "a number: 0.25, 1/4, 25 %"
            case "shape":
                return "a shape, rows first: 3×2, or 8×n"
            case "bug":
                return "the gradient that is sent wrongly, such as W[1]"
            case "formula":
                return "a formula in the names above" + ("" if self.names else "; W1_01 is W⁽¹⁾₀₁")

    def action_hint(self) -> None:
        """The next hint: which rule, which factor, at last the formula."""
        if self.hints < len(self._hints()):
            self.hints += 1
            self.redraw()
        else:
            self.show_verdict(Content.styled("no further hint; F6 shows the solution", "$faint"))

    def action_give_up(self) -> None:
        """Shows the solution."""
        question = self.question
        told = partial(self._solved, question)
        at_length(self, question.is_long, "Working out the solution", partial(solution, question), told)

    def _solved(self, question: AssignmentQuestion, found: Solution) -> None:
        self.kept.progress.gave_up(question.id)
        self.kept.save()
        self._worked_out.add(question.id)
        lines = [Content.styled("given up: the solution", "$remark")]
        if found.formula is not None:
            lines.append(Content("\n".join(draw(found.formula, self.glyphs).lines)))
        if found.number is not None:
            lines.append(Content(f"= {found.number:.6g}"))
        if found.text:
            lines.append(Content(self.said(found.text)))
        self.show_verdict(*lines)
        self.redraw()

    # ── moving ──────────────────────────────────────────────────────────────────────────────────────

    def action_turn(self, by: int) -> None:
        """The next or previous question; past the last one it says how all of them went."""
        total = len(self.assignment.questions)
        self._go((self.place + by) % total)
        if by > 0 and self.place == 0:
            self.notify(f"That was the last of {total}: {self._summary()}. Here is the first again.")

    # ── csv ─────────────────────────────────────────────────────────────────────────────────────────

    def data_tables(self) -> Sequence[CsvTable]:
        """How each question of this set went; what was mistaken, and how often."""
        return [
            CsvTable(self._progress_rows, "How it goes, question by question, as csv"),
            CsvTable(self._mistake_rows, "What was mistaken, as csv"),
        ]

    def _progress_rows(self) -> Rows:
        """One row a question: when it was answered, at which try; nothing where it was not."""
        progress = self.kept.progress
        rows: list[list[Cell]] = [["question", "item", "kind", "points", "answered_at_try", "given_up"]]
        for question in self.assignment.questions:
            spec = question.spec
            tries, given_up = progress.answered.get(question.id), question.id in progress.given_up
            rows.append([question.id, spec.item, spec.kind, spec.points, tries, int(given_up)])
        return rows

    def _mistake_rows(self) -> Rows:
        mistakes = self.kept.progress.most_mistaken(len(self.kept.progress.mistakes))
        rows: list[list[Cell]] = [["mistake", "times"]]
        rows += [[text, times] for text, times in mistakes]
        return rows

    def _standing(self) -> tuple[set[str], set[str], set[str]]:
        """The questions of this set, those that were answered, and those that were given up."""
        ids = {question.id for question in self.assignment.questions}
        progress = self.kept.progress
        return ids, ids & progress.answered.keys(), ids & set(progress.given_up)

    def _summary(self) -> str:
        """How the questions of this set went."""
        ids, answered, given_up = self._standing()
        left = len(ids - answered - given_up)
        return f"{len(answered)} answered, {len(given_up)} given up, {left} open"

    def _go(self, place: int) -> None:
        self.place, self.tries, self.hints = place, 0, 0
        self.clear_answer()
        self.scroll_home_again()
        self.show_verdict()
        self.redraw()

    def action_level(self) -> None:
        """The next level of exercises; after the last the tutorials' own questions again."""
        self.level = (self.level + 1) % (len(LEVELS) + 1)
        self._load()

    def action_seed(self) -> None:
        """Asks for a seed, which can be shared: the same seed gives the same exercises."""
        prompt = Prompt("Seed", "a whole number: the same seed, the same exercises", _seed_problem)
        self.app.push_screen(prompt, self._seeded)

    def _seeded(self, text: str | None) -> None:
        if text:
            self.kept.progress.seed = int(text)
            self.level = self.level or 1
            self._load()

    def _load(self) -> None:
        """The questions of the present level and seed."""
        try:
            self.assignment = (
                parse_assignment(exercises(self.kept.progress.seed, self.level, PER_SET), "exercises")
                if self.level
                else self._first
            )
        except TargetError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        self._go(self._first_open())

    def action_record(self) -> None:
        """What was mistaken most."""
        progress = self.kept.progress
        lines = [
            Content.styled(
                f"{counted(len(progress.answered), 'question')} answered, {len(progress.given_up)} given up",
                "bold",
            )
        ]
        lines += [Content(self.said(f"  {number}×  {text}")) for text, number in progress.most_mistaken(5)]
        if not progress.mistakes:
            lines.append(Content("  no mistake yet"))
        self.show_verdict(*lines)

    def action_reset(self) -> None:
        """Forgets everything, after a question."""
        prompt = Prompt("Forget everything that was answered?", "type: reset", _reset_problem)
        self.app.push_screen(prompt, self._reset)

    def _reset(self, text: str | None) -> None:
        if text:
            self.kept.reset()
            self._go(0)

    def action_close(self) -> None:
        """Back to where one came from."""
        self.dismiss()


def _points(points: float) -> str:
    return f"{points:.4g} point{'' if points == 1 else 's'}"


def _seed_problem(text: str) -> str | None:
    return (
        None
        if text.isascii() and text.isdigit() and len(text) <= 9
        else "a whole number of at most nine digits, please"
    )


def _reset_problem(text: str) -> str | None:
    return None if text == "reset" else "type reset, or leave with Esc"
