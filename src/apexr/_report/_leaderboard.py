"""``apexr.leaderboard``: one page that compares published studies, track by track."""

import dataclasses
import json
import warnings
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import apexr
from apexr._doors import check_all
from apexr._report._archives import Archive, Entry, plain, read_archive
from apexr._report._figures import pictured
from apexr._report._parts import Call, Code, Grid, Link, Part, Points, Section, Text, to_html
from apexr._typing import PathInput
from apexr.analysis import count_diverged, interquartile_mean
from apexr.analysis._dialects import PLAIN
from apexr.analysis._selection import orientation, pick
from apexr.errors import ApexrWarning, MissingVariableError, SpecError
from apexr.plots._style import require_matplotlib
from apexr.schema import metric_identifiers
from apexr.store import join_experiments

__all__ = ["leaderboard"]

_KEPT = ("num_parameters", "train_seconds", "diverged_at")
_FOLDER = "specifications"
_MOST_PROBLEMS = 6
"""Problems whose errors are drawn against the number of parameters."""


@dataclasses.dataclass(frozen=True)
class _Row:
    """A method of a study in a track.

    Attributes
    ----------
    study
        Number of its study.
    method
        As in :class:`Entry`.
    entries
        Its experiments on the problems of the track, each seed of a problem once.
    """

    study: int
    method: tuple[str, ...]
    entries: Sequence[Entry]


@dataclasses.dataclass(frozen=True)
class _Track:
    """Methods that ran on the same problems with the same budget.

    Attributes
    ----------
    problems
        The scenarios to be predicted.
    budget
        In words.
    rows
        All methods that ran on every problem.
    """

    problems: Sequence[tuple[str, str]]
    budget: str
    rows: Sequence[_Row]

    def labels(self) -> list[str]:
        """Return a name for each row that no other row has, and not longer than it must be."""
        parts = list(zip(*(row.method for row in self.rows), strict=True))
        telling = [n for n, values in enumerate(parts) if n == 1 or len(set(values)) > 1]
        named = [
            "  ".join(row.method[n] for n in telling if row.method[n]) + f" [{row.study}]"
            for row in self.rows
        ]
        taken: dict[str, int] = {}
        for place, name in enumerate(named):  # labels cut short may have become equal
            taken[name] = taken.get(name, 0) + 1
            named[place] = name if taken[name] == 1 else f"{name} ({taken[name]})"
        return named

    def joined(self, variable: str) -> xr.Dataset:
        """Return the errors of all rows as a study, in which only problem and row differ."""
        names = dict(zip(self.problems, _scenario_names(self.problems), strict=True))
        made: dict[str, xr.Dataset] = {}
        for label, row in zip(self.labels(), self.rows, strict=True):
            for entry in row.entries:
                name = names[entry.problem]
                part = entry.result[[n for n in (variable, *_KEPT) if n in entry.result]]
                part = part.assign_coords(
                    scenario=name, net=label, train="", task="", scenario_kwargs="{}"
                )
                made[f"{len(made):032x}"] = part
        return join_experiments(made)


def leaderboard(
    folders: Sequence[PathInput],
    output: PathInput = "leaderboard",
    *,
    variable: str = "mean_nRMSE",
    baseline: str | None = None,
    time: int | None = None,
    title: str | None = None,
) -> Path:
    """Write a page that compares published studies, and return its path.

    There is one track for each set of problems (scenarios with their parameters) and each budget
    (updates, windows an update, training trajectories). A method, which is a network with its
    training, task and optimizer, stands in every track all of whose problems it has run on. It is
    ranked by the interquartile mean of its errors relative to a baseline, over all problems and
    seeds; a seed that diverged is worse than all others, and is counted in its row. Each row links
    to the specification of its experiments, a file that ``apexr study`` takes.

    Parameters
    ----------
    folders
        At least one folder that :func:`apexr.publish` wrote. Every file is checked against its
        checksum; nothing is run.
    output
        A folder: ``index.html``, ``figures/`` and ``specifications/`` are written there, and
        replaced. The page needs no network.
    variable
        Name or config string of an error.
    baseline
        The network that others are relative to, where a track has it; by default the first method
        of a track of which less than half of the runs diverged.
    time
        The time step; by default the geometric mean over all steps.
    title
        Of the page.

    Raises
    ------
    SpecError
        If there is no folder, one is given twice, the output lies in one, there is no such time
        step, or high values of the variable are the good ones.
    StoreError
        If a folder is no published study, or a file of it has changed.
    MissingVariableError
        If a study lacks the variable, or the baseline is in no track, listing what there is.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> apexr.leaderboard(["first", "second"], "leaderboard")
    """
    require_matplotlib("figures of a leaderboard need")
    target = Path(output)
    if target.exists() and not target.is_dir():
        raise SpecError(f"output must be a folder, and {str(target)!r} is a file")
    _check_places(folders, target)
    archives = [read_archive(folder) for folder in folders]
    name = _variable(archives, variable, time)
    tracks = _tracks(archives)
    _check_baseline(tracks, baseline)
    (target / _FOLDER).mkdir(parents=True, exist_ok=True)
    sections = [Section("Studies", [_studies(archives)])]
    for place, track in enumerate(tracks, 1):
        parts = list(_track(track, place, name, baseline, time, target))
        sections.append(Section(_heading(place, track), parts))
    sections.append(Section("How to read it", [Points(_how(time))]))
    lead = f"Made by apexr {apexr.__version__} from stored results; {name}, lower is better."
    page = target / "index.html"
    page.write_text(to_html(plain(title or "Leaderboard"), lead, sections), encoding="utf-8")
    return page


# --- what is compared ----------------------------------------------------------------------------


def _check_places(folders: Sequence[PathInput], output: Path) -> None:
    if not folders:
        raise SpecError("a leaderboard needs at least one folder that apexr publish wrote")
    places = [Path(folder).resolve() for folder in folders]
    for place in places:
        if places.count(place) > 1:
            raise SpecError(f"{place} is given {places.count(place)} times; name each study once")
    written = output.resolve()
    for place in places:
        if place == written or place in written.parents:
            raise SpecError(
                f"output {str(output)!r} lies in the published study {place}, which would then be"
                " damaged; name another folder"
            )


def _variable(archives: Sequence[Archive], variable: str, time: int | None) -> str:
    """Return the identifier of the error, which every experiment has at the time step."""
    found = set()
    for archive in archives:
        for entry in archive.entries:
            try:
                array = pick(entry.result, variable)
            except MissingVariableError as error:
                there = ", ".join(metric_identifiers(entry.result))
                raise MissingVariableError(
                    f"{archive.folder}: an experiment has no {variable}; it has {there}"
                ) from error
            if "time" not in array.dims or orientation(array, None) != "lower":
                raise SpecError(
                    f"a leaderboard is about an error over time steps, and {variable} is none"
                )
            if time is not None and time not in array["time"].values:
                steps = array["time"].values
                raise SpecError(
                    f"{archive.folder}: an experiment has no time step {time}; it has {steps[0]} to"
                    f" {steps[-1]}"
                )
            found.add(str(array.name))
    return found.pop()


def _tracks(archives: Sequence[Archive]) -> list[_Track]:
    """Return the tracks, those of most problems first."""
    ran: dict[tuple[int, tuple[str, ...], str], dict[tuple[str, str], list[Entry]]] = {}
    for number, archive in enumerate(archives, 1):
        for entry in archive.entries:
            key = (number, entry.method, entry.budget)
            held = ran.setdefault(key, {}).setdefault(entry.problem, [])
            held += _with_new_seeds(entry, held)
    sets = dict.fromkeys((frozenset(held), budget) for (_, _, budget), held in ran.items())
    tracks = []
    for problems, budget in sets:
        ordered = sorted(problems)
        rows = [
            _Row(number, method, [entry for problem in ordered for entry in held[problem]])
            for (number, method, spent), held in ran.items()
            if spent == budget and problems <= {*held}
        ]
        tracks.append(_Track(ordered, budget, rows))
    return sorted(tracks, key=lambda track: (-len(track.problems), track.budget, track.problems))


def _with_new_seeds(entry: Entry, held: Sequence[Entry]) -> Iterator[Entry]:
    """Give an entry with those seeds that no other entry of the same runs has."""
    known = {seed for other in held for seed in other.result["seed"].values.tolist()}
    new = [n for n, seed in enumerate(entry.result["seed"].values.tolist()) if seed not in known]
    if new:
        yield dataclasses.replace(entry, result=entry.result.isel(seed=new))


def _check_baseline(tracks: Sequence[_Track], baseline: str | None) -> None:
    nets = list(dict.fromkeys(row.method[1] for track in tracks for row in track.rows))
    if baseline is not None and baseline not in nets:
        raise MissingVariableError(f"no study has {baseline!r}; there is {', '.join(nets)}")


def _scenario_names(problems: Sequence[tuple[str, str]]) -> list[str]:
    """Return a name for each problem; parameters stand where two have the same scenario."""
    names = []
    for scenario, dumped in problems:
        same = [json.loads(other) for name, other in problems if name == scenario]
        own = json.loads(dumped)
        differ = [key for key in own if any(one.get(key) != own[key] for one in same)]
        said = ", ".join(f"{key} {own[key]}" for key in differ)
        names.append(plain(f"{scenario} ({said})" if said else scenario))
    return names


# --- the page ------------------------------------------------------------------------------------


def _studies(archives: Sequence[Archive]) -> Part:
    head = ["", "title", "authors", "license", "folder", "experiments"]
    rows = [
        [f"[{n}]", one.title, one.authors, one.license, one.folder, str(len(one.entries))]
        for n, one in enumerate(archives, 1)
    ]
    return Grid([head, *rows])


def _heading(place: int, track: _Track) -> str:
    names = list(dict.fromkeys(name for name, _ in track.problems))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"Track {place}: {', '.join(names[:3])}{more}"


def _track(
    track: _Track, place: int, variable: str, baseline: str | None, time: int | None, folder: Path
) -> Iterator[Part]:
    shared = {name: values[0] for name, values in _choices(track).items() if len(set(values)) == 1}
    yield Points(
        [
            f"Budget: {track.budget}.",
            *(f"Problem: {_posed(*problem)}." for problem in track.problems),
            *(f"All methods have the {name} {value}." for name, value in shared.items()),
        ]
    )
    data = track.joined(variable)
    labels = track.labels()
    first, told = _ranked(track, data, labels, variable, baseline, time)
    links = _write_specifications(track, place, folder)
    yield _table(track, variable, labels, told, data, links, shared)
    if len(labels) == 1:  # nothing to compare in a figure
        return
    if told is None:
        yield Text("No ranks: of every method at least half of the runs of a problem diverged.")
        return
    yield Text(f"Errors are relative to the median run of {first} on the same problem.")
    given = {"baseline": first, "variable": variable, "time": time}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ApexrWarning)  # of few seeds; the table says so
        for function, caption in (
            ("interquartile_mean", "Interquartile mean and its 95 % interval"),
            ("performance_profile", "Share of runs below each ratio of errors"),
        ):
            call = Call(f"plot.{function}", "track", given)
            yield from _figures(folder, call, data, caption, f"{place}_{function}")
    if "num_parameters" in data and len(track.problems) <= _MOST_PROBLEMS:
        options: dict[str, Any] = {"variable": variable, "by": "net", "step": time}
        if time is None:
            options["up_to"] = int(data["time"].max())
        caption = "Error against the number of parameters, with the Pareto front of each problem"
        call = Call("plot.pareto", "track", options)
        yield from _figures(folder, call, data, caption, f"{place}_pareto")


def _choices(track: _Track) -> dict[str, list[str]]:
    """Return how each row is trained, by the name of a column."""
    columns: dict[str, list[str]] = {"training": [], "task": [], "optimizer": []}
    for row in track.rows:
        task, _, train, optimizer, rest = row.method
        for name, value in zip(columns, (train, task, f"{optimizer}  {rest}".strip()), strict=True):
            columns[name].append(value)
    return columns


def _posed(scenario: str, dumped: str) -> str:
    own = json.loads(dumped)
    said = ", ".join(
        f"{plain(name)} {plain(value)}" for name, value in own.items() if value is not None
    )
    return f"{scenario} with {said}"


def _figures(folder: Path, call: Call, data: xr.Dataset, caption: str, name: str) -> list[Part]:
    """Return a figure without the line of code, as readers do not have what it is called with."""
    made = pictured(folder, call, data, caption, name)
    return [part for part in made if not isinstance(part, Code)]


def _ranked(
    track: _Track,
    data: xr.Dataset,
    labels: Sequence[str],
    variable: str,
    baseline: str | None,
    time: int | None,
) -> tuple[str, xr.Dataset | None]:
    """Return the baseline and the interquartile means, None where no row can be the baseline."""
    wanted = [
        label for label, row in zip(labels, track.rows, strict=True) if row.method[1] == baseline
    ]
    for first in (*wanted, *labels):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ApexrWarning)
            try:
                return first, interquartile_mean(
                    data, variable, baseline=first, by="net", time=time
                )
            except SpecError as error:
                if "diverged" not in str(error):
                    raise
    return "", None


def _table(
    track: _Track,
    variable: str,
    labels: Sequence[str],
    told: xr.Dataset | None,
    data: xr.Dataset,
    links: Sequence[str],
    shared: Container[str],
) -> Part:
    """Return the table; what all rows share is left out of it."""
    choices = {name: values for name, values in _choices(track).items() if name not in shared}
    head = ["rank", "network", *choices, "study", "error", "95 % interval", "runs"]
    head += ["diverged", "parameters", "training seconds"]
    rows = []
    for place, (label, row, link) in enumerate(zip(labels, track.rows, links, strict=True)):
        own = data.isel(experiment=np.flatnonzero(data["net"].values == label))
        score, interval = np.inf, "none"
        if told is not None:
            one = told.sel(net=label)
            score, low, high = (float(one[name]) for name in ("ratio", "low", "high"))
            if np.isfinite(high) or low > 0:
                interval = f"{_number(low)} to {_number(high)}"
        runs = sum(entry.result.sizes["seed"] for entry in row.entries)
        lost = int(count_diverged(own, variable).sum())
        cells: list[str | Link] = [
            Link(row.method[1], link),
            *(values[place] for values in choices.values()),
        ]
        cells += [f"[{row.study}]", _number(score), interval, f"{runs}", f"{lost} of {runs}"]
        cells += [_cost(own, "num_parameters"), _cost(own, "train_seconds")]
        rows.append((score, cells))
    rows.sort(key=lambda pair: pair[0])
    ranked: list[list[str | Link]] = []
    for score, line in rows:
        rank = 1 + sum(other < score for other, _ in rows)
        ranked.append([str(rank) if np.isfinite(score) else "–", *line])
    return Grid([head, *ranked])


def _cost(own: xr.Dataset, name: str) -> str:
    """Return the median of a cost over runs, and over the problems where it differs."""
    if name not in own:
        return "–"
    values = np.asarray(own[name].values, float)
    values = values[np.isfinite(values)]
    if not values.size:
        return "–"
    median = float(np.median(values))
    return f"{median:,.0f}" if median.is_integer() else _number(median)


def _number(value: float) -> str:
    return "∞" if np.isinf(value) else PLAIN.number(value, 3)


def _write_specifications(track: _Track, place: int, folder: Path) -> list[str]:
    """Write what asks for the experiments of each row; return the files, below the folder."""
    names = []
    for number, row in enumerate(track.rows, 1):
        name = f"{_FOLDER}/track_{place}_{number}.json"
        configs = [dict(entry.config) for entry in row.entries]
        (folder / name).write_text(json.dumps(configs, indent=1) + "\n", encoding="utf-8")
        names.append(name)
    return names


def _how(time: int | None) -> list[str]:
    over = "the geometric mean over all steps" if time is None else f"time step {time}"
    return [
        f"A run is one seed on one problem; its error is {over}, relative to the median run of the"
        " baseline on the same problem. The interquartile mean leaves out the best and the worst"
        " quarter of the runs of a method; 1 is as good as the baseline.",
        "Intervals are those of a bootstrap of the seeds within each problem, with tails widened"
        " for few seeds; none is given where a problem has fewer than three.",
        "A run that diverged is worse than all others. It is never left out; the rank of a method"
        " of whose runs a quarter diverged is none.",
        "Only methods in the same track are compared: the same problems, the same number of"
        " updates and windows, the same training trajectories. Unrolled trainings take longer an"
        " update, see the seconds, which were measured on each study's own machine.",
        "The name of a network leads to the specification of its row, a file for apexr study:"
        " apexr study FILE --store STORE runs the experiments again.",
    ]


check_all(globals())
