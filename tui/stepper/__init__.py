"""Stepping through one gradient, term by term."""
