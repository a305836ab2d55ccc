"""Training data that do not fit into memory: the windows of the next updates are read meanwhile.

Mini-batches are drawn from the same keys as in memory. The windows of a chunk of updates are
gathered from the source into one array, in which its windows stand one after another, two or three
in a row as if they were windows of a trajectory of that length. So the compiled chunk counts
frames as it does for data in memory: where the counting could be left out, it would be compiled
into a program that rounds in another way.

A maintained loader, Grain, reads ahead in the background.
"""

import dataclasses
import math
from collections.abc import Callable, Generator, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from apexr._memory import format_bytes
from apexr.errors import SpecError, needs

AHEAD = 2
"""Chunks that wait to be used."""

SHARE = 8
"""The budget holds so many chunks: those ahead, that being read, that in use on the devices."""


@dataclasses.dataclass(frozen=True)
class Streamed:
    """Trajectories of which frames are read when they are needed.

    Attributes
    ----------
    shape
        ``(sample, frame, channel, *space)``.
    dtype
        Of the numbers that are read.
    read
        Takes a sample and the first and last frame (not included) and returns
        ``(frame, channel, *space)``. It is called from several threads.
    """

    shape: tuple[int, ...]
    dtype: Any
    read: Callable[[int, int, int], np.ndarray]

    @property
    def nbytes(self) -> int:
        """The bytes that all of it would take in memory."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, samples: slice) -> Float[np.ndarray, "sample frame channel *space"]:
        """Return some trajectories, in memory."""
        chosen = range(*samples.indices(len(self)))
        values = np.empty((len(chosen), *self.shape[1:]), self.dtype)
        for place, sample in enumerate(chosen):
            values[place] = self.read(sample, 0, self.shape[1])
        return values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        values = self[:]
        return values if dtype is None else values.astype(dtype)


@dataclasses.dataclass(frozen=True)
class Room:
    """How windows are held in memory.

    Attributes
    ----------
    length
        Frames of a window.
    span
        Updates of a chunk, at most.
    slots
        Windows for which there is room.
    per_row
        Windows that stand in a row.
    """

    length: int
    span: int
    slots: int
    per_row: int

    @property
    def num_frames(self) -> int:
        """Frames of a row."""
        return self.per_row * self.length

    @property
    def frames(self) -> int:
        """Frames of all rows."""
        return math.ceil(self.slots / self.per_row) * self.num_frames

    def starts(self, slots: Any) -> Any:
        """Return the first frames of the windows in some slots."""
        return slots // self.per_row * self.num_frames + slots % self.per_row * self.length

    def windows(self, slots: Any) -> Any:
        """Return the numbers of these windows, as those of trajectories are counted."""
        per_trajectory = self.num_frames - self.length + 1
        return slots // self.per_row * per_trajectory + slots % self.per_row * self.length


def room_for(
    shape: Sequence[int], length: int, batch: int, *, most: int, budget: int | None
) -> Room | None:
    """Return how the windows of a training are held; None where all data fit into the budget.

    Parameters
    ----------
    shape
        ``(sample, frame, channel, *space)`` of the data.
    length
        Frames of a window.
    batch
        Windows of an update, those of all seeds together.
    most
        Updates of a chunk that need not be more.
    budget
        Bytes that data may take; None is no limit.

    Raises
    ------
    SpecError
        If not even one update fits.
    """
    itemsize = jax.dtypes.canonicalize_dtype(float).itemsize
    if budget is None or math.prod(shape) * itemsize <= budget:
        return None
    window = length * math.prod(shape[2:]) * itemsize
    span = min(most, budget // (SHARE * batch * window))
    if not span:
        raise SpecError(
            f"data_memory {format_bytes(budget)} is too small: the {batch} windows of one update,"
            f" those of all seeds together, take {format_bytes(batch * window)}, and {SHARE} times"
            f" as much is needed to read ahead; take {format_bytes(SHARE * batch * window)}, a"
            " smaller batch_size or fewer seeds at a time"
        )
    slots = min(span * batch, shape[0] * (shape[1] - length + 1))
    return Room(length, span, slots, _windows_in_a_row(length, shape[1]))


def _windows_in_a_row(length: int, num_frames: int) -> int:
    """Return so few windows that their starts are counted as those in a trajectory are.

    Where a trajectory is one window there is nothing to count. Otherwise the starts are not as many
    as a power of two, by which a compiler divides in another way.
    """
    if length == num_frames:
        return 1
    return 2 if (length + 1) & length else 3


@dataclasses.dataclass(frozen=True)
class WindowSource:
    """The chunks of a training by number, as Grain takes them.

    Attributes
    ----------
    data, room
        The source of the data, and how they are held.
    indices
        The windows of all updates, ``(seed, update, batch)``.
    spans
        The first update and the number of updates of each chunk.
    """

    data: Streamed
    room: Room
    indices: Int[np.ndarray, "seed update batch"]
    spans: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.spans)

    def __getitem__(
        self, place: Any
    ) -> tuple[Float[np.ndarray, "channel frame *space"], Int[np.ndarray, "seed update batch"]]:
        """Return the frames of a chunk's windows, and for each window of a batch its number."""
        (first, count), length = self.spans[int(place)], self.room.length
        wanted = self.indices[:, first : first + self.room.span].copy()
        wanted[:, count:] = wanted[:, :1]  # of no update of this chunk
        windows, slots = np.unique(wanted, return_inverse=True)
        per_trajectory = self.data.shape[1] - length + 1
        state = self.data.shape[2:]
        frames = np.zeros((state[0], self.room.frames, *state[1:]), self.data.dtype)
        for slot, window in enumerate(windows):
            sample, start = divmod(int(window), per_trajectory)
            values = self.data.read(sample, start, start + length)
            place = self.room.starts(slot)
            frames[:, place : place + length] = np.moveaxis(values, 1, 0)
        return frames, self.room.windows(slots.reshape(wanted.shape)).astype(np.int32)


def check_loader() -> None:
    """Refuse to stream without the package for it.

    Raises
    ------
    MissingExtraError
        If Grain is not installed.
    """
    with needs("streaming", "training data larger than memory need"):
        import grain  # noqa: F401


def in_background(source: WindowSource) -> Generator[Any, None, None]:
    """Yield the chunks in order, each read while the ones before are used.

    Whoever closes the generator ends the reading.
    """
    check_loader()
    import grain

    options = grain.ReadOptions(num_threads=1, prefetch_buffer_size=AHEAD)
    read = iter(grain.MapDataset.source(source).to_iter_dataset(options))
    try:
        yield from read
    finally:
        close = getattr(read, "close", None)
        if close is not None:
            close()
