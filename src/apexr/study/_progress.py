"""How far a study is, and how long it will take."""

import sys
from collections.abc import Sequence
from typing import Any

from tqdm.auto import tqdm

from apexr.study._configs import Planned
from apexr.study._estimate import Estimate
from apexr.study._work import Spent


class Progress:
    """The bar of a study, with the time left next to it.

    Parameters
    ----------
    planned, pending
        All experiments, and those of them that are to be run.
    estimate
        Times that are known already.
    shown
        Whether there is a bar.
    """

    def __init__(
        self,
        planned: Sequence[Planned],
        pending: Sequence[Planned],
        estimate: Estimate,
        *,
        shown: bool,
    ) -> None:
        self._pending = list(pending)
        self._total, self._published = len(pending), 0
        self._estimate = estimate
        self._workers = 1
        self._running = ""
        self._bar: Any = tqdm(
            total=len(planned),
            initial=len(planned) - len(pending),
            desc="study",
            unit="experiment",
            disable=not shown,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]",
        )

    def say(self, message: str) -> None:
        """Write a line above the bar, if there is one."""
        if not self._bar.disable:
            tqdm.write(message, file=sys.stderr)

    def finish(self, one: Planned, spent: Spent | None = None, *, published: bool) -> None:
        """Count an experiment as done, whether it is published or has failed."""
        if spent is not None:
            self._estimate.note(one, spent)
        self._published += published
        self._pending.remove(one)
        self._tell(refresh=False)
        self._bar.update()

    def published(self) -> str:
        """Return how many of the experiments that were to be run came to their end."""
        return f"{self._published} of {self._total} experiments published"

    def show_running(self, running: str, workers: int) -> None:
        """Say what is being run, on how many workers."""
        changed = running != self._running
        self._running, self._workers = running, max(1, workers)
        if changed:
            self._tell(refresh=True)

    def _tell(self, *, refresh: bool) -> None:
        left = self._estimate.left(self._pending, self._workers)
        time_left = [] if left is None else [f"{tqdm.format_interval(left)} left"]
        told = ", ".join(filter(None, [self._running, *time_left]))
        self._bar.set_postfix_str(told, refresh=refresh)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()
