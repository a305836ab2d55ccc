"""How trajectories are cut into blocks, so that all that is held at once fits a budget."""

import dataclasses
import math
from collections.abc import Iterator

from apexr._memory import format_bytes
from apexr.errors import SpecError
from apexr.schema import CHUNK_BYTES, chunk_shape

WORK = 24
"""States that a solver holds for each state that it advances: stages, spectra, coefficients."""

COPIES = 12
"""Times that a block is held: computed, transposed, gathered, compressed, not yet given back."""

OVERHEAD = 40 * 2**20
"""Memory for compiling a solver."""

BLOCK_BYTES = 64 * 2**20
"""The largest block, however much memory there is."""

CHUNKS_PER_BUDGET = 32
FRAMES_WANTED = 8
"""Frames of a block; rather than fewer, samples are taken in groups."""


@dataclasses.dataclass(frozen=True)
class Size:
    """The computation to cut.

    Parameters
    ----------
    num_samples, num_frames
        Sizes of the result.
    state_shape
        ``(channel, *space)``.
    itemsize
        Bytes of a number.
    at_once
        States that are advanced at a time, of a large number of samples.
    """

    num_samples: int
    num_frames: int
    state_shape: tuple[int, ...]
    itemsize: int
    at_once: int | None

    @property
    def state(self) -> int:
        """Bytes of a state."""
        return math.prod(self.state_shape) * self.itemsize

    @property
    def result(self) -> int:
        """Bytes of the result."""
        return self.num_samples * self.num_frames * self.state

    def work(self, samples: int) -> int:
        """Return the bytes that the solver takes for this many samples."""
        advanced = samples if self.at_once is None else min(samples, self.at_once)
        return WORK * advanced * self.state

    @property
    def least(self) -> int:
        """Bytes without which not a single frame can be made."""
        return self.work(1) + COPIES * self.state


@dataclasses.dataclass(frozen=True)
class Cut:
    """Groups of samples, blocks of frames, and chunks of a store that divide both."""

    size: Size
    group: int
    block: int
    chunks: tuple[int, ...] = ()

    def groups(self) -> Iterator[slice]:
        """Yield the samples of each group."""
        total = self.size.num_samples
        yield from (slice(at, min(at + self.group, total)) for at in range(0, total, self.group))


def cut_for_memory(size: Size, budget: int) -> Cut:
    """Return the cut of a computation whose result is kept in memory.

    Raises
    ------
    SpecError
        If result and solver together take more than the budget, saying what helps.
    """
    needed = size.result + size.least
    if needed > budget:
        raise SpecError(
            f"the trajectories take {format_bytes(size.result)}, with the solver"
            f" {format_bytes(needed)}, and memory_budget is {format_bytes(budget)}; write them to"
            ' a store (store="trajectories.zarr"), keep fewer frames (save_every), or raise'
            " memory_budget"
        )
    return _cut(size, budget - size.result)


def cut_for_store(size: Size, budget: int) -> Cut:
    """Return the cut of a computation whose result is written block by block.

    Raises
    ------
    SpecError
        If the budget does not hold a single frame, naming the least that would do.
    """
    if size.least > budget:
        raise SpecError(
            f"a state takes {format_bytes(size.state)}, its solver and a frame"
            f" {format_bytes(size.least)}, and memory_budget is {format_bytes(budget)}; raise"
            f' memory_budget to at least "{-(-size.least // 10**6)}MB"'
        )
    cut = _cut(size, budget)
    dims = ("sample", "time", "channel", *"xyz"[: len(size.state_shape) - 1])
    limit = min(CHUNK_BYTES, budget // CHUNKS_PER_BUDGET)
    shape = (cut.group, cut.block, *size.state_shape)
    samples, frames, *state = chunk_shape(dims, shape, size.itemsize, limit)
    frames, block = _even(cut.block, frames)
    samples, group = _even(cut.group, samples)
    return Cut(size, group, block, (samples, frames, *state))


def _cut(size: Size, room: int) -> Cut:
    room = max(room - OVERHEAD, room // 2, size.least)
    wanted = COPIES * min(FRAMES_WANTED, max(1, size.num_frames)) * size.state
    if size.at_once is None:
        group = room // (wanted + WORK * size.state)
    else:
        group = (room - size.work(size.num_samples)) // wanted
    group = _share(size.num_samples, group)
    held = min((room - size.work(group)) // COPIES, BLOCK_BYTES)
    return Cut(size, group, _share(max(1, size.num_frames), held // (group * size.state)))


def _share(total: int, most: int) -> int:
    """Return the size of equal parts of ``total``, none above ``most`` (but at least 1)."""
    most = min(max(1, most), total)
    return -(-total // -(-total // most))


def _even(total: int, chunk: int) -> tuple[int, int]:
    """Return a chunk of about this size and the multiple of it that just holds ``total``."""
    count = -(-total // chunk)
    chunk = -(-total // count)
    return chunk, chunk * count
