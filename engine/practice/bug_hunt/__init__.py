"""Find the bug: a backward pass in which one op slips."""
