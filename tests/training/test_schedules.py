"""Learning rates against their formulas, and Adam against the paper's algorithm."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.training import OPTIMIZERS, SCHEDULES

STEPS = np.arange(0, 31)


def rates(config, updates=30):
    schedule = SCHEDULES.parse(config).build(updates)
    return np.array([float(schedule(step)) for step in STEPS])


def test_constant():
    np.testing.assert_allclose(rates("constant;3e-4"), 3e-4)


def test_warmup_cosine_rises_linearly_and_falls_to_zero():
    low, high, warm, total = 1e-5, 1e-2, 10, 30

    def rate(step):
        if step < warm:
            return low + (high - low) * step / warm
        return high * 0.5 * (1 + math.cos(math.pi * (step - warm) / (total - warm)))

    expected = [rate(step) for step in STEPS]
    np.testing.assert_allclose(rates(f"warmup_cosine;{low};{high};{warm}"), expected, atol=1e-8)


def test_warmup_may_be_left_out():
    assert rates("warmup_cosine;0;1e-2;0")[0] == pytest.approx(1e-2)


def test_exponential_decay():
    expected = 0.1 * 0.5 ** (STEPS / 4)
    np.testing.assert_allclose(rates("exp;0.1;4;0.5;false"), expected, rtol=1e-5)


def test_staircase():
    expected = 0.1 * 0.5 ** (STEPS // 4)
    np.testing.assert_allclose(rates("exp;0.1;4;0.5;true"), expected, rtol=1e-5)


def test_adam_is_the_algorithm_of_the_paper():
    optimizer = OPTIMIZERS.parse("adam;5;constant;0.1").build()
    weight, state = jnp.asarray(1.0), None
    state = optimizer.init(weight)
    expected, m, v = 1.0, 0.0, 0.0
    for step in range(1, 6):
        gradient = 3.0 * expected
        change, state = optimizer.update(3.0 * weight, state, weight)
        weight = weight + change
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        expected -= 0.1 * (m / (1 - 0.9**step)) / (math.sqrt(v / (1 - 0.999**step)) + 1e-8)
    assert float(weight) == pytest.approx(expected, rel=1e-5)


def test_updates_are_read_from_the_string():
    assert OPTIMIZERS.parse("adam;10_000;warmup_cosine;0.0;1e-3;2_000").updates == 10_000


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("adam;0;constant;1e-3", "UPDATES must be at least 1"),
        ("adam;-5;constant;1e-3", "UPDATES must be at least 1"),
        ("adam;1e4;constant;1e-3", "UPDATES must be int, got '1e4'"),
        ("adam;10;constant", "RATE is missing"),
        ("adam;10;constant;nan", "RATE must be"),
        ("adam;10;constant;-1e-3", "RATE must be at least 0"),
        ("adam;10;constant;1e-3;junk", "nothing is expected after the last field"),
        ("adam;10;cosine;1e-3", "unknown schedule 'cosine'; did you mean 'warmup_cosine'"),
        ("adam;10;warmup_cosine;0;1e-3;10", "WARMUP must be below UPDATES"),
        ("adam;10;exp;0.1;0;0.5;true", "TRANSITION_STEPS must be at least 1"),
        ("adam;10;exp;0.1;4;0.5;yes", "STAIRCASE must be true or false"),
        ("sgd;10;constant;1e-3", "unknown optimizer 'sgd'"),
    ],
)
def test_wrong_strings_are_refused(config, said):
    with pytest.raises(SpecError) as caught:
        OPTIMIZERS.parse(config)
    assert said in str(caught.value)
