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


def test_straight_and_curved_decays_end_with_the_training():
    part = STEPS / 30
    np.testing.assert_allclose(rates("linear;0.1;0.02"), 0.1 - 0.08 * part, rtol=1e-5)
    np.testing.assert_allclose(rates("linear;0.1"), 0.1 - 0.1 * part, atol=1e-8)
    cosine = 0.1 * (0.25 + 0.75 * (1 + np.cos(np.pi * part)) / 2)
    np.testing.assert_allclose(rates("cosine;0.1;0.25"), cosine, rtol=1e-5)
    curve = 0.09 * (1 - part) ** 2 + 0.01
    np.testing.assert_allclose(rates("polynomial;0.1;0.01;2"), curve, rtol=1e-5)


def test_piecewise_rates_are_multiplied_from_their_steps_on():
    made = rates("piecewise;0.1;10,20;0.5,0.1")
    np.testing.assert_allclose(made[[9, 12, 19, 22]], [0.1, 0.05, 0.05, 0.005], rtol=1e-5)


def test_warmups_end_where_the_rest_begins():
    rise = 0.01 + 0.09 * STEPS[:10] / 10
    for config in ("warmup_constant;0.01;0.1;10", "warmup_exp;0.01;0.1;10;5;0.5"):
        np.testing.assert_allclose(rates(config)[:10], rise, rtol=1e-5)
    np.testing.assert_allclose(rates("warmup_constant;0.01;0.1;10")[10:], 0.1, rtol=1e-5)
    decay = 0.1 * 0.5 ** ((STEPS[10:] - 10) / 5)
    np.testing.assert_allclose(rates("warmup_exp;0.01;0.1;10;5;0.5")[10:], decay, rtol=1e-5)


def test_one_cycle_rises_to_its_peak_and_falls_below_its_start():
    made = rates("onecycle;0.1;0.4;10;100")
    assert made[0] == pytest.approx(0.01)
    assert made.argmax() == 12
    assert made[12] == pytest.approx(0.1)
    assert made[30] == pytest.approx(0.1 / 1000, rel=1e-3)


def test_restarts_repeat_a_cycle():
    made, once = rates("sgdr;0;0.1;3;3"), rates("warmup_cosine;0;0.1;3", updates=10)
    for start in (0, 10, 20):
        np.testing.assert_allclose(made[start : start + 10], once[:10], rtol=1e-5)


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
        ("adam;10;cosin;1e-3", "unknown schedule 'cosin'; did you mean 'cosine'"),
        ("adam;10;cosine;1e-3;2", "ALPHA must be at least 0 and at most 1"),
        ("adam;10;warmup_constant;0;1e-3;10", "WARMUP must be below UPDATES"),
        ("adam;10;warmup_exp;0;1e-3;10;5;0.9", "WARMUP must be below UPDATES"),
        ("adam;10;sgdr;0;1e-3;5;2", "WARMUP must be below UPDATES"),
        ("adam;10;onecycle;1e-3;0.05", "RISE must leave at least one of 10 updates"),
        ("adam;10;piecewise;1e-3;5,2;0.1,0.1", "STEPS must be positive and rising"),
        ("adam;10;piecewise;1e-3;2,5;0.1", "STEPS and SCALES must be of one length"),
        ("adam;10;piecewise;1e-3;2;x", "SCALES must be a number, got 'x'"),
        ("adam;10;warmup_cosine;0;1e-3;10", "WARMUP must be below UPDATES"),
        ("adam;10;exp;0.1;0;0.5;true", "TRANSITION_STEPS must be at least 1"),
        ("adam;10;exp;0.1;4;0.5;yes", "STAIRCASE must be true or false"),
        ("sdg;10;constant;1e-3", "unknown optimizer 'sdg'; did you mean 'sgd'"),
    ],
)
def test_wrong_strings_are_refused(config, said):
    with pytest.raises(SpecError) as caught:
        OPTIMIZERS.parse(config)
    assert said in str(caught.value)
