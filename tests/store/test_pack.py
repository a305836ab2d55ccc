"""Packed units read as the folders did; two studies become one."""

import errno
import os

import numpy as np
import pytest
import xarray as xr

from _tiny import units
from apexr import store
from apexr.errors import StoreError
from apexr.testing import mock_experiment

IDS = [f"{number:032x}" for number in range(4)]
WEIGHTS = {"w": np.ones((2, 2), np.float32)}


def make(path, ids):
    store.create_study(path)
    for name in ids:
        ds = mock_experiment(random_seed=int(name, 16))
        store.publish_experiment(ds, WEIGHTS, store.unit_path(path, name))
    return path


def test_a_packed_study_reads_as_before(tmp_path):
    study = make(tmp_path / "study with ünïcødé ☃", IDS)
    before, table = store.open_study(study).load(), store.list_experiments(study)
    assert store.pack(study) == len(IDS)
    assert store.pack(study) == 0
    assert sorted(p.name for p in units(study)) == [f"{n}.zip" for n in IDS]
    xr.testing.assert_identical(store.open_study(study).load(), before)
    assert store.list_experiments(study).equals(table)
    assert store.verify(study) == len(IDS)
    np.testing.assert_array_equal(
        store.read_weights(store.unit_path(study, IDS[0]))["w"], WEIGHTS["w"]
    )


def contents(study):
    return {path.name: path.read_bytes() for path in units(study)}


def test_what_is_packed_from_the_start_has_the_same_bytes(tmp_path):
    packed = make(tmp_path / "a", IDS)
    store.pack(packed)
    study = tmp_path / "b"
    store.create_study(study)
    for name in IDS:
        ds = mock_experiment(random_seed=int(name, 16))
        store.publish_experiment(ds, WEIGHTS, store.unit_path(study, name), packed=True)
    assert contents(study) == contents(packed)
    assert store.pack(study) == 0
    assert store.verify(study) == len(IDS)
    xr.testing.assert_identical(store.open_study(study).load(), store.open_study(packed).load())


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_either_form_is_equal_a_conflict_or_replaced(tmp_path, first, second):
    store.create_study(tmp_path)
    unit = store.unit_path(tmp_path, IDS[0])
    ds, other = mock_experiment(random_seed=0), mock_experiment(random_seed=5)
    store.publish_experiment(ds, WEIGHTS, unit, packed=first)
    store.publish_experiment(ds, WEIGHTS, unit, packed=second)
    held = [path.name for path in units(tmp_path)]
    assert held == [f"{IDS[0]}.zip" if first else IDS[0]]
    with pytest.raises(store.ConflictError):
        store.publish_experiment(other, WEIGHTS, unit, packed=second)
    xr.testing.assert_identical(store.open_experiment(unit).load(), ds)
    store.publish_experiment(other, WEIGHTS, unit, packed=second, overwrite=True)
    held = [path.name for path in units(tmp_path)]
    assert held == [f"{IDS[0]}.zip" if second else IDS[0]]
    xr.testing.assert_identical(store.open_experiment(unit).load(), other)
    assert store.verify(tmp_path) == 1
    assert not list((tmp_path / ".staging").iterdir())


def test_on_file_systems_without_second_names_the_first_wins_too(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    unit = tmp_path / "a.zarr"
    store.publish_experiment(mock_experiment(), {}, unit, packed=True)
    with pytest.raises(store.ConflictError):
        store.publish_experiment(mock_experiment(random_seed=5), {}, unit, packed=True)
    xr.testing.assert_identical(store.open_experiment(unit).load(), mock_experiment())
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr.zip"]


def test_publishing_where_a_packed_one_is(tmp_path):
    study = make(tmp_path / "study", IDS[:1])
    store.pack(study)
    unit = store.unit_path(study, IDS[0])
    store.publish_experiment(mock_experiment(random_seed=0), WEIGHTS, unit)
    assert not unit.exists()
    other = mock_experiment(random_seed=5)
    with pytest.raises(store.ConflictError):
        store.publish_experiment(other, WEIGHTS, unit)
    store.publish_experiment(other, WEIGHTS, unit, overwrite=True)
    xr.testing.assert_identical(store.open_experiment(unit).load(), other)
    assert [path.name for path in units(study)] == IDS[:1]


def test_a_single_experiment_is_packed(tmp_path):
    ds = mock_experiment()
    unit = store.publish_experiment(ds, WEIGHTS, tmp_path / "a.zarr")
    store.pack(unit)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr.zip"]
    assert store.is_published(unit)
    xr.testing.assert_identical(store.open_experiment(unit).load(), ds)
    xr.testing.assert_identical(store.open_experiment(tmp_path / "a.zarr.zip").load(), ds)


def test_only_what_is_whole_is_packed(tmp_path):
    study = make(tmp_path / "study", IDS[:2])
    chunk = store.unit_path(study, IDS[0]) / "data.zarr" / "seed" / "c.0"
    chunk.write_bytes(bytes(chunk.stat().st_size))
    with pytest.raises(StoreError, match=r"seed/c.0: content changed"):
        store.pack(study)


def test_two_studies_become_one(tmp_path):
    first, second = make(tmp_path / "a", IDS[:2]), make(tmp_path / "b", IDS[1:])
    store.pack(second)
    store.Study.at(second).notes.record_failure("f" * 32, ValueError("bad"), {"net": "x"})
    expected = make(tmp_path / "c", IDS)
    assert store.merge(first, second) == 2
    forms = [path.name for path in units(first)]
    assert forms == [*IDS[:2], *(f"{name}.zip" for name in IDS[2:])]  # as they were
    xr.testing.assert_identical(store.open_study(first).load(), store.open_study(expected).load())
    assert store.verify(first) == len(IDS)
    assert list(store.Study.at(first).notes.failures()) == ["f" * 32]
    assert store.merge(first, second) == 0


def test_conflicts_are_named_and_the_rest_is_merged(tmp_path):
    first, second = make(tmp_path / "a", IDS[:1]), make(tmp_path / "b", IDS[1:])
    other = mock_experiment(random_seed=99)
    store.publish_experiment(other, {}, store.unit_path(second, IDS[0]))
    with pytest.raises(store.ConflictError, match=f"3 merged, 1 not:\n.*{IDS[0]}"):
        store.merge(first, second)
    assert store.verify(first) == len(IDS)


def test_only_studies_are_merged(tmp_path):
    first = make(tmp_path / "a", [])
    with pytest.raises(StoreError, match="not an apexr study"):
        store.merge(first, tmp_path / "nothing")
