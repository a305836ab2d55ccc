"""Stores at URLs: in memory, and on a server of this machine that speaks the protocol of S3."""

import json
import pickle
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import numpy as np
import pytest
import xarray as xr

import apexr
from _s3 import BUCKET, point_to, serving
from apexr import store as stores
from apexr._files import _disk
from apexr.errors import MissingExtraError, StoreError
from apexr.store import ConflictError
from apexr.testing import mock_experiment

WEIGHTS = {"layers.0.weight": np.arange(6.0).reshape(3, 2)}
IDS = [f"{number:032x}" for number in range(3)]


@pytest.fixture(scope="module")
def s3():
    with serving() as endpoint, pytest.MonkeyPatch.context() as patch:
        point_to(endpoint, patch)
        fs = fsspec.filesystem("s3", use_listings_cache=False, skip_instance_cache=True)
        fs.mkdir(BUCKET)
        yield fs


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.slow)])
def url(request):
    """Return a URL below which nothing lies yet."""
    name = uuid.uuid4().hex
    if request.param == "memory":
        return f"memory://{name}"
    request.getfixturevalue("s3")
    return f"s3://{BUCKET}/{name}"


everywhere = pytest.mark.parametrize("url", ["memory", "s3"], indirect=True)
"""Of a test that asks the server in every run of the tests, and not only by name."""


def result(number=0, **changed):
    net = f"Conv;{number + 2};1;relu"
    return mock_experiment(net=net, random_seed=number, **changed)


@pytest.fixture(params=["objects", "packed"])
def packed(request):
    """Return whether each experiment is one object."""
    return request.param == "packed"


def filled(url, count=2, packed=False):
    """Publish a study and return its URL."""
    study = f"{url}/study.zarr"
    stores.create_study(study)
    for number in range(count):
        unit = stores.unit_path(study, IDS[number])
        stores.publish_experiment(result(number), WEIGHTS, unit, packed=packed)
    return study


def objects(url):
    """Return the file system and the names of all objects below a URL."""
    fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return fs, fs.find(path)


def units_at(study):
    """Return the names of the objects of all units."""
    names = objects(f"{study}/experiments")[1]
    return [name for name in names if not name.endswith("experiments/zarr.json")]


@everywhere
def test_an_experiment_comes_back(url):
    given = result()
    stores.publish_experiment(given, WEIGHTS, f"{url}/adv.zarr")
    held = apexr.open_experiment(f"{url}/adv.zarr")
    xr.testing.assert_identical(held.load(), given)
    weights = stores.read_weights(f"{url}/adv.zarr")
    np.testing.assert_array_equal(weights["layers.0.weight"], WEIGHTS["layers.0.weight"])
    assert stores.verify(f"{url}/adv.zarr") == 1


@pytest.mark.quick
@everywhere
def test_a_study_comes_back(url, tmp_path, packed):
    study = filled(url, packed=packed)
    assert {name.endswith(".zip") for name in units_at(study)} == {packed}
    local = tmp_path / "study.zarr"
    assert stores.merge(local, study) == 2
    xr.testing.assert_identical(apexr.open_study(study).load(), apexr.open_study(local).load())
    assert apexr.list_experiments(study).equals(
        apexr.list_experiments(local).assign(bytes=apexr.list_experiments(study)["bytes"])
    )
    assert stores.verify(study) == 2


def test_studies_merge_to_and_fro(url, tmp_path):
    local = tmp_path / "study.zarr"
    assert stores.merge(local, filled(url)) == 2
    assert stores.merge(f"{url}/other.zarr", local) == 2
    assert stores.merge(local, f"{url}/other.zarr") == 0  # they are the same
    assert stores.verify(f"{url}/other.zarr") == 2


def test_a_folder_of_this_machine_may_be_uploaded_as_it_is(url, tmp_path):
    local = tmp_path / "study.zarr"
    stores.merge(local, filled(url))
    fs, path = fsspec.core.url_to_fs(f"{url}/copied.zarr")
    fs.put(str(local), path, recursive=True)
    xr.testing.assert_identical(
        apexr.open_study(f"{url}/copied.zarr").load(), apexr.open_study(local).load()
    )


def test_failures_are_recorded(url):
    study = filled(url)
    for _ in range(2):
        stores.Study.at(study).notes.record_failure(
            IDS[2], RuntimeError("no memory"), {"net": "FNO"}
        )
    assert stores.Study.at(study).notes.failures()[IDS[2]]["attempts"] == 2
    assert (apexr.list_experiments(study)["state"] == "failed").sum() == 1
    stores.publish_experiment(result(2), {}, stores.unit_path(study, IDS[2]))
    assert stores.Study.at(study).notes.failures() == {}


@everywhere
@pytest.mark.parametrize("second", [False, True])
def test_equal_results_are_success_and_others_a_conflict(url, packed, second):
    study = filled(url, 1, packed)
    unit = stores.unit_path(study, IDS[0])
    stores.publish_experiment(result(0), WEIGHTS, unit, packed=second)
    with pytest.raises(ConflictError, match="another result is published here"):
        stores.publish_experiment(result(1), WEIGHTS, unit, packed=second)
    assert apexr.open_experiment(study, IDS[0])["net"].item() == "Conv;2;1;relu"
    stores.publish_experiment(result(1), WEIGHTS, unit, overwrite=True, packed=second)
    assert {name.endswith(".zip") for name in units_at(study)} == {second}
    assert apexr.open_experiment(study, IDS[0])["net"].item() == "Conv;3;1;relu"
    assert stores.verify(study) == 1


def test_of_many_writers_the_first_wins_and_nothing_is_mixed(url, packed):
    study = f"{url}/study.zarr"
    stores.create_study(study)
    unit = stores.unit_path(study, IDS[0])

    def publish(number):
        try:
            stores.publish_experiment(result(number), WEIGHTS, unit, packed=packed)
        except ConflictError:
            return 0
        return 1

    with ThreadPoolExecutor(6) as threads:
        won = list(threads.map(publish, range(6)))
    assert sum(won) == 1
    assert stores.verify(study) == 1
    held = apexr.open_experiment(study, IDS[0])
    xr.testing.assert_identical(held.load(), result(won.index(1)))


@pytest.mark.parametrize("after", [0, 3])
def test_what_is_interrupted_before_the_manifest_is_not_there(url, monkeypatch, after):
    study = filled(url, 1)
    upload = _disk.upload

    def interrupted(folder, files):
        upload(folder, dict(list(files.items())[:after]))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_disk, "upload", interrupted)
        with pytest.raises(KeyboardInterrupt):
            stores.publish_experiment(result(1), WEIGHTS, stores.unit_path(study, IDS[1]))
    assert apexr.list_experiments(study)["id"].tolist() == [IDS[0]]
    assert apexr.open_study(study).sizes["experiment"] == 1
    assert stores.verify(study) == 1
    with pytest.raises(StoreError, match="not a finished apexr experiment"):
        apexr.open_experiment(study, IDS[1])
    stores.publish_experiment(result(2), WEIGHTS, stores.unit_path(study, IDS[1]))
    assert stores.verify(study) == 2
    xr.testing.assert_identical(apexr.open_experiment(study, IDS[1]).load(), result(2))


@everywhere
def test_damaged_and_missing_objects_are_named(url):
    study = filled(url)
    fs, names = objects(f"{study}/experiments/{IDS[0]}")
    chunk = next(name for name in names if "mean_nRMSE/c." in name)
    content = fs.cat_file(chunk)
    fs.pipe_file(chunk, content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(StoreError, match=r"mean_nRMSE/c\.0\.0: content changed"):
        apexr.open_experiment(study, IDS[0])["mean_nRMSE"].load()
    with pytest.raises(StoreError, match=r"mean_nRMSE/c\.0\.0: content changed"):
        stores.verify(study)
    fs.rm_file(chunk)
    with pytest.raises(StoreError, match=r"mean_nRMSE/c\.0\.0: missing"):
        apexr.open_experiment(study, IDS[0])
    with pytest.warns(apexr.errors.ApexrWarning, match="missing"):
        assert apexr.open_study(study)["experiment"].values.tolist() == [IDS[1]]
    repaired = stores.repair(study)
    assert len(repaired.moved) == 1
    assert apexr.list_experiments(study)["id"].tolist() == [IDS[1]]
    assert stores.verify(study) == 1


def test_a_damaged_manifest_is_named(url):
    study = filled(url, 1)
    fs, names = objects(study)
    manifest = next(name for name in names if name.endswith("manifest.json"))
    held = json.loads(fs.cat_file(manifest))
    held["seeds"] = [7]
    fs.pipe_file(manifest, json.dumps(held).encode())
    with pytest.raises(StoreError, match=r"manifest\.json: damaged, its digest does not fit"):
        apexr.open_experiment(study, IDS[0])
    assert apexr.list_experiments(study)["state"].tolist() == ["damaged"]


def test_a_newer_study_is_refused_with_both_versions(url):
    study = filled(url, 1)
    fs, names = objects(study)
    marker = next(name for name in names if name.endswith("study.json"))
    held = json.loads(fs.cat_file(marker))
    fs.pipe_file(marker, json.dumps({**held, "schema_version": 99}).encode())
    for use in (apexr.open_study, stores.create_study, apexr.list_experiments):
        with pytest.raises(StoreError, match=r"schema version 99, this apexr reads up to 1"):
            use(study)


def test_places_that_hold_something_else_are_refused(url):
    study = filled(url, 1)
    with pytest.raises(StoreError, match="expected an apexr experiment or nothing, found study"):
        stores.check_writable(study)
    unit = stores.unit_path(study, IDS[0])
    with pytest.raises(StoreError, match="expected an apexr study or nothing, found experiment"):
        stores.create_study(unit)


def test_what_only_a_folder_can_do_says_so(url):
    study = filled(url, 1)
    for use in (stores.pack, stores.open_trajectories, stores.open_dataset):
        with pytest.raises(StoreError, match="needs a path of this machine"):
            use(study)


@everywhere
def test_one_get_for_each_chunk(url, monkeypatch):
    study = filled(url, 1)
    held = apexr.open_experiment(study, IDS[0])
    read = []
    place = stores.place(study)
    plain = type(place).read_bytes
    monkeypatch.setattr(
        type(place), "read_bytes", lambda self: read.append(self.path) or plain(self)
    )
    held["sample_rollout"].load()
    assert len(read) == len(set(read)) == 1
    assert "sample_rollout/c." in read[0]


def test_results_travel_to_other_processes(url):
    study = filled(url)
    opened = apexr.open_study(study)["mean_nRMSE"]
    # Dask pickles what it sends to its workers. These bytes were made here, a line earlier: apexr
    # itself never unpickles what it reads.
    again = pickle.loads(pickle.dumps(opened))
    np.testing.assert_array_equal(again.values, opened.values)


def test_a_damaged_packed_object_is_named_and_put_aside(url):
    study = filled(url, packed=True)
    fs, names = objects(study)[0], units_at(study)
    content = fs.cat_file(names[0])
    middle = len(content) // 2
    for harmed in (content[:middle], content[:middle] + b"\0" + content[middle + 1 :], b""):
        fs.pipe_file(names[0], harmed)
        with pytest.raises(StoreError, match=names[0].rpartition("/")[2]):
            stores.verify(study)
    assert len(stores.repair(study).moved) == 1
    assert apexr.list_experiments(study)["id"].tolist() == [IDS[1]]
    assert stores.verify(study) == 1


def test_one_request_for_each_chunk_of_a_packed_object(url, monkeypatch):
    study = filled(url, 1, packed=True)
    held = apexr.open_experiment(study, IDS[0])
    read = []
    place = type(stores.place(study))
    plain = place.read_part
    monkeypatch.setattr(
        place, "read_part", lambda self, *part: read.append(part) or plain(self, *part)
    )
    held["sample_rollout"].load()
    assert len(read) == 1  # the list of entries is known


def test_an_index_serves_a_large_study(url, packed, monkeypatch):
    from apexr.store.study import _open

    study = filled(url, 3, packed)
    plain = apexr.open_study(study).load()
    monkeypatch.setattr(_open, "INDEX_FROM", 1)
    for _ in range(2):
        indexed = apexr.open_study(study)
        np.testing.assert_array_equal(indexed["mean_nRMSE"], plain["mean_nRMSE"])
        np.testing.assert_array_equal(indexed["sample_rollout"], plain["sample_rollout"])
        stores.keep_index(study)
    assert any("/.index/" in name for name in objects(study)[1])


def test_what_is_wrong_with_a_url():
    with pytest.raises(StoreError, match="no place for a store"):
        apexr.open_study("gopher://somewhere/study.zarr")
    with pytest.raises(StoreError, match="two slashes"):
        apexr.open_study(Path("s3://bucket/study.zarr"))


@pytest.mark.parametrize(("scheme", "extra"), [("s3", "cloud"), ("gs", "gcs")])
def test_a_missing_package_is_named(monkeypatch, scheme, extra):
    def missing(*_, **__):
        raise ImportError("Install a package to access it")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(MissingExtraError, match=rf"apexr\[{extra}\]"):
        apexr.open_study(f"{scheme}://bucket/study.zarr")


def test_files_of_this_machine_by_url(tmp_path):
    study = filled(f"file://{tmp_path}", 1)
    assert (tmp_path / "study.zarr" / "experiments" / IDS[0] / "data.zarr").is_dir()
    assert apexr.open_study(study).sizes["experiment"] == 1


def test_a_bucket_that_is_not_there(s3):
    with pytest.raises(StoreError, match="bucket does not exist"):
        stores.create_study("s3://no-such-bucket/study.zarr")


@pytest.mark.quick
def test_options_of_the_client(s3, monkeypatch):
    import os

    options = {
        "client_kwargs": {"endpoint_url": os.environ["AWS_ENDPOINT_URL"]},
        "key": "testing",
        "secret": "testing",
    }
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    place = stores.at(f"s3://{BUCKET}/options/adv.zarr", **options)
    stores.publish_experiment(result(), WEIGHTS, place)
    assert apexr.open_experiment(place).sizes["seed"] == 3
    assert str(place) == f"s3://{BUCKET}/options/adv.zarr"
