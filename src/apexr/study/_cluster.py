"""Running a study on a Dask cluster: who runs what next, and what became of it."""

import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from distributed import Client, Future, KilledWorker, wait

from apexr import store as stores
from apexr._typing import PathInput
from apexr.errors import SpecError, WorkerDiedError
from apexr.study._configs import Planned
from apexr.study._progress import Progress
from apexr.study._work import Failure, Work, told
from apexr.study._worker import Outcome, Preparation, Task, registered, run_task
from apexr.training import ask_to_stop

POLL_SECONDS = 0.5
END_SECONDS = 5.0


def run_on(
    client: Client, pending: Sequence[Work], store: PathInput, bar: Progress, **options: Any
) -> list[Failure]:
    """Run experiments on the workers of a cluster and return what failed.

    No more experiments are given out than there are workers, so that none waits beside one that
    takes its worker down; the next one is of the shape that a free worker has probably compiled.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, when the workers have made their checkpoints.
    """
    with _prepared(client):
        return Dispatch(client, pending, store, bar, options).run()


@contextmanager
def _prepared(client: Client) -> Iterator[None]:
    """Get all workers ready, also those that come later."""
    registrations = registered()
    try:
        client.register_plugin(Preparation(registrations))
    except Exception as error:  # whatever loading an object of one's own may raise
        names = ", ".join(f"{kind} {name!r}" for kind, name, _ in registrations)
        raise SpecError(
            f"the workers cannot be made ready ({told(error)}); they need the same apexr, and be"
            f" able to import what is registered besides: {names or 'nothing'}"
        ) from error
    try:
        yield
    finally:
        with suppress(Exception):  # the cluster may be gone
            client.unregister_worker_plugin(Preparation.name)


class Dispatch:
    """Experiments on their way to workers and back.

    Parameters
    ----------
    client, pending, store, bar, options
        As for :func:`run_on`.
    """

    def __init__(
        self,
        client: Client,
        pending: Sequence[Work],
        store: PathInput,
        bar: Progress,
        options: dict[str, Any],
    ) -> None:
        self.client = client
        self.store = str(Path(store).absolute())
        self.bar = bar
        self.options = options
        self.failures: list[Failure] = []
        self._queue: dict[str, deque[Work]] = {}
        for work in pending:
            self._queue.setdefault(work[0].shape, deque()).append(work)
        self._taken: list[Work] = []
        self._again = False
        self._flying: dict[Future[Outcome], Work] = {}
        self._freed: list[str] = []

    def run(self) -> list[Failure]:
        """Run all and return what failed."""
        try:
            while self._queue or self._taken or self._flying:
                self._send()
                self._receive()
        except KeyboardInterrupt:
            self._stop()
        return self.failures

    def _send(self) -> None:
        """Give an experiment to each worker that has none."""
        workers = len(self.client.scheduler_info()["workers"])
        if self._taken and not self._queue and not self._flying:
            self._take_again()
        while self._queue and len(self._flying) < workers:
            self._submit(self._next())
        self.bar.show_running(self._described(workers), workers)

    def _take_again(self) -> None:
        """Turn to what other processes had claimed: they are through with it, or are waited for."""
        self._again = True
        for work in self._taken:
            self._queue.setdefault(work[0].shape, deque()).append(work)
        self._taken = []

    def _next(self) -> Work:
        """Return an experiment of a shape that a free worker has compiled, else of a new one.

        Dask chooses the worker. Where it takes another, a program is compiled once more.
        """
        compiled = next((shape for shape in self._freed if shape in self._queue), None)
        if compiled is not None:
            self._freed.remove(compiled)
        at_work = {work[0].shape for work in self._flying.values()}
        new = (shape for shape in self._queue if shape not in at_work)
        shape = compiled or next(new, next(iter(self._queue)))
        work = self._queue[shape].popleft()
        if not self._queue[shape]:
            del self._queue[shape]
        return work

    def _submit(self, work: Work) -> None:
        one, parts = work
        seeds = None if self._again else tuple(part.seeds for part in parts)
        given = {**one.given, "precision": one.experiment.precision}
        options = {**self.options, "overwrite": self.options["overwrite"] and not self._again}
        # It comes to the worker that has nothing to do. Were that one named, Dask would wait for it
        # for ever, allowed others or not, if it died in a moment in which there was no other.
        future = self.client.submit(
            run_task,
            Task(one.id, given, seeds, self.store, options),
            key=f"experiment-{one.id}-{uuid.uuid4().hex[:8]}",
        )
        self._flying[future] = work

    def _receive(self, *, timeout: float | None = POLL_SECONDS) -> None:
        """Wait for an experiment to end, but not for long."""
        if not self._flying:
            time.sleep(POLL_SECONDS)  # there is no worker yet
            return
        with suppress(TimeoutError):
            wait(list(self._flying), timeout=timeout, return_when="FIRST_COMPLETED")
        for future in [future for future in self._flying if future.done()]:
            work = self._flying.pop(future)
            self._freed.append(work[0].shape)
            self._settle(work, future)
            future.release()  # else the cluster does it again when it loses the worker that did it

    def _settle(self, work: Work, future: Future[Outcome]) -> None:
        one = work[0]
        if future.status == "cancelled":
            raise WorkerDiedError(
                f"the connection to the scheduler is lost; {self.bar.published()}, the same call"
                " goes on from there"
            )
        error = future.exception()
        if error is not None:
            self._record(one, error)
            return
        outcome: Outcome = future.result()
        if outcome.state == "taken":
            self._taken.append(work)
        elif outcome.state == "failed":
            self.failures.append(Failure(one, outcome.text))
            self.bar.finish(one, None)
        elif outcome.state == "published":
            self.bar.finish(one, outcome.seconds)

    def _record(self, one: Planned, error: BaseException) -> None:
        """Record what a worker could not record itself."""
        attempts = 1
        if isinstance(error, KilledWorker):
            attempts = error.allowed_failures + 1
            error = WorkerDiedError(
                f"its worker process died, {attempts} times in a row: it was killed, took more"
                " memory than it may, or ended itself"
            )
            self._wait_for_end(one)
        stores.record_failure(self.store, one.id, error, one.experiment.config, attempts=attempts)
        self.failures.append(Failure(one, told(error)))
        self.bar.finish(one, None)

    def _wait_for_end(self, one: Planned) -> None:
        """Wait, some seconds at most, until the claim of a process that died has ended too."""
        last = time.monotonic() + END_SECONDS
        while one.id in stores.claimed(self.store) and time.monotonic() < last:
            time.sleep(0.01)

    def _stop(self) -> None:
        """Let the workers make their checkpoints, and wait for them.

        Raises
        ------
        KeyboardInterrupt
            In the end; at once at a second Ctrl-C.
        """
        self.bar.say("stopping: the workers make checkpoints; Ctrl-C once more ends at once")
        self.client.run(ask_to_stop, on_error="ignore")
        while self._flying:
            self._receive()
        raise KeyboardInterrupt(f"{self.bar.published()}; the same call goes on from there")

    def _described(self, workers: int) -> str:
        """Return what the bar says of those that run."""
        noted = [stores.read_progress(self.store, one.id) for one, _ in self._flying.values()]
        parts = [f"{done / total:.0%}" for done, total in filter(None, noted) if total]
        far = f" ({', '.join(parts)})" if parts else ""
        return f"{len(self._flying)} running{far} on {workers} workers"
