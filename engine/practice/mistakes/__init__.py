"""Which mistake is it? From a wrong answer to a sentence about a factor."""
