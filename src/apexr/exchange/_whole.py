"""Files for other programs: they come into sight whole, or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apexr.errors import StoreError


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """Yield where to write a file, and give it its name when the block is through.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    aside = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        os.replace(aside, target)
    except OSError as error:
        raise StoreError(f"{target}: cannot be written ({error})") from error
    finally:
        if aside.exists():
            aside.unlink()
