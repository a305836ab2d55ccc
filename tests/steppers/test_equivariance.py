"""Symmetries of every equation: shifted, mirrored and turned states step to shifted … ones."""

import inspect

import jax
import numpy as np
import pytest
from _symmetries import CASES, WAVE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apexr import steppers
from apexr.spectral import Grid

# multiples of WAVE; odd where there are mirrors, for Nyquist waves have no mirror image
SIZES = {1: 15, 2: 15, 3: 9}
EVEN_SIZES = {1: 12, 2: 12, 3: 6}
PAIRS = [(name, dims) for name, case in CASES.items() for dims in case.dims]
everywhere = pytest.mark.parametrize(("name", "dims"), PAIRS, ids=str)

few = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
seeds = st.integers(0, 2**31)


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def solver(equation, dims, sizes=SIZES):
    return steppers.ETDRKStepper(equation, Grid(dims, sizes[dims], 2 * np.pi), 0.01)


def noise(stepper, seed):
    shape = (stepper.num_channels, *stepper.grid.shape)
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def mirror(state, axes):
    """Return ``u(-x)`` along the axes; the point at 0 stays."""
    along = tuple(axis + 1 for axis in axes)
    return np.roll(np.flip(state, along), (1,) * len(along), along)


def assert_equal(given, expected):
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-11 * max(scale, 1))


def test_every_exported_equation_is_here():
    exported = {
        name
        for name in steppers.__all__
        if inspect.isclass(cls := getattr(steppers, name))
        and issubclass(cls, steppers.Equation)
        and not inspect.isabstract(cls)
    }
    assert exported == {name.partition(",")[0] for name in CASES}


@pytest.mark.parametrize("sizes", [SIZES, EVEN_SIZES], ids=["odd", "even"])
@everywhere
def test_shifted_states_step_to_shifted_ones(name, dims, sizes):
    if CASES[name].forced and sizes[dims] == 2 * WAVE:
        sizes = {3: 12}  # a force is refused at the Nyquist wavenumber
    stepper, forced = solver(CASES[name].at(dims), dims, sizes), CASES[name].forced

    @few
    @given(seeds, st.tuples(*[st.integers(0, 4)] * dims))
    def check(seed, shift):
        if forced:  # by a wave along the second axis, whose period is a multiple of points
            shift = (shift[0], sizes[dims] // WAVE * shift[1], *shift[2:])
        state, axes = noise(stepper, seed), tuple(range(1, dims + 1))
        assert_equal(stepper(np.roll(state, shift, axes)), np.roll(stepper(state), shift, axes))

    check()


@everywhere
def test_mirrored_states_step_to_mirrored_ones(name, dims):
    case = CASES[name]
    stepper = solver(case.at(dims), dims)

    @few
    @given(seeds)
    def check(seed):
        state = noise(stepper, seed)
        stepped = stepper(state)
        for axes in case.mirrors(dims):
            signs = case.signs(axes, dims, len(state)).reshape(-1, *[1] * dims)
            other = solver(case.mirrored(axes, dims), dims)
            assert_equal(other(signs * mirror(state, axes)), signs * mirror(stepped, axes))

    check()


@pytest.mark.parametrize(
    ("name", "dims"), [(n, d) for n, d in PAIRS if d > 1 and CASES[n].isotropic], ids=str
)
def test_axes_may_be_exchanged(name, dims):
    case = CASES[name]
    stepper = solver(case.at(dims), dims)

    def exchanged(state):
        swapped = np.swapaxes(state, 1, 2)
        if case.channels == "vector":
            return swapped[[1, 0, *range(2, dims)]]
        return -swapped if case.channels == "pseudo" else swapped

    state = noise(stepper, 0)
    assert_equal(stepper(exchanged(state)), exchanged(np.asarray(stepper(state))))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_waves_have_every_symmetry(dims):
    for make in (lambda grid: steppers.Wave(grid, 0.3), steppers.Poisson):
        stepper = make(Grid(dims, SIZES[dims], 2 * np.pi))
        state = np.random.default_rng(0).normal(size=(2, *stepper.grid.shape))
        stepped, axes = stepper(state), tuple(range(1, dims + 1))
        assert_equal(stepper(np.roll(state, 2, axes)), np.roll(stepped, 2, axes))
        assert_equal(stepper(mirror(state, (0,))), mirror(stepped, (0,)))
        assert_equal(stepper(np.swapaxes(state, 1, dims)), np.swapaxes(stepped, 1, dims))


def test_a_wrong_mirror_is_noticed():
    case = CASES["Burgers"]
    stepper = solver(case.at(2), 2)
    state = noise(stepper, 0)
    with pytest.raises(AssertionError):
        assert_equal(stepper(mirror(state, (0,))), mirror(stepper(state), (0,)))
