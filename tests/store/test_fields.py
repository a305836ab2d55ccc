"""Fields of many experiments: what each experiment gives by itself, and each is opened once."""

import pickle
from collections import Counter

import numpy as np
import pytest
import xarray as xr

from apexr import store
from apexr._digest import canonical_json, digest, experiment_id, with_seeds
from apexr.errors import StoreError
from apexr.store.study import _fields, _open
from apexr.testing import mock_experiment

FIELDS = ("sample_rollout", "sample_reference", "initial_state", "nRMSE")


def publish(path, number, seeds=(0, 1, 2), *, compact=False, overwrite=False, change=None, **form):
    spec = with_seeds({"scenario": "diff_adv", "net": f"Conv;{number + 2};1;relu"}, seeds)
    ds = mock_experiment(
        net=spec["net"], seeds=seeds, random_seed=100 * number + seeds[0] + 7 * overwrite, **form
    )
    ds.attrs |= {"experiment_id": digest(spec), "specification": canonical_json(spec)}
    if change is not None:
        change(ds)
    unit = store.unit_path(path, digest(spec))
    store.publish_experiment(ds, {}, unit, overwrite, compact=compact)
    return experiment_id(spec)


@pytest.fixture(autouse=True)
def by_index(monkeypatch):
    monkeypatch.setattr(_open, "INDEX_FROM", 0)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "study.zarr"
    store.create_study(path)
    return path


def assert_same(path, names=FIELDS):
    """Check that a study gives the numbers of its experiments, and NaN for what one lacks."""
    study = store.open_study(path)
    for row, experiment in enumerate(study.experiment.values):
        own = store.open_experiment(path, str(experiment))
        for name in names:
            held = study[name].isel(experiment=row).compute()
            assert held.dtype == own[name].dtype
            labels = {dim: own[dim].values for dim in own[name].dims}
            np.testing.assert_array_equal(held.sel(labels), own[name])
            assert int(held.notnull().sum()) == int(own[name].notnull().sum())
    return study


KINDS = {
    "one form": [{}, {}, {}],
    "other labels": [{}, {"num_times": 3}, {"seeds": (1,)}, {"num_test_samples": 6}],
    "other metrics": [{}, {"metrics": ("mean_nRMSE", "mean_MAE")}],
    "parts": [{}, {}],
    "compact": [{"compact": True, "num_times": 20}, {"num_times": 20}],
    "two dimensions": [{"num_spatial_dims": 2, "num_points": 5, "num_channels": 2}] * 2,
    "two dimensions, compact": [{"num_spatial_dims": 2, "num_points": 5, "compact": True}] * 2,
    "diverged": [{"diverged": [1]}, {}],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_gives_what_its_experiments_give(path, kind):
    for number, form in enumerate(KINDS[kind]):
        publish(path, number, **form)
        if kind == "parts":
            publish(path, number, (3, 4, 5))
            publish(path, number, (2, 3), num_times=5)  # of seeds that are there twice one counts
    assert_same(path)
    store.keep_index(path)
    assert_same(path)
    store.pack(path)
    assert_same(path)


def test_attributes_of_a_scale_change_no_number(path):
    def scaled(ds):
        ds["sample_rollout"].attrs["scale_factor"] = 2.0

    publish(path, 0, change=scaled)
    publish(path, 1)
    publish(path, 2)
    assert_same(path)
    plain = store.open_study(path)["sample_rollout"].isel(experiment=0, seed=0)
    one = store.open_experiment(path, str(plain["experiment"].item()))
    np.testing.assert_array_equal(plain.values, one["sample_rollout"].isel(seed=0).values)


def test_each_experiment_is_opened_once(path, monkeypatch):
    for number in range(6):
        publish(path, number)
    publish(path, 0, (7, 8))
    store.keep_index(path)
    opened = Counter()
    real = _fields.read_member

    def counted(unit):
        opened[unit.name] += 1
        return real(unit)

    monkeypatch.setattr(_fields, "read_member", counted)
    study = store.open_study(path)
    for name in FIELDS:
        study[name].compute()
    study[list(FIELDS)].load()
    assert len(opened) == 7
    assert set(opened.values()) == {1}


def test_no_more_experiments_stay_open_than_memory_has_room_for(path, monkeypatch):
    monkeypatch.setattr(_fields, "_KEPT", 2)
    for number in range(5):
        publish(path, number)
    assert_same(path)


def test_an_experiment_that_was_replaced_gives_its_new_numbers(path):
    publish(path, 0)
    name = publish(path, 1)
    study = store.open_study(path)
    before = study.sample_rollout.sel(experiment=name).values
    publish(path, 1, overwrite=True)
    after = study.sample_rollout.sel(experiment=name).values
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, store.open_experiment(path, name).sample_rollout)


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_damaged_chunk_is_an_error_that_names_it(path, damage):
    for number in range(2):
        publish(path, number)
    study = store.open_study(path)
    study.sample_rollout.load()
    chunk = min(path.glob("experiments/*/data.zarr/sample_reference/c.0.0.0.0"))
    if damage == "gone":
        chunk.unlink()
    else:
        data = bytearray(chunk.read_bytes())
        data[20] ^= 1
        chunk.write_bytes(data)
    with pytest.raises(StoreError, match=r"sample_reference/c\.0\.0\.0\.0"):
        study.sample_reference.compute()


def test_readers_travel_to_other_processes_without_what_is_open(path):
    publish(path, 0)
    publish(path, 1)
    study = store.open_study(path)
    study.load()
    lazy = store.open_study(path)
    again = pickle.loads(pickle.dumps(lazy))  # made here: apexr never unpickles what it reads
    xr.testing.assert_identical(again.load(), study)
