"""Pictures that a build draws again: a tracked one is replaced where one can see a difference.

Trainings differ in their last bits between machines, and pixels of their curves with them. A build
that kept every new bit would change each clone in which it runs.
"""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageSequence

RADIUS = 3
"""Pixels over which pictures are blurred: a curve may lie half a pixel elsewhere."""
SEEN = 24
"""Difference of two blurred colors, of 255, that one can see; a changed letter makes over 60."""


@contextmanager
def redrawn(target: Path) -> Iterator[Path]:
    """Lend the path for a new picture, which replaces the target where it looks different."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / target.name
        yield new
        if not (target.is_file() and look_the_same(target, new)):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(new.read_bytes())


def look_the_same(one: Path, other: Path) -> bool:
    """Tell whether two pictures, or all frames of two films, show no difference."""
    with Image.open(one) as first, Image.open(other) as second:
        both = map(ImageSequence.Iterator, (first, second))
        pairs = itertools.zip_longest(*both)
        return all(_is_close(*pair) for pair in pairs)


def _is_close(one: Image.Image | None, other: Image.Image | None) -> bool:
    if one is None or other is None or one.size != other.size:
        return False
    blur = ImageFilter.BoxBlur(RADIUS)
    colors = (np.asarray(frame.convert("RGB").filter(blur), int) for frame in (one, other))
    first, second = colors
    return bool(np.abs(first - second).max() <= SEEN)
