"""Running a study on a Dask cluster: who runs what next, and what became of it."""

import dataclasses
import time
import uuid
from asyncio import CancelledError
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import cloudpickle
import dask.config
from distributed import Client, Future, KilledWorker, wait

from apexr import store as stores
from apexr._run import Storing
from apexr._signals import ending_on_sigterm
from apexr.errors import ClusterError, SpecError, StoreError, Terminated, WorkerDiedError
from apexr.experiment import Attendants
from apexr.study._clients import count_workers
from apexr.study._estimate import Progress
from apexr.study._planned import Planned
from apexr.study._work import Failure, Work, told
from apexr.study._worker import (
    Outcome,
    Preparation,
    Stopping,
    Task,
    cloud_environment,
    registered,
    run_task,
)
from apexr.training import ask_to_stop

POLL_SECONDS = 0.5
END_SECONDS = 5.0

MOST_ASKED_FOR = 1000
"""Workers that are asked for at a time beyond those that there are."""

MOST_STOPS = 20
"""Times that SIGTERM may end the worker of an experiment before it counts as failed."""

PREFIX = "experiment"
"""The prefix of all tasks' keys: Dask expects tasks of one prefix to take equally long."""

_LONG = {"distributed": {"scheduler": {"default-task-durations": {PREFIX: "1h"}}}}


def run_on(
    client: Client,
    pending: Sequence[Work],
    study: stores.Study,
    bar: Progress,
    attendants: Attendants,
    storing: Storing,
) -> list[Failure]:
    """Run experiments on the workers of a cluster and return what failed.

    No more experiments are given out than there are workers, so that none waits on a worker that
    another one takes down; the next one is of the shape that a free worker has probably compiled.

    Raises
    ------
    ClusterError
        When the scheduler is lost.
    StoreError
        If a worker does not see the store.
    KeyboardInterrupt
        After Ctrl-C, when the workers have made their checkpoints.
    Terminated
        After SIGTERM, likewise.
    """
    _check_trackers(attendants.trackers)
    attendants = dataclasses.replace(attendants, progress=False)
    with _prepared(client, study), ending_on_sigterm():
        return Dispatch(client, pending, study, bar, attendants, storing).run()


def _check_trackers(trackers: Sequence[Any]) -> None:
    """Refuse trackers that cannot be sent to workers."""
    for one in trackers:
        try:
            cloudpickle.dumps(one)
        except Exception as error:  # whatever an object of the user's raises
            raise SpecError(
                f"the tracker {one!r} cannot be sent to workers ({told(error)}); let it open files"
                " and connections in its method start"
            ) from error


@contextmanager
def _prepared(client: Client, study: stores.Study) -> Iterator[None]:
    """Get all workers ready, also those that come later."""
    registrations = registered()
    try:
        client.register_plugin(Preparation(registrations, cloud_environment(study)))
        client.register_plugin(Stopping(False))
    except (OSError, TimeoutError) as error:
        raise ClusterError(f"the cluster does not answer ({told(error)})") from error
    except Exception as error:  # whatever loading an object of one's own may raise
        names = ", ".join(f"{kind} {name!r}" for kind, name, _ in registrations)
        raise SpecError(
            f"the workers cannot be made ready ({told(error)}); they need the same apexr, and be"
            f" able to import what is registered besides: {names or 'nothing'}"
        ) from error
    try:
        yield
    finally:
        for plugin in (Stopping, Preparation):
            with suppress(Exception):  # the cluster may be gone
                client.unregister_worker_plugin(plugin.name)


class Dispatch:
    """Experiments on their way to workers and back.

    Parameters
    ----------
    client, pending, study, bar, attendants, storing
        As for :func:`run_on`.
    """

    def __init__(
        self,
        client: Client,
        pending: Sequence[Work],
        study: stores.Study,
        bar: Progress,
        attendants: Attendants,
        storing: Storing,
    ) -> None:
        self.client = client
        self.study = study
        self.bar = bar
        self.attendants = attendants
        self.storing = storing
        self.failures: list[Failure] = []
        self._queue: dict[str, deque[Work]] = {}
        for work in pending:
            self._put_back(work)
        self._taken: list[Work] = []
        self._again = False
        self._flying: dict[Future[Outcome], Work] = {}
        self._freed: list[str] = []
        self._asked_for: list[Future[Any]] = []
        self._stops: Counter[str] = Counter()
        self._waiting = self._stopping = False

    def run(self) -> list[Failure]:
        """Run all and return what failed."""
        try:
            self._expect_long_tasks()
            while self._queue or self._taken or self._flying:
                self._send()
                self._receive()
        except (KeyboardInterrupt, Terminated) as stop:
            self._stop(type(stop))
        finally:
            self._ask_for_workers(0)
        return self.failures

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Say in plain words whatever Dask raises when its scheduler does not answer."""
        try:
            yield
        except (Exception, CancelledError) as error:
            raise self._lost() from error

    def _lost(self) -> ClusterError:
        return ClusterError(
            f"the connection to the scheduler is lost; {self.bar.published()}, the same call"
            " goes on from there"
        )

    def _expect_long_tasks(self) -> None:
        """Let an adaptive cluster expect that every experiment is worth a worker of its own."""
        with suppress(Exception):  # a scheduler may allow no functions; then it learns it by time
            self.client.run_on_scheduler(dask.config.update_defaults, _LONG)

    def _send(self) -> None:
        """Give an experiment to each worker that has none."""
        with self._reaching():
            workers = count_workers(self.client)
        if self._taken and not self._queue and not self._flying:
            self._take_again()
        while self._queue and len(self._flying) < workers:
            self._submit(self._next())
        self._ask_for_workers(sum(map(len, self._queue.values())))
        if not workers and not self._waiting:
            self.bar.say("waiting for workers")
        self._waiting = not workers
        self.bar.show_running(self._described(workers), workers)

    def _ask_for_workers(self, count: int) -> None:
        """Hold so many tasks that no worker can take, for which an adaptive cluster grows.

        The experiments themselves wait here: Dask would let some of them wait on workers, and
        count it against them when such a worker dies.
        """
        count = min(count, MOST_ASKED_FOR)
        for future in self._asked_for[count:]:
            with suppress(Exception, CancelledError):  # the cluster may be gone
                future.release()
        del self._asked_for[count:]
        with self._reaching():
            while len(self._asked_for) < count:
                key = f"{PREFIX}-{uuid.uuid4().hex}"
                asked = self.client.submit(abs, 0, key=key, resources={"one more worker": 1})
                self._asked_for.append(asked)

    def _put_back(self, work: Work) -> None:
        self._queue.setdefault(work[0].shape, deque()).append(work)

    def _take_again(self) -> None:
        """Turn to what other processes had claimed: they are through with it, or are waited for."""
        self._again = True
        for work in self._taken:
            self._put_back(work)
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
        again = self.storing.overwrite and not self._again
        storing = dataclasses.replace(self.storing, overwrite=again)
        # It comes to the worker that has nothing to do. Were that one named, Dask would wait for it
        # for ever, allowed others or not, if it died in a moment in which there was no other.
        with self._reaching():
            future = self.client.submit(
                run_task,
                Task(one.id, given, seeds, self.study, self.attendants, storing),
                key=f"{PREFIX}-{one.id}-{uuid.uuid4().hex[:8]}",
            )
        self._flying[future] = work

    def _receive(self) -> None:
        """Wait for an experiment to end, but not for long."""
        if not self._flying:
            time.sleep(POLL_SECONDS)  # there is no worker yet
            return
        with self._reaching(), suppress(TimeoutError), self.client.as_current():
            wait(list(self._flying), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
        if any(future.status == "cancelled" for future in self._flying):
            raise self._lost()
        for future in [future for future in self._flying if future.done()]:
            work = self._flying.pop(future)
            self._freed.append(work[0].shape)
            self._settle(work, future)
            future.release()  # else the cluster does it again when it loses the worker that did it

    def _settle(self, work: Work, future: Future[Outcome]) -> None:
        one = work[0]
        with self._reaching():
            error = future.exception()
            outcome: Outcome | None = None if error else future.result()
        if outcome is None:
            self._record(one, error)
        elif outcome.state == "taken":
            self._taken.append(work)
        elif outcome.state == "failed":
            self._fail(one, outcome.text)
        elif outcome.state == "published":
            self.bar.finish(one, outcome.spent, published=True)
        elif outcome.state == "unseen":
            raise StoreError(
                f"{self.study}: a worker does not see this study ({outcome.text}); name a store"
                " that all workers reach by the same path or URL"
            )
        elif not self._stopping:
            self._go_on_elsewhere(work)

    def _go_on_elsewhere(self, work: Work) -> None:
        """Give an experiment to another worker: SIGTERM has ended the one that was at it."""
        one = work[0]
        self._stops[one.id] += 1
        if self._stops[one.id] < MOST_STOPS:
            self._put_back(work)
        else:
            self._record(
                one,
                WorkerDiedError(
                    f"its worker process was ended by SIGTERM {MOST_STOPS} times: by the batch"
                    " system, or because it took more memory than it may"
                ),
                attempts=MOST_STOPS,
            )

    def _fail(self, one: Planned, text: str) -> None:
        self.failures.append(Failure(one, text))
        self.bar.finish(one, published=False)

    def _record(self, one: Planned, error: BaseException, attempts: int = 1) -> None:
        """Record what a worker could not record itself."""
        if isinstance(error, KilledWorker):
            attempts = error.allowed_failures + 1
            error = WorkerDiedError(
                f"its worker process died, {attempts} times in a row: it was killed, took more"
                " memory than it may, or ended itself"
            )
            self._wait_for_end(one)
        self.study.notes.record_failure(one.id, error, one.experiment.config, attempts=attempts)
        self._fail(one, told(error))

    def _wait_for_end(self, one: Planned) -> None:
        """Wait, some seconds at most, until the claim of a process that died has ended too."""
        last = time.monotonic() + END_SECONDS
        while one.id in self.study.notes.claimed() and time.monotonic() < last:
            time.sleep(0.01)

    def _stop(self, kind: type[BaseException]) -> None:
        """Let the workers make their checkpoints, and wait for them.

        Raises
        ------
        KeyboardInterrupt, Terminated
            In the end; at once at a second signal.
        """
        self._stopping = True
        self.bar.say("stopping: the workers make checkpoints; Ctrl-C once more ends at once")
        with suppress(Exception):  # a worker that ends at this moment does not answer
            self.client.register_plugin(Stopping(True))
        with suppress(ClusterError):  # gone with its workers, which stop by themselves
            self._ask_for_workers(0)
            while self._flying and self._ask_to_stop():
                self._receive()
        raise kind(f"{self.bar.published()}; the same call goes on from there")

    def _ask_to_stop(self) -> bool:
        """Ask all workers to stop once more; tell whether there are any."""
        with self._reaching():
            return bool(self.client.run(ask_to_stop, on_error="ignore"))

    def _described(self, workers: int) -> str:
        """Return what the bar says of those that run."""
        if not workers:
            return "waiting for workers"
        noted = [self.study.notes.progress(one.id) for one, _ in self._flying.values()]
        parts = [f"{done / total:.0%}" for done, total in filter(None, noted) if total]
        far = f" ({', '.join(parts)})" if parts else ""
        return f"{len(self._flying)} running{far} on {workers} workers"
