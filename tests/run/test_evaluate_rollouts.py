"""Rollouts of foreign models, labeled or not, scored against the scenario's test data."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import apexr
from _tiny import SIZES
from apexr.errors import ShapeError, SpecError
from apexr.scenarios import difficulty
from apexr.testing import assert_valid


@pytest.fixture(scope="module")
def scenario():
    return difficulty.Advection(num_trjs_returned=2, **SIZES)


@pytest.fixture(scope="module")
def truth(scenario):
    return scenario.get_test_data()


@pytest.fixture(scope="module")
def noisy(truth):
    noise = np.random.default_rng(0).normal(0, 0.1, truth.shape).astype("f4")
    return truth + noise


@pytest.fixture(scope="module")
def expected(truth, noisy):
    error = ((noisy - truth) ** 2).mean("x") / (truth**2).mean("x")
    return np.sqrt(error).sum("channel")[:, 1:].values


def test_a_perfect_rollout(scenario, truth):
    ds = apexr.evaluate(scenario, truth)
    assert_valid(ds)
    assert (ds.mean_nRMSE == 0).all()
    assert ds.mean_nRMSE.shape == (1, 5)


def test_a_labeled_rollout(scenario, noisy, expected):
    ds = apexr.evaluate(scenario, noisy, name="mine")
    assert_valid(ds)
    np.testing.assert_allclose(ds.nRMSE[0], expected, rtol=1e-4)
    assert (ds.net.item(), ds.scenario.item()) == ("mine", "1d_diff_adv")
    np.testing.assert_array_equal(ds.sample_rollout[0], noisy[:2, 1:])
    assert apexr.melt_metrics(ds).shape[0] == 5
    assert apexr.melt_sample_rollouts(ds)["sample_rollout"][0].shape == (6, 1, 16)


@pytest.mark.parametrize("form", [np.asarray, jnp.asarray, list, lambda a: a.astype("f8")])
def test_plain_arrays_start_at_step_one(scenario, noisy, expected, form):
    ds = apexr.evaluate(scenario, form(noisy.values[:, 1:]))
    np.testing.assert_allclose(ds.nRMSE[0], expected, rtol=1e-4)
    assert ds.sample_rollout.dtype == np.float32


def test_several_seeds(scenario, noisy, truth, expected):
    both = np.stack([noisy.values[:, 1:], truth.values[:, 1:]])
    ds = apexr.evaluate(scenario, both)
    assert ds["seed"].values.tolist() == [0, 1]
    np.testing.assert_allclose(ds.nRMSE[0], expected, rtol=1e-4)
    assert (ds.nRMSE[1] == 0).all()
    named = xr.concat([noisy, truth], "seed").assign_coords(seed=[7, 9])
    ds = apexr.evaluate(scenario, named)
    assert ds["seed"].values.tolist() == [7, 9]
    np.testing.assert_allclose(ds.nRMSE.sel(seed=7), expected, rtol=1e-4)


def test_labels_are_aligned_whatever_their_order(scenario, noisy, expected):
    shuffled = noisy.transpose("x", "channel", "sample", "time")
    shuffled = shuffled.isel(time=[5, 3, 1, 2, 4, 0], sample=[2, 0, 1], x=slice(None, None, -1))
    ds = apexr.evaluate(scenario, shuffled)
    np.testing.assert_allclose(ds.nRMSE[0], expected, rtol=1e-4)
    without = noisy.isel(time=slice(1, None)).drop_vars(["time", "x", "channel", "sample"])
    ds = apexr.evaluate(scenario, without.rename(sample="test_sample"))
    np.testing.assert_allclose(ds.nRMSE[0], expected, rtol=1e-4)


def test_a_part_is_scored_where_labels_say_which(scenario, noisy, expected):
    part = noisy.isel(sample=[2, 1], time=[1, 2, 3])
    ds = apexr.evaluate(scenario, part)
    assert_valid(ds)
    assert ds["time"].values.tolist() == [1, 2, 3]
    assert ds["test_sample"].values.tolist() == ds["sample"].values.tolist() == [1, 2]
    np.testing.assert_allclose(ds.nRMSE[0], expected[1:, :3], rtol=1e-4)
    np.testing.assert_allclose(ds.mean_nRMSE[0], expected[1:, :3].mean(0), rtol=1e-4)
    np.testing.assert_array_equal(ds.initial_state, starts(scenario)[1:])
    np.testing.assert_array_equal(ds.sample_rollout[0, 0], noisy[1, 1:4])
    sparse = apexr.evaluate(scenario, noisy.sel(time=[0, 5]))
    np.testing.assert_allclose(sparse.nRMSE[0], expected[:, 4:], rtol=1e-4)


def starts(scenario):
    return scenario.get_test_data().isel(time=0).values


def test_a_result_is_scored_again_by_other_metrics(scenario, noisy, expected):
    first = apexr.evaluate(scenario, noisy)
    again = apexr.evaluate(scenario, first.sample_rollout, report_metrics="mean_MSE,mean_nRMSE")
    assert again["test_sample"].values.tolist() == [0, 1]
    np.testing.assert_allclose(again.nRMSE[0], expected[:2], rtol=1e-4)
    one = apexr.evaluate(scenario, first.sample_rollout.isel(seed=0))
    np.testing.assert_allclose(one.nRMSE[0], expected[:2], rtol=1e-4)


def test_a_reference_of_ones_own(scenario, noisy, truth):
    ds = apexr.evaluate(scenario, truth, reference=noisy)
    error = ((noisy - truth) ** 2).mean("x") / (noisy**2).mean("x")
    by_hand = np.sqrt(error).sum("channel")[:, 1:].values
    np.testing.assert_allclose(ds.nRMSE[0], by_hand, rtol=1e-4)
    plain = apexr.evaluate(scenario, truth, reference=noisy.values[:, 1:])
    np.testing.assert_allclose(plain.nRMSE, ds.nRMSE, rtol=1e-5)


def test_by_key_with_other_metrics(noisy, truth):
    metrics = {"report_metrics": "mean_MAE,mean_correlation"}
    ds = apexr.evaluate("diff_adv", noisy, **SIZES, **metrics)
    by_hand = np.abs(noisy - truth).mean(("x", "channel"))[:, 1:]
    np.testing.assert_allclose(ds.MAE[0], by_hand, rtol=1e-4)
    assert "mean_nRMSE" not in ds
    assert (ds.mean_correlation > 0.9).all()


def test_diverged_rollouts_are_scored_as_such(scenario, noisy):
    broken = noisy.copy()
    broken[1, 3:] = np.inf
    ds = apexr.evaluate(scenario, broken)
    assert np.isfinite(ds.nRMSE.sel(time=[1, 2])).all()
    assert not np.isfinite(ds.mean_nRMSE.sel(time=[3, 4, 5])).any()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a.values, "leave the initial state out"),
        (lambda a: a.values[:, 1:, :, :8], r"must have shape \(test_sample: 3, time: 5"),
        (lambda a: a.values[0, 1:], r"got \(5, 1, 16\)"),
        (lambda a: np.zeros((2, 2, 3, 5, 1, 16)), r"got \(2, 2, 3, 5, 1, 16\)"),
        (lambda a: 1.0, r"got \(\)"),
        (lambda a: a.isel(x=slice(8)), "x: the rollout lives on another grid .8 points"),
        (lambda a: a.assign_coords(x=a["x"] * 2), "x: the rollout lives on another grid"),
        (lambda a: a.isel(time=[0]), r"time: the rollout lacks \[1, 2, 3, 4, 5\]; it has \[0\]"),
        (lambda a: a.assign_coords(time=a.time + 1), r"time: the reference has no \[6\]"),
        (lambda a: a.assign_coords(sample=[0, 1, 7]), r"test_sample: the reference has no \[7\]"),
        (lambda a: a.assign_coords(channel=["u"]), r"channel: the rollout lacks \[0\]; it has"),
        (lambda a: xr.concat([a, a], "channel").assign_coords(channel=[0, 1]), "has no .1."),
        (lambda a: a.assign_coords(x=a["x"] + 1 / 32), "x: the rollout lives on another grid"),
        (lambda a: a.values[:2, 1:], "to score a part, pass a DataArray"),
        (lambda a: a.values[:, 1:4], "to score a part, pass a DataArray"),
        (lambda a: a.values[:, 1:] * 1j, "must hold real numbers, got complex64"),
        (lambda a: a * 1j, "must hold real numbers, got complex64"),
        (lambda a: [[1, 2], [3]], "NumPy cannot read list"),
        (lambda a: a.to_dataset(name="mine"), "got a Dataset; pass one of mine"),
        (lambda a: a.isel(sample=[0, 1, 2, 1]), "test_sample: .* more than once"),
        (lambda a: a.drop_vars("time").isel(time=slice(4)), "time: expected 5 entries, got 4"),
        (lambda a: a.rename(x="y"), "no dimension 'x'"),
        (lambda a: a.rename(channel="chanel"), "no dimension 'channel'; did you mean 'chanel'"),
        (lambda a: a.expand_dims("run"), r"dimensions \['run'\] that the reference lacks"),
        (lambda a: a.isel(channel=0), "no dimension 'channel'"),
    ],
)
def test_what_does_not_fit_is_refused(scenario, noisy, change, said):
    with pytest.raises(ShapeError, match=said):
        apexr.evaluate(scenario, change(noisy))


def test_wrong_scenarios_are_refused(noisy):
    with pytest.raises(SpecError, match="unknown scenario 'diff_avd'; did you mean 'diff_adv'"):
        apexr.evaluate("diff_avd", noisy)
    with pytest.raises(SpecError, match="unknown scenario keyword 'num_point'"):
        apexr.evaluate("diff_adv", noisy, num_point=16)


def by_hand(rollout, reference):
    """Return the normalized errors of steps from 1 on, ``(sample, time)``, in double precision."""
    rollout, reference = (np.asarray(a, np.float64) for a in (rollout, reference))
    square = ((rollout - reference) ** 2).mean(-1) / (reference**2).mean(-1)
    return np.sqrt(square).sum(-1)


@pytest.mark.parametrize(("samples", "steps", "points"), [(2, 3, 16), (4, 9, 16), (2, 3, 24)])
def test_a_reference_says_how_large_the_rollout_is(scenario, samples, steps, points):
    rng = np.random.default_rng(1)
    reference, rollout = rng.normal(size=(2, samples, steps, 1, points)).astype("f4")
    ds = apexr.evaluate(scenario, rollout, reference=reference)
    assert_valid(ds)
    np.testing.assert_allclose(ds.nRMSE[0], by_hand(rollout, reference), rtol=1e-5)
    assert ds["time"].values.tolist() == list(range(1, steps + 1))
    assert ds.sizes["x"] == points
    assert float(ds.x[-1]) == pytest.approx(1 - 1 / points)
    assert "initial_state" not in ds  # whose they are is not known
    with pytest.raises(ShapeError, match=rf"test_sample: {samples}, time: {steps}"):
        apexr.evaluate(scenario, rollout[:, 1:], reference=reference)


def test_a_labeled_reference_keeps_its_labels_and_initial_states(scenario):
    rng = np.random.default_rng(2)
    values = rng.normal(size=(4, 6, 1, 16)).astype("f4")
    reference = apexr.labels.trajectories(values, scenario.axes, samples=[3, 5, 7, 9])
    rollout = reference.copy(data=values + 1)
    ds = apexr.evaluate(scenario, rollout, reference=reference.transpose("x", ...))
    assert ds["test_sample"].values.tolist() == [3, 5, 7, 9]
    np.testing.assert_array_equal(ds.initial_state, values[:2, 0])
    np.testing.assert_array_equal(ds.sample_reference, values[:2, 1:])
    np.testing.assert_allclose(ds.nRMSE[0], by_hand(values[:, 1:] + 1, values[:, 1:]), rtol=1e-5)
    part = apexr.evaluate(scenario, rollout.sel(sample=[5, 9]), reference=reference)
    np.testing.assert_array_equal(part.nRMSE, ds.nRMSE.sel(test_sample=[5, 9]))


def test_references_that_do_not_fit(scenario, truth):
    for wrong, match in (
        (truth.values[0, 1:], r"reference must have shape \(sample, time, channel, x\).*got \(5"),
        (np.zeros((2, 3, 4, 16)), r"with 1 channels, got \(2, 3, 4, 16\)"),
        (np.zeros((0, 3, 1, 16)), "reference must hold something"),
        (truth.isel(x=slice(0, 8)), "x: the reference lives on another grid"),
        (truth.rename(channel="kind"), "reference has no dimension 'channel'"),
        ("reference", "reference must hold real numbers"),
        (truth.to_dataset(name="a"), "reference must be an array, got a Dataset; pass one of a"),
        (truth.expand_dims(seed=2), "must not have several seeds, got 2"),
    ):
        with pytest.raises(ShapeError, match=match):
            apexr.evaluate(scenario, truth, reference=wrong)
