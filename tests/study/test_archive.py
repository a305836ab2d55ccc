"""A published study: complete, described for archives, and told to be changed where it is."""

import csv
import hashlib
import json

import pytest

import apexr
from apexr import store as stores
from apexr.errors import ApexrWarning, SpecError, StoreError
from apexr.study import verify_archive
from apexr.study._archive import config_of

CONFIG = {
    "scenario": "diff_adv",
    "train": "one",
    "num_points": 16,
    "num_train_samples": 2,
    "train_temporal_horizon": 3,
    "num_test_samples": 2,
    "test_temporal_horizon": 4,
    "optim_config": "adam;3;constant;1e-3",
    "record_loss_every": 1,
    "batch_size": 2,
    "num_seeds": 2,
}
NETS = ("Pure;3", "Conv;3;1;relu")
ABOUT = {"title": 'Advection | a "study"', "authors": ["A. Author", "B: Author"]}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "study.zarr"
    apexr.run_study([{**CONFIG, "net": net} for net in NETS], path, progress=False)
    return path


@pytest.fixture
def folder(study, tmp_path):
    return apexr.publish(study, tmp_path / "archive", **ABOUT)


def test_it_holds_all_that_an_archive_wants(study, folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("study.zarr", "study.json", "requirements.lock", "errors.csv", "README.md"),
        *("CITATION.cff", "croissant.json", "ro-crate-metadata.json", "checksums.sha256"),
    }
    before, after = (apexr.open_study(one).load() for one in (study, folder / "study.zarr"))
    assert before.identical(after)
    configs = json.loads((folder / "study.json").read_text())
    ids = [one.id for one in apexr.study.plan_study(configs)]
    assert ids == before["experiment"].values.tolist()
    assert f"apexr=={apexr.__version__}" in (folder / "requirements.lock").read_text()


def test_every_file_is_listed_with_its_digest(folder):
    crate = json.loads((folder / "ro-crate-metadata.json").read_text())
    entries = {one["@id"]: one for one in crate["@graph"]}
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    told = {name for name, one in entries.items() if one["@type"] == "File"}
    assert told == files - {"ro-crate-metadata.json", "checksums.sha256"}
    for name in told:
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert entries[name]["sha256"] == digest
    assert {one["@id"] for one in entries["./"]["hasPart"]} == told
    actions = [one for one in entries.values() if one["@type"] == "CreateAction"]
    assert len(actions) == len(NETS)
    for action in actions:
        assert action["result"]
        assert {one["@id"] for one in action["result"]} <= told


def test_an_experiment_in_parts_has_one_id_and_all_its_files(tmp_path):
    path = tmp_path / "study.zarr"
    for seeds in (1, 2):  # the second seed becomes a part of its own
        apexr.run_study([{**CONFIG, "net": "Pure;3", "num_seeds": seeds}], path, progress=False)
    (name,) = apexr.open_study(path)["experiment"].values
    folder = apexr.publish(path, tmp_path / "archive", **ABOUT)
    assert f"| {name} |" in (folder / "README.md").read_text()
    crate = json.loads((folder / "ro-crate-metadata.json").read_text())
    (action,) = (one for one in crate["@graph"] if one["@type"] == "CreateAction")
    assert action["@id"] == f"#{name}"
    held = {p.relative_to(folder).as_posix() for p in folder.rglob("experiments/*.zip")}
    assert {one["@id"] for one in action["result"]} == held
    assert len(held) == 2


def test_the_table_is_described_column_by_column(folder):
    told = json.loads((folder / "croissant.json").read_text())
    with (folder / "errors.csv").open(newline="") as file:
        heads = next(csv.reader(file))
    (records,) = told["recordSet"]
    assert [one["source"]["extract"]["column"] for one in records["field"]] == heads


def test_a_whole_one_is_verified_and_run_again(folder):
    assert verify_archive(folder) == []
    (again,) = verify_archive(folder, rerun=1)
    assert again.id in stores.list_experiments(folder / "study.zarr")["id"].tolist()
    assert again.loss < 1e-5
    assert again.error < 1e-4


@pytest.mark.parametrize("name", ["README.md", "errors.csv", "study.zarr"])
def test_a_changed_byte_is_named(folder, name):
    path = folder / name
    if path.is_dir():
        held = [one for one in path.rglob("*") if one.is_file()]
        path = max(held, key=lambda one: one.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(StoreError, match=f"{path.relative_to(folder).as_posix()} has changed"):
        verify_archive(folder)


def test_missing_and_new_files_are_named(folder):
    (folder / "errors.csv").unlink()
    (folder / "new.txt").write_text("x")
    with pytest.raises(StoreError, match=r"errors\.csv is missing") as caught:
        verify_archive(folder)
    assert "new.txt is new" in str(caught.value)


def test_what_is_not_finished_is_not_published(study, tmp_path):
    path = tmp_path / "open.zarr"
    stores.merge(path, study)
    stores.Study.at(path).notes.record_failure("f" * 32, ValueError("no"), {})
    with pytest.raises(StoreError, match="1 of 3 experiments are not finished"):
        apexr.publish(path, tmp_path / "archive", **ABOUT)
    assert not (tmp_path / "archive").exists()


def test_bad_requests_are_refused(study, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("x")
    with pytest.raises(StoreError, match="something already"):
        apexr.publish(study, tmp_path / "there", **ABOUT)
    for wrong in ({"title": " "}, {"authors": []}, {"authors": [""]}):
        with pytest.raises(SpecError, match="a title and at least one author"):
            apexr.publish(study, tmp_path / "new", **{**ABOUT, **wrong})


def test_a_configuration_asks_for_the_same(study):
    for one in stores.list_experiments(study)["id"]:
        result = stores.open_experiment(study, one)
        (planned,) = apexr.study.plan_study([config_of(result)])
        assert planned.id == one
        assert list(planned.seeds) == result["seed"].values.tolist()


def test_what_is_finished_is_published_by_request(study, tmp_path):
    path = tmp_path / "open.zarr"
    stores.merge(path, study)
    stores.Study.at(path).notes.record_failure("f" * 32, ValueError("no"), {})
    folder = apexr.publish(path, tmp_path / "archive", **ABOUT, allow_unfinished=True)
    assert stores.list_experiments(folder / "study.zarr")["state"].value_counts().to_dict() == {
        "published": 2,
        "failed": 1,
    }
    (again,) = verify_archive(folder, rerun=1)
    assert again.config.startswith("1d_diff_adv  Pure;3")
    apexr.leaderboard([folder], tmp_path / "board")


def test_a_folder_in_the_study_is_refused(study):
    before = sorted(study.rglob("*"))
    for folder in (study, study / "archive", study / "experiments" / "archive"):
        with pytest.raises(StoreError, match="lies in the study itself"):
            apexr.publish(study, folder, **ABOUT)
    assert sorted(study.rglob("*")) == before


@pytest.mark.parametrize(
    ("configs", "words"),
    [
        ([{**CONFIG, "net": "Pure;3"}], "does not ask for 1 of the 2 experiments"),
        ([{**CONFIG, "net": net} for net in (*NETS, "Pure;5")], "asks for 1 experiments that"),
    ],
)
def test_the_file_of_another_study_is_refused(study, tmp_path, configs, words):
    file = tmp_path / "other.json"
    file.write_text(json.dumps(configs))
    with pytest.raises(SpecError, match=words):
        apexr.publish(study, tmp_path / "archive", **ABOUT, study_file=file)
    assert not (tmp_path / "archive").exists()


def test_a_program_is_no_file_to_publish(study, tmp_path):
    with pytest.raises(SpecError, match="TOML or JSON"):
        apexr.publish(study, tmp_path / "archive", **ABOUT, study_file="study.py")


def test_the_readme_counts_seeds_that_diverged(tmp_path):
    path = tmp_path / "lost.zarr"
    config = {**CONFIG, "net": "Conv;3;1;relu", "optim_config": "sgd;30;constant;1e9"}
    with pytest.warns(ApexrWarning, match="diverged"):
        apexr.run_study([config], path, progress=False)
    lost = int(stores.list_experiments(path)["num_diverged"].sum())
    folder = apexr.publish(path, tmp_path / "archive", **ABOUT)
    row = next(one for one in (folder / "README.md").read_text().splitlines() if "Conv;3" in one)
    assert f"| 2 | {lost} |" in row


def test_a_file_of_checksums_that_is_none_is_said(folder):
    (folder / "checksums.sha256").write_text("garbage\n")
    with pytest.raises(StoreError, match="'garbage' names no file with its digest"):
        verify_archive(folder)


def test_a_damaged_study_is_not_published(study, tmp_path):
    path = tmp_path / "damaged.zarr"
    stores.merge(path, study)
    unit = min((path / "experiments").glob("[0-9a-f]*"))
    (unit / "manifest.json").write_text("{")
    for allowed in (False, True):
        with pytest.raises(StoreError, match="run apexr repair"):
            apexr.publish(path, tmp_path / "archive", **ABOUT, allow_unfinished=allowed)
    assert not (tmp_path / "archive").exists()
