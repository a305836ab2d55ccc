"""The form of an experiment: plain parts, checked before any work."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apexr.engine import Callback, EmulatorPlan
from apexr.labels import Axes
from apexr.metrics import Metric
from apexr.recipe import Choice
from apexr.training import TrainingPlan


@dataclasses.dataclass(frozen=True)
class Experiment:
    """All that an experiment is made of, besides its data.

    Attributes
    ----------
    emulator, training
        The settings of the training.
    metrics
        Metrics of the rollout by config string.
    num_kept
        Test trajectories that the result holds whole.
    shapes
        Of the trajectories: ``train`` and ``test``; ``valid`` where there is validation.
    callbacks
        Records of the training.
    seeds
        One network is drawn and trained for each.
    axes
        Labels of the states.
    config
        ``scenario``, ``task``, ``net``, ``train``, ``scenario_kwargs`` in their canonical form.
    attrs
        Further attributes of the result.
    precision
        Of all that is computed.
    choice
        Which weights are tested.
    begin
        Takes drawn emulators and their seeds to those that the training begins with; None leaves
        them as they are.
    """

    emulator: EmulatorPlan
    training: TrainingPlan
    metrics: dict[str, Metric]
    num_kept: int
    shapes: Mapping[str, tuple[int, ...]]
    callbacks: tuple[Callback, ...]
    seeds: tuple[int, ...]
    axes: Axes
    config: Mapping[str, str]
    attrs: Mapping[str, Any]
    precision: str
    choice: Choice = dataclasses.field(default_factory=Choice)
    begin: Callable[[Any, Sequence[int]], Any] | None = None
