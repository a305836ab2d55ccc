"""One experiment from a scenario to a labeled result and trained networks."""

import json

import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.scenarios import difficulty
from apexr.testing import assert_valid

pytestmark = pytest.mark.quick


@pytest.fixture(scope="module")
def from_object():
    """Return the same experiment, not stored, of a scenario object; one more seed changes it."""
    scenario = difficulty.Advection(num_trjs_returned=2, **SIZES)
    return scenario, *scenario(network_config=NET, num_seeds=2, progress=False)


def test_the_result_fits_the_schema(result):
    assert_valid(result)
    assert result.mean_nRMSE.dims == ("seed", "time")
    assert result.nRMSE.dims == ("seed", "test_sample", "time")
    assert result.sample_rollout.dims == ("seed", "sample", "time", "channel", "x")
    assert result.sizes["seed"] == 2
    assert result.sizes["sample"] == 2
    assert result["time"].values.tolist() == [1, 2, 3, 4, 5]
    assert result["update_step"].values.tolist() == [0, 3]
    assert result["seed"].values.tolist() == [0, 1]
    assert (result.diverged_at == -1).all()
    assert result.num_parameters == 15
    assert result.train_loss.dtype == np.float32


def test_the_result_says_what_it_is(result):
    config = {name: result[name].item() for name in ("scenario", "task", "net", "train")}
    assert config == {"scenario": "1d_diff_adv", "task": "predict", "net": NET, "train": "one"}
    kwargs = json.loads(result.scenario_kwargs.item())
    assert kwargs == {**SIZES, "optim_config": "adam;6;constant;0.001", "num_trjs_returned": 2}


def test_the_result_says_where_it_comes_from(result):
    attrs = result.attrs
    for package in ("apexr", "jax", "equinox", "optax", "numpy", "xarray", "zarr"):
        assert attrs[f"{package}_version"][0].isdigit()
    assert "cpu" in attrs["device"]
    assert attrs["matmul_precision"] == "default"
    assert attrs["convolutions"] == "matrix products, minimal filtering"
    assert attrs["precision"] == "float32"
    assert attrs["schema_version"] == apexr.schema.SCHEMA_VERSION
    assert (attrs["train_seed"], attrs["test_seed"]) == (0, 773)
    assert len(attrs["experiment_id"]) == 32
    spec = json.loads(attrs["specification"])
    assert spec["scenario"] == "diff_adv"
    assert spec["parameters"]["num_points"] == 16
    assert attrs["created"].startswith("20")


def test_the_mean_metric_is_the_mean_over_the_test_samples(result):
    np.testing.assert_allclose(result.mean_nRMSE, result.nRMSE.mean("test_sample"), rtol=1e-6)


def test_the_first_test_samples_are_returned_whole(result):
    truth = difficulty.Advection(**SIZES).get_test_data()
    np.testing.assert_array_equal(result.initial_state, truth[:2, 0])
    np.testing.assert_array_equal(result.sample_reference, truth[:2, 1:])
    error = ((result.sample_rollout - result.sample_reference) ** 2).mean("x")
    size = (result.sample_reference**2).mean("x")
    by_hand = np.sqrt(error / size).sum("channel")
    kept = result.nRMSE.isel(test_sample=slice(2)).values
    np.testing.assert_allclose(by_hand.transpose("seed", "sample", "time"), kept, rtol=1e-4)


def test_a_key_and_an_object_are_the_same_experiment(result, from_object):
    _, same, _ = from_object
    assert_valid(same)
    assert same.attrs["experiment_id"] == result.attrs["experiment_id"]
    assert same.attrs["specification"] == result.attrs["specification"]
    assert json.loads(same.scenario_kwargs.item()) == json.loads(result.scenario_kwargs.item())
    for name in ("train_loss", "mean_nRMSE", "sample_rollout", "sample_reference"):
        np.testing.assert_allclose(same[name], result[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_networks_lead_with_the_seeds_and_make_the_rollout(from_object):
    _, ds, networks = from_object
    assert networks.layers[0].weight.shape == (2, 2, 1, 3)
    import equinox as eqx

    states = np.asarray(ds.initial_state)
    over_samples = eqx.filter_vmap(lambda net, u: net(u), in_axes=(None, 0))
    step = eqx.filter_jit(eqx.filter_vmap(over_samples, in_axes=(eqx.if_array(0), 0)))
    states = np.stack([states, states])
    for time in ds["time"].values:
        states = np.asarray(step(networks, states))
        np.testing.assert_allclose(ds.sample_rollout.sel(time=time), states, atol=1e-5)


def test_a_single_seed_has_no_leading_axis_and_equals_its_part_of_many(result, tiny):
    one, network = apexr.run_experiment(
        scenario="diff_adv",
        task="predict",
        train="one",
        start_seed=1,
        **{**tiny, "num_seeds": 1},
    )
    assert one["seed"].values.tolist() == [1]
    assert network.layers[0].weight.shape == (2, 1, 3)
    assert network(np.zeros((1, 16), "f4")).shape == (1, 16)
    for name in ("train_loss", "mean_nRMSE", "sample_rollout"):
        np.testing.assert_allclose(one[name].sel(seed=1), result[name].sel(seed=1), atol=1e-5)


def test_divergence_is_a_result(tiny):
    wild = {**tiny, "optim_config": "adam;6;constant;1e30"}
    with pytest.warns(apexr.errors.ApexrWarning, match="seeds diverged"):
        ds = apexr.run("diff_adv", **wild)
    assert_valid(ds)
    assert ((ds.diverged_at >= 1) & (ds.diverged_at <= 3)).all()
    assert np.isfinite(ds.train_loss.isel(update_step=0)).all()
    assert not np.isfinite(ds.train_loss.isel(update_step=1)).any()
    assert np.isfinite(ds.sample_reference).all()


def test_progress_is_shown_on_standard_error(tiny, capsys):
    apexr.run("diff_adv", **{**tiny, "progress": True})
    out, err = capsys.readouterr()
    assert out == ""
    assert "1d_diff_adv Conv;2;1;tanh, 2 seeds: 100%" in err
    assert "6/6" in err
