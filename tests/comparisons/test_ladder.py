"""Ladders of solvers: orders of accuracy, what is lost by truncation, refusals, clocks."""

import json

import jax
import numpy as np
import pytest
import xarray as xr

import apexr
from apexr.analysis import breakeven
from apexr.errors import SpecError
from apexr.scenarios import difficulty
from apexr.steppers import ETDRKStepper

TINY = {
    "num_points": 32,
    "num_train_samples": 4,
    "train_temporal_horizon": 5,
    "num_test_samples": 2,
    "test_temporal_horizon": 6,
    "optim_config": "adam;5;constant;1e-3",
    "record_loss_every": 5,
}


@pytest.fixture(autouse=True)
def _short_clocks(monkeypatch):
    monkeypatch.setattr("apexr.engine._clocks.LEAST_SECONDS", 0.0)


def slopes(ladder):
    """Return the order of convergence in the step, of the error at the last step."""
    errors = ladder.mean_nRMSE.isel(time=-1).values
    return -np.diff(np.log(errors)) / np.diff(np.log(ladder.substeps.values))


@pytest.mark.parametrize("order", [2, 4])
def test_spectral_rungs_have_the_order_of_their_scheme(order):
    ladder = apexr.solver_ladder(
        "diff_burgers", points=32, substeps=(2, 4, 8), solvers=f"etdrk;{order}", num_steps=4,
        precision="float64", convection_delta=-2.0, ic_config="fourier;2;true;true", **TINY,
    )  # fmt: skip
    np.testing.assert_allclose(slopes(ladder), order, atol=0.1)
    assert (ladder.truth_error <= 0.1 * ladder.relative_error.min("rung")).all()


def test_the_implicit_euler_method_is_of_first_order():
    ladder = apexr.solver_ladder(
        "diff_diff", points=32, substeps=(1, 2, 4), solvers="fd;1.0;1", num_steps=4,
        precision="float64", diffusion_gamma=40.0, ic_config="fourier;1;true;true", **TINY,
    )  # fmt: skip
    np.testing.assert_allclose(slopes(ladder), 1, atol=0.15)


def test_errors_are_those_of_each_rung_against_a_finer_solution():
    scenario = difficulty.Burgers(**TINY, diffusion_gamma=3.0, report_metrics="mean_MSE,mean_nRMSE")
    ladder = apexr.solver_ladder(
        scenario, points=(16, 32), substeps=1, solvers="etdrk;2", num_steps=3, precision="float64"
    )
    assert ladder.points.values.tolist() == [16, 32]
    assert ladder.mean_MSE.dims == ("rung", "time")
    assert ladder.nRMSE.dims == ("rung", "test_sample", "time")
    with jax.enable_x64(True):
        equation = scenario.get_ref_stepper().equation
        states = scenario.get_test_ic_set().values
        for place, points in enumerate((16, 32)):
            grid = apexr.spectral.Grid(1, points)
            truth = apexr.steppers.RepeatedStepper(
                ETDRKStepper(equation, scenario.grid, 1 / 64, 4), 64
            )
            rung = ETDRKStepper(equation, grid, 1.0, 2)
            spectrum = np.fft.rfft(states)[..., : points // 2 + 1]
            if points < 32:
                spectrum[..., -1] = 0
            small, exact = np.fft.irfft(spectrum, points) * points / 32, states
            for step in range(1, 4):
                small = np.stack([np.asarray(rung(u)) for u in small])
                exact = np.stack([np.asarray(truth(u)) for u in exact])
                kept = np.fft.rfft(small)
                if points < 32:
                    kept[..., -1] = 0
                back = np.fft.irfft(kept, 32) * 32 / points
                error = np.linalg.norm(back - exact, axis=-1) / np.linalg.norm(exact, axis=-1)
                got = ladder.nRMSE.isel(rung=place).sel(time=step)
                np.testing.assert_allclose(got, error[:, 0], rtol=1e-3)
                relative = ladder.relative_error.isel(rung=place).sel(time=step)
                np.testing.assert_allclose(relative, error.mean(), rtol=1e-3)


def test_energy_that_a_rung_cannot_hold_is_error():
    ladder = apexr.solver_ladder(
        "diff_adv", points=(8, 16, 32), substeps=1, solvers="etdrk;2", num_steps=2,
        ic_config="modes;5;true", **TINY,
    )  # fmt: skip
    np.testing.assert_allclose(ladder.mean_nRMSE.isel(rung=0), 1.0, rtol=1e-6)
    assert (ladder.mean_nRMSE.isel(rung=[1, 2]) < 1e-5).all()


@pytest.mark.parametrize("dims", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_ladders_on_several_axes(dims):
    small = {**TINY, "num_points": 12 if dims == 3 else 16, "num_test_samples": 1}
    ladder = apexr.solver_ladder(
        "diff_burgers", num_spatial_dims=dims, points=(8, small["num_points"]), substeps=1,
        solvers=("etdrk;2", "fd;1;2"), num_steps=2, **small,
    )  # fmt: skip
    assert ladder.solver.values.tolist() == ["etdrk;2"] * 2 + ["fd;1.0;2"] * 2
    assert np.isfinite(ladder.mean_nRMSE).all()
    best = ladder.mean_nRMSE.isel(time=-1, rung=1)
    assert (ladder.mean_nRMSE.isel(time=-1, rung=[0, 3]) > best).all()


def test_unequal_axes_keep_their_proportions():
    ladder = apexr.solver_ladder(
        "diff_adv", num_spatial_dims=2, points=(8, 16), substeps=1, solvers="etdrk;2",
        num_steps=1, ic_config="fourier;1;true;true", **{**TINY, "num_points": (16, 8)},
    )  # fmt: skip
    assert ladder.points.values.tolist() == [8, 16]


def test_costs_are_times_of_trajectories():
    ladder = apexr.solver_ladder("diff_burgers", points=(16, 32), substeps=1, num_steps=3, **TINY)
    for name in ("latency", "throughput"):
        assert (ladder[name] > 0).all()
    assert (ladder.compile_seconds >= 0).all()
    assert ladder.latency.attrs["units"] == "s"
    assert ladder.data_seconds > 0
    assert "best of at least 5" in ladder.attrs["clock"]
    assert ladder.attrs["efficient_solver"] == 1
    lonely = apexr.solver_ladder(
        "diff_burgers", points=32, substeps=1, solvers="fd;1;1", num_steps=2, **TINY
    )
    assert lonely.attrs["efficient_solver"] == 0
    assert lonely.attrs["rule_efficient_solver"].startswith("not met")


def test_the_test_data_of_the_scenario_are_judged_too():
    exact = apexr.solver_ladder(
        "diff_burgers", points=32, substeps=1, solvers="etdrk;2", num_steps=3, numerics="exact",
        precision="float64", **TINY,
    )  # fmt: skip
    # the scenario's own solver is this very rung
    np.testing.assert_allclose(exact.reference_error, exact.relative_error[0], rtol=1e-6)


def test_an_exact_solver_is_never_beaten():
    """A linear equation is solved exactly, in one step of any length."""
    ds, networks = apexr.run_experiment(
        scenario="diff_adv", task="predict", net="Conv;4;1;relu", train="one", start_seed=0,
        num_seeds=3, progress=False, **TINY,
    )  # fmt: skip
    ladder = apexr.solver_ladder("diff_adv", points=(16, 32), substeps=1, **TINY)
    found = breakeven(ds, ladder)
    assert np.isposinf(found.breakeven).all()
    assert found.finite_share == 0
    cost = apexr.clock(networks, difficulty.Advection(**TINY))
    assert cost.latency > 0
    assert cost.attrs["num_steps"] == 6
    timed = breakeven(ds, ladder, inference=cost)
    np.testing.assert_allclose(timed.inference_seconds, 1 / cost.throughput)


def test_a_stored_ladder_and_a_stored_study_in_another_process(tmp_path):
    from _tiny import python

    configs = {"scenario": "diff_burgers", "net": ["Pure;3", "Conv;2;1;relu"], "num_seeds": 2}
    apexr.run_study({**configs, **TINY}, tmp_path / "study", progress=False)
    ladder = apexr.solver_ladder("diff_burgers", points=(16, 32), substeps=1, **TINY)
    apexr.store.publish_dataset(ladder, tmp_path / "ladder.zarr")
    here = breakeven(apexr.open_study(tmp_path / "study"), ladder, over=4)
    code = """
import sys, apexr
from apexr import analysis, store
from apexr.testing import no_compute
ladder = store.open_dataset(sys.argv[2]).load()
with no_compute():
    found = analysis.breakeven(apexr.open_study(sys.argv[1]).chunk(seed=1), ladder, over=4)
print(found["median"].values.tolist())
assert "jax" not in sys.modules
"""
    said = python(code, tmp_path / "study", tmp_path / "ladder.zarr")
    np.testing.assert_allclose(
        json.loads(said.replace("inf", "Infinity")), here["median"].values, rtol=1e-6
    )
    cost = apexr.clock(tmp_path / "study", experiment=str(here.experiment.values[0]), num_steps=2)
    assert cost["net"].item() in configs["net"]


def test_a_truth_that_is_too_coarse_is_refused():
    given = {"points": 32, "substeps": (1, 8), "solvers": "etdrk;4", "num_steps": 2}
    hard = {"convection_delta": -4.0, "precision": "float64", **TINY}
    with pytest.raises(SpecError, match=r"too coarse.*truth_substeps"):
        apexr.solver_ladder("diff_burgers", truth_substeps=8, **given, **hard)
    fine = apexr.solver_ladder("diff_burgers", truth_substeps=64, **given, **hard)
    assert fine.attrs["truth_substeps"] == 64


class NoEquation(apexr.BaseScenario):
    """A scenario whose solver is any function."""

    num_points: int = 16
    num_test_samples: int = 2

    def get_ref_stepper(self):
        return lambda u: 0.9 * u

    def get_coarse_stepper(self):
        return self.get_ref_stepper()

    def get_scenario_name(self):
        return "1d_mine"


class Own(NoEquation):
    """A scenario of one's own whose solver is apexr's."""

    def get_ref_stepper(self):
        return ETDRKStepper(apexr.steppers.Burgers(0.01, 0.1), self.grid, 0.1)


def test_scenarios_of_ones_own():
    with pytest.raises(SpecError, match="no solver whose equation is known"):
        apexr.solver_ladder(NoEquation())
    ladder = apexr.solver_ladder(
        Own(), points=16, substeps=(1, 2), solvers="etdrk;2", num_steps=2, precision="float64"
    )
    assert ladder.sizes["rung"] == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"points": 64}, "at most those of the scenario, 32"),
        ({"points": 2}, "points must be an integer of at least 4"),
        ({"points": ()}, "empty"),
        ({"substeps": 0}, "substeps must be an integer of at least 1"),
        ({"solvers": "rk;4"}, "rk;4"),
        ({"solvers": ()}, "empty"),
        ({"num_steps": 7}, "test_temporal_horizon \\(6\\)"),
        ({"num_samples": 3}, "num_test_samples \\(2\\)"),
        ({"truth_substeps": 0}, "truth_substeps"),
        ({"precision": "float16"}, "precision must be"),
        ({"num_pionts": 32}, "num_points"),
    ],
)
def test_what_means_nothing_is_refused_before_any_work(given, said, monkeypatch):
    monkeypatch.setattr("apexr.comparisons._ladder.judge", lambda *_: pytest.fail("worked"))
    with pytest.raises(SpecError, match=said):
        apexr.solver_ladder("diff_burgers", **{**TINY, **given})


def test_terms_that_a_solver_lacks_are_named():
    small = {key: TINY[key] for key in ("num_points", "num_test_samples")}
    with pytest.raises(SpecError, match="quadratic"):
        apexr.solver_ladder("diff_fisher", solvers="fd;1;1", **small)
    with pytest.raises(SpecError, match="Poisson has no solver"):
        apexr.solver_ladder("phy_poisson", num_points=16)


def test_labels_are_written_and_read_again(tmp_path):
    ladder = apexr.solver_ladder(
        "diff_adv", points=(16, 32), substeps=1, solvers="etdrk;2", num_steps=2, **TINY
    )
    for suffix in ("nc", "zarr"):
        path = apexr.store.publish_dataset(ladder, tmp_path / f"l.{suffix}")
        xr.testing.assert_equal(apexr.store.open_dataset(path).load(), ladder)
