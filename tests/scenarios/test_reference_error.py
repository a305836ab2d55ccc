"""How good reference data are: errors against known solutions, and the tail of a spectrum."""

import warnings

import jax
import numpy as np
import pytest

import apexr
from _tiny import tiny
from apexr.errors import ResolutionWarning, SpecError
from apexr.experiment import _resolution
from apexr.scenarios import BaseScenario, difficulty, physical, scenario_dict
from apexr.spectral import Grid
from apexr.steppers import Burgers


@pytest.fixture(autouse=True)
def _nothing_has_been_said():
    _resolution._said.clear()


def test_the_error_of_a_population_is_that_of_the_logistic_curve():
    """A flat state follows ``u̇ = r u (1 - u)``, whose solution is known."""
    scenario = physical.FisherKPP(
        num_points=8,
        dt=0.05,
        ic_config="clamp;0.2;0.2000001;fourier;1;false;false",
        num_test_samples=2,
        test_temporal_horizon=6,
    )
    error = scenario.reference_error()
    data = scenario.get_test_data().values.astype(float)
    growth = np.exp(20.0 * 0.05 * np.arange(7))
    start = data[:, 0].mean(axis=(1, 2))[:, None]
    exact = start * growth / (1 + start * (growth - 1))
    expected = np.abs(data.mean(axis=(2, 3)) / exact - 1)[:, 1:]
    assert expected.min() > 1e-4
    np.testing.assert_allclose(error.nRMSE, expected, rtol=2e-3)
    np.testing.assert_allclose(error.mean_nRMSE, expected.mean(axis=0), rtol=2e-3)
    assert error.time.values.tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(error.time_value, 0.05 * np.arange(1, 7))
    assert error.attrs["numerics"] == "apebench"


def test_the_error_that_published_numerics_have():
    """Of first order in time with odd derivatives: the error halves with the step."""
    sizes = {"num_points": 64, "num_test_samples": 2, "test_temporal_horizon": 3}
    one, two, exact = (
        difficulty.KortewegDeVries(**sizes, **more).reference_error().mean_nRMSE.values
        for more in ({}, {"num_substeps": 2}, {"numerics": "exact", "order": 4})
    )
    np.testing.assert_allclose(np.log2(one / two), 1, atol=0.25)
    assert (exact < 0.1 * one).all()


def test_linear_data_are_rounded_and_no_more():
    for scenario in (difficulty.Advection(num_points=32), physical.Poisson(num_points=16)):
        error = scenario.reference_error(num_samples=2)
        assert 0 < error.mean_nRMSE.max() < 1e-5
        assert error.agreement.max() == 0


def test_the_tail_of_a_spectrum():
    """By hand: waves 3 and 8 with amplitudes 1 and 0.2, of which the tail has the second."""
    grid = Grid(1, 32, 2 * np.pi)
    state = (0.5 + np.cos(3 * grid.coordinates) + 0.2 * np.sin(9 * grid.coordinates))[None, None]
    kept = _resolution.kept_waves(
        difficulty.Burgers(num_points=32).get_ref_stepper()
    )  # up to wave 9
    share = (0.2**2 / 2) / (0.25 + 0.5 + 0.2**2 / 2)
    np.testing.assert_allclose(_resolution.tail_energy(state, grid, kept), [[share]])
    np.testing.assert_allclose(_resolution.tail_energy(state, grid, None), 0, atol=1e-30)
    wave = (np.cos(15 * grid.coordinates) + np.cos(16 * grid.coordinates))[None, None]
    np.testing.assert_allclose(_resolution.tail_energy(wave, grid, None), 1)
    plane = Grid(2, (32, 16), (2 * np.pi, np.pi))
    x, y = plane.coordinates
    field = (np.cos(15 * x) + 2 * np.cos(2 * y))[None, None, None]
    np.testing.assert_allclose(_resolution.tail_energy(field, plane, None), [[1 / 5]])


def test_data_that_the_grid_does_not_resolve_are_said_once():
    sizes = tiny("diff_burgers")
    scenario = difficulty.Burgers(**{**sizes, "test_temporal_horizon": 20}, convection_delta=-3.0)
    with pytest.warns(ResolutionWarning, match=r"1d_diff_burgers: .* 16 points does not resolve"):
        scenario.get_test_data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scenario.get_train_data()
        scenario.get_test_data_coarse()


@pytest.mark.parametrize("stored", [False, True])
def test_simulate_warns_as_run_does(stored, tmp_path):
    given = {"num_points": 16, "convection_delta": -3.0, "num_samples": 2, "progress": False}
    store = {"store": tmp_path / "u.zarr", "memory_budget": 2**20} if stored else {}
    _resolution._said.clear()
    with pytest.warns(ResolutionWarning, match=r"1d_diff_burgers: .* 16 points does not resolve"):
        apexr.simulate("diff_burgers", None, 20, **given, **store)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        apexr.simulate("diff_burgers", None, 20, **given)
    with pytest.warns(ResolutionWarning, match=r"1d_diff_kdv: .* by \d\d% within 50 steps"):
        apexr.simulate("diff_kdv", None, 2, num_samples=1, progress=False)


def test_steps_that_are_known_to_be_too_coarse_are_said():
    few = {"num_test_samples": 1, "test_temporal_horizon": 2}
    with pytest.warns(ResolutionWarning, match=r"1d_diff_kdv: .* by \d\d% within 50 steps"):
        difficulty.KortewegDeVries(**few).get_test_data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for scenario in (
            difficulty.KortewegDeVries(**few, num_substeps=50),
            difficulty.KortewegDeVries(**few, numerics="exact", order=4),
            difficulty.Burgers(**few),
        ):
            _resolution._said.clear()
            scenario.get_test_data()


def test_errors_of_all_scenarios_are_known():
    known = _resolution._known()
    for key, cls in scenario_dict.items():
        for dims in cls.dimensions:
            assert sum(row[:2] == (key, dims) for row in known) == 1, (key, dims)
    assert _resolution.known_error(difficulty.KortewegDeVries()) > 0.3
    assert _resolution.known_error(difficulty.KortewegDeVries(train_seed=3)) > 0.3
    assert _resolution.known_error(difficulty.KortewegDeVries(dispersion_gamma=-1.0)) == 0


class Halving(BaseScenario):
    def get_ref_stepper(self):
        return lambda u: u / 2

    get_coarse_stepper = get_ref_stepper

    def get_scenario_name(self):
        return "halving"


class OwnBurgers(apexr.EquationScenario):
    def equation(self):
        return Burgers(0.1)


def test_scenarios_of_ones_own():
    error = OwnBurgers(num_points=32).reference_error(num_samples=1, num_steps=3)
    assert 0 < error.mean_nRMSE.max() < 1e-2
    with pytest.raises(SpecError, match="equation of Halving is not known"):
        Halving(num_points=16).reference_error()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_samples": 0}, "num_samples"),
        ({"num_steps": 1.5}, "num_steps"),
        ({"num_samples": 31}, "at most num_test_samples"),
        ({"max_seconds": -1}, "max_seconds"),
    ],
)
def test_wrong_requests(wrong, message):
    with pytest.raises(SpecError, match=message):
        difficulty.Burgers().reference_error(**wrong)


def test_diverging_data_have_an_infinite_error():
    scenario = difficulty.Burgers(
        num_points=16, convection_delta=-1e5, num_test_samples=1, test_temporal_horizon=4
    )
    error = scenario.reference_error(max_seconds=1)
    assert np.isposinf(error.mean_nRMSE[-1])
    assert not jax.config.jax_enable_x64
