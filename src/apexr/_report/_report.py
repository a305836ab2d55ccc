"""``apexr.report``: what a results section needs, from a stored study."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import apexr
from apexr._report._comparison import Comparison, claims, no_claims
from apexr._report._figures import pictured
from apexr._report._parts import (
    Call,
    Code,
    Grid,
    Numbers,
    Part,
    Points,
    Section,
    Text,
    to_html,
    to_markdown,
)
from apexr._report._settings import deviations, settings
from apexr._typing import PathInput
from apexr.analysis import count_diverged, table
from apexr.analysis._dialects import PLAIN
from apexr.analysis.statistics._verdict import Pair
from apexr.errors import ApexrError, MissingVariableError, SpecError
from apexr.plots._style import require_matplotlib
from apexr.schema import DECOMPOSITION
from apexr.store import is_study, open_experiment, open_study

MOST_FIGURES = 6
"""Figures of one kind; scenarios beyond are named, not drawn."""
_COSTS = (
    "num_parameters",
    "num_train_samples",
    "train_flops",
    "train_seconds",
    "compile_seconds",
    "inference_seconds",
)
_PARTS = ("error", "one_step", "propagated", "own_state_error", "excess_amplification")


@dataclasses.dataclass
class _Writer(Comparison):
    """The material of the sections.

    Attributes
    ----------
    study, variable, by, up_to
        As in :func:`report`.
    store
        Where the results are from; None where that is not known.
    folder
        Where figures go.
    """

    store: Any
    folder: Path

    def figure(
        self, call: Call, subject: Any, caption: str, name: str, before: Sequence[str] = ()
    ) -> Iterator[Part]:
        """Give a picture and the lines that make it, or why it cannot be drawn."""
        yield from pictured(self.folder, call, subject, caption, name, before)


def report(
    study: xr.Dataset | PathInput,
    output: PathInput = "report",
    *,
    variable: str = "mean_nRMSE",
    by: str = "net",
    baseline: str | None = None,
    up_to: int = 100,
    decomposition: PathInput | xr.Dataset | bool | None = None,
    title: str | None = None,
) -> Path:
    """Write what a results section needs as a page and as Markdown; return the path of the page.

    Settings in words, tables, figures at the width of a paper's column with the line of code that
    makes each, the comparison of all pairs corrected by Holm's method, cost, and what may and may
    not be claimed from these seeds. The page needs no other file and no network.

    Parameters
    ----------
    study
        The path of a study or of one result, or an opened one. Only stored numbers are read.
    output
        A folder: ``index.html``, ``report.md`` and ``figures/`` are written there, and replaced.
    variable
        Name or config string of an error.
    by
        The label of the experiments to compare.
    baseline
        The value of ``by`` that the others are relative to; by default the first one.
    up_to
        Last step of geometric means over time.
    decomposition
        The result of :func:`apexr.decompose` for the study, or its file (``.nc`` or ``.zarr``);
        True to compute it, which needs JAX and the networks. By default there is no such section.
    title
        Of the page.

    Raises
    ------
    SpecError
        If an argument means nothing, such as a variable of which high values are the good ones.
    MissingVariableError
        If the study has no such variable or label, listing what there is.
    StoreError
        If the study cannot be read.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> apexr.report("study.zarr", "report")
    """
    require_matplotlib("figures of a report need")
    if up_to < 1:
        raise SpecError(f"up_to must be at least 1, got {up_to}")
    opened, store = _opened(study)
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise SpecError(f"output must be a folder, and {str(folder)!r} is a file")
    writer = _Writer(opened, variable, by, up_to, store, folder)
    values = [str(value) for value in writer.values]
    if baseline is not None and baseline not in values:
        raise SpecError(f"no experiment has {by}={baseline!r}; there is {', '.join(values)}")
    parts = _decomposition(decomposition, store)
    pairs = writer.pairs()
    sections = [
        Section("Experiments", list(_settings(writer))),
        Section("Errors", list(_errors(writer))),
        Section("Training", list(_training(writer))),
        Section("Comparisons", list(_statistics(writer, pairs, baseline))),
        *(
            []
            if parts is None
            else [Section("Where the errors come from", _sources(writer, parts))]
        ),
        Section("Cost", list(_cost(writer))),
        Section("Supported claims", [Points(claims(pairs))]),
        Section("Unsupported claims", [Points(_may_not(writer, pairs))]),
    ]
    said = title or f"Results: {', '.join(_names(writer, 'scenario'))}"
    lead = f"Made by apexr {apexr.__version__} from stored results; {variable}, lower is better."
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    page.write_text(to_html(said, lead, sections), encoding="utf-8")
    text = to_markdown(said, lead, sections, folder)
    (folder / "report.md").write_text(text, encoding="utf-8")
    return page


def _opened(study: Any) -> tuple[xr.Dataset, Any]:
    """Return the results along ``experiment``, and the store that they are from."""
    if isinstance(study, xr.Dataset):
        opened, store = study, None
    elif is_study(study):
        opened, store = open_study(study), study
    else:
        opened, store = open_experiment(study), study
    if "experiment" not in opened.dims:
        return opened.expand_dims("experiment"), None
    if not opened.sizes["experiment"]:
        raise SpecError("the study has no finished experiment to report")
    return opened, store


def _decomposition(given: Any, store: Any) -> xr.Dataset | None:
    """Return the split errors that a report shows, None for none."""
    if given is None or given is False:
        return None
    if given is True:
        if store is None:
            raise SpecError(
                "to compute the decomposition give the study by its path, or what apexr.decompose"
                " returned for it"
            )
        from apexr.comparisons import decompose

        return decompose(store)
    if not isinstance(given, xr.Dataset):
        engine: Any = "zarr" if str(given).rstrip("/").endswith(".zarr") else None
        try:
            given = xr.open_dataset(given, engine=engine)
        except (OSError, ValueError) as error:
            raise SpecError(f"decomposition: cannot read {given} ({error})") from error
    lacking = [name for name in _PARTS if name not in given]
    if lacking:
        raise MissingVariableError(
            f"the decomposition has no {', '.join(lacking)}; give what apexr.decompose returned"
        )
    return given if "experiment" in given.dims else given.expand_dims("experiment")


# --- sections --------------------------------------------------------------------------------


def _names(writer: _Writer, label: str) -> list[str]:
    if label not in writer.study.coords:
        return []
    return list(dict.fromkeys(map(str, np.atleast_1d(writer.study[label].values).tolist())))


def _settings(writer: _Writer) -> Iterator[Part]:
    yield Points(settings(writer.study, writer.store))
    opened = "…" if writer.store is None else f"apexr.open_study({str(writer.store)!r})"
    yield Code(f"import apexr\nstudy = {opened}")


def _errors(writer: _Writer) -> Iterator[Part]:
    yield Text(
        f"Geometric mean of {writer.variable} over the steps up to {writer.up_to}, then the error"
        " at single steps. A seed that diverged is worse than all others, and is counted."
    )
    yield from writer.tables()
    yield from _each_scenario(writer, "plot.metric", "error over the steps", "metric", logy=True)
    if writer.problems > 1:
        options = {"variable": writer.variable, "up_to": writer.up_to}
        caption = f"Geometric mean of {writer.variable}, median over the seeds"
        yield from writer.figure(
            Call("plot.heatmap", "study", options), writer.study, caption, "heatmap"
        )
    lost = count_diverged(writer.study, writer.variable).compute()
    number = int(lost.sum())
    yield Text(f"{number or 'No'} run{'s' if number != 1 else ''} diverged.")
    if number:
        labels = [name for name in ("scenario", "task", "net", "train") if name in lost.coords]
        cells = [
            [*(str(np.broadcast_to(lost[name].values, lost.shape)[at]) for name in labels), f"{n}"]
            for at, n in enumerate(lost.values.tolist())
            if n
        ]
        yield Grid([[*labels, "diverged"], *cells])


def _each_scenario(
    writer: _Writer, function: str, what: str, stem: str, **options: Any
) -> Iterator[Part]:
    """Give a figure of the experiments of each scenario."""
    names = _names(writer, "scenario")
    if function == "plot.metric":
        options = {"variable": writer.variable, **options}
    for place, name in enumerate(names[:MOST_FIGURES]):
        chosen = np.broadcast_to(
            (writer.study["scenario"] == name).values, writer.study.sizes["experiment"]
        )
        one = writer.study.isel(experiment=np.flatnonzero(chosen))
        alone = len(names) == 1
        call = Call(function, "study" if alone else "one", {"by": writer.by, **options})
        lines = [f"one = study.isel(experiment=(study.scenario == {name!r}).values)"]
        caption = f"{name}: {what}, median and range over the seeds"
        yield from writer.figure(call, one, caption, f"{stem}_{place}", () if alone else lines)
    if len(names) > MOST_FIGURES:
        yield Text(f"Not drawn: {', '.join(names[MOST_FIGURES:])}.")


def _training(writer: _Writer) -> Iterator[Part]:
    if "train_loss" not in writer.study:
        yield Text("No losses are stored.")
        return
    yield from _each_scenario(writer, "plot.loss", "training loss", "loss")


def _statistics(writer: _Writer, pairs: Sequence[Pair], baseline: str | None) -> Iterator[Part]:
    yield from writer.compared(pairs)
    if not pairs or writer.problems < 2:
        return
    options = {"baseline": baseline or str(writer.values[0]), "variable": writer.variable}
    options["by"] = writer.by
    for function, caption in (
        ("interquartile_mean", "Interquartile mean over all problems and seeds, 95 % intervals"),
        ("performance_profile", "Share of runs below each error ratio, 95 % intervals"),
    ):
        call = Call(f"plot.{function}", "study", options)
        yield from writer.figure(call, writer.study, caption, function)


def _sources(writer: _Writer, parts: xr.Dataset) -> list[Part]:
    """Return the table and the figures of the split errors."""
    meant = [
        f"{DECOMPOSITION[name].long_name}: {DECOMPOSITION[name].description}" for name in _PARTS
    ]
    first, *later = [step for step in (1, 10, 100) if step in parts["time"].values] or [1]
    columns = [("one_step", first), *((name, step) for step in later for name in _PARTS)]
    labels = ("scenario", "task", "net", "train", "scenario_kwargs")
    named = [name for name in labels if name in parts.coords]
    named = [name for name in named if len(set(parts[name].values.tolist())) > 1] or ["net"]
    head = [*named, *(f"{DECOMPOSITION[name].long_name}, step {step}" for name, step in columns)]
    cells, made = [], []
    for place in range(parts.sizes["experiment"]):
        one = parts.isel(experiment=place)
        steps = sorted({step for _, step in columns})
        means = one[list(_PARTS)].sel(time=steps).mean("test_sample", skipna=False)
        median = means.median("seed", skipna=False).compute()
        own = [str(one[name].item()) for name in named]
        numbers = [PLAIN.number(float(median[name].sel(time=step)), 3) for name, step in columns]
        cells.append([*own, *numbers])
        if place < MOST_FIGURES:
            call = Call("plot.decomposition", "one", {})
            caption = f"{', '.join(own)}: parts of the error over the steps"
            source = "…" if writer.store is None else repr(str(writer.store))
            lines = [f"parts = apexr.decompose({source})", f"one = parts.isel(experiment={place})"]
            made += list(writer.figure(call, one, caption, f"parts_{place}", lines))
    return [
        Points(meant),
        Text("Mean over the test samples, median over the seeds:"),
        Grid([head, *cells]),
        *made,
    ]


def _cost(writer: _Writer) -> Iterator[Part]:
    held = [name for name in _COSTS if name in writer.study]
    if not held:
        yield Text("No costs are stored.")
        return
    options: dict[str, Any] = {"columns": "variable", "quantiles": None}
    call = Call("table", "study", {"variable": held, **options})
    try:
        yield Numbers(table(writer.study, held, columns="variable", quantiles=None))
        yield Code(call.code)
    except ApexrError as error:
        yield Text(f"No table: {error}")
    if "num_parameters" in held and len(writer.values) > 1:
        given = {"variable": writer.variable, "by": writer.by, "up_to": writer.up_to}
        caption = (
            "Error against number of parameters; the line joins what nothing else beats in both"
        )
        yield from writer.figure(Call("plot.pareto", "study", given), writer.study, caption, "cost")


# --- claims ----------------------------------------------------------------------------------


def _may_not(writer: _Writer, pairs: Sequence[Pair]) -> list[str]:
    made: Callable[[str], str] = "The data differ from those of the stated equation, {}".format
    return [*no_claims(pairs), *(made(one) for one in deviations(writer.study, writer.store))]
