"""Weights as the published benchmark stores them: arrays in NumPy's format, one after another.

The file says neither names nor structure; both follow from the configuration. Numbers that are no
weights (sizes of layers, the coarse solver of a correction) stand among them.
"""

import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from apexr.errors import StoreError

_INTERLEAVED = ("UNet", "MoRes", "MoUNet")
"""Networks whose blocks are stored convolution by convolution, each with its normalization."""

_LAYER = re.compile(
    r"(?P<block>.*?)(?P<role>convolutions|norms|bypass|bypass_norm)(\.(?P<index>\d+))?\.\w+"
)
_AFTER = 1_000
"""Place of what a block has once, after all that is numbered."""
_ROLES = ("convolutions", "norms", "bypass", "bypass_norm")


def read_blocks(path: Path) -> list[np.ndarray]:
    """Return the arrays of a file, in order.

    Raises
    ------
    StoreError
        If it cannot be read, is cut, or holds anything but numbers.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error})") from error
    file = io.BytesIO(content)
    blocks = []
    while file.tell() < len(content):
        try:
            blocks.append(_read_block(file, len(content)))
        except (ValueError, EOFError, TypeError, SyntaxError) as error:
            raise StoreError(
                f"{path}: no whole file of weights, array {len(blocks)} is not readable ({error})"
            ) from error
    return blocks


def _read_block(file: io.BytesIO, size: int) -> np.ndarray:
    """Return the next array, if the file holds all of it."""
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read_header:
        raise ValueError(f"version {version}")
    shape, fortran, dtype = read_header[version](file)
    if dtype.kind not in "biufc":
        raise ValueError(f"type {dtype}, expected numbers")
    count = math.prod(shape)
    if count * dtype.itemsize > size - file.tell():
        raise ValueError(f"cut, it should hold {count} numbers")
    values = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    return values.reshape(shape, order="F" if fortran else "C")


def weights_of(
    path: Path,
    blocks: Sequence[np.ndarray],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    network: str,
    num_seeds: int,
    alone: bool,
) -> dict[str, np.ndarray]:
    """Return the weights by name, in the order of ``shapes``.

    Parameters
    ----------
    path
        The file, for messages.
    blocks
        Its arrays.
    shapes
        Names and shapes of the weights of one network.
    network
        Its name.
    num_seeds
        Weights of several seeds lead with them.
    alone
        Whether the file holds a network alone, without a solver before it.

    Raises
    ------
    StoreError
        If they do not fit.
    """
    names = stored_order(shapes, interleaved=network in _INTERLEAVED)
    lead = (num_seeds,) if num_seeds > 1 else ()
    held = [block for block in blocks if block.ndim]
    if len(held) < len(names) or (alone and len(held) > len(names)):
        raise _misfit(path, f"{len(held)} arrays, expected {len(names)} for {network}", num_seeds)
    found = dict(zip(names, held[len(held) - len(names) :], strict=True))
    for name, block in found.items():
        wanted = (*lead, *shapes[name])
        if block.shape != wanted or block.dtype.kind != "f":
            what = f"{block.dtype} {block.shape}"
            raise _misfit(path, f"{what} for {name}, expected {wanted}", num_seeds)
    return {name: found[name] for name in shapes}


def _misfit(path: Path, what: str, num_seeds: int) -> StoreError:
    seeds = f"{num_seeds} seed{'s' if num_seeds > 1 else ''}"
    return StoreError(
        f"{path}: holds {what} and {seeds}; the weights are of another experiment than the table"
    )


def stored_order(names: Iterable[str], *, interleaved: bool) -> list[str]:
    """Return the names of weights in the order in which they are stored.

    Blocks follow one another as they do here. Within a block, all normalizations and all
    convolutions follow one another, unless they are interleaved.
    """
    listed = list(names)
    if not interleaved:
        return listed
    blocks = [_block(name) for name in listed]
    return [
        name for _, name in sorted(zip(_ranks(blocks), listed, strict=True), key=lambda p: p[0])
    ]


def _block(name: str) -> tuple[str, tuple[int, int]]:
    """Return the block that a weight belongs to and where in it it is stored."""
    match = _LAYER.fullmatch(name)
    if match is None:
        return name, (0, 0)
    role = _ROLES.index(match["role"])
    return match["block"], (int(match["index"] or _AFTER), role)


def _ranks(blocks: Sequence[tuple[str, tuple[int, int]]]) -> list[tuple[int, tuple[int, int], int]]:
    first: dict[str, int] = {}
    for place, (block, _) in enumerate(blocks):
        first.setdefault(block, place)
    return [(first[block], within, place) for place, (block, within) in enumerate(blocks)]
