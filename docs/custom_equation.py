"""Two equations that no registry holds: the script behind docs/custom_equation.md."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import apexr
from apexr.spectral import Grid, laplacian, summed_derivative
from apexr.steppers import Equation, ETDRKStepper, PointwiseTerm, QuadraticTerm, rollout

FOLDER = Path(__file__).parent / "custom_equation"


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
class Brusselator(Equation):
    """``uₜ = D_u Δu + α - (β + 1) u + u² v``, ``vₜ = D_v Δv + β u - u² v``."""

    alpha: float = 4.5
    beta: float = 7.5
    diffusivities: tuple[float, float] = (2.0, 16.0)
    default_dealiasing_fraction = 1 / 2  # the term is cubic

    def num_channels(self, grid):
        return 2

    def linear_symbol(self, grid):
        return np.concatenate([d * laplacian(grid) for d in self.diffusivities])

    def nonlinear_term(self, transform):
        return PointwiseTerm(transform, _reaction, self.alpha, self.beta)


def _reaction(state, alpha, beta):
    u, v = state
    return jnp.stack([alpha - (beta + 1) * u + u**2 * v, beta * u - u**2 * v])


class KawaharaWaves(apexr.EquationScenario):
    """Emulators of the Kawahara equation."""

    domain_extent: float = 40.0
    dt: float = 0.05
    num_substeps: int = 5
    order: int = 4
    b: float = 1.0

    def equation(self):
        return Kawahara(b=self.b)


def solitary_wave(grid: Grid, time: float = 0.0) -> np.ndarray:
    """Return ``105/169 sech⁴((x - x₀ - c t) / (2 √13))``, exact for a = b = 1, c = 36/169."""
    shift = grid.coordinates - grid.domain_extent / 2 - 36 / 169 * time
    return 105 / 169 / np.cosh(shift / (2 * np.sqrt(13))) ** 4


def orders() -> None:
    """Print how the error falls with the step, and the order of each scheme."""
    print("Kawahara solitary wave at time 40, largest error (float64)")
    print(f"{'order':>5} {'dt=0.2':>10} {'dt=0.1':>10} {'dt=0.05':>10}   observed order")
    grid = Grid(1, 256, 120.0)
    for order in (1, 2, 3, 4):
        errors = []
        for steps in (200, 400, 800):
            stepper = ETDRKStepper(Kawahara(), grid, 40 / steps, order)
            u = apexr.simulate(stepper, solitary_wave(grid), steps, save_every=steps)
            errors.append(float(np.abs(u[0, -1].values - solitary_wave(grid, 40.0)).max()))
        row = " ".join(f"{error:10.2e}" for error in errors)
        print(f"{order:>5} {row}   {np.log2(errors[1] / errors[2]):.2f}")


def gradients() -> None:
    """Print a gradient with respect to a coefficient next to its finite difference."""
    grid = Grid(1, 64, 40.0)

    def energy(b):
        stepper = ETDRKStepper(Kawahara(b=b), grid, 0.05, order=4)
        last = rollout(stepper, 20)(jnp.asarray(solitary_wave(grid)))[-1]
        return jnp.sum(last * jnp.sin(2 * jnp.pi * grid.coordinates / grid.domain_extent))

    step = 1e-4
    difference = (energy(1 + step) - energy(1 - step)) / (2 * step)
    print(f"\nd/db by jax.grad {jax.grad(energy)(1.0):.10f}, by differences {difference:.10f}")
    many = jax.vmap(energy)(jnp.linspace(0.5, 1.5, 3))
    print("vmapped over b:", np.array2string(np.asarray(many), precision=4))


def pattern() -> None:
    """Simulate the Brusselator in two dimensions and draw its pattern."""
    stepper = ETDRKStepper(Brusselator(), Grid(2, 64, 50.0), 0.02, order=2)
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 2, 64, 64))
    rest = np.array([4.5, 7.5 / 4.5])[:, None, None]
    u = apexr.simulate(stepper, rest + noise, 1000, save_every=250, channel_names=("u", "v"))
    print("\nBrusselator, spread of u over the grid:")
    print(u.sel(channel="u").std(["x", "y"]).squeeze("sample").to_series().round(3).to_string())
    apexr.plot.save(apexr.plot.trajectory(u, channel="u"), FOLDER / "brusselator.png")


def emulator() -> None:
    """Train a tiny emulator of the Kawahara equation."""
    scenario = KawaharaWaves(
        num_points=48,
        num_train_samples=10,
        num_test_samples=5,
        test_temporal_horizon=20,
        optim_config="adam;300;constant;1e-3",
    )
    print(f"\n{scenario.get_scenario_name()}, mean nRMSE of a small network")
    result = apexr.run(scenario, net="Conv;8;4;relu", progress=False)
    errors = result.mean_nRMSE.isel(seed=0).sel(time=[1, 5, 20])
    print(errors.to_series().round(3).to_string())


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with jax.enable_x64(True):
        orders()
        gradients()
    pattern()
    emulator()


if __name__ == "__main__":
    main()
