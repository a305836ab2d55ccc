"""Solvers on grids whose axes differ in points and length: closed forms, copies, turns."""

import jax
import numpy as np
import pytest
from _symmetries import CASES

from apexr import steppers
from apexr.errors import SpecError
from apexr.spectral import Grid, low_pass_mask

LENGTH, POINTS = 2 * np.pi, 12


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def assert_equal(given, expected):
    scale = max(np.max(np.abs(expected)), 1)
    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-11 * scale)


def smooth(stepper, seed=0):
    """Return a random state of few waves, all of which every dealiasing keeps."""
    grid, axes = stepper.grid, tuple(range(1, stepper.grid.num_spatial_dims + 1))
    noise = np.random.default_rng(seed).uniform(-1, 1, (stepper.num_channels, *grid.shape))
    low = np.fft.rfftn(noise, axes=axes) * low_pass_mask(grid, 2)
    return np.fft.irfftn(low, s=grid.shape, axes=axes)


@pytest.mark.parametrize(
    "grid",
    [Grid(2, (24, 10), (2.0, 1.0)), Grid(3, (10, 8, 12), (2.0, 1.0, 3.0))],
    ids=["2d", "3d"],
)
def test_linear_equations_have_their_closed_form(grid):
    velocity, diffusivity, dt = (0.3, -0.7, 0.2)[: grid.num_spatial_dims], 0.02, 0.37
    k = np.array([1, -2, 3])[: grid.num_spatial_dims]
    slopes = 2 * np.pi * k / np.array(grid.extents)

    def wave(time):
        x = grid.coordinates - time * np.reshape(velocity, (-1, *[1] * grid.num_spatial_dims))
        decay = np.exp(-diffusivity * time * np.sum(slopes**2))
        return decay * np.cos(np.tensordot(slopes, x, 1))[None]

    equation = steppers.AdvectionDiffusion(velocity, diffusivity)
    stepper = steppers.ETDRKStepper(equation, grid, dt)
    states = steppers.rollout(stepper, 3)(wave(0.0))
    for number, state in enumerate(states, start=1):
        assert_equal(state, wave(number * dt))


def test_waves_and_poisson_have_their_closed_form():
    grid = Grid(2, (12, 16), (1.0, 4.0))
    k = np.array([2, 3]) * 2 * np.pi / np.array(grid.extents)
    length, field = np.sqrt(np.sum(k**2)), np.cos(np.tensordot(k, grid.coordinates, 1))
    assert_equal(steppers.Poisson(grid)(field[None])[0], field / length**2)
    angle = 0.6 * length * 0.1
    later = steppers.Wave(grid, 0.1, 0.6)(np.stack([field, 0 * field]))
    assert_equal(later[0], np.cos(angle) * field)
    assert_equal(later[1], -0.6 * length * np.sin(angle) * field)


PAIRS = [
    (name, dims)
    for name, case in CASES.items()
    for dims in case.dims
    if dims == 2 or name in ("Burgers", "NavierStokesVelocity", "KolmogorovFlowVelocity")
    if dims > 1
]


@pytest.mark.parametrize(("name", "dims"), PAIRS, ids=str)
def test_two_periods_beside_each_other_stay_two_periods(name, dims):
    case, rest = CASES[name], (1,) * (dims - 1)
    points, lengths = np.array((2, *rest)) * POINTS, np.array((2, *rest)) * LENGTH

    def solver(points, lengths):
        grid = Grid(dims, tuple(points.tolist()), tuple(lengths.tolist()))
        return steppers.ETDRKStepper(case.at(dims), grid, 0.01)

    square = steppers.ETDRKStepper(case.at(dims), Grid(dims, POINTS, LENGTH), 0.01)
    state = smooth(square)
    stepped = np.asarray(square(state))
    assert np.max(np.abs(stepped - state)) > 1e-5
    twice = (1, 2, *rest)
    assert_equal(solver(points, lengths)(np.tile(state, twice)), np.tile(stepped, twice))
    if case.isotropic:  # the same along the second axis
        twice, turn = (1, *rest[:1], 2, *rest[1:]), [1, 0, *range(2, dims)]
        other = solver(points[turn], lengths[turn])
        assert_equal(other(np.tile(state, twice)), np.tile(stepped, twice))


@pytest.mark.parametrize("name", ["AllenCahn", "CahnHilliard", "KuramotoSivashinsky"])
def test_a_state_that_is_constant_along_an_axis_is_one_of_fewer_dimensions(name):
    equation = getattr(steppers, name)()
    line = steppers.ETDRKStepper(equation, Grid(1, 20, 9.0), 0.02)
    plane = steppers.ETDRKStepper(equation, Grid(2, (20, 6), (9.0, 2.0)), 0.02)
    state = smooth(line)
    expected = np.asarray(steppers.repeat(line, 5)(state))
    spread = steppers.repeat(plane, 5)(np.repeat(state[..., None], 6, axis=-1))
    assert_equal(spread, np.repeat(expected[..., None], 6, axis=-1))


def test_turned_states_step_to_turned_ones():
    equation = steppers.Burgers(0.05)
    wide = steppers.ETDRKStepper(equation, Grid(2, (15, 9), (3.0, 1.0)), 0.01, order=4)
    tall = steppers.ETDRKStepper(equation, Grid(2, (9, 15), (1.0, 3.0)), 0.01, order=4)
    state = np.random.default_rng(0).normal(size=(2, 15, 9))

    def turned(u):
        return np.swapaxes(u, 1, 2)[::-1]

    stepped = np.asarray(steppers.repeat(wide, 4)(state))
    assert_equal(steppers.repeat(tall, 4)(turned(state)), turned(stepped))


def test_forcing_is_held_against_the_axis_that_it_varies_along():
    flow = steppers.KolmogorovFlowVorticity(injection_mode=4)
    steppers.ETDRKStepper(flow, Grid(2, (4, 8)), 0.1)
    with pytest.raises(SpecError, match="at most 2 on 4 points along the second axis"):
        steppers.ETDRKStepper(flow, Grid(2, (8, 4)), 0.1)


def test_reduced_coefficients_belong_to_one_length():
    with pytest.raises(SpecError, match=r"longest axis.*physical"):
        steppers.Linear.difficulty((0.0, 1.0), num_spatial_dims=2, num_points=(8, 4))
    with pytest.raises(SpecError, match="domain_extent must be one number"):
        steppers.normalize("linear", (0.0, 1.0), domain_extent=(1.0, 2.0), dt=0.1)
