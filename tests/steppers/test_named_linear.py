"""The linear family against plane waves, to machine precision in double precision."""

import jax
import numpy as np
import pytest

from apexr.errors import ShapeError, SpecError
from apexr.spectral import Grid
from apexr.steppers import (
    Advection,
    AdvectionDiffusion,
    Composed,
    Diffusion,
    Dispersion,
    ETDRKStepper,
    Growth,
    HyperDiffusion,
    RepeatedStepper,
    repeat,
    rollout,
)

VELOCITY = (0.3, -0.7, 0.2)
SPREAD = (0.02, 0.05, 0.01)
MATRIX = np.array([[0.03, 0.01, 0.005], [0.01, 0.05, -0.004], [0.005, -0.004, 0.02]])

# an equation for D dimensions, and the growth rate of exp(i k · x)
FAMILY = {
    "advection": (lambda d: Advection(0.4), lambda k: -0.4j * k.sum()),
    "advection-int": (lambda d: Advection(2), lambda k: -2j * k.sum()),
    "advection-vector": (lambda d: Advection(VELOCITY[:d]), lambda k: -1j * k @ VELOCITY[: len(k)]),
    "advection-ints": (
        lambda d: Advection([1, -2, 3][:d]),
        lambda k: -1j * k @ [1, -2, 3][: len(k)],
    ),
    "diffusion": (lambda d: Diffusion(0.03), lambda k: -0.03 * k @ k),
    "diffusion-vector": (lambda d: Diffusion(SPREAD[:d]), lambda k: -(k**2) @ SPREAD[: len(k)]),
    "diffusion-matrix": (
        lambda d: Diffusion(MATRIX[:d, :d]),
        lambda k: -k @ MATRIX[: len(k), : len(k)] @ k,
    ),
    "advection-diffusion": (
        lambda d: AdvectionDiffusion(VELOCITY[:d], MATRIX[:d, :d].tolist()),
        lambda k: -1j * k @ VELOCITY[: len(k)] - k @ MATRIX[: len(k), : len(k)] @ k,
    ),
    "dispersion": (lambda d: Dispersion(0.02), lambda k: -0.02j * (k**3).sum()),
    "dispersion-vector": (
        lambda d: Dispersion(VELOCITY[:d]),
        lambda k: -1j * k**3 @ VELOCITY[: len(k)],
    ),
    "dispersion-mixed": (
        lambda d: Dispersion(VELOCITY[:d], advect_on_diffusion=True),
        lambda k: -1j * (k @ VELOCITY[: len(k)]) * (k @ k),
    ),
    "hyper-diffusion": (lambda d: HyperDiffusion(0.002), lambda k: -0.002 * (k**4).sum()),
    "hyper-diffusion-mixed": (
        lambda d: HyperDiffusion(0.002, diffuse_on_diffuse=True),
        lambda k: -0.002 * (k @ k) ** 2,
    ),
    "growth": (lambda d: Growth(-0.3), lambda k: -0.3),
}
WAVES = np.array([(0, 0, 0), (1, 0, 0), (3, -2, 1), (-2, 3, 2), (1, 1, -3)])


def field(grid, rate, time):
    """Return a sum of waves, each advanced by its own rate."""
    scale = 2 * np.pi / grid.domain_extent
    total = np.zeros((1, *grid.shape), complex)
    for number, wave in enumerate(scale * WAVES[:, : grid.num_spatial_dims]):
        angle = np.einsum("d,d...->...", wave, grid.coordinates) + 0.3 * number
        total += np.exp(1j * angle + rate(wave) * time)
    return total.real


@pytest.mark.parametrize("num_points", [8, 9])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_linear_family_in_double_precision(dims, num_points):
    with jax.enable_x64(True):
        grid = Grid(dims, num_points, 5.0)
        for name, (build, rate) in FAMILY.items():
            stepper = ETDRKStepper(build(dims), grid, 0.05)
            start = field(grid, rate, 0.0)
            frames = rollout(stepper, 20)(start)
            for step in (1, 2, 20):
                exact = field(grid, rate, 0.05 * step)
                np.testing.assert_allclose(frames[step - 1], exact, atol=3e-14, err_msg=name)
            long = field(grid, rate, 50.0)
            error = np.abs(repeat(stepper, 1000)(start) - long).max()
            assert error < 5e-12, name


def test_repeated_linear_steps_are_exact_too():
    build, rate = FAMILY["advection-diffusion"]
    with jax.enable_x64(True):
        grid = Grid(2, 8, 5.0)
        stepper = RepeatedStepper(ETDRKStepper(build(2), grid, 0.05), 4)
        last = rollout(stepper, 5)(field(grid, rate, 0.0))[-1]
        np.testing.assert_allclose(last, field(grid, rate, 1.0), atol=3e-14)


def test_a_symbol_is_that_of_the_grid_and_equations_compare():
    assert Advection(1) == Advection(1.0) == Advection(np.array(1.0))
    assert Diffusion(np.eye(2)) == Diffusion([[1, 0], [0, 1]])
    assert hash(AdvectionDiffusion(np.ones(2), np.eye(2))) == hash(
        AdvectionDiffusion([1, 1], ((1, 0), (0, 1)))
    )


def test_forms_of_one_diffusivity_agree():
    grid = Grid(2, 8)
    number, vector, matrix = (
        Diffusion(form).linear_symbol(grid) for form in (0.3, (0.3, 0.3), 0.3 * np.eye(2))
    )
    np.testing.assert_allclose(vector, number, rtol=1e-15)
    np.testing.assert_allclose(matrix, number, rtol=1e-15)


def test_a_semidefinite_matrix_passes():
    symbol = Diffusion([[1.0, 1.0], [1.0, 1.0]]).linear_symbol(Grid(2, 8))
    assert np.all(symbol.real <= 0)


@pytest.mark.parametrize(
    ("equation", "named"),
    [
        (Advection((0.1, 0.2)), "velocity must be a number or 3 numbers, .* got 2"),
        (AdvectionDiffusion((1, 2, 3, 4)), "velocity .* got 4"),
        (Diffusion((0.1,)), "diffusivity .* got 1"),
        (Diffusion(np.eye(2)), "3x3 matrix .* got 2x2"),
        (Dispersion((0.1, 0.2)), "dispersivity .* got 2"),
    ],
)
def test_wrong_lengths(equation, named):
    with pytest.raises(ShapeError, match=named):
        ETDRKStepper(equation, Grid(3, 4), 0.1)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: Diffusion([[1.0, 2.0], [2.0, 1.0]]), "positive semidefinite.*eigenvalue -1"),
        (lambda: AdvectionDiffusion(1.0, [[1.0, 2.0], [2.0, 1.0]]), "positive semidefinite"),
        (lambda: Diffusion([[1.0, 0.5], [0.0, 1.0]]), r"symmetric.*\(A \+ A.T\) / 2"),
        (lambda: Diffusion(-0.1), "diffusivity.*Check its sign"),
        (lambda: Diffusion((0.1, -0.1)), "positive semidefinite"),
        (lambda: Diffusion("0.1"), "diffusivity must be a number, one a spatial axis, or a matrix"),
        (lambda: Diffusion(np.ones((2, 2, 2))), "diffusivity"),
        (lambda: Advection(None), "velocity"),
        (lambda: Advection(()), "velocity"),
        (lambda: Advection(1j), "velocity"),
        (lambda: Advection(float("nan")), "velocity"),
        (lambda: Dispersion(np.eye(2)), "dispersivity"),
        (lambda: HyperDiffusion((1.0, 2.0)), "hyper_diffusivity must be a number"),
    ],
)
def test_coefficients_that_cannot_be_meant(build, named):
    with pytest.raises(SpecError, match=named):
        build()


@pytest.mark.parametrize("rows", [[[1.0, 2.0]], [[1.0, 0.0], [0.0]], [[1.0], 2.0]])
def test_matrices_that_are_not_square(rows):
    with pytest.raises(ShapeError, match="square"):
        Diffusion(rows)


def test_parts_may_be_put_together_freely():
    class Sum(Composed):
        parts = (Advection(0.4), Diffusion((0.1, 0.2)), Growth(0.3))

    grid = Grid(2, 8)
    total = sum(part.linear_symbol(grid) for part in Sum.parts)
    np.testing.assert_array_equal(Sum().linear_symbol(grid), total)
