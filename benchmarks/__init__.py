"""Measurements of this program's speed, beside peers where they are installed. See README.md here."""
