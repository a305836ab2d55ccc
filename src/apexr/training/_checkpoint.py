"""Checkpoints of a training, as plain arrays by name."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from apexr.training._chunk import TrainState
from apexr.training._records import Records

Arrays = Mapping[str, np.ndarray]


class Keeper(Protocol):
    """Where checkpoints are kept, and when it is time for the next."""

    def load(self) -> Arrays | None:
        """Return the newest checkpoint that can be gone on with."""

    def is_due(self) -> bool:
        """Tell whether the last checkpoint is old enough."""

    def save(self, update: int, arrays: Arrays) -> None:
        """Keep a checkpoint that was made after so many updates."""


class Progress(NamedTuple):
    """How far a training is: all that it needs to go on.

    Mini-batches follow from the number of updates, so that no random state is held.

    Attributes
    ----------
    update
        Updates that are done.
    seconds
        What they took, compilation aside.
    state, records
        Weights and optimiser; what was noted.
    """

    update: int
    seconds: float
    state: TrainState
    records: Records

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything as arrays on the host; waits for the devices."""
        return {
            "update": np.asarray(self.update),
            "seconds": np.asarray(self.seconds),
            **{f"state/{name}": np.asarray(leaf) for name, leaf in _named(self.state)},
            **{f"records/{name}": array for name, array in self.records.arrays().items()},
        }


def resumed(arrays: Arrays, fresh: TrainState) -> Progress | None:
    """Return the progress that was saved, placed like a fresh state; None if it does not fit."""
    held = {name: arrays.get(f"state/{name}") for name, _ in _named(fresh)}
    if not all(_alike(held[name], leaf) for name, leaf in _named(fresh)):
        return None
    leaves = [jax.device_put(held[name], leaf.sharding) for name, leaf in _named(fresh)]
    state = jax.tree.unflatten(jax.tree.structure(fresh), leaves)
    noted = {
        name.removeprefix("records/"): array
        for name, array in arrays.items()
        if name.startswith("records/")
    }
    update, seconds = int(arrays["update"]), float(arrays["seconds"])
    return Progress(update, seconds, state, Records.from_arrays(noted))


def _named(tree: Any) -> list[tuple[str, Any]]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [(jax.tree_util.keystr(path, simple=True, separator="."), leaf) for path, leaf in leaves]


def _alike(saved: np.ndarray | None, leaf: Any) -> bool:
    return saved is not None and saved.shape == leaf.shape and saved.dtype == leaf.dtype
