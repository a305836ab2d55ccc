"""A picture of a page, next to the line of code that makes it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from apexr._report._parts import Call, Code, Figure, Part, Text
from apexr.errors import ApexrError
from apexr.plots import save


def pictured(
    folder: Path,
    call: Call,
    subject: Any,
    caption: str,
    name: str,
    before: Sequence[str] = (),
) -> Iterator[Part]:
    """Give a picture and the lines that make it, or why it cannot be drawn.

    Parameters
    ----------
    folder
        Of the page; the picture goes into its folder ``figures``.
    call
        The call that draws the picture of ``subject``.
    caption
        The line below it.
    name
        Of the file, without its ending.
    before
        Lines of code that make the subject.
    """
    code = "\n".join([*before, call.code])
    try:
        drawn = call(subject)
    except ApexrError as error:
        yield Text(f"Not drawn: {error}")
        return
    wide = hasattr(drawn, "cols")
    path = folder / "figures" / f"{name}.png"
    save(drawn, path, width="page" if wide else "column")
    yield Figure(path, caption, wide)
    yield Code(code)
