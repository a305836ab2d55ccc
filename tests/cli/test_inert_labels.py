"""Labels are data of any stranger: no terminal, spreadsheet or page runs them."""

import csv

import apexr
from apexr import store
from apexr.analysis import to_long
from apexr.cli._text import inert
from apexr.testing import mock_experiment

HOSTILE = {
    "net": "=cmd|'/c calc'!A1",
    "task": "@SUM(1)",
    "train": "\x1b[2J\x1b]0;title\x07\u202e",
    "scenario_kwargs": "<img src=x onerror=alert(1)>",
}


def hostile_study(folder):
    path = folder / "study.zarr"
    store.create_study(path)
    for number in range(2):
        ds = mock_experiment(**HOSTILE, random_seed=number)
        store.publish_experiment(ds, {}, store.unit_path(path, f"{number:032x}"))
    return path


def test_no_terminal_obeys_a_label(tmp_path, apexr_command):
    path = hostile_study(tmp_path)
    for target in (path, path / "experiments" / f"{0:032x}"):
        said = apexr_command("show", str(target)).out
        assert "\x1b" not in said
        assert "\u202e" not in said
        assert r"\x1b[2J" in said
    assert inert("a\nb\x9b", lines=False) == r"a\nb\x9b"


def test_no_spreadsheet_runs_a_label(tmp_path):
    study = apexr.open_study(hostile_study(tmp_path)).isel(experiment=[0])
    to_long(study, "mean_nRMSE", tmp_path / "long.csv")
    apexr.table(study, steps=[1]).to_csv(tmp_path / "table.csv")
    for name in ("long.csv", "table.csv"):
        with (tmp_path / name).open(newline="") as file:
            cells = {cell for row in csv.reader(file) for cell in row}
        assert f"'{HOSTILE['net']}" in cells
        assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "\t"))]
