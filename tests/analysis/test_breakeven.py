"""When an emulator pays: against the closed form of ladders that are made up."""

import numpy as np
import pytest
import xarray as xr

import apexr
from _ladders import DATA, ORDER, SAMPLES, SCALE, TIMES, ladder
from apexr.analysis import breakeven
from apexr.errors import MissingVariableError, SpecError
from apexr.testing import mock_experiment, no_compute


def result(**changed):
    return mock_experiment(num_times=TIMES, num_test_samples=SAMPLES, **changed)


def by_hand(errors, inference, invested):
    seconds = SCALE * np.clip(errors, 1e-3, 3.0) ** (-1 / ORDER)
    saved = seconds - inference
    with np.errstate(divide="ignore"):
        return np.where(saved > 0, invested / np.where(saved > 0, saved, 1), np.inf)


@pytest.mark.parametrize("over", [None, 3, slice(2, 6), (2, 6)])
def test_a_made_up_ladder_has_its_closed_form(over):
    ds = result()
    steps = {"None": range(1, 9), "3": range(1, 4)}.get(str(over), range(2, 7))
    found = breakeven(ds, ladder(), over=over, inference=1e-5)
    errors = ds.mean_nRMSE.sel(time=list(steps)).mean("time").values.astype(float)
    # rung errors are averaged over the same steps
    factor = np.mean(steps) / 4.5
    invested = 12.5 / 3 + DATA
    expected = by_hand(errors / factor, 1e-5, invested)
    np.testing.assert_allclose(found.breakeven, expected, rtol=1e-5)
    np.testing.assert_allclose(found.error, errors, rtol=1e-6)
    np.testing.assert_allclose(found.invested_seconds, invested)
    assert found.finite_share == 1
    np.testing.assert_allclose(found["median"], np.median(expected), rtol=1e-5)
    np.testing.assert_allclose(found.lowest, expected.min(), rtol=1e-5)
    np.testing.assert_allclose(found.highest, expected.max(), rtol=1e-5)
    assert found.equal_accuracy.all()
    assert not found.upper_bound.any()
    assert found.attrs["rule_efficient_solver"] == "met"


def test_the_worst_sample_has_a_form_of_its_own():
    ds = result()
    found = breakeven(ds, ladder(), inference=1e-5)
    worst = ds.nRMSE.mean("time").max("test_sample").values.astype(float)
    expected = by_hand(worst / 1.5, 1e-5, 12.5 / 3 + DATA)
    np.testing.assert_allclose(found.breakeven_worst_sample, expected, rtol=1e-5)
    np.testing.assert_allclose(found.error_worst_sample, worst, rtol=1e-6)


def test_recorded_inference_is_that_of_a_trajectory_as_long_as_the_ladder():
    ds = mock_experiment(num_times=2 * TIMES, num_test_samples=SAMPLES)
    found = breakeven(ds, ladder())
    np.testing.assert_allclose(found.inference_seconds, 0.2 / 3 / SAMPLES / 2)
    assert "scoring" in found.attrs["inference"]


def test_times_and_clocks_of_ones_own():
    ds = result()
    clock = xr.Dataset({"throughput": 1e5, "latency": 1e-4}, attrs={"num_steps": 2 * TIMES})
    found = breakeven(ds, ladder(), inference=clock, data_seconds=0.0, tune_seconds=100.0)
    np.testing.assert_allclose(found.inference_seconds, 0.5e-5)
    np.testing.assert_allclose(found.invested_seconds, 12.5 / 3 + 100)
    alone = breakeven(ds, ladder(), cost="latency", inference=clock)
    np.testing.assert_allclose(alone.inference_seconds, 0.5e-4)
    np.testing.assert_allclose(alone.solver_seconds, 10 * found.solver_seconds)
    with pytest.raises(SpecError, match=r"apexr\.clock"):
        breakeven(ds, ladder(), cost="latency")


def test_a_clock_of_other_seeds_is_refused_not_matched_in_part():
    ds = result()
    seconds = xr.DataArray(np.full(3, 1e5), dims="seed", coords={"seed": ds["seed"] + 1})
    clock = xr.Dataset({"throughput": seconds}, attrs={"num_steps": TIMES})
    with pytest.raises(SpecError, match="other labels along 'seed'"):
        breakeven(ds, ladder(), inference=clock)
    assert (
        breakeven(ds, ladder(), inference=clock.assign_coords(seed=ds["seed"])).sizes["seed"] == 3
    )


def test_a_solver_that_is_as_fast_and_as_good_is_never_beaten():
    ds = result()
    exact = ladder(errors=[1e-7], seconds=[1e-5])
    found = breakeven(ds, exact, inference=1e-5)
    assert np.isposinf(found.breakeven).all()
    assert found.finite_share == 0
    assert np.isposinf(found["median"])
    assert np.isfinite(breakeven(ds, exact, inference=0.99e-5).breakeven).all()


def test_an_emulator_that_beats_all_rungs_has_an_upper_bound():
    ds = result()
    coarse = ladder(errors=[3.0, 2.5])
    found = breakeven(ds, coarse, inference=1e-5)
    assert found.upper_bound.all()
    assert not found.equal_accuracy.any()
    seconds = SCALE * 2.5**-0.5
    np.testing.assert_allclose(found.breakeven, (12.5 / 3 + DATA) / (seconds - 1e-5), rtol=1e-6)
    easy = breakeven(ds, ladder(errors=[1e-2, 1e-3]), inference=1e-6)
    assert not easy.upper_bound.any()
    assert not easy.equal_accuracy.any()  # worse than every rung: the cheapest one will do
    np.testing.assert_allclose(easy.solver_seconds, SCALE * 1e-2**-0.5)


def test_rungs_that_others_beat_do_not_count():
    ds = result()
    errors = np.geomspace(3.0, 1e-3, 7)
    seconds = SCALE * errors**-0.5
    worse = ladder(
        np.concatenate([errors, 2 * errors, [np.nan, np.inf]]),
        np.concatenate([seconds, 3 * seconds, [1e-9, 1e-9]]),
    )
    shuffled = worse.isel(rung=np.random.default_rng(0).permutation(16))
    found = breakeven(ds, shuffled, inference=1e-5)
    np.testing.assert_allclose(found.breakeven, breakeven(ds, ladder(), inference=1e-5).breakeven)


def test_a_seed_that_diverged_never_pays_and_is_counted():
    found = breakeven(result(diverged=(1,)), ladder(), inference=1e-5)
    assert np.isposinf(found.breakeven.sel(seed=1))
    assert np.isfinite(found.breakeven.sel(seed=[0, 2])).all()
    np.testing.assert_allclose(found.finite_share, 2 / 3)
    assert np.isfinite(found["median"])
    assert np.isposinf(found.highest)


def test_a_study_is_lazy_and_the_same_for_every_chunking(tmp_path):
    parts = {
        "a": result(net="A"),
        "b": result(net="B", seeds=(1, 2, 3, 4), random_seed=1, diverged=(3,)),
    }
    study = apexr.store.join_experiments(parts)
    whole = breakeven(study, ladder(), over=5, inference=1e-5)
    for chunks in ({"seed": 1, "time": 2}, {"experiment": 1, "test_sample": 1}, {}):
        with no_compute():
            lazy = breakeven(study.chunk(chunks), ladder(), over=5, inference=1e-5)
        xr.testing.assert_allclose(lazy.compute(), whole)
    for name, one in parts.items():
        alone = breakeven(one, ladder(), over=5, inference=1e-5)
        row = whole.sel(experiment=name, seed=one.seed.values)
        np.testing.assert_allclose(row.breakeven, alone.breakeven)
        np.testing.assert_allclose(row["median"], alone["median"])
    assert np.isnan(whole.breakeven.sel(experiment="a", seed=4))
    np.testing.assert_allclose(whole.finite_share.sel(experiment="b"), 3 / 4)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"variable": "mean_nRSME"}, MissingVariableError, "mean_nRMSE"),
        ({"over": 9}, SpecError, "1 to 8"),
        ({"over": 0}, SpecError, "over must name steps"),
        ({"over": (3, 2)}, SpecError, "over must name steps"),
        ({"cost": "energy"}, SpecError, "throughput, latency"),
        ({"inference": -1.0}, SpecError, "at least 0"),
        ({"tune_seconds": -1.0}, SpecError, "tune_seconds"),
        ({"ladder": ladder().isel(rung=0)}, MissingVariableError, "solver_ladder"),
        ({"ladder": ladder().drop_vars("mean_nRMSE")}, MissingVariableError, "mean_nRMSE"),
        ({"ladder": ladder().assign_coords(scenario="1d_diff_ks")}, SpecError, "solves 1d_diff_ks"),
        ({"ladder": ladder(kwargs='{"advection_gamma": 3.0}')}, SpecError, "advection_gamma"),
        ({"ladder": ladder(errors=[np.nan])}, SpecError, "no rung"),
    ],
)
def test_what_means_nothing_is_refused(given, error, said):
    given = {"ladder": ladder(), **given}
    with pytest.raises(error, match=said):
        breakeven(result(), **given)


def test_keywords_of_the_training_need_not_agree():
    trained = result(scenario_kwargs='{"optim_config": "adam;5;constant;1e-3", "num_points": 48}')
    found = breakeven(trained, ladder(kwargs='{"num_points": 48}'))
    assert found.sizes["seed"] == 3


def test_correlations_are_no_errors():
    ds = result(metrics=("mean_nRMSE", "mean_correlation"))
    with pytest.raises(SpecError, match="no error"):
        breakeven(ds, ladder(), "mean_correlation")
