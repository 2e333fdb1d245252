"""Text and frames draw themselves anew only where they say something else."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.content import Content

from tui.shell.static_text import StaticPanel, StaticText


class Page(App[None]):
    def compose(self) -> ComposeResult:
        with StaticPanel(id="panel"):
            yield StaticText(id="text")


class Counted:
    """How often a widget was asked to draw itself."""

    def __init__(self, monkeypatch, widget):
        self.times = 0
        refresh = widget.refresh

        def counting(*regions, **options):
            self.times += 1
            return refresh(*regions, **options)

        monkeypatch.setattr(widget, "refresh", counting)


async def test_the_same_text_is_not_drawn_again_another_is(monkeypatch):
    app = Page()
    async with app.run_test():
        text = app.query_one(StaticText)
        counted = Counted(monkeypatch, text)
        text.update("step 1")
        assert str(text.content) == "step 1"
        text.update(Content("step 1"))
        assert counted.times == 1
        text.update("step 2")
        assert counted.times == 2


async def test_the_same_words_in_another_colour_are_another_text(monkeypatch):
    app = Page()
    async with app.run_test():
        text = app.query_one(StaticText)
        text.update("dead")
        counted = Counted(monkeypatch, text)
        text.update(Content.styled("dead", "bold"))
        assert counted.times == 1


async def test_a_frame_is_drawn_again_only_for_other_titles(monkeypatch):
    app = Page()
    async with app.run_test():
        panel = app.query_one(StaticPanel)
        panel.set_title("profile", "[x]")
        assert panel.border_title == "profile"
        assert (
            Content.from_markup(panel.border_subtitle).plain == "[x]"
        )  # no markup: it says what it was told
        counted = Counted(monkeypatch, panel)
        panel.set_title("profile", "[x]")
        assert counted.times == 0
        panel.set_title("history", "[x]")
        assert counted.times > 0
