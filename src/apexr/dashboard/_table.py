"""The table of experiments: which columns it shows, and which of its rows are chosen."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from apexr._memory import format_bytes
from apexr.dashboard._elements import panel
from apexr.store import in_short

COLUMNS = {
    "state": 100,
    "scenario": 118,
    "net": 112,
    "train": 64,
    "diverged": 84,
    "seeds": 66,
    "task": 80,
    "parameters": 160,
    "size": 80,
    "error": 300,
    "id": 240,
}
"""Columns and their widths in pixels."""
WIDTH = 540
SMALL = ".tabulator { font-size: 12px; } .tabulator-col-title { font-size: 12px; }"
PAGE = 12
"""Rows of a page of the table."""


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as a reader wants it: seeds in short, progress next to the state."""
    far = table["progress"].map(lambda part: "" if pd.isna(part) else f" {part:.0%}")
    frame = pd.DataFrame(
        {
            "state": table["state"] + far,
            "scenario": table["scenario"],
            "net": table["net"],
            "train": table["train"],
            "diverged": table["num_diverged"].astype(int),
            "seeds": table["seeds"].map(in_short),
            "task": table["task"],
            "parameters": table["scenario_kwargs"],
            "size": table["bytes"].map(lambda size: format_bytes(int(size)) if size else ""),
            "error": table["error"],
            "id": table["id"],
        },
        dtype=object,
    )
    return frame.fillna("").reset_index(drop=True)


def widget(table: pd.DataFrame, *, choosing: bool) -> Any:
    """Return the table as a widget; without choosing, its columns can be filtered in the page."""
    options: dict[str, Any] = {"selectable": "checkbox"} if choosing else {"selectable": False}
    if not choosing:
        options["header_filters"] = {key: {"type": "input", "func": "like"} for key in COLUMNS}
    return panel().widgets.Tabulator(
        shown(table),
        show_index=False,
        disabled=True,
        widths={**COLUMNS},
        layout="fit_data",
        pagination="local",
        page_size=PAGE,
        theme="simple",
        sizing_mode="stretch_width",
        formatters={key: {"type": "plaintext"} for key in COLUMNS},
        stylesheets=[SMALL],
        margin=(4, 0),
        **options,
    )


def places(frame: pd.DataFrame, experiments: Sequence[str]) -> list[int]:
    """Return the rows of experiments in what is shown."""
    return [place for place, name in enumerate(frame["id"]) if name in set(experiments)]
