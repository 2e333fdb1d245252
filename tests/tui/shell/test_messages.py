"""A screen says what should happen, and whoever runs it decides: here an app that is not bptui's."""

from textual import on
from textual.app import App
from textual.message import Message

from engine.experiment.loading import PRESET_NAMES
from tui.shell.home_screen import HomeScreen
from tui.shell.messages import OpenExperiment, ShowLessons
from tui.shell.theme import DARK, THEMES


class Listener(App[None]):
    """Shows the list of experiments and writes down what it asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Message] = []
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name

    def on_mount(self) -> None:
        self.push_screen(HomeScreen([]))

    @on(OpenExperiment)
    @on(ShowLessons)
    def _hear(self, message: Message) -> None:
        self.heard.append(message)


async def test_the_list_of_experiments_works_in_any_app():
    app = Listener()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        await pilot.press("T")
        await pilot.pause()
        opened, lessons = app.heard
        assert isinstance(opened, OpenExperiment)
        assert (opened.name, opened.screen) == (PRESET_NAMES[1], None)
        assert isinstance(lessons, ShowLessons)
