"""Checkpoints of a training, as plain arrays by name."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from apexr.training._chunk import TrainState
from apexr.training._records import Records
from apexr.training._standing import Standing

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
        The seconds that they took, without compilation.
    state, records
        Weights and optimizer; what was noted.
    standing
        The findings of validation, where there is one.
    """

    update: int
    seconds: float
    state: TrainState
    records: Records
    standing: Standing | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything as arrays on the host; waits for the devices."""
        return {
            "update": np.asarray(self.update),
            "seconds": np.asarray(self.seconds),
            **{f"state/{name}": np.asarray(leaf) for name, leaf in _named(self.state)},
            **{f"standing/{name}": np.asarray(leaf) for name, leaf in _named(self.standing)},
            **{f"records/{name}": array for name, array in self.records.arrays().items()},
        }


def resumed(arrays: Arrays, begun: Progress) -> Progress | None:
    """Return the progress that was saved, placed like a fresh one; None if it does not fit."""
    state = _filled("state", arrays, begun.state)
    standing = _filled("standing", arrays, begun.standing)
    if state is None or (standing is None) != (begun.standing is None):
        return None
    noted = {
        name.removeprefix("records/"): array
        for name, array in arrays.items()
        if name.startswith("records/")
    }
    update, seconds = int(arrays["update"]), float(arrays["seconds"])
    return Progress(update, seconds, state, Records.from_arrays(noted), standing)


def _filled(part: str, arrays: Arrays, like: Any) -> Any:
    """Return what was saved of a part, placed like a fresh one; None if it does not fit."""
    named = _named(like)
    held = [arrays.get(f"{part}/{name}") for name, _ in named]
    if not all(_fits(saved, leaf) for saved, (_, leaf) in zip(held, named, strict=True)):
        return None
    leaves = [_placed_like(saved, leaf) for saved, (_, leaf) in zip(held, named, strict=True)]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _placed_like(saved: Any, leaf: Any) -> Any:
    return saved if isinstance(leaf, np.ndarray) else jax.device_put(saved, leaf.sharding)


def _named(tree: Any) -> list[tuple[str, Any]]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [(jax.tree_util.keystr(path, simple=True, separator="."), leaf) for path, leaf in leaves]


def _fits(saved: np.ndarray | None, leaf: Any) -> bool:
    return saved is not None and saved.shape == leaf.shape and saved.dtype == leaf.dtype
