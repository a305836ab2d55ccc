"""A finished experiment is read, never run again; a store of something else is never touched."""

import os

import equinox as eqx
import jax
import numpy as np
import pytest
import xarray as xr

import apexr
from _tiny import SIZES
from apexr.errors import SpecError, StoreError, UnknownNameError
from apexr.scenarios import difficulty
from apexr.testing import assert_valid, no_compute

pytestmark = pytest.mark.quick


def test_the_store_is_plain_zarr(result, store):
    with xr.open_zarr(store) as ds:
        np.testing.assert_array_equal(ds.mean_nRMSE, result.mean_nRMSE)


@pytest.mark.usefixtures("result", "no_training")
def test_a_second_run_reads(store, tiny):
    with no_compute():
        again = apexr.run("diff_adv", **tiny, store=store)
        assert again.mean_nRMSE.chunks is not None
    assert_valid(again)
    spelled = {**tiny, "net": "conv;2;1;TANH", "vlim": [-1, 1]}
    assert apexr.run("DIFF_ADV", **spelled, store=str(store)).equals(again)
    scenario = difficulty.Advection(num_trjs_returned=2, **SIZES)
    assert apexr.run(scenario, net=tiny["net"], num_seeds=2, store=store).equals(again)


@pytest.mark.usefixtures("result", "no_training")
@pytest.mark.parametrize(
    "change",
    [
        {"net": "Conv;3;1;tanh"},
        {"num_seeds": 3},
        {"start_seed": 1},
        {"train": "sup;2"},
        {"num_points": 32},
        {"optim_config": "adam;7;constant;1e-3"},
        {"advection_gamma": -2.0},
    ],
)
def test_another_experiment_is_refused_with_what_is_there(store, tiny, change):
    with pytest.raises(StoreError, match="holds another experiment") as caught:
        apexr.run("diff_adv", **{**tiny, **change}, store=store)
    assert "Conv;2;1;tanh" in str(caught.value)
    assert "[0, 1]" in str(caught.value)
    assert str(store) in str(caught.value)


@pytest.mark.usefixtures("no_training")
def test_what_is_no_experiment_is_refused(tmp_path, tiny):
    a_file = tmp_path / "file.zarr"
    a_file.write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    study = tmp_path / "study.zarr"
    apexr.store.create_study(study)
    for path, said in ((a_file, "a file"), (folder, "something else"), (study, "study")):
        with pytest.raises(StoreError, match=f"found.*{said}"):
            apexr.run("diff_adv", **tiny, store=path)
    with pytest.raises(StoreError, match="is a file"):
        apexr.run("diff_adv", **tiny, store=a_file / "below.zarr")
    assert a_file.read_text() == "mine"
    assert sorted(p.name for p in folder.iterdir()) == ["notes.txt"]


@pytest.mark.usefixtures("no_training")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folders_without_permission_are_refused(tmp_path, tiny):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="no permission to write"):
        apexr.run("diff_adv", **tiny, store=locked / "adv.zarr")


@pytest.mark.usefixtures("no_training")
def test_places_that_cannot_be_written_are_found_before_any_work(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(StoreError, match="no permission to write"):
        apexr.run("diff_adv", **tiny, store=tmp_path / "adv.zarr")
    assert not list(tmp_path.iterdir())


def test_networks_are_loaded_from_the_store(result, store):
    networks = apexr.load_networks(store)
    states = np.broadcast_to(result.initial_state.values, (2, 2, 1, 16))
    weight = networks.layers[0].weight
    assert weight.shape == (2, 2, 1, 3)

    @jax.jit
    def step(states):
        def one(index, states):
            net = apexr.engine.select_seed(networks, index)
            return jax.vmap(net)(states)

        return jax.numpy.stack([one(index, states[index]) for index in range(2)])

    for time in result["time"].values:
        states = np.asarray(step(states))
        np.testing.assert_allclose(result.sample_rollout.sel(time=time), states, atol=1e-5)


def test_a_single_network_is_loaded_without_a_leading_axis(tmp_path, tiny):
    path = tmp_path / "one.zarr"
    ds = apexr.run("diff_adv", **{**tiny, "num_seeds": 1}, store=path)
    network = apexr.load_networks(path)
    assert network.layers[0].weight.shape == (2, 1, 3)
    first = eqx.filter_jit(network)(ds.initial_state.values[0])
    np.testing.assert_allclose(ds.sample_rollout[0, 0, 0], first, atol=1e-5)


def test_nothing_to_load(tmp_path):
    with pytest.raises(StoreError, match="not a finished apexr experiment"):
        apexr.load_networks(tmp_path / "nothing.zarr")


def test_networks_of_a_scenario_that_is_not_registered_here(tmp_path, result, monkeypatch):
    path = tmp_path / "foreign.zarr"
    attrs = {**result.attrs}
    attrs["specification"] = attrs["specification"].replace('"diff_adv"', '"theirs"')
    weights = {"layers.0.weight": np.zeros((2, 3))}
    apexr.store.publish_experiment(result.compute().assign_attrs(attrs), weights, path)
    with pytest.raises(UnknownNameError, match="unknown scenario 'theirs'"):
        apexr.load_networks(path)


@pytest.mark.usefixtures("no_training")
def test_wrong_configurations_leave_no_trace(tmp_path, tiny):
    with pytest.raises(SpecError):
        apexr.run("diff_adv", **{**tiny, "net": "Conv;2"}, store=tmp_path / "a" / "adv.zarr")
    assert not list(tmp_path.iterdir())
