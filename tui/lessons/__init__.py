"""The lessons: one a tutorial item, listed and read."""
