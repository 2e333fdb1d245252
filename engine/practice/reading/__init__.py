"""What did the learner type? From characters to an expression whose shapes fit, or a line that says why not."""
