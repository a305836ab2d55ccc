"""The result of a training."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from apexr.training._records import Record


@dataclasses.dataclass(frozen=True)
class Validated:
    """The findings of a training's validation.

    Attributes
    ----------
    losses, scores
        ``(seed, record)``: before each recorded update.
    selected_at
        ``(seed,)``: after how many updates the weights are that were given back.
    stopped_at
        ``(seed,)``: after how many updates a seed stopped, or -1.
    """

    losses: Float[np.ndarray, "seed record"]
    scores: Float[np.ndarray, "seed record"]
    selected_at: Int[np.ndarray, " seed"]
    stopped_at: Int[np.ndarray, " seed"]


@dataclasses.dataclass(frozen=True)
class Trained:
    """The result of a training.

    Attributes
    ----------
    emulators
        The trained module; its arrays lead with the seeds, those of solvers in it excepted.
    losses
        ``(seed, record)``: the loss before each recorded update.
    update_steps
        The recorded updates.
    diverged_at
        ``(seed,)``: first update with a loss that was not finite, or -1.
    train_seconds, compile_seconds
        Wall time of the updates and of the compilation. Updates that were made before an
        interruption count, compilation does not.
    records
        The values that recorders returned, by name.
    validated
        The findings of validation, where there was one.
    """

    emulators: Any
    losses: Float[np.ndarray, "seed record"]
    update_steps: Int[np.ndarray, " record"]
    diverged_at: Int[np.ndarray, " seed"]
    train_seconds: float
    compile_seconds: float
    records: Mapping[str, Record] = dataclasses.field(default_factory=dict)
    validated: Validated | None = None
