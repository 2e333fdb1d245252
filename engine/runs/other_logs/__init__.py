"""The logs of other programs, one file a format: read as if they were run logs."""
