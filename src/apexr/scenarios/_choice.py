"""Which weights an experiment tests: what ``select`` and ``patience`` of a scenario mean."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from apexr.engine import Callback
from apexr.errors import SpecError, suggest
from apexr.experiment import Choice
from apexr.metrics import METRICS, Fields, measuring, parse_metrics

if TYPE_CHECKING:
    from apexr.scenarios._base import BaseScenario

LOSS = "valid_loss"
"""What ``select`` calls the loss on data for validation."""


def check_validation(
    scenario: "BaseScenario", choice: Choice, callbacks: Sequence[Callback]
) -> None:
    """Refuse what needs data for validation, where there are none.

    Raises
    ------
    SpecError
        Naming what needs them.
    """
    if scenario.num_valid_samples:
        return
    wants = [
        *([f"select={scenario.select!r}"] if choice.keep_best else []),
        *([f"patience={choice.patience}"] if choice.patience else []),
        *(f"callback {callback.name!r}" for callback in callbacks if callback.needs_valid_data),
    ]
    if wants:
        raise SpecError(f"{wants[0]} needs data for validation: give num_valid_samples")


def require_valid_data(scenario: "BaseScenario") -> None:
    """Refuse to give data for validation where there are none.

    Raises
    ------
    SpecError
        Saying how to have some.
    """
    if not scenario.num_valid_samples:
        raise SpecError("there are no data for validation: give num_valid_samples")


def choice(scenario: "BaseScenario") -> Choice:
    """Return which weights are tested: the parsed ``select`` and ``patience``.

    Raises
    ------
    SpecError
        If it cannot be read, or its metric has no best value.
    """
    if scenario.select == "last":
        return Choice(patience=scenario.patience)
    word, _, config = scenario.select.partition(";")
    if word != "best" or not config:
        near = suggest(word, ("last", "best"))
        raise SpecError(
            "select must be 'last' or 'best;METRIC', such as 'best;valid_loss' or"
            f" 'best;mean_nRMSE', got {scenario.select!r}{near}"
        )
    if config == LOSS:
        return Choice(True, scenario.patience)
    try:
        parse_metrics(config)
    except SpecError as error:
        known = [LOSS, *METRICS.names()]
        near = suggest(config, known)
        raise SpecError(f"select {scenario.select!r}{near}: {error}; or {LOSS}") from None
    fields = Fields(scenario.grid, scenario.num_channels, scenario.channel_kind)
    measured = measuring(config, fields)
    if len(measured) > 1:
        raise SpecError(f"select {scenario.select!r}: weights are best by one metric, not several")
    config, metric = next(iter(measured.items()))
    if not math.isfinite(metric.best):
        raise SpecError(
            f"select {scenario.select!r}: {config} has no value that is best; take another metric"
        )
    return Choice(True, scenario.patience, config, metric)
