"""Stores of strangers that link to other people's files, or lie about themselves, do no harm."""

import hashlib
import json
import os
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest

import apexr
from apexr import _run, dashboard, store
from apexr._files._durable import digest, json_bytes
from apexr.cli._keep import show
from apexr.errors import ApexrError, StoreError
from apexr.store.unit._manifest import entries_below, make_manifest
from apexr.study import plan_study, run_planned
from apexr.testing import mock_experiment

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.filterwarnings("ignore::apexr.errors.ApexrWarning"),
]

IDS = [f"{number:032x}" for number in (1, 2)]
OTHER = "f" * 32
DS = mock_experiment(num_points=8, num_times=3, num_test_samples=2)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return a study with all that a study may hold."""
    study = tmp_path_factory.mktemp("sound") / "study.zarr"
    store.create_study(study)
    for name in IDS:
        store.publish_experiment(DS, {"w": np.ones(3)}, store.unit_path(study, name))
    store.Study.at(study).notes.record_failure(OTHER, ValueError("bad"), {"net": "x"})
    store.Checkpoints(store.unit_path(study, OTHER), {}, 0).save(1, {"a": np.ones(3)})
    store.keep_index(study)
    for folder in (".locks", ".plans", ".staging", ".damaged"):
        (study / folder).mkdir(exist_ok=True)
    (study / ".parts.json").write_text("{}")
    (study / ".plans" / f"{OTHER}.json").write_text("{}")
    return study


@pytest.fixture
def study(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "study.zarr")


@pytest.fixture
def victim(sound, tmp_path):
    """Return somebody else's folder, in which files are named as ours are, or are such."""
    folder = tmp_path / "somebody"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear all")
    (folder / OTHER).write_text("not a lock")
    (folder / f"{OTHER}.json").write_text("not a failure")
    (folder / f"{OTHER}-{OTHER}").mkdir()
    (folder / f"{OTHER}-{OTHER}" / "work").write_text("of a week")
    (folder / f"{'0' * 16}-{1:012d}.ckpt").write_text("not a checkpoint")
    shutil.copytree(sound / "experiments" / IDS[0], folder / IDS[0])
    shutil.copytree(sound / "experiments" / IDS[0], folder / IDS[1])
    (folder / "study.json").write_text('{"format": "of somebody"}')
    return folder


def snapshot(folder):
    """Return everything below a folder: kind, content, and when it was changed."""
    held = {}
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(root, name)
            told = os.lstat(path)
            content = ""
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    content = hashlib.blake2b(file.read()).hexdigest()
            held[path] = (told.st_mode, told.st_size, told.st_mtime_ns, told.st_ino, content)
    return held


SMALL = {
    "scenario": "diff_adv",
    "net": "Conv;2;1;tanh",
    "num_points": 16,
    "num_train_samples": 3,
    "train_temporal_horizon": 4,
    "num_test_samples": 3,
    "test_temporal_horizon": 5,
    "batch_size": 4,
    "record_loss_every": 3,
    "optim_config": "adam;3;constant;1e-3",
}


GOLDEN = Path(__file__).parents[1] / "parity" / "golden" / "results"


@pytest.fixture(scope="module")
def instead_of_training():
    """Let experiments end at once, with made-up numbers."""

    def fake(scenario, experiment, _):
        ds = mock_experiment(net=experiment.config["net"], seeds=experiment.seeds)
        return ds.assign_attrs(experiment.attrs), {"weight": np.ones(3, "f4")}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_run, "run_plan", fake)
        yield plan_study([SMALL])


def everything(study, tmp_path, planned=None):
    """Do with a study all that can be done; return what was refused."""
    other = tmp_path / "other.zarr"
    if not other.exists():
        store.create_study(other)
        store.publish_experiment(DS, {}, store.unit_path(other, "e" * 32))
    unit = store.unit_path(study, IDS[0])

    def checkpoints():
        kept = store.Checkpoints(store.unit_path(study, OTHER), {}, 0)
        kept.load()
        kept.save(2, {"a": np.ones(3)})
        kept.clear()

    def claims():
        with store.Study.at(study).notes.claim(OTHER, wait=False):
            store.Study.at(study).notes.note_progress(OTHER, 1, 2)
            store.Study.at(study).notes.progress(OTHER)

    def plans():
        with store.Study.at(study).notes.planned([]):
            pass

    actions = {
        "open": lambda: apexr.open_study(study).load(),
        "rollouts": lambda: apexr.open_rollouts(study).load(),
        "list": lambda: apexr.list_experiments(study),
        "show": lambda: show(str(study)),
        "dashboard": lambda: dashboard.study_page(study),
        "one": lambda: apexr.open_experiment(study, IDS[0]).load(),
        "weights": lambda: store.read_weights(unit),
        "verify": lambda: store.verify(study),
        "index": lambda: store.keep_index(study),
        "claim": claims,
        "checkpoint": checkpoints,
        "plan": plans,
        "failure": lambda: store.Study.at(study).notes.record_failure(OTHER, ValueError("x"), {}),
        "forget": lambda: store.Study.at(study).notes.forget_failure(OTHER),
        "create": lambda: store.create_study(study),
        "publish": lambda: store.publish_experiment(DS, {}, unit, overwrite=True),
        "study": lambda: run_planned(planned or plan_study([SMALL]), study, progress=False),
        "pack": lambda: store.pack(study),
        "merge from": lambda: store.merge(other, study),
        "merge into": lambda: store.merge(study, other),
        "repair": lambda: store.repair(study),
        "import": lambda: apexr.import_results(GOLDEN / "conv.csv", study),
        "study, packed": lambda: run_planned(
            planned or plan_study([SMALL]), study, packed=True, overwrite=True, progress=False
        ),
        "verify again": lambda: store.verify(study),
    }
    refused = {}
    for name, action in actions.items():
        try:
            action()
        except ApexrError as error:
            refused[name] = str(error)
    return refused


FOLDERS = ("experiments", ".index", ".staging", ".locks", "failures", "checkpoints", ".plans")
NAMES = {
    **{name: name for name in (*FOLDERS, ".damaged", ".parts.json", "study.json")},
    "a unit": f"experiments/{IDS[0]}",
    "a packed file": f"experiments/{IDS[0]}.zip",
    "a manifest": f"experiments/{IDS[0]}/manifest.json",
    "a group": f"experiments/{IDS[0]}/data.zarr",
    "a chunk": f"experiments/{IDS[0]}/data.zarr/nRMSE/c.0.0.0",
    "a failure": f"failures/{OTHER}.json",
    "a lock": f".locks/{OTHER}",
    "a plan": f".plans/{OTHER}.json",
    "checkpoints of one": f"checkpoints/{OTHER}",
    "a checkpoint": f"checkpoints/{OTHER}/{'0' * 16}-{1:012d}.ckpt",
    "a staging folder": f".staging/{OTHER}-{OTHER}",
}


def put(path, kind, victim):
    """Put a link or something that is no file in the place of a name."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(path.parent)  # the path of a socket must be short
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
        os.chdir(here)
    else:
        targets = {"folder": victim, "file": victim / OTHER, "zero": "/dev/zero", "lost": "nothing"}
        path.symlink_to(targets.get(kind, victim / kind))


OTHERS = ("file", "zero", "fifo", "socket", "lost", IDS[0])


@pytest.mark.parametrize("kinds", [("folder",), pytest.param(OTHERS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NAMES)
def test_what_a_name_links_to_is_left_alone(
    study, victim, tmp_path, name, kinds, record_property, instead_of_training
):
    before = snapshot(victim)
    counted = 0
    for kind in kinds:
        here = shutil.copytree(study, tmp_path / "copies" / kind / "study.zarr")
        put(here / NAMES[name], kind, victim)
        refused = everything(here, tmp_path, instead_of_training)
        assert snapshot(victim) == before, f"{name} as {kind}"
        named = "verify" in refused or name in ("study.json", "a staging folder")
        assert named or store.is_published(here / NAMES[name]), f"{name} as {kind}: {refused}"
        counted += 1
        shutil.rmtree(here)
    record_property("linked stores", counted)


@pytest.mark.parametrize("name", [".locks", "failures"])
def test_a_study_is_run_beside_somebody_elses_files(study, victim, tmp_path, name):
    before = snapshot(victim)
    put(study / name, "folder", victim)
    everything(study, tmp_path)
    assert snapshot(victim) == before


def test_a_lock_with_another_name_besides_is_refused(study, victim):
    os.link(victim / OTHER, study / ".locks" / OTHER)
    with (
        pytest.raises(StoreError, match="other names besides"),
        store.Study.at(study).notes.claim(OTHER),
    ):
        raise AssertionError
    assert (victim / OTHER).read_text() == "not a lock"


@pytest.mark.parametrize("form", ["experiments", "study.json", "manifest.json", "all"])
def test_repair_of_what_is_no_study_changes_nothing(tmp_path, form):
    folder = tmp_path / "project"
    (folder / ".staging" / "mywork").mkdir(parents=True)
    (folder / ".staging" / f"{OTHER}-{OTHER}").mkdir()
    (folder / ".index" / OTHER).mkdir(parents=True)
    (folder / "checkpoints" / OTHER).mkdir(parents=True)
    (folder / "experiments" / "first").mkdir(parents=True)
    (folder / "experiments" / OTHER).mkdir(parents=True)
    if form in ("study.json", "all"):
        (folder / "study.json").write_text('{"format": "mine"}')
    if form in ("manifest.json", "all"):
        (folder / "manifest.json").write_text('{"name": "web page"}')
        (folder / "experiments" / OTHER / "manifest.json").write_text('{"name": "web page"}')
    before = snapshot(folder)
    with pytest.raises(StoreError):
        store.repair(folder)
    assert snapshot(folder) == before


# --- units under other names -----------------------------------------------------------------


def exchanged(study):
    units = [study / "experiments" / name for name in IDS]
    units[0].rename(units[0].with_name("aside"))
    units[1].rename(units[0])
    (units[0].with_name("aside")).rename(units[1])
    return IDS


def copied(study):
    shutil.copytree(study / "experiments" / IDS[0], study / "experiments" / OTHER)
    return [OTHER]


def packed_and_copied(study):
    store.pack(study)
    shutil.copy(study / "experiments" / f"{IDS[0]}.zip", study / "experiments" / f"{OTHER}.zip")
    return [OTHER]


@pytest.mark.parametrize("move", [exchanged, copied, packed_and_copied])
def test_a_unit_under_another_name_is_never_served(study, move):
    moved = move(study)
    with pytest.raises(StoreError, match="under another name"):
        store.verify(study)
    for name in moved:
        with pytest.raises(StoreError, match="under another name"):
            apexr.open_experiment(study, name)
    table = apexr.list_experiments(study).set_index("id")
    assert table.state[moved].tolist() == ["damaged"] * len(moved)
    if len(moved) == 1:
        assert {*apexr.open_study(study).experiment.values} == {*IDS}
    assert len(store.repair(study).moved) == len(moved)


# --- forged metadata -------------------------------------------------------------------------

NESTED = "[" * 200_000 + "]" * 200_000
FORGED = {
    "no attrs": lambda held: {key: held[key] for key in held if key != "attrs"},
    "no config": lambda held: {key: held[key] for key in held if key != "config"},
    "attrs as a list": lambda held: held | {"attrs": []},
    "config of numbers": lambda held: held | {"config": {"net": 3}},
    "a config of its own": lambda held: held | {"config": {"<script>": "x"}},
    "seeds as text": lambda held: held | {"seeds": "0123"},
    "seeds that are none": lambda held: held | {"seeds": [float("nan")]},
    "seeds without end": lambda held: held | {"seeds": [10**40]},
    "lost seeds as text": lambda held: held | {"num_diverged": "many"},
    "sizes of text": lambda held: held | {"sizes": {"seed": "3"}},
    "attrs within attrs": lambda held: held | {"attrs": {"a": json.loads("[" * 50 + "]" * 50)}},
    "a place of its own": lambda held: held | {"data": "../../../"},
    "version as text": lambda held: held | {"schema_version": "1"},
    "version 0": lambda held: held | {"schema_version": 0},
    "another name": lambda held: held | {"unit": OTHER},
    "sizes below zero": lambda held: (
        held | {"files": {name: entry | {"size": -1} for name, entry in held["files"].items()}}
    ),
}
RAW = {
    "a list": b"[]",
    "lone surrogates": b'{"format": "apexr-experiment", "attrs": {"a": "\\ud800"}}',
    "raw surrogates": b'{"format": "apexr-experiment", "a": "\xed\xa0\x80"}',
    "NaN": b"NaN",
    "nested brackets": NESTED.encode(),
    "nested within": b'{"attrs": ' + NESTED.encode() + b"}",
    "many values": b'{"files": [' + b"[]," * 3_000_000 + b"1]}",
    "other text": "{}".encode("utf-16"),
    "nothing": b"",
}


def forge(unit, change):
    held = json.loads((unit / "manifest.json").read_text())
    held = change(held)
    held.pop("digest")
    text = json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (unit / "manifest.json").write_text(json.dumps(held | {"digest": digest(text.encode())}))


def check_one_damaged(study):
    """Check that one experiment is damaged, that readers say so, and that all others are read."""
    table = apexr.list_experiments(study).set_index("id")
    assert table.state[IDS].tolist() == ["damaged", "published"]
    assert apexr.open_study(study).load().experiment.values.tolist() == IDS[1:]
    with pytest.raises(StoreError, match=IDS[0]):
        store.verify(study)


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_manifest_is_one_damaged_row(study, name, bounded_memory):
    forge(study / "experiments" / IDS[0], FORGED[name])
    check_one_damaged(study)


@pytest.mark.parametrize("name", RAW)
def test_a_manifest_that_is_none_is_one_damaged_row(study, name, bounded_memory):
    (study / "experiments" / IDS[0] / "manifest.json").write_bytes(RAW[name])
    check_one_damaged(study)


@pytest.mark.parametrize("name", ["a bad byte", *RAW])
def test_a_bad_record_of_a_failure_is_one_damaged_row(study, name, bounded_memory):
    path = study / "failures" / f"{OTHER}.json"
    content = path.read_bytes()
    path.write_bytes(RAW.get(name, content[:20] + b"\xff" + content[21:]))
    table = apexr.list_experiments(study).set_index("id")
    assert table.state[[OTHER, *IDS]].tolist() == ["damaged", "published", "published"]
    assert apexr.open_study(study).sizes["experiment"] == 2


# --- sizes -----------------------------------------------------------------------------------


def test_a_checkpoint_that_is_a_hole_is_not_used(tmp_path, bounded_memory, caplog):
    kept = store.Checkpoints(tmp_path / "a.zarr", {}, 0)
    kept.save(1, {"a": np.ones(3)})
    kept.save(2, {"a": np.ones(3)})
    with (sorted(kept.folder.iterdir())[-1]).open("r+b") as file:
        file.truncate(4 * 2**30)
    assert kept.load()["a"].tolist() == [1, 1, 1]
    assert "a hole" in caplog.text


def signed(unit):
    """Write the manifest that fits what lies in the unit now."""
    held = json.loads((unit / "manifest.json").read_text())
    (unit / "manifest.json").unlink()
    labels = {key: held[key] for key in ("unit", "config", "attrs", "sizes", "seeds")}
    (unit / "manifest.json").write_bytes(
        json_bytes(make_manifest(labels, entries_below(store.place(unit))))
    )


# 34 of them are 2 GB
@pytest.mark.parametrize("count", [4, pytest.param(34, marks=pytest.mark.slow)])
def test_a_large_packed_unit_is_read_and_merged_piece_by_piece(
    study, tmp_path, count, bounded_memory
):
    unit = study / "experiments" / IDS[0]
    for number in range(count):
        with (unit / "data.zarr" / f"more{number}").open("wb") as file:
            file.truncate(60 * 2**20)
    signed(unit)
    store.pack(study)
    store.verify(study)
    store.merge(tmp_path / "another.zarr", study)
    assert store.verify(tmp_path / "another.zarr") == 2


def test_files_without_end_are_refused(study, monkeypatch, bounded_memory):
    monkeypatch.setattr("apexr._files._local.MOST_FILES", 100)
    folder = study / "experiments" / IDS[0] / "data.zarr" / "nRMSE"
    for number in range(100):
        (folder / f"c.9.9.{number}").write_bytes(b"")
    with pytest.raises(StoreError, match="over 100 files"):
        apexr.open_experiment(study, IDS[0])
    deep = study / "experiments" / IDS[1] / "data.zarr"
    for _ in range(40):
        deep = deep / "a"
        deep.mkdir()
    with pytest.raises(StoreError, match="folders within folders"):
        apexr.open_experiment(study, IDS[1])
