"""Which bptui this is."""

from __future__ import annotations


def version() -> str:
    """The version of the installed distribution."""
    from importlib import metadata  # a tenth of the app's start, and hardly ever asked for

    try:
        return metadata.version("bptui")
    except metadata.PackageNotFoundError:  # run from a source tree that nobody installed
        return "(not installed)"
