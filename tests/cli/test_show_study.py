"""What `apexr show` tells of a study: in the width of the terminal, in the order asked for."""

import json

import numpy as np
import pytest

import apexr
from apexr import store
from apexr.cli._study_table import study_table
from apexr.errors import StoreError
from apexr.testing import mock_experiment

NETS = ("UNet;12;2;relu", "Conv;26;10;relu", "FNO;12;18;4;gelu")


def name(number):
    """Return an id; those of numbers one apart differ in their sixth digit."""
    return f"{7 * number + 11:06x}" + "0" * 26


@pytest.fixture
def study(tmp_path):
    """A study asked for in an order that is none of names: one damaged, one failed, one pending."""
    path = tmp_path / "study.zarr"
    store.create_study(path)
    ids = [name(n) for n in (2, 0, 1, 3, 4)]
    config = {"scenario": "1d_diff_adv", "task": "predict", "train": "one"}
    entries = [
        {"id": one, "config": {**config, "net": net, "scenario_kwargs": "{}"}, "seeds": [0, 1, 2]}
        for one, net in zip(ids, (*NETS, *NETS[:2]), strict=True)
    ]
    for one, net in zip(ids[:3], NETS, strict=True):
        ds = mock_experiment(net=net, random_seed=int(one[:6], 16))
        store.publish_experiment(ds, {}, store.unit_path(path, one))
    note = store.Study.at(path).notes.planned(entries)
    note.__enter__()  # as if the run had been killed
    error = RuntimeError("out of memory " + "x" * 200)
    store.Study.at(path).notes.record_failure(ids[3], error, entries[3]["config"])
    (path / "experiments" / ids[2] / "manifest.json").write_text("{")
    return path, ids


def test_rows_stand_in_the_order_asked_for(study):
    path, ids = study
    assert store.list_experiments(path)["id"].tolist() == ids
    with pytest.warns(match="left out"):
        opened = apexr.open_study(path)
    assert opened["experiment"].values.tolist() == ids[:2]
    assert opened["net"].values.tolist() == list(NETS[:2])


def test_what_is_noted_by_a_stranger_is_not_believed(study):
    path, ids = study
    noted = path / ".plans" / "order.json"
    for content in ("[", "[1]", json.dumps({"order": ["../x", 3]}), json.dumps({"order": {}})):
        noted.write_text(content)
        assert store.list_experiments(path)["id"].tolist() == sorted(ids)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_it_fits_the_terminal(study, apexr_command, monkeypatch, width):
    path, ids = study
    monkeypatch.setenv("COLUMNS", str(width))
    said = apexr_command("show", path)
    assert said.code == 0
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= width
    for one in ids:
        assert sum(line.startswith(one[:6] + "  ") for line in lines) == 1
    states = ["published", "published", "damaged", "failed", "pending"]
    assert [line.split()[1] for line in lines if line[:6] in {i[:6] for i in ids}][:5] == states
    assert said.out.count("1d_diff_adv") == 1  # what all have in common stands once
    assert "RuntimeError: out of memory" in " ".join(said.out.split())


def test_the_last_error_is_the_median_of_the_last_step(study, apexr_command):
    path, ids = study
    said = apexr_command("show", path).out
    with pytest.warns(match="left out"):
        opened = apexr.open_study(path)
    medians = opened["mean_nRMSE"].isel(time=-1).median("seed").values
    for one, median in zip(ids[:2], medians, strict=True):
        (line,) = (line for line in said.splitlines() if line.startswith(one[:6] + "  "))
        assert f"{median:.3g} at 8" in line


def test_a_missing_file_is_told_beside_what_is_published(study, apexr_command):
    path, ids = study
    (path / "experiments" / ids[1] / "data.zarr" / "zarr.json").unlink()
    said = apexr_command("show", path).out
    (line,) = (line for line in said.splitlines() if line.startswith(ids[1][:6] + "  "))
    assert line.split()[1] == "published"
    assert line.endswith("damaged")


def test_the_beginning_of_an_id_is_enough(study):
    path, ids = study
    whole = store.open_experiment(path, ids[0])
    assert store.open_experiment(path, ids[0][:6]).identical(whole)
    with pytest.raises(StoreError, match=r"[23] begin so"):
        store.open_experiment(path, "0000")
    with pytest.raises(StoreError, match="none begins so"):
        store.open_experiment(path, "abcdef")
    for wrong in ("../..", "", "abc", "xyz123"):
        with pytest.raises(StoreError, match="32 hexadecimal digits"):
            store.open_experiment(path, wrong)


def test_it_tells_where_a_training_goes_on(study, apexr_command):
    path, ids = study
    unit = store.unit_path(path, ids[4])
    kept = store.Checkpoints(unit, {"made": "here"}, None)
    kept.save(5400, {"weights": np.zeros(3)})
    (path / ".locks").mkdir(exist_ok=True)
    (path / ".locks" / ids[4]).write_text(json.dumps([5500, 12_000]))  # as a killed process left it
    said = apexr_command("show", path).out
    assert "continues at update 5,400" in said
    assert "of 12,000" in said


def test_results_are_not_cut_before_labels(tmp_path):
    path = tmp_path / "study.zarr"
    store.create_study(path)
    for number in range(2):
        net = f"Conv;{26 + number};10;relu;" + "long;" * 12
        ds = mock_experiment(net=net, random_seed=number)
        store.publish_experiment(ds, {}, store.unit_path(path, f"{number:032x}"))
    lines = study_table(str(path), 80).splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line for line in lines if line.startswith("00000")]
    assert all(" at 8" in row and "…" in row for row in rows)


def test_an_error_is_told_without_the_places_in_files(tmp_path):
    path = tmp_path / "study.zarr"
    store.create_study(path)
    text = 'callback: Traceback (most recent call last):\n  File "/a/b.py", line 3, in c\n    f()\n'
    text += "ValueError: a wrong number\n\n-----\nAn error occurred. " + "Much text. " * 90
    store.Study.at(path).notes.record_failure("f" * 32, RuntimeError(text), {"net": "Bad"})
    told = " ".join(study_table(str(path), 80).split())
    assert "RuntimeError: callback: ValueError: a wrong number" in told
    assert "b.py" not in told
    assert "Much text" not in told
