"""Equations of one's own: orders, exact solutions, transformations, and scenarios from them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.errors import SpecError
from apexr.scenarios import scenario_dict
from apexr.spectral import Grid, laplacian, summed_derivative
from apexr.steppers import Equation, ETDRKStepper, PointwiseTerm, QuadraticTerm, rollout
from apexr.testing import assert_valid


@dataclasses.dataclass(frozen=True)
class Kawahara(Equation):
    """``uₜ + u uₓ + a uₓₓₓ - b uₓₓₓₓₓ = 0``."""

    a: float = 1.0
    b: float = 1.0

    def linear_symbol(self, grid):
        return -self.a * summed_derivative(grid, 3) + self.b * summed_derivative(grid, 5)

    def nonlinear_term(self, transform):
        return QuadraticTerm(transform, square=-0.5 * summed_derivative(transform.grid, 1))


@dataclasses.dataclass(frozen=True)
class FitzHughNagumo(Equation):
    """``uₜ = D Δu + u - u³ - v``, ``vₜ = ε (u - γ v)``."""

    D: float = 0.01
    epsilon: float = 0.1
    gamma: float = 0.5
    default_dealiasing_fraction = 1 / 2

    def num_channels(self, grid):
        return 2

    def linear_symbol(self, grid):
        return np.concatenate([self.D * laplacian(grid), 0 * laplacian(grid)])

    def nonlinear_term(self, transform):
        return PointwiseTerm(transform, _excite, self.epsilon, self.gamma)


def _excite(state, epsilon, gamma):
    u, v = state
    return jnp.stack([u - u**3 - v, epsilon * (u - gamma * v)])


class KawaharaWaves(apexr.EquationScenario):
    """Emulators of the Kawahara equation."""

    domain_extent: float = 40.0
    dt: float = 0.05
    b: float = 1.0

    def equation(self):
        return Kawahara(b=self.b)


class Excitable(apexr.EquationScenario):
    """Emulators of an excitable medium."""

    channel_names = ("u", "v")
    dt: float = 0.1
    epsilon: float = 0.1

    def equation(self):
        return FitzHughNagumo(epsilon=self.epsilon)


def solitary_wave(grid, time=0.0):
    """Return ``105/169 sech⁴((x - x₀ - 36/169 t) / (2 √13))``, exact for a = b = 1."""
    shift = grid.coordinates - grid.domain_extent / 2 - 36 / 169 * time
    return 105 / 169 / np.cosh(shift / (2 * np.sqrt(13))) ** 4


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_order_of_accuracy_on_an_exact_solution(order):
    grid, errors = Grid(1, 256, 120.0), []
    with jax.enable_x64(True):
        for steps in (200, 400):
            stepper = ETDRKStepper(Kawahara(), grid, 20 / steps, order)
            u = apexr.simulate(stepper, solitary_wave(grid), steps, save_every=steps)
            errors.append(np.abs(u[0, -1].values - solitary_wave(grid, 20.0)).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.35)
    assert errors[1] < 0.01


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_reaction_in_every_dimension(dims):
    grid = Grid(dims, 6)
    stepper = ETDRKStepper(FitzHughNagumo(), grid, 0.1, order=4)
    u = apexr.simulate(stepper, np.ones((2, *grid.shape)), 5, channel_names=("u", "v"))
    flat = np.array([1.0, 1.0])  # a flat state follows the ordinary differential equation
    for _ in range(500):
        flat = flat + 1e-3 * np.array([flat[0] - flat[0] ** 3 - flat[1], 0.1 * flat[0] - 0.05])
        flat[1] += 1e-3 * 0.05 * (1 - flat[1])
    last = u.isel(sample=0, time=-1)
    np.testing.assert_allclose(last.std(["x", "y", "z"][:dims]), 0, atol=1e-5)
    np.testing.assert_allclose(last.sel(channel="u").mean(), flat[0], atol=1e-2)


def test_jit_vmap_and_gradients_of_coefficients():
    grid = Grid(1, 32, 40.0)

    def energy(b):
        last = rollout(ETDRKStepper(Kawahara(b=b), grid, 0.05, order=3), 5)(start)[-1]
        return jnp.sum(last * jnp.sin(2 * jnp.pi * grid.coordinates / 40.0))

    with jax.enable_x64(True):
        start = jnp.asarray(solitary_wave(grid))
        values = jax.jit(jax.vmap(energy))(jnp.array([1 - 1e-4, 1.0, 1 + 1e-4]))
        slope = (values[2] - values[0]) / 2e-4
        np.testing.assert_allclose(jax.grad(energy)(1.0), slope, rtol=1e-6)
        np.testing.assert_allclose(values[1], energy(1.0), rtol=1e-12)


def test_a_scenario_says_what_its_equation_says():
    scenario = KawaharaWaves(num_points=32)
    assert scenario.get_scenario_name() == "1d_kawahara_waves"
    assert scenario.num_channels == 1
    assert scenario.etdrk_coefficients == "exact"
    stepper = scenario.get_ref_stepper()
    assert stepper.equation == Kawahara()
    assert stepper.dt == 0.05
    assert scenario.get_coarse_stepper().dt == 0.025
    assert KawaharaWaves(num_substeps=5).get_ref_stepper().dt == pytest.approx(0.05)
    assert "b=1.0" in repr(scenario)
    assert scenario == KawaharaWaves(**scenario.all_parameters)
    assert len({scenario, KawaharaWaves(num_points=32), KawaharaWaves(b=2.0)}) == 2
    excitable = Excitable(num_spatial_dims=2)
    assert excitable.num_channels == 2
    assert excitable.get_scenario_name() == "2d_excitable"
    assert excitable.axes.channel_names == ("u", "v")


def test_wrong_parameters_of_ones_own_scenario():
    with pytest.raises(SpecError, match="did you mean 'epsilon'"):
        Excitable(epsilo=0.2)
    with pytest.raises(SpecError, match="dt must be above 0"):
        Excitable(dt=0.0)
    with pytest.raises(SpecError, match="num_channels of Excitable follows"):
        Excitable(num_channels=3)


def test_an_equation_becomes_an_experiment_and_comes_back(tmp_path):
    scenario_dict["excitable"] = Excitable
    try:
        store = tmp_path / "excitable.zarr"
        ds = apexr.run("excitable", net=NET, store=store, progress=False, epsilon=0.2, **SIZES)
        assert_valid(ds)
        assert ds.scenario.item() == "1d_excitable"
        assert "epsilon" in ds.scenario_kwargs.item()
        assert ds["channel"].values.tolist() == ["u", "v"]
        network = apexr.load_networks(store)
        assert network(ds.initial_state[0].values).shape == (2, 16)
        u = apexr.simulate("excitable", None, 5, num_points=16, num_test_samples=3, epsilon=0.2)
        np.testing.assert_allclose(u[:1, 1:], ds.sample_reference, atol=1e-5)
    finally:
        del scenario_dict["excitable"]
