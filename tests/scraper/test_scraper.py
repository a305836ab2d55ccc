"""Data of scenarios as labeled Datasets, in memory and in stores."""

import importlib.util
import json

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import apexr
from _tiny import SIZES, tiny
from apexr.errors import DivergenceError, MissingExtraError, SpecError, StoreError
from apexr.scenarios import scenario_dict
from apexr.scraper import CURATION, scrape_data_and_metadata
from apexr.store import ConflictError

FLOW = {"scenario": "phy_decay_turb", **SIZES}


@pytest.fixture(scope="module")
def held():
    return scrape_data_and_metadata(**FLOW)


def test_data_and_metadata(held):
    scenario = apexr.physical.DecayingTurbulence(**SIZES)
    assert held.train.dims == ("train_sample", "train_time", "channel", "x", "y")
    assert held.test.dims == ("test_sample", "test_time", "channel", "x", "y")
    np.testing.assert_array_equal(held.train, scenario.get_train_data())
    np.testing.assert_array_equal(held.test, scenario.get_test_data())
    np.testing.assert_allclose(held.test_time_value, 0.1 * np.arange(6))
    assert held.channel.values.tolist() == ["vorticity"]
    assert held.attrs["name"] == held.attrs["scenario"] == "2d_phy_decay_turb"
    read = json.loads(held.attrs["parameters"])
    assert scenario_dict[held.attrs["scenario_key"]](**read) == scenario


@pytest.mark.quick
@pytest.mark.parametrize("place", ["flow.zarr", "flow.nc", "folder"])
def test_stores_are_read_back_lazily(held, tmp_path, place):
    stored = scrape_data_and_metadata(tmp_path / place, **FLOW)
    assert isinstance(stored.train.data, da.Array)
    xr.testing.assert_equal(stored, held)
    differ = {name for name, value in held.attrs.items() if stored.attrs[name] != value}
    assert differ <= {"created"}
    made = stored.attrs["created"]
    stored.close()
    found = [path.name for path in tmp_path.iterdir()]
    assert found == [place]
    if place == "folder":
        assert (tmp_path / place / "2d_phy_decay_turb.zarr").is_dir()
    again = scrape_data_and_metadata(tmp_path / place, **FLOW)  # read, not made again
    assert again.attrs["created"] == made
    again.close()


@pytest.mark.parametrize("place", ["data.zarr", "data.nc"])
def test_other_data_are_not_replaced_unasked(tmp_path, place):
    store = tmp_path / place
    scrape_data_and_metadata(store, scenario="diff_adv", **SIZES).close()
    with pytest.raises(ConflictError, match=r"holds other data \('1d_diff_adv'"):
        scrape_data_and_metadata(store, scenario="diff_diff", **SIZES)
    made = scrape_data_and_metadata(store, scenario="diff_diff", overwrite=True, **SIZES)
    assert made.attrs["name"] == "1d_diff_diff"
    made.close()
    assert [path.name for path in tmp_path.iterdir()] == [place]


def test_names_and_scenario_objects(tmp_path):
    scenario = apexr.difficulty.Advection(**SIZES)
    made = scrape_data_and_metadata(tmp_path, scenario=scenario, name="mine", train_seed=3)
    assert made.attrs["name"] == "mine"
    assert made.attrs["train_seed"] == 3
    assert (tmp_path / "mine.zarr").is_dir()


def test_what_does_not_touch_the_data_is_no_other_data(tmp_path):
    store = tmp_path / "adv.zarr"
    one = scrape_data_and_metadata(store, scenario="diff_adv", **SIZES)
    sizes = {**SIZES, "batch_size": 2}
    assert scrape_data_and_metadata(store, scenario="diff_adv", **sizes).identical(one)


@pytest.mark.parametrize(
    ("place", "change", "error", "message"),
    [
        ("data.npz", {}, SpecError, r"must end in \.zarr or \.nc"),
        (None, {"name": "a/b"}, SpecError, "name must be a plain file name or 'auto', got 'a/b'"),
        (None, {"name": ""}, SpecError, "name must be"),
        (None, {"nam": "x"}, SpecError, "unknown scenario keyword 'nam'.*did you mean 'name'"),
        (None, {"scenario": "diff_avd"}, SpecError, "diff_avd"),
        (None, {"scenario": "phy_kolm_flow", "num_spatial_dims": 3}, SpecError, "must be 2, got 3"),
    ],
)
def test_bad_requests_are_refused_before_any_work(tmp_path, place, change, error, message):
    store = None if place is None else tmp_path / place
    with pytest.raises(error, match=message):
        scrape_data_and_metadata(store, **{"scenario": "diff_adv", **SIZES, **change})
    assert list(tmp_path.iterdir()) == []


def test_something_else_in_the_way(tmp_path):
    (tmp_path / "data.zarr").write_text("")
    with pytest.raises(StoreError, match="something else is there"):
        scrape_data_and_metadata(tmp_path / "data.zarr", scenario="diff_adv", **SIZES)
    (tmp_path / "data.nc").write_text("no netCDF")
    with pytest.raises(StoreError, match="cannot be read"):
        scrape_data_and_metadata(tmp_path / "data.nc", scenario="diff_adv", **SIZES)


def test_netcdf_needs_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None)
    with pytest.raises(MissingExtraError, match=r'pip install "apexr\[netcdf\]"'):
        scrape_data_and_metadata(tmp_path / "data.nc", scenario="diff_adv", **SIZES)


def test_diverging_data_are_not_stored(tmp_path):
    wild = {"gammas": (0.0, 0.0, -4.0), **SIZES, "test_temporal_horizon": 30}
    with pytest.raises(DivergenceError, match="diverge"):
        scrape_data_and_metadata(tmp_path / "data.zarr", scenario="diff_lin", **wild)
    assert list(tmp_path.iterdir()) == []


def test_curated_configurations():
    made = [scenario_dict[config["scenario"]](**_parameters(config)) for config in CURATION]
    assert [s.num_spatial_dims for s in made].count(1) == 10
    assert [s.num_spatial_dims for s in made].count(2) == 19
    assert [s.num_spatial_dims for s in made].count(3) == 17
    assert len({s.get_scenario_name() for s in made}) == len(made) == 46
    deep = [s for s in made if s.num_spatial_dims == 3]
    assert {(s.num_points, s.num_test_samples) for s in deep} == {(32, 10)}
    assert {s.num_points for s in made if s not in deep} == {160}


def _parameters(config):
    return {name: value for name, value in config.items() if name != "scenario"}


@pytest.mark.slow
@pytest.mark.parametrize("config", CURATION, ids=str)
def test_curated_data_can_be_made(config):
    small = {name: tiny("")[name] for name in ("num_train_samples", "train_temporal_horizon")}
    rest = {"num_points": 32, "num_test_samples": 1, "test_temporal_horizon": 2}
    made = scrape_data_and_metadata(**{**config, **small, **rest, "num_warmup_steps": 0})
    assert np.isfinite(made.train).all()
