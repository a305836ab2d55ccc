"""How far a study is, and how long it will take."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from apexr.engine import count_parameters
from apexr.study._configs import Planned


@dataclass
class Estimate:
    """Guesses how long experiments take from those that are through.

    One of a shape that has been run takes as long as that one did; of others the time follows
    the work, which is the number of weights times grid points times windows seen.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)

    def note(self, one: Planned, seconds: float) -> None:
        """Take in how long an experiment took."""
        self.seconds[one.shape] = seconds
        self.rates.append(seconds / work(one))

    def left(self, pending: Sequence[Planned]) -> float | None:
        """Return the seconds that the others will take, or None where nothing is known yet."""
        if not self.rates:
            return None
        rate = float(np.median(self.rates))
        return sum(self.seconds.get(one.shape, rate * work(one)) for one in pending)


def work(one: Planned) -> float:
    """Return a number that grows with the work of an experiment."""
    plan = one.experiment.training
    emulator = one.experiment.emulator
    windows = plan.optimizer.updates * plan.batch_size * plan.objective.window_length
    points = one.scenario.num_points**one.scenario.num_spatial_dims
    return float(len(one.seeds) * windows * points * count_parameters(emulator))


class Progress:
    """The bar of a study, with the time left beside it."""

    def __init__(self, planned: Sequence[Planned], pending: Sequence[Planned], *, shown: bool):
        self._pending = list(pending)
        self._estimate = Estimate()
        self._bar: Any = tqdm(
            total=len(planned),
            initial=len(planned) - len(pending),
            desc="study",
            unit="experiment",
            disable=not shown,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]",
        )

    @contextmanager
    def running(self, one: Planned) -> Iterator[None]:
        """Count an experiment as done when the block ends, however it ends."""
        start = time.perf_counter()
        try:
            yield
            self._estimate.note(one, time.perf_counter() - start)
        finally:
            self._pending.remove(one)
            left = self._estimate.left(self._pending)
            if left is not None:
                self._bar.set_postfix_str(f"{tqdm.format_interval(left)} left", refresh=False)
            self._bar.update()

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()
