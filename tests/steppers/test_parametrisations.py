"""Physical, normalized and difficulty coefficients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apexr import steppers
from apexr.spectral import Grid
from apexr.steppers import Convection, ETDRKStepper, GradientNorm, Linear, Nonlinear, Polynomial

numbers = st.one_of(st.just(0.0), st.floats(1e-6, 1e3), st.floats(-1e3, -1e-6))
lists = st.lists(numbers, min_size=1, max_size=6)
triples = st.tuples(numbers, numbers, numbers)
scales = st.fixed_dictionaries({"domain_extent": st.floats(0.01, 100), "dt": st.floats(1e-5, 10)})
sizes = st.fixed_dictionaries(
    {"num_spatial_dims": st.integers(1, 3), "num_points": st.integers(2, 300)}
)
bounded = st.tuples(sizes, st.floats(0.1, 10)).map(
    lambda pair: {**pair[0], "maximum_absolute": pair[1]}
)
PAIRS = [
    ("normalize_linear", "denormalize_linear", lists, scales),
    ("normalize_convection", "denormalize_convection", numbers, scales),
    ("normalize_gradient_norm", "denormalize_gradient_norm", numbers, scales),
    ("normalize_nonlinear", "denormalize_nonlinear", triples, scales),
    ("linear_difficulty", "linear_from_difficulty", lists, sizes),
    ("convection_difficulty", "convection_from_difficulty", numbers, bounded),
    ("gradient_norm_difficulty", "gradient_norm_from_difficulty", numbers, bounded),
    ("nonlinear_difficulty", "nonlinear_from_difficulty", triples, bounded),
    (
        "normalize_polynomial",
        "denormalize_polynomial",
        lists,
        st.fixed_dictionaries({"dt": st.floats(1e-5, 10)}),
    ),
]


@pytest.mark.parametrize(("there", "back", "values", "settings_"), PAIRS, ids=lambda p: str(p)[:30])
def test_there_and_back(there, back, values, settings_):
    @settings(max_examples=30, deadline=None)
    @given(values, settings_)
    def check(value, scale):
        for first, second in ((there, back), (back, there)):
            middle = getattr(steppers, first)(value, **scale)
            again = getattr(steppers, second)(middle, **scale)
            np.testing.assert_allclose(again, value, rtol=1e-12)

    check()


def test_difficulty_of_the_default_advection():
    size = {"num_spatial_dims": 1, "num_points": 160}
    assert steppers.linear_from_difficulty((0.0, -4.0), **size) == (0.0, -0.025)
    physical = steppers.denormalize_linear((0.0, -0.025), domain_extent=1.0, dt=0.1)
    assert physical == (0.0, -0.25)


def test_known_difficulties():
    size = {"num_spatial_dims": 2, "num_points": 10}
    gammas = steppers.linear_difficulty((0.5, 1.0, 1.0, 1.0), **size)
    assert gammas == (0.5, 20.0, 400.0, 8000.0)
    deltas = steppers.nonlinear_difficulty((0.5, 1.0, 1.0), **size, maximum_absolute=3.0)
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
