"""`apexr show STUDY`: the experiments of a study in the width of a terminal."""

import json
import math
import warnings
from collections.abc import Container, Mapping, Sequence
from typing import Any

from apexr._inert import inert

_LEAST_COLUMN = 8
_UNREAD = "damaged"
"""Stands for the error of an experiment that is published and cannot be read."""
_LABELS = ("scenario", "task", "net", "train")
_MOST_TOLD = 600
"""Characters of an error that the table shows; the store has all of it."""
_MOST_ERRORS = 500
"""Experiments of a study whose errors are read; of a larger one only small files are."""


def study_table(store: str, width: int) -> str:
    """Return the experiments of a study, one a line, and how many are in which state.

    Labels that all share stand above them, failures below.

    Parameters
    ----------
    store
        The study.
    width
        Letters of a line, at least 40.
    """
    from apexr.store import Study, list_experiments, short_ids

    study = Study.open(store)
    table = list_experiments(study)
    if table.empty:
        return "no experiment yet"
    records = [_record(row) for row in table.to_dict("records")]
    width = max(width, 40)
    names = short_ids(table["id"].tolist())
    labels = {name: [record.get(name) for record in records] for name in _names_of(records)}
    common = {n: v for n, v in labels.items() if len({_text(one) for one in v if one}) <= 1}
    errors = last_errors(study) if len(table) <= _MOST_ERRORS else {}
    columns = {
        "id": names,
        "state": [_state(row) for row in table.to_dict("records")],
        **{n: [_text(one) for one in v] for n, v in labels.items() if n not in common},
        **_results(table, errors),
    }
    told = [f"{n} {_text(next((one for one in v if one), ''))}" for n, v in common.items()]
    lines = [*_wrapped("  ".join(text for text in told if text.split()[1:]), width), ""]
    lines += _laid_out(columns, width, labels)
    notes = [
        line
        for name, row in zip(names, table.to_dict("records"), strict=True)
        for line in _wrapped(_note(study, name, row), width)
    ]
    counts = ", ".join(f"{count} {state}" for state, count in table["state"].value_counts().items())
    said = [*lines, *([""] if notes else []), *notes, "", *_wrapped(counts, width)]
    return "\n".join(said).strip("\n")


def last_errors(store: Any) -> dict[str, str]:
    """Return for each finished experiment its first metric at its last step, median over seeds."""
    from apexr import schema
    from apexr.analysis import band
    from apexr.errors import ApexrError, ApexrWarning
    from apexr.store import open_study

    try:
        with warnings.catch_warnings():  # what is damaged stands in the table
            warnings.simplefilter("ignore", ApexrWarning)
            study = open_study(store)
        metrics = [n for n in schema.metric_identifiers(study) if "channel" not in study[n].dims]
        if not metrics:
            return {}
        found = {}
        for place, name in enumerate(study["experiment"].values.tolist()):
            one = study[metrics[0]].isel(experiment=place)
            here = one.coords.get("has_time")
            steps = one["time"].values if here is None else one["time"].values[here.values]
            if "has_seed" in one.coords:
                one = one.isel(seed=one["has_seed"].values)
            median = float(band(one.sel(time=steps[-1]))["median"])
            said = f"{median:.3g}" if math.isfinite(median) else "diverged"
            found[name] = f"{said} at {steps[-1]}"
        return {"": metrics[0], **found}
    except ApexrError:
        return {}


def _record(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the labels of an experiment, keywords of its scenario one by one."""
    held = {name: row[name] for name in _LABELS if isinstance(row[name], str)}
    text = row["scenario_kwargs"]
    if not isinstance(text, str):
        return held
    try:
        keywords = json.loads(text)
    except (ValueError, RecursionError):
        keywords = {"scenario_kwargs": text}
    return {**held, **(keywords if isinstance(keywords, dict) else {})}


def _names_of(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the labels that the experiments have, damaged ones have none."""
    return list(dict.fromkeys(name for record in records for name in record))


def _text(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return inert(text, lines=False)


def _state(row: Mapping[Any, Any]) -> str:
    far = row["progress"]
    return str(row["state"]) + ("" if math.isnan(far) else f" {far:.0%}")


def _results(table: Any, errors: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the columns of what came out."""
    from apexr.store import in_short

    found = {"seeds": table["seeds"].map(in_short).tolist()}
    if table["num_diverged"].any():
        found["diverged"] = [str(count or "") for count in table["num_diverged"]]
    if errors:
        there = (table["state"] == "published").tolist()
        found[errors[""]] = [
            errors.get(name, _UNREAD if finished else "")
            for name, finished in zip(table["id"], there, strict=True)
        ]
    return found


def _note(study: Any, name: str, row: Mapping[Any, Any]) -> str:
    """Return what went wrong with an experiment, and where it would go on."""
    from apexr.store import newest_update

    said = f"{name} {row['state']}: {_condensed(str(row['error']))}" if row["error"] else ""
    if row["state"] not in ("pending", "failed"):
        return inert(said, lines=False)
    at = newest_update(study.unit(row["id"]))
    if at:
        _, total = study.notes.progress(row["id"]) or (0, 0)
        of = f" of {total:,}" if total else ""
        said = said or f"{name} {row['state']}"
        said += f"; continues at update {at:,}{of}"
    return inert(said, lines=False)


def _condensed(error: str) -> str:
    """Return what an error says, without the places in files and what a library says of itself."""
    lines = [line for line in error.splitlines() if not line.startswith(("  File ", "    "))]
    ends = (place for place, line in enumerate(lines) if set(line.strip()) == {"-"})
    said = [line.strip() for line in lines[: next(ends, len(lines))]]
    short = " ".join(line for line in said if line).replace(
        "Traceback (most recent call last): ", ""
    )
    return short if len(short) <= _MOST_TOLD else f"{short[:_MOST_TOLD]}…"


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, subsequent_indent="  ") if text else []


def _laid_out(
    columns: Mapping[str, Sequence[str]], width: int, labels: Container[str]
) -> list[str]:
    """Return lines of columns; the widest ones are cut until all fit, labels before results."""
    widths = {name: max(map(len, [name, *texts])) for name, texts in columns.items()}
    of_labels = [name for name in columns if name in labels]
    for chosen in (of_labels, [name for name in columns if name not in ("id", "state")]):
        while chosen and sum(widths.values()) + 2 * (len(widths) - 1) > width:
            longest = max(chosen, key=widths.__getitem__)
            if widths[longest] <= _LEAST_COLUMN:
                break
            widths[longest] -= 1
    head = "  ".join(_cell(name, widths[name]) for name in columns)
    rows = zip(*columns.values(), strict=True)
    made = [
        "  ".join(_cell(text, wide) for text, wide in zip(row, widths.values(), strict=True))
        for row in rows
    ]
    return [line.rstrip()[:width] for line in (head, *made)]


def _cell(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"
