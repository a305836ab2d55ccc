"""Where the errors of the chosen experiments come from: split on demand, in a process of its own.

The split loads networks, for which JAX is needed; a page over stored numbers runs without it.
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from apexr._report._parts import Call
from apexr.dashboard._drawing import Drawing, Side, sized, title_of
from apexr.dashboard._elements import WARNING, card, label, panel, served, told
from apexr.dashboard._figure import Downloads, Figure
from apexr.errors import ApexrError, SpecError
from apexr.store import open_dataset

MOST = 4
"""Experiments that are split on a page."""
PANEL = 370
"""Pixels of the width of a panel."""
LIMIT = 900.0
"""Seconds that the split of one may take."""
_KEPT = 48
_ABOUT = (
    "A rollout's error is split into the error of a single step and what becomes of the error"
    " before it. That loads the networks and runs them and the reference solver over the test set:"
    " seconds in one dimension, minutes in two and more."
)


class Kept:
    """Splits that have been computed, for all pages of this process."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str, str], xr.Dataset] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: tuple[str, str, str]) -> xr.Dataset | None:
        """Return a split, if it is there."""
        with self._lock:
            return self._held.get(key)

    def keep(self, key: tuple[str, str, str], parts: xr.Dataset) -> None:
        """Keep a split; the oldest ones make room."""
        with self._lock:
            self._held[key] = parts
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)


KEPT = Kept()
_TURN = threading.Lock()
"""One split at a time, whatever the number of pages."""


class Job:
    """Splits of some experiments, one after another, which do not hold the page up.

    Parameters
    ----------
    path
        The study.
    """

    def __init__(self, path: Any) -> None:
        self._path = path
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.stopped = False

    def split(self, name: str) -> xr.Dataset:
        """Return the parts of the errors of an experiment.

        Raises
        ------
        SpecError
            With the reason why it cannot be split.
        """
        with _TURN, tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "parts.zarr"
            command = [sys.executable, "-m", "apexr", "decompose", "--experiment", name]
            command += ["--output", str(file), "--", str(self._path)]
            with self._lock:
                if self.stopped:
                    raise SpecError("stopped")
                self._process = subprocess.Popen(
                    command,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    stdin=subprocess.DEVNULL,
                    text=True,
                    # a study that is running may have most of the memory of an accelerator
                    env={**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"},
                )
            try:
                _, said = self._process.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired as error:
                self.stop()
                raise SpecError(
                    f"it took more than {LIMIT / 60:g} minutes; run apexr decompose in a shell"
                ) from error
            if self.stopped:
                raise SpecError("stopped")
            if self._process.returncode:
                raise SpecError(_reason(said))
            return open_dataset(file).load()

    def stop(self) -> None:
        """End what is running."""
        with self._lock:
            self.stopped = True
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
                self._process.wait()


def _reason(said: str) -> str:
    """Return the last message of a command that failed."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "it ended without a word"


class Splits:
    """The view of the parts of errors.

    Parameters
    ----------
    path
        The study.
    downloads
        Takes the files of figures.
    """

    def __init__(self, path: Any, downloads: Downloads) -> None:
        pn = panel()
        self._path, self._downloads = path, downloads
        self._shown: object = None
        self._number = 0
        self._wanted: dict[str, tuple[str, xr.Dataset, tuple[str, str, str]]] = {}
        self._failed: dict[tuple[str, str, str], str] = {}
        self.job: Job | None = None
        self.thread: threading.Thread | None = None
        self.figures: list[Figure] = []
        self.button = pn.widgets.Button(**label("Split the errors"), margin=(4, 5), width=140)
        self.stop = pn.widgets.Button(**label("Stop"), margin=(4, 5), width=70, visible=False)
        self.words = pn.pane.HTML("", margin=(8, 5))
        self.problem = pn.pane.HTML("", styles=WARNING, visible=False, margin=(4, 5))
        self.rows = pn.Column(margin=0)
        self.button.on_click(lambda _: self.start())
        self.stop.on_click(lambda _: self._stop())
        self.layout = card(
            pn.pane.HTML(told(_ABOUT, "p"), margin=(0, 5)),
            pn.FlexBox(self.button, self.stop, self.words),
            self.problem,
            self.rows,
        )

    def draw(self, sides: Sequence[Side], stamps: tuple[object, Mapping[str, str]] | None) -> None:
        """Show what is computed of the first experiments, unless it is shown already."""
        if self._shown == stamps and self._shown is not None:
            return
        self._shown = stamps
        known: Mapping[str, str] = {} if stamps is None else stamps[1]
        each = MOST if len(sides) < 2 else MOST // 2
        self._number = sum(len(side.parts) for side in sides)
        self._wanted = {
            name: (side.titled(title_of(ds)), ds, (str(self._path), name, known.get(name, "")))
            for side in sides
            for name, ds in [*side.parts.items()][:each]
        }
        self._show()

    def _missing(self) -> list[str]:
        """Return the experiments that are not split yet."""
        return [name for name, (*_, key) in self._wanted.items() if KEPT.find(key) is None]

    def _show(self) -> None:
        found = {name: KEPT.find(key) for name, (*_, key) in self._wanted.items()}
        self.figures = []
        for name, parts in found.items():
            if parts is not None:
                figure = Figure(f"decomposition_{name[:12]}", self._downloads)
                figure.show(self._wanted[name][0], self._drawing(name, parts), _fit)
                self.figures.append(figure)
        self.rows.objects = [figure.layout for figure in self.figures]
        missing, running = self._missing(), self.job is not None
        self.button.visible = bool(missing) and not running
        self.stop.visible = running
        if not running:
            number = len(missing)
            what = f"To be split: {number} experiment{'s' if number != 1 else ''}"
            more = f", the first {len(found)} of {self._number}" * (len(found) < self._number)
            none = "" if found else "No experiment with results is chosen."
            self.words.object = told(f"{what}{more}." if missing else none)
        failed = [
            f"{title}: {self._failed[key]}"
            for title, _, key in self._wanted.values()
            if key in self._failed
        ]
        self.problem.param.update(object=told("\n".join(failed)), visible=bool(failed))

    def _drawing(self, name: str, parts: xr.Dataset) -> Drawing:
        before = [f"parts = apexr.decompose({str(self._path)!r}, experiment={name!r})"]
        return Drawing(before, Call("plot.decomposition", "parts", {}), parts)

    # --- computing ---------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to split what is not split yet; the page says how far that is."""
        missing = self._missing()
        if self.job is not None or not missing:
            return
        job = self.job = Job(self._path)
        keys = {name: self._wanted[name][2] for name in missing}
        self._failed = {}
        document = served()
        if document is not None:
            document.on_session_destroyed(lambda _: job.stop())
        then: Callable[[Callable[[], None]], object]
        then = _at_once if document is None else document.add_next_tick_callback
        self._say(job, 0, len(missing))
        self._show()
        self.thread = threading.Thread(target=self._run, args=(job, keys, then), daemon=True)
        self.thread.start()

    def _run(
        self,
        job: Job,
        keys: Mapping[str, tuple[str, str, str]],
        then: Callable[[Callable[[], None]], object],
    ) -> None:
        """Split experiments; in a thread, which leaves all widgets to that of the page."""
        for place, (name, key) in enumerate(keys.items()):
            then(lambda place=place: self._say(job, place, len(keys)))  # type: ignore[misc]
            try:
                KEPT.keep(key, job.split(name))
            except (ApexrError, OSError) as error:
                self._failed[key] = str(error)
            if job.stopped:
                break
            then(self._show)
        then(lambda: self._end(job))

    def _say(self, job: Job, place: int, number: int) -> None:
        if self.job is job:
            self.words.object = told(f"Splitting experiment {place + 1} of {number} …")

    def _end(self, job: Job) -> None:
        if self.job is job:
            self.job = None
        self._show()

    def _stop(self) -> None:
        if self.job is not None:
            self.job.stop()


def _at_once(act: Callable[[], None]) -> None:
    act()


def _fit(drawn: Any) -> Any:
    return sized(drawn, width=PANEL).cols(2)
