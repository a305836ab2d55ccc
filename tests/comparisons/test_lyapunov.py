"""Lyapunov exponents against closed forms and published values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import apexr
from apexr.engine import kaplan_yorke
from apexr.errors import ApexrError, DivergenceError
from apexr.spectral import Grid
from apexr.steppers import Diffusion, ETDRKStepper, KuramotoSivashinskyConservative


def test_diffusion_has_the_rates_of_its_modes():
    grid = Grid(1, 16, 2 * np.pi)
    stepper = ETDRKStepper(Diffusion(0.1), grid, dt=0.1)
    asked = {"steps": 600, "spinup": 600, "every": 10}
    wave, expected = np.sin(grid.coordinates), [0, -0.1, -0.1, -0.4, -0.4]
    spectrum = apexr.lyapunov(stepper, wave, num_exponents=5, **asked)
    np.testing.assert_allclose(spectrum.exponent, expected, atol=2e-4)
    without = apexr.lyapunov(stepper, wave, num_exponents=4, zero_mean=True, **asked)
    np.testing.assert_allclose(without.exponent, expected[1:], atol=2e-4)
    assert without.kaplan_yorke == 0


def test_exponents_of_a_map_are_per_step():
    """Of Hénon's map the published ones; their sum is exactly ln 0.3."""

    def henon(u):
        x, y = u[0, 0], u[0, 1]
        return jnp.stack([1 - 1.4 * x**2 + y, 0.3 * x])[None]

    states = np.array([[[0.1, 0.1]], [[0.2, 0.1]]])
    with jax.enable_x64(True):
        spectrum = apexr.lyapunov(henon, states, steps=20_000, spinup=100, num_exponents=2)
    np.testing.assert_allclose(spectrum.exponent.sum(), np.log(0.3), atol=1e-9)
    np.testing.assert_allclose(spectrum.exponent, [0.4192, -1.6232], atol=5e-3)
    assert abs(spectrum.kaplan_yorke - 1.258) < 5e-3
    assert spectrum.exponent_of_sample.dims == ("sample", "rank")


def test_kuramoto_sivashinsky_has_the_published_spectrum():
    """Computed with an independent solver over a time of 30,000; here over 2,000."""
    grid = Grid(1, 64, 22.0)
    stepper = ETDRKStepper(KuramotoSivashinskyConservative(), grid, dt=0.25, order=4)
    x = 2 * np.pi * grid.coordinates / 22
    with jax.enable_x64(True):
        spectrum = apexr.lyapunov(
            stepper,
            np.cos(x) + 0.5 * np.sin(2 * x),
            steps=8_000,
            spinup=2_000,
            num_exponents=7,
            every=8,
        )
    published = np.array([0.0471, 0.0007, -0.0001, -0.0010, -0.0023, -0.1915, -0.2597])
    off = np.abs(spectrum.exponent.values - published)
    slow = 6e-3  # exponents of zero are reached only as fast as one over the time
    assert (off < 3 * spectrum.standard_error.values + slow).all(), spectrum.exponent.values
    assert abs(spectrum.kaplan_yorke - 5.23) < 3 * spectrum.kaplan_yorke_standard_error + 0.02


def test_emulators_have_exponents_too():
    network = apexr.difficulty.Burgers(num_points=16).get_network(
        "FNO;4;4;1;gelu", jax.random.PRNGKey(0)
    )
    states = np.random.default_rng(0).normal(size=(2, 1, 16))
    spectrum = apexr.lyapunov(network, states, steps=40, num_exponents=2)
    first = spectrum.exponent_of_sample.values
    u, v = jnp.asarray(states[0], jnp.float32), jnp.ones((1, 16))
    grown = 0.0
    for _ in range(40):  # the power method, by hand
        u, v = jax.jvp(network, (u,), (v,))
        grown, v = grown + np.log(np.linalg.norm(v)), v / np.linalg.norm(v)
    assert np.isfinite(first).all()
    assert abs(first[0, 0] - grown / 40) < 0.2


@pytest.mark.parametrize(
    ("exponents", "dimension"),
    [([1.0, -2.0], 1.5), ([-1.0, -2.0], 0.0), ([0.5, 0.0, -1.0], 2.5), ([1.0, -0.5], np.nan)],
)
def test_the_kaplan_yorke_dimension(exponents, dimension):
    np.testing.assert_equal(kaplan_yorke(np.array(exponents)), dimension)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"states": np.zeros(8)}, "states must have shape"),
        ({"states": np.full((1, 1, 8), np.nan)}, "NaN"),
        ({"states": "fourier"}, "array of real numbers"),
        ({"num_exponents": 9}, "at most 8"),
        ({"steps": 0}, "steps"),
        ({"every": 50}, "at least every"),
        ({"dt": -1}, "dt must be"),
        ({"stepper": 3}, "must be a stepper"),
        ({"stepper": lambda u: np.maximum(u, 0)}, "cannot be differentiated"),
    ],
)
def test_what_means_nothing_is_refused(given, words):
    call = {"stepper": lambda u: 0.5 * u, "states": np.ones((1, 1, 8)), "steps": 10} | given
    with pytest.raises(ApexrError, match=words):
        apexr.lyapunov(call.pop("stepper"), call.pop("states"), **call)


def test_a_trajectory_that_grows_without_bound_is_refused():
    with pytest.raises(DivergenceError, match="became NaN or infinite"):
        apexr.lyapunov(lambda u: u**2 + 1, np.ones((1, 1, 4)), steps=40)
