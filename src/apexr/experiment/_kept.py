"""Arrays that are kept for reuse, as long as they take a small part of the memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import jax
from jaxtyping import Array

from apexr._memory import available_memory

FRACTION = 0.125
"""The part of the available memory that kept arrays may take together."""


class Kept:
    """A few arrays by key; those that were asked for last stay.

    Parameters
    ----------
    most
        How many arrays are kept.
    most_bytes
        Gives how many bytes they may take together; an array that is larger is not kept.
    """

    def __init__(self, most: int, most_bytes: Callable[[], int]) -> None:
        self.most = most
        self.most_bytes = most_bytes
        self._arrays: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._arrays)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._arrays

    @property
    def nbytes(self) -> int:
        """The bytes that all take."""
        return sum(array.nbytes for array in self._arrays.values())

    def get(self, key: Hashable, make: Callable[[], Array]) -> Array:
        """Return the array of a key, made where it is not kept."""
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key]
        made = make()
        limit = self.most_bytes()
        with self._lock:
            self._arrays[key] = made
            while len(self._arrays) > self.most or (self._arrays and self.nbytes > limit):
                self._arrays.popitem(last=False)
        return made

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._arrays.clear()


def a_part_of_memory() -> int:
    """Return how many bytes kept arrays may take, of the host and of the device."""
    told = jax.local_devices()[0].memory_stats() or {}  # a CPU says nothing
    return int(FRACTION * min(available_memory(), told.get("bytes_limit", available_memory())))
