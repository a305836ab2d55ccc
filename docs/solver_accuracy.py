"""The tables of docs/solver_accuracy.md: errors of exact solutions, orders of convergence.

Run it with ``make docs-accuracy``, which measures the reference data of all scenarios first
(``reference_errors.py``). Every nonlinear equation that :mod:`apexr.steppers` exports is
measured, those without an entry in ``EQUATIONS`` with their defaults.
"""

import dataclasses
import inspect
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import reference_errors

from apexr import steppers
from apexr.errors import SpecError
from apexr.experiment._resolution import COARSE, EARLY, FAINT
from apexr.spectral import Grid, fft, ifft
from apexr.steppers import (
    Advection,
    AdvectionDiffusion,
    AllenCahn,
    BelousovZhabotinsky,
    Burgers,
    CahnHilliard,
    Composed,
    Convection,
    Diffusion,
    Dispersion,
    Equation,
    ETDRKStepper,
    FisherKPP,
    GradientNorm,
    GrayScott,
    HyperDiffusion,
    KolmogorovFlowVelocity,
    KolmogorovFlowVorticity,
    KortewegDeVries,
    KuramotoSivashinsky,
    KuramotoSivashinskyConservative,
    Linear,
    NavierStokesVelocity,
    NavierStokesVorticity,
    Nonlinear,
    Poisson,
    Polynomial,
    PseudoSpectral,
    SwiftHohenberg,
    VorticityConvection,
    Wave,
    ZeroTerm,
    repeat,
)

PAGE = Path(__file__).with_suffix(".md")

EVEN = (0.0, 0.0, 0.1)
EQUATIONS = {
    "Convection, conservative": Convection(EVEN, conservative=True),
    "Convection": Convection(EVEN),
    "Convection, one channel, 2D": Convection(EVEN, single_channel=True),
    "Convection, conservative, 2D": Convection(EVEN, conservative=True),
    "Convection, 2D": Convection(EVEN),
    "GradientNorm": GradientNorm(EVEN, 0.5),
    "Polynomial": Polynomial(EVEN, (0.0, 0.0, -1.0)),
    "Nonlinear": Nonlinear(EVEN, (-0.3, -1.0, 0.3)),
    "Burgers": Burgers(0.1),
    "KortewegDeVries": KortewegDeVries(-1.0, 0.1, 0.0, 0.01),  # dispersion comes with the rest
    "KuramotoSivashinsky": KuramotoSivashinsky(0.5, 0.2, 0.02),
    "KuramotoSivashinskyConservative": KuramotoSivashinskyConservative(0.5, 0.2, 0.02),
    "FisherKPP": FisherKPP(0.1),
    "AllenCahn": AllenCahn(0.1),
    "CahnHilliard": CahnHilliard(0.1, 0.2),
    "GrayScott": GrayScott(0.2, 0.1, 0.5, 0.5),
    "BelousovZhabotinsky": BelousovZhabotinsky((0.1, 0.2, 0.1)),
    "SwiftHohenberg": SwiftHohenberg(),
    "VorticityConvection": VorticityConvection((0.0, 0.0, 0.1)),
    "NavierStokesVorticity": NavierStokesVorticity(0.1),
    "KolmogorovFlowVorticity": KolmogorovFlowVorticity(0.1, injection_mode=2),
    "NavierStokesVelocity": NavierStokesVelocity(0.1),
    "KolmogorovFlowVelocity": KolmogorovFlowVelocity(0.1, injection_mode=2),
}
SUBSTANCES = (GrayScott, BelousovZhabotinsky)  # whose amounts are not negative
TIME, COUNTS, REFERENCE = 0.5, (40, 80, 160), 1600
NUM_POINTS = {1: 32, 2: 16, 3: 8}
ROUNDING = 1e-12


@dataclasses.dataclass(frozen=True)
class WithOddDerivatives(Composed):
    """An equation in a current, with dispersion."""

    equation: Equation

    @property
    def parts(self) -> tuple[Equation, ...]:
        """Return the equation, advection and dispersion."""
        return self.equation, Linear((0.0, -1.0, 0.0, 0.2))


def nonlinear_equations() -> Iterator[tuple[str, Equation, Grid]]:
    """Return every equation with a nonlinear term, on the first grid that it accepts."""
    listed = {type(equation).__name__ for equation in EQUATIONS.values()}
    cases = dict(EQUATIONS)
    for name in steppers.__all__:
        thing = getattr(steppers, name)
        concrete = inspect.isclass(thing) and not inspect.isabstract(thing)
        if concrete and issubclass(thing, Equation) and name not in listed:
            cases[name] = thing()
    for name, equation in cases.items():
        grid = first_grid(equation, start=2 if name.endswith("2D") else 1)
        term = equation.nonlinear_term(PseudoSpectral(grid, 2 / 3))
        if not isinstance(term, ZeroTerm):
            yield name, equation, grid


def first_grid(equation: Equation, start: int) -> Grid:
    """Return the grid of fewest dimensions that a stepper can be built on."""
    for dims in range(start, 4):
        grid = Grid(dims, NUM_POINTS[dims], 2 * np.pi)
        try:
            ETDRKStepper(equation, grid, TIME / COUNTS[0])
        except SpecError:
            continue
        return grid
    raise SpecError(f"{equation} fits no grid")


def smooth(grid: Grid, num_channels: int) -> np.ndarray:
    """Return a state of long waves."""
    angles = 2 * np.pi / grid.domain_extent * grid.coordinates
    shift = np.arange(num_channels).reshape(-1, *(1,) * grid.num_spatial_dims)
    waves = [np.cos(a + shift) + 0.3 * np.sin(2 * a + 1 - shift) for a in angles]
    return sum(waves) / grid.num_spatial_dims


@jax.jit
def advance(kernel, u_hat, count):
    return jax.lax.fori_loop(0, count, lambda _, u: kernel(u), u_hat)


def solve(equation: Equation, grid: Grid, count: int, order: int, mode: str) -> np.ndarray:
    """Return the state at the end time."""
    choices = {"coefficients": mode, "mask_products": True}
    stepper = ETDRKStepper(equation, grid, TIME / count, order, **choices)
    state = smooth(grid, stepper.num_channels)
    if isinstance(getattr(equation, "equation", equation), SUBSTANCES):
        state = 1 + state / 2
    u_hat = advance(stepper.kernel, fft(state, grid.num_spatial_dims), count)
    return np.asarray(ifft(u_hat, grid))


def orders(equation: Equation, grid: Grid, mode: str) -> str:
    """Return the orders seen between the two finest steps, for ETDRK1 to ETDRK4."""
    exact = solve(equation, grid, REFERENCE, 4, "exact")
    scale = np.abs(exact).max()
    seen = []
    for order in (1, 2, 3, 4):
        errors = [np.abs(solve(equation, grid, n, order, mode) - exact).max() for n in COUNTS]
        rounded = errors[-1] < ROUNDING * scale
        seen.append("round-off" if rounded else f"{np.log2(errors[-2] / errors[-1]):.2f}")
    return ", ".join(seen)


def order_table() -> pd.DataFrame:
    """Return the orders of each nonlinear term."""
    rows = {}
    for name, equation, grid in nonlinear_equations():
        label = f"{name} ({grid.num_spatial_dims}D)" if "2D" not in name else name
        odd = WithOddDerivatives(equation)
        rows[label] = {
            "exact, even": orders(equation, grid, "exact"),
            "real, even": orders(equation, grid, "real"),
            "exact, odd too": orders(odd, grid, "exact"),
            "real, odd too": orders(odd, grid, "real"),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def plane_wave(grid: Grid, exponent: Callable[[np.ndarray], complex], at: float) -> np.ndarray:
    """Return a wave advanced by its own exponent."""
    wave = np.array([3, -2, 1])[: grid.num_spatial_dims]
    angle = np.einsum("d,d...->...", wave, grid.coordinates) + 0.4
    return np.exp(1j * angle + exponent(wave) * at).real[None]


SPREAD = np.array([[0.03, 0.01, 0.005], [0.01, 0.05, -0.004], [0.005, -0.004, 0.02]])
LINEAR = {
    "advection": (
        lambda d: Advection((0.3, -0.7, 0.2)[:d]),
        lambda k: -1j * k @ (0.3, -0.7, 0.2)[: len(k)],
    ),
    "diffusion, matrix": (
        lambda d: Diffusion(SPREAD[:d, :d]),
        lambda k: -k @ SPREAD[: len(k), : len(k)] @ k,
    ),
    "advection-diffusion": (
        lambda d: AdvectionDiffusion(0.4, 0.03),
        lambda k: -0.4j * k.sum() - 0.03 * k @ k,
    ),
    "dispersion": (lambda d: Dispersion(0.02), lambda k: -0.02j * (k**3).sum()),
    "dispersion, mixed": (lambda d: Dispersion(0.02, True), lambda k: -0.02j * k.sum() * (k @ k)),
    "hyper-diffusion": (lambda d: HyperDiffusion(0.002), lambda k: -0.002 * (k**4).sum()),
    "hyper-diffusion, mixed": (
        lambda d: HyperDiffusion(0.002, True),
        lambda k: -0.002 * (k @ k) ** 2,
    ),
}


def linear_errors() -> Iterator[tuple[str, str, int, float]]:
    """Return the errors of the linear family after 1,000 steps at once."""
    for name, (build, exponent) in LINEAR.items():
        for dims in (1, 2, 3):
            grid = Grid(dims, 16, 2 * np.pi)
            stepper = ETDRKStepper(build(dims), grid, 0.01)
            last = repeat(stepper, 1000)(plane_wave(grid, exponent, 0.0))
            yield name, f"{dims}D, 16 points", 1000, error(last, plane_wave(grid, exponent, 10.0))


def error(state: np.ndarray, exact: np.ndarray) -> float:
    """Return the largest difference."""
    return float(np.abs(np.asarray(state) - exact).max())


def wave_error() -> tuple[str, str, int, float]:
    """Return the error of a traveling wave over a drifting mean."""
    grid, omega = Grid(3, 16, 2 * np.pi), 1.3 * np.sqrt(14)

    def exact(at: float) -> np.ndarray:
        phase = np.einsum("d,d...->...", (3, -2, 1), grid.coordinates) - omega * at
        return np.stack([np.cos(phase) + 0.2 * at, omega * np.sin(phase) + 0.2])

    last = repeat(Wave(grid, 0.01, 1.3), 1000)(exact(0.0))
    return "wave equation", "3D, 16 points", 1000, error(last, exact(10.0))


def taylor_green_error() -> tuple[str, str, int, float]:
    """Return the error of a decaying lattice of vortices, which convection leaves alone."""
    grid, nu = Grid(2, 32, 2 * np.pi), 0.05
    x, y = grid.coordinates
    vortices = (2 * np.cos(2 * x) * np.cos(2 * y))[None]
    last = repeat(ETDRKStepper(NavierStokesVorticity(nu), grid, 0.01, 4), 100)(vortices)
    exact = vortices * np.exp(-8 * nu)
    return "Taylor-Green vortices", "2D, 32 points, ETDRK4", 100, error(last, exact)


def poisson_error() -> tuple[str, str, int, float]:
    """Return the error of a solution of Poisson's equation."""
    grid = Grid(3, 16, 2 * np.pi)
    f = plane_wave(grid, lambda k: 0.0, 0.0)
    return "Poisson", "3D, 16 points", 1, error(Poisson(grid)(f), f / 14)


def burgers_error() -> tuple[str, str, int, float]:
    """Return the error against the solution of Cole and Hopf."""
    grid, nu = Grid(1, 128, 2 * np.pi), 0.1

    def exact(at: float) -> np.ndarray:
        decay = np.exp(-nu * at)
        return 2 * nu * decay * np.sin(grid.coordinates) / (1.2 + decay * np.cos(grid.coordinates))

    last = repeat(ETDRKStepper(Burgers(nu, conservative=True), grid, 0.01, 4), 200)(exact(0.0))
    return "Burgers, Cole-Hopf", "1D, 128 points, ETDRK4", 200, error(last, exact(2.0))


def soliton_error(order: int, mode: str) -> tuple[str, str, int, float]:
    """Return the error of a soliton that has traveled by a quarter of the domain."""
    grid = Grid(1, 256, 40.0)

    def exact(at: float) -> np.ndarray:
        return -1 / np.cosh((grid.coordinates - 15 - 2 * at) / np.sqrt(2)) ** 2

    kdv = KortewegDeVries(hyper_diffusivity=0.0, conservative=True)
    stepper = ETDRKStepper(kdv, grid, 5 / 3200, order, coefficients=mode)
    last = repeat(stepper, 3200)(exact(0.0))
    setting = f"1D, 256 points, ETDRK{order}, {mode} coefficients"
    return "Korteweg-de Vries, soliton", setting, 3200, error(last, exact(5.0))


def reaction_errors() -> Iterator[tuple[str, str, int, float]]:
    """Return the errors of a uniform population and of a wall between two phases."""
    population = np.full((1, 8, 8), 0.1)
    last = repeat(ETDRKStepper(FisherKPP(), Grid(2, 8), 0.02, 4), 100)(population)
    exact = 1 / (1 + 9 * np.exp(-2.0))
    yield "Fisher-KPP, logistic", "2D, 8 points, ETDRK4", 100, error(last, exact)
    grid = Grid(1, 512, 40.0)
    x = grid.coordinates * np.sqrt(2)
    wall = np.tanh(x - 10 * np.sqrt(2)) - np.tanh(x - 30 * np.sqrt(2)) - 1
    last = repeat(ETDRKStepper(AllenCahn(0.25), grid, 0.01, 4), 200)(wall)
    yield "Allen-Cahn, standing wall", "1D, 512 points, ETDRK4", 200, error(last, wall)


def error_table() -> pd.DataFrame:
    """Return the errors of exact solutions."""
    rows = [*linear_errors(), wave_error(), poisson_error(), taylor_green_error(), burgers_error()]
    rows += [soliton_error(order, mode) for order in (2, 4) for mode in ("exact", "real")]
    rows += [*reaction_errors()]
    table = pd.DataFrame(rows, columns=["solution", "solved in", "steps", "largest error"])
    table["largest error"] = table["largest error"].map("{:.1e}".format)
    return table.set_index("solution")


TEXT = """# Accuracy of the solver

Made by `make docs-accuracy` ([solver_accuracy.py](solver_accuracy.py)), in double precision, on
periodic domains.

## Exact solutions

States are of order one. Linear equations, the wave equation and Poisson's equation are solved
exactly, any number of steps at once: what is left is rounding, which grows with the angle that
the waves have turned by.

{errors}

## Orders of convergence

Orders seen for ETDRK1, 2, 3, 4, between {coarse} and {fine} steps, against ETDRK4 in {reference}
steps on the same grid. *Even*: the equation with even derivatives in its linear part. *Odd too*:
with advection and dispersion (`uₜ = … - uₓ + 0.2 uₓₓₓ`) added to it. *Exact* coefficients are the
default of every stepper; *real* ones are what published benchmark data were made with, and what
scenarios use unless asked otherwise. With odd derivatives these are of first order, whatever the
scheme.

{orders}

Measured in {seconds:.0f} s.

## Reference data of the scenarios

How far the test data of every scenario are from a converged solution of their own equation, at
the scenario's defaults: `scenario.reference_error()`, the mean of nRMSE over samples. The solution
starts from the same states, in double precision on the same grid, with exact coefficients, order 4
and twice as many substeps until two solutions agree to a twentieth of the error. 1D is measured
whole; 2D on {plane} and 3D on {cube} points an axis, where defaults that are made for finer grids
are not resolved or diverge. *Tail*: the largest part of the energy that is in the last tenth of the
waves that the solver keeps. Above {faint:.0e} the grid does not resolve the states, and making
data warns of it once, by a `ResolutionWarning`; so it does where the error within {early} steps is
known to be above {most:.0%}. Linear equations are solved exactly: what is left is the rounding of
the data in single precision. Chaotic equations carry any difference apart, whatever its size.

{references}
"""


def main() -> None:
    """Measure, print and write the page."""
    started = time.perf_counter()
    with jax.enable_x64(True):
        errors, seen = error_table(), order_table()
    page = TEXT.format(
        errors=errors.to_markdown(disable_numparse=True),
        orders=seen.to_markdown(disable_numparse=True),
        coarse=COUNTS[-2],
        fine=COUNTS[-1],
        reference=REFERENCE,
        seconds=time.perf_counter() - started,
        references=reference_errors.table().to_markdown(disable_numparse=True),
        plane=reference_errors.POINTS[2],
        cube=reference_errors.POINTS[3],
        faint=FAINT,
        early=EARLY,
        most=COARSE,
    )
    PAGE.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
