"""A leaderboard of published studies: tracks, ranks by hand, hostile labels, refusals."""

import hashlib
import html.parser
import json
import re
import shutil

import numpy as np
import pytest

import apexr
from _tiny import SIZES
from apexr import store as stores
from apexr._report._archives import Archive, _entry, read_archive
from apexr._report._leaderboard import _track, _tracks
from apexr._report._parts import Section, to_html
from apexr.errors import ApexrError, MissingVariableError, SpecError, StoreError
from apexr.study import plan_study
from apexr.testing import mock_experiment

TINY = {**SIZES, "optim_config": "adam;3;constant;1e-3", "num_seeds": 3}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x1b[31m\u202e$\\frac{"
NAMELESS = json.dumps(
    {"@graph": [{"@id": "./", "author": [], "license": {"@id": "l"}}, {"@id": "l", "name": "l"}]}
)
STUDIES = {
    "two": {"scenario": ["diff_adv", "diff_diff"], "net": ["Pure;3", "Conv;3;1;relu"]},
    "one": {"scenario": "diff_adv", "net": "Pure;5", "optim_config": "adam;3;constant;1e10"},
    "long": {"scenario": "diff_adv", "net": "Pure;3", "optim_config": "sgd;5;constant;1e-3"},
}


class Reader(html.parser.HTMLParser):
    """Collects tags with their attributes, and the rows of tables as texts."""

    def __init__(self):
        super().__init__()
        self.tags, self.rows, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def write(grid, path, diverged=()):
    """Write a study with the identities of real experiments and made up numbers."""
    stores.create_study(path)
    for number, one in enumerate(plan_study({**TINY, **grid})):
        labels = {name: one.experiment.config[name] for name in ("scenario", "net")}
        result = mock_experiment(
            **labels, seeds=range(3), diverged=diverged, num_times=4, random_seed=number
        ).assign_attrs(one.experiment.attrs)
        stores.publish_experiment(result, {}, stores.unit_path(path, one.id))
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return three published studies: on two problems, one that diverged, one of another budget."""
    root = tmp_path_factory.mktemp("published")
    made = []
    for name, grid in STUDIES.items():
        store = write(grid, root / f"{name}.zarr", range(3) if name == "one" else ())
        title = HOSTILE if name == "one" else name
        made.append(apexr.publish(store, root / name, title=title, authors=["A B"]))
    return made


@pytest.fixture(scope="module")
def page(folders, tmp_path_factory):
    target = tmp_path_factory.mktemp("board")
    path = apexr.leaderboard(folders, target, baseline="Pure;3")
    assert path == target / "index.html"
    return path


@pytest.fixture(scope="module")
def read(page):
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


def test_methods_that_ran_on_the_same_problems_with_the_same_budget_share_a_track(folders):
    tracks = _tracks([read_archive(folder) for folder in folders])
    told = [
        (
            len(track.problems),
            track.budget.split(" of ")[0],
            sorted((row.study, row.method[1]) for row in track.rows),
        )
        for track in tracks
    ]
    assert told == [
        (2, "3 updates", [(1, "Conv;3;1;relu"), (1, "Pure;3")]),
        (1, "3 updates", [(1, "Conv;3;1;relu"), (1, "Pure;3"), (2, "Pure;5")]),
        (1, "5 updates", [(3, "Pure;3")]),
    ]
    assert [name for name, _ in tracks[1].problems] == ["1d_diff_adv"]


def test_the_error_of_a_row_is_the_interquartile_mean_by_hand(folders, read):
    study = apexr.open_study(folders[0] / "study.zarr")
    logs = np.log(study.mean_nRMSE).mean("time")
    found = {}
    for net in ("Pure;3", "Conv;3;1;relu"):
        scores = []
        for scenario in np.unique(study.scenario.values):
            here = logs.isel(experiment=(study.scenario == scenario).values)
            of = {str(one.net.values): one.values for one in here}
            scores += (of[net] - np.median(of["Pure;3"])).tolist()
        found[net] = np.exp(np.mean(np.sort(scores)[1:-1]))  # a quarter of six runs, rounded down
    rows = [row for row in ranked(read) if row["runs"] == "6"]
    assert {row["network"]: float(row["error"]) for row in rows} == pytest.approx(found, rel=0.01)
    assert [row["rank"] for row in rows] == ["1", "2"]
    errors = [float(row["error"]) for row in rows]
    assert errors == sorted(errors)


def test_seeds_that_diverged_stay_in_the_table_without_a_rank(read):
    (row,) = (row for row in ranked(read) if row["network"] == "Pure;5")
    assert row["rank"] == "–"
    assert row["error"] == "∞"
    assert row["diverged"] == "3 of 3"
    assert row["optimizer"] == "adam;3;constant;1e10"


def test_what_all_methods_share_is_no_column(read):
    assert all({"training", "task"}.isdisjoint(row) for row in ranked(read))
    assert sum("optimizer" in row for row in ranked(read)) == 3
    assert read.text.count("All methods have the training one.") == 3


def test_every_row_leads_to_a_file_that_asks_for_its_experiments(page, read, folders):
    links = [attrs["href"] for tag, attrs in read.tags if tag == "a" and attrs["href"][0] != "#"]
    assert len(links) == len(set(links)) == 6
    asked = set()
    for link in links:
        configs = json.loads((page.parent / link).read_text())
        asked |= {one.id for one in apexr.study.plan_study(configs)}
    held = {
        name
        for folder in folders
        for name in apexr.store.list_experiments(folder / "study.zarr")["id"]
    }
    assert asked == held


def ranked(read):
    """Return the rows of the tracks, each by its columns."""
    rows, head = [], ["nothing"]
    for row in read.rows:
        if row[0] == "rank":
            head = row
        elif head[0] == "rank":
            rows.append(dict(zip(head, row, strict=True)))
    return rows


def entry_of(net, seeds=(0, 1, 2), scenario="1d_diff_adv", random_seed=0, **parameters):
    """Return an entry of a stranger's study."""
    told = {"scenario": scenario, "task": "predict", "net": net, "train": "one"}
    told["parameters"] = {"optim_config": "adam;5;constant;1e-3", "num_points": 16} | parameters
    result = mock_experiment(scenario=scenario, net=net, seeds=seeds, random_seed=random_seed)
    return _entry(result.assign_attrs(specification=json.dumps(told)))


def assert_inert(page):
    reader = Reader()
    reader.feed(page)
    assert {tag for tag, _ in reader.tags}.isdisjoint({"script", "iframe", "object", "link"})
    assert not [attrs for _, attrs in reader.tags if any(name.startswith("on") for name in attrs)]
    images = [attrs["src"] for tag, attrs in reader.tags if tag == "img"]
    assert images
    assert all(source.startswith("data:image/png;base64,") for source in images)
    assert "<script>alert(1)</script>" in reader.text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", page)


def test_titles_of_strangers_are_text(page):
    assert_inert(page.read_text(encoding="utf-8"))


def test_labels_and_parameters_of_strangers_are_text(tmp_path):
    said = {"scenario": HOSTILE, "optim_config": HOSTILE, HOSTILE: HOSTILE}
    entries = [entry_of(net, random_seed=n, **said) for n, net in enumerate([HOSTILE, "Pure;3"])]
    (track,) = _tracks([Archive("t", "a", "l", "f", entries)])
    (tmp_path / "specifications").mkdir()
    parts = list(_track(track, 1, "mean_nRMSE", None, None, tmp_path))
    page = to_html("t", "l", [Section("s", parts)])
    assert "Not drawn" not in page
    assert_inert(page)


def test_each_seed_of_a_study_counts_once():
    """Of experiments that differ in what is recorded alone, or in their seeds."""
    parts = [((0, 1), 100), ((1, 2), 50), ((2, 0), 10)]
    entries = [entry_of("Pure;3", seeds, record_loss_every=every) for seeds, every in parts]
    (track,) = _tracks([Archive("t", "a", "l", "f", entries)])
    (row,) = track.rows
    held = [entry.result["seed"].values.tolist() for entry in row.entries]
    assert held == [[0, 1], [2]]
    errors = track.joined("mean_nRMSE")["mean_nRMSE"].isel(time=0).values
    assert np.isfinite(errors).sum() == 3


def test_the_baseline_and_the_step_are_a_choice(folders, tmp_path):
    page = apexr.leaderboard(folders[:1], tmp_path, baseline="Conv;3;1;relu", time=2)
    assert "the median run of Conv;3;1;relu [1]" in page.read_text(encoding="utf-8")
    assert "time step 2" in page.read_text(encoding="utf-8")


def test_what_cannot_be_compared_is_refused(folders, tmp_path):
    with pytest.raises(SpecError, match="at least one folder"):
        apexr.leaderboard([], tmp_path / "out")
    with pytest.raises(SpecError, match="given 2 times"):
        apexr.leaderboard([folders[0], folders[0]], tmp_path / "out")
    with pytest.raises(StoreError, match=r"no published study, the folder is not there"):
        apexr.leaderboard([tmp_path / "nowhere"], tmp_path / "out")
    with pytest.raises(StoreError, match=r"no published study.*apexr publish"):
        apexr.leaderboard([folders[0] / "study.zarr"], tmp_path / "out")
    with pytest.raises(MissingVariableError, match="has no mean_MAE; it has mean_nRMSE"):
        apexr.leaderboard(folders, tmp_path / "out", variable="mean_MAE")
    with pytest.raises(MissingVariableError, match=r"no study has 'Conv'; there is .*Pure;3"):
        apexr.leaderboard(folders, tmp_path / "out", baseline="Conv")
    with pytest.raises(SpecError, match=r"has no time step 9; it has 1 to 4"):
        apexr.leaderboard(folders, tmp_path / "out", time=9)
    with pytest.raises(SpecError, match="lies in the published study"):
        apexr.leaderboard(folders, folders[1] / "board")
    with pytest.raises(SpecError, match="folders"):
        apexr.leaderboard(folders[0], tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match="must be a folder"):
        apexr.leaderboard(folders, tmp_path / "file")
    assert not (tmp_path / "out").exists()
    assert not (folders[1] / "board").exists()


def test_a_changed_file_is_named_and_nothing_is_written(folders, tmp_path):
    copy = shutil.copytree(folders[0], tmp_path / "copy")
    (copy / "errors.csv").write_text("0\n")
    with pytest.raises(StoreError, match=r"errors\.csv has changed"):
        apexr.leaderboard([copy], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("crate", ["", "[]", '{"@graph": [{"@id": "./"}]}', NAMELESS])
def test_a_description_that_says_nothing_is_refused(folders, tmp_path, crate):
    copy = shutil.copytree(folders[1], tmp_path / "copy")
    name = "ro-crate-metadata.json"
    (copy / name).write_text(crate)
    sums = (copy / "checksums.sha256").read_text().splitlines()
    digest = hashlib.sha256(crate.encode()).hexdigest()
    lines = [f"{digest}  {name}" if line.endswith(name) else line for line in sums]
    (copy / "checksums.sha256").write_text("\n".join(lines) + "\n")
    with pytest.raises(ApexrError, match="does not say title, authors and license"):
        apexr.leaderboard([copy], tmp_path / "out")
