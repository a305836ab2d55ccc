"""Physical, normalized and difficulty coefficients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apexr import steppers
from apexr.errors import SpecError
from apexr.spectral import Grid
from apexr.steppers import Convection, ETDRKStepper, GradientNorm, Linear, Nonlinear, Polynomial

numbers = st.one_of(st.just(0.0), st.floats(1e-6, 1e3), st.floats(-1e3, -1e-6))
lists = st.lists(numbers, min_size=1, max_size=6)
triples = st.tuples(numbers, numbers, numbers)
scales = st.fixed_dictionaries({"domain_extent": st.floats(0.01, 100), "dt": st.floats(1e-5, 10)})
bounded = st.fixed_dictionaries(
    {
        "num_spatial_dims": st.integers(1, 3),
        "num_points": st.integers(2, 300),
        "maximum_absolute": st.floats(0.1, 10),
    }
)
PAIRS = [
    (steppers.normalize, steppers.denormalize, scales),
    (steppers.to_difficulty, steppers.from_difficulty, bounded),
]
KINDS = {
    "linear": lists,
    "nonlinear": triples,
    "polynomial": lists,
    "convection": numbers,
    "gradient_norm": numbers,
}


@pytest.mark.parametrize(("there", "back", "settings_"), PAIRS, ids=["scale", "grid"])
@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(there, back, settings_, kind):
    @settings(max_examples=30, deadline=None)
    @given(KINDS[kind], settings_)
    def check(value, scale):
        for first, second in ((there, back), (back, there)):
            again = second(kind, first(kind, value, **scale), **scale)
            np.testing.assert_allclose(again, value, rtol=1e-12)

    check()


def test_a_single_coefficient_is_that_of_the_triple():
    scale = {"domain_extent": 3.0, "dt": 0.2}
    size = {"num_spatial_dims": 2, "num_points": 10, "maximum_absolute": 3.0}
    for convert, given_ in ((steppers.normalize, scale), (steppers.to_difficulty, size)):
        _, convection, norm = convert("nonlinear", (0.0, 0.7, 0.3), **given_)
        assert convection == convert("convection", 0.7, **given_)
        assert norm == convert("gradient_norm", 0.3, **given_)


def test_unknown_kinds_and_wrong_numbers_are_refused():
    with pytest.raises(SpecError, match="got 'linaer'; did you mean 'linear'"):
        steppers.normalize("linaer", (1.0,), domain_extent=1.0, dt=1.0)
    with pytest.raises(SpecError, match="must be three"):
        steppers.normalize("nonlinear", (1.0,), domain_extent=1.0, dt=1.0)


def test_difficulty_of_the_default_advection():
    size = {"num_spatial_dims": 1, "num_points": 160}
    assert steppers.from_difficulty("linear", (0.0, -4.0), **size) == (0.0, -0.025)
    physical = steppers.denormalize("linear", (0.0, -0.025), domain_extent=1.0, dt=0.1)
    assert physical == (0.0, -0.25)


def test_known_difficulties():
    size = {"num_spatial_dims": 2, "num_points": 10}
    gammas = steppers.to_difficulty("linear", (0.5, 1.0, 1.0, 1.0), **size)
    assert gammas == (0.5, 20.0, 400.0, 8000.0)
    deltas = steppers.to_difficulty("nonlinear", (0.5, 1.0, 1.0), **size, maximum_absolute=3.0)
    assert deltas == (0.5, 60.0, 600.0)


EQUATIONS = [
    (Linear, ((0.0, -0.3, 0.02),)),
    (Convection, ((0.0, 0.0, 0.02, 0.001), 0.3)),
    (GradientNorm, ((0.0, 0.0, -0.02, 0.0, -0.001), 0.03)),
    (Polynomial, ((0.1, 0.0, 0.01), (0.0, 0.0, -0.1))),
    (Nonlinear, ((0.0, 0.0, 0.02), (-0.1, -0.3, 0.02))),
]


@pytest.mark.parametrize(
    ("cls", "arguments"), EQUATIONS, ids=[cls.__name__ for cls, _ in EQUATIONS]
)
def test_normalized_equations_make_the_same_step_on_any_domain(cls, arguments):
    unit = Grid(1, 32)
    state = np.sin(2 * np.pi * unit.coordinates)
    expected = ETDRKStepper(cls.normalized(*arguments), unit, 1.0)(state)
    physical = cls.normalized(*arguments, domain_extent=7.0, dt=0.2)
    step = ETDRKStepper(physical, Grid(1, 32, 7.0), 0.2)(state)
    np.testing.assert_allclose(step, expected, atol=2e-6)


@pytest.mark.parametrize("cls", [cls for cls, _ in EQUATIONS])
def test_default_constructors(cls):
    assert cls.normalized() == cls.normalized()
    size = {"num_spatial_dims": 1, "num_points": 48}
    assert hash(cls.difficulty(**size)) == hash(cls.difficulty(**size))
    for equation in (cls(), cls.normalized(), cls.difficulty(**size)):
        assert repr(equation).startswith(cls.__name__)
