"""The protocol of a scenario: how emulators are trained and tested, and what is reported."""

import dataclasses
import math

from apexr._grammar import Count, PositiveInt
from apexr.engine import Callback, parse_callbacks
from apexr.errors import SpecError, suggest
from apexr.metrics import METRICS, Fields, Metric, measuring, parse_metrics
from apexr.recipe._meta import ScenarioMeta
from apexr.schema import COORDINATES, RECORDS, VARIABLES, metric_names, step_dim
from apexr.training import OPTIMIZERS, Optimizer

LOSS = "valid_loss"
"""The name for ``select`` of the loss on data for validation."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which weights of a training are tested, by data for validation.

    Attributes
    ----------
    keep_best
        Whether those with the best score are, not the last ones.
    patience
        After so many validations in a row without a better score, a seed stops; 0 is never.
    config, metric
        The metric that is the score; without one it is the loss.
    """

    keep_best: bool = False
    patience: int = 0
    config: str = LOSS
    metric: Metric | None = None


@dataclasses.dataclass(frozen=True)
class ParsedProtocol:
    """The config strings of a protocol, each parsed once.

    Attributes
    ----------
    optimizer
        The optimizer, with its schedule and the number of updates.
    metrics
        Metrics of the report by config string, as they measure the scenario's states.
    callbacks
        Records of the training.
    choice
        Which weights are tested.
    """

    optimizer: Optimizer
    metrics: dict[str, Metric]
    callbacks: tuple[Callback, ...]
    choice: Choice


class Protocol(metaclass=ScenarioMeta):
    """The settings that do not change the data: training, test, report.

    Parameters
    ----------
    select
        Which weights are tested and stored: ``last``, or ``best;METRIC``, those with the best
        ``valid_loss`` or the best metric of rollouts on data for validation, a seed its own.
    patience
        After so many validations in a row that are no better than the best one, a seed stops and
        keeps its weights; 0: never.
    optim_config
        Config string of optimizer, number of updates and schedule.
    batch_size
        Windows in a mini-batch.
    num_trjs_returned
        Test trajectories that a result holds whole.
    record_loss_every
        Updates from one recorded loss to the next.
    vlim
        Limits for plots of the state.
    report_metrics
        Metrics of the rollout, separated by commas.
    callbacks
        Records of the training, such as ``weight_norm;100,metrics;1_000``; see
        ``apexr list callbacks``.
    """

    select: str = "last"
    patience: Count = 0
    optim_config: str = "adam;10_000;warmup_cosine;0.0;1e-3;2_000"
    batch_size: PositiveInt = 20
    num_trjs_returned: PositiveInt = 1
    record_loss_every: PositiveInt = 100
    vlim: tuple[float, float] = (-1.0, 1.0)
    report_metrics: str = "mean_nRMSE"
    callbacks: str = ""

    def read_protocol(self, fields: Fields) -> ParsedProtocol:
        """Return the parsed config strings, for states of this kind.

        Raises
        ------
        SpecError
            If one cannot be read, means nothing for these states, or a metric does not return
            what it says; if a callback has the name of something that every result holds, or the
            metric of ``select`` has no best value.
        """
        optimizer = OPTIMIZERS.parse(self.optim_config)
        metrics = measuring(self.report_metrics, fields)
        metric_names(metrics)
        choice = self._read_choice(fields)
        return ParsedProtocol(optimizer, metrics, self._read_callbacks(), choice)

    def _read_callbacks(self) -> tuple[Callback, ...]:
        parsed = parse_callbacks(self.callbacks)
        declared = {dim for variable in RECORDS.values() for dim in variable.dims}
        new = [one.name for one in parsed if step_dim(one.name) not in declared]
        taken = [name for name in new if name in (*VARIABLES, *COORDINATES)]
        if taken:
            raise SpecError(
                f"callbacks: {taken[0]!r} is something that every result holds; register the"
                " callback under another name"
            )
        return parsed

    def _read_choice(self, fields: Fields) -> Choice:
        if self.select == "last":
            return Choice(patience=self.patience)
        word, _, config = self.select.partition(";")
        if word != "best" or not config:
            near = suggest(word, ("last", "best"))
            raise SpecError(
                "select must be 'last' or 'best;METRIC', such as 'best;valid_loss' or"
                f" 'best;mean_nRMSE', got {self.select!r}{near}"
            )
        if config == LOSS:
            return Choice(True, self.patience)
        try:
            parse_metrics(config)
        except SpecError as error:
            known = [LOSS, *METRICS.names()]
            near = suggest(config, known)
            raise SpecError(f"select {self.select!r}{near}: {error}; or {LOSS}") from None
        measured = measuring(config, fields)
        if len(measured) > 1:
            raise SpecError(f"select {self.select!r}: weights are best by one metric, not several")
        config, metric = next(iter(measured.items()))
        if not math.isfinite(metric.best):
            raise SpecError(
                f"select {self.select!r}: {config} has no value that is best; take another metric"
            )
        return Choice(True, self.patience, config, metric)
