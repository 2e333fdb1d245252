"""A text that begins a sentence."""


def capitalised(text: str) -> str:
    """A text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]
