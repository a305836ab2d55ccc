"""Text of any stranger, written so that no terminal obeys it."""


def inert(text: str, *, lines: bool = True) -> str:
    """Return text in which what cannot be printed is written as an escape.

    Parameters
    ----------
    text
        The text.
    lines
        Whether it may have several lines.
    """
    if text.isprintable():
        return text
    kept = "\n" if lines else ""
    return "".join(
        sign if sign.isprintable() or sign in kept else sign.encode("unicode_escape").decode()
        for sign in text
    )
