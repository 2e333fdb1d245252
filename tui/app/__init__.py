"""The app, which composes: it opens experiments, puts their screens in front, and answers what they ask."""

from tui.app.bptui_app import BptuiApp as BptuiApp
from tui.app.run_app import run as run
from tui.app.run_app import watch as watch
