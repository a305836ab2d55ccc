"""Optimizers by string against Optax's own, and what stands around them."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from apexr.errors import SpecError
from apexr.training import NAMED_OPTIMIZERS, OPTIMIZERS, optimizer

STEPS = 2


@pytest.fixture(scope="module")
def weights():
    rng = np.random.default_rng(0)
    # no weight is 1/3: its gradient below is nought but for rounding, which Adam makes a whole step
    return {"a": jnp.asarray(rng.normal(size=(3, 2, 3)), "f4"), "b": jnp.full((2, 1), 0.7)}


def descend(transformation, weights):
    """Return the weights after some updates of a quadratic loss; traceable."""
    state = transformation.init(weights)
    for _ in range(STEPS):
        gradient = jax.tree.map(lambda w: 3 * w - 1, weights)
        changes, state = transformation.update(gradient, state, weights)
        weights = optax.apply_updates(weights, changes)
    return weights


def assert_equal(first, second):
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def pair(config, transformation, weights):
    """Return where a config string and a transformation of Optax lead to."""
    made = OPTIMIZERS.parse(config).build()
    return jax.jit(lambda w: (descend(made, w), descend(transformation, w)))(weights)


def test_named_optimizers_are_those_of_optax(weights):
    made = {
        name: OPTIMIZERS.parse(f"{name};10;exp;1e-2;5;0.9;false").build()
        for name in NAMED_OPTIMIZERS
    }
    rate = optax.exponential_decay(1e-2, 5, 0.9)
    known = {name: getattr(optax, name)(rate) for name in made}

    @jax.jit
    def both(weights):
        return [{n: descend(t[n], weights) for n in t} for t in (made, known)]

    ours, theirs = both(weights)
    assert len(ours) > 20
    for name in ours:
        assert_equal(ours[name], theirs[name])
        assert not np.allclose(ours[name]["a"], weights["a"], atol=1e-7), name


def test_promised_optimizers_are_there():
    promised = "adam adamw sgd lion rmsprop adagrad lamb nadam adabelief radam yogi sm3 muon"
    assert set(promised.split()) <= set(OPTIMIZERS.names())


def _factored():
    return optax.adafactor(0.1, min_dim_size_to_factor=2)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("decay;1e-2;adam;9;constant;0.1", lambda: optax.adamw(0.1, weight_decay=1e-2)),
        ("with;momentum=0.9,nesterov=true;sgd;9;constant;0.1", lambda: optax.sgd(0.1, 0.9, True)),
        ("with;b2=0.9;adam;9;constant;0.1", lambda: optax.adam(0.1, b2=0.9)),
        ("with;min_dim_size_to_factor=2;adafactor;9;constant;0.1", _factored),
        (
            "clip;0.5;sgd;9;constant;0.1",
            lambda: optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(0.1)),
        ),
        (
            "clip_value;0.2;decay;0.3;with;momentum=0.5;sgd;9;constant;0.1",
            lambda: optax.chain(
                optax.clip(0.2),
                optax.trace(0.5),
                optax.add_decayed_weights(0.3),
                optax.scale_by_learning_rate(0.1),
            ),
        ),
        ("sm3;9;constant;0.1", lambda: optax.sm3(0.1)),
    ],
)
def test_modified_optimizers_are_the_chains_that_they_stand_for(config, expected, weights):
    assert_equal(*pair(config, expected(), weights))


def test_clipping_bounds_the_norm_of_all_weights_together(weights):
    clipped = OPTIMIZERS.parse("clip;0.5;sgd;9;constant;1.0").build()
    changes, _ = clipped.update(weights, clipped.init(weights), weights)
    assert float(optax.tree.norm(changes)) == pytest.approx(0.5, rel=1e-5)


def test_updates_and_schedules_are_those_within():
    spec = OPTIMIZERS.parse("clip;1;decay;0.1;with;b1=.5;adam;1_000;cosine;1e-3")
    assert spec.updates == 1000
    assert str(spec.schedule) == "cosine;0.001"
    assert str(spec) == "clip;1.0;decay;0.1;with;b1=0.5;adam;1000;cosine;0.001"
    assert OPTIMIZERS.parse(str(spec)) == spec
    assert hash(OPTIMIZERS.parse(str(spec))) == hash(spec)


def test_a_decorated_function_is_an_optimizer(weights):
    @optimizer("damped")
    def damped(rate, *, damping: float = 0.5, hold: bool = False):
        """Gradient descent with momentum."""
        return optax.sgd(rate, momentum=0.0 if hold else damping)

    try:
        assert OPTIMIZERS.usage("damped") == "damped;UPDATES;SCHEDULE"
        said = "damped;UPDATES;SCHEDULE;… - Gradient descent with momentum."
        assert OPTIMIZERS.describe("damped") == said
        assert damped(0.1)  # still the function
        assert_equal(*pair("damped;9;linear;0.1;0", _linear(0.5), weights))
        assert_equal(*pair("with;damping=0.8;damped;9;linear;0.1;0", _linear(0.8), weights))
        assert_equal(*pair("with;hold=true;damped;9;linear;0.1;0", _linear(0.0), weights))
    finally:
        OPTIMIZERS.registry.unregister("damped")


def _linear(momentum):
    return optax.sgd(optax.linear_schedule(0.1, 0, 9), momentum=momentum)


def test_equal_fields_of_different_optimizers_are_not_the_same_spec():
    assert OPTIMIZERS.parse("adam;9;constant;1") != OPTIMIZERS.parse("sgd;9;constant;1")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("adamm;9;constant;1", "unknown optimizer 'adamm'; did you mean 'adam'"),
        ("clip;0;adam;9;constant;1", "MAX_NORM must be above 0"),
        ("clip;1;adamm;9;constant;1", "did you mean 'adam'"),
        ("clip;1", "OPTIMIZER is missing"),
        ("clip;1;adam;9;constnt;1", "did you mean 'constant'"),
        ("with;momentun=0.9;sgd;9;constant;1", "did you mean 'momentum'"),
        ("with;momentum;sgd;9;constant;1", "must be OPTION=VALUE"),
        ("with;nesterov=1;sgd;9;constant;1", "nesterov must be true or false, got '1'"),
        ("with;momentum=big;sgd;9;constant;1", "momentum must be float, got 'big'"),
        ("with;momentum=inf;sgd;9;constant;1", "momentum must be finite"),
        ("with;decay_offset=0.5;adafactor;9;constant;1", "decay_offset must be int"),
        ("with;b1=0.9;clip;1;adam;9;constant;1", "it has no 'b1' (known: none)"),
        ("with;;adam;9;constant;1", "OPTIONS must not be empty"),
    ],
)
def test_wrong_strings_say_what_would_be_right(config, said):
    with pytest.raises(SpecError) as caught:
        OPTIMIZERS.parse(config)
    assert said in str(caught.value)
    assert config in str(caught.value)


def test_options_that_are_no_numbers_are_not_offered():
    for name in NAMED_OPTIMIZERS:
        defaults = OPTIMIZERS.parse(f"{name};9;constant;1").option_defaults
        offered = set(inspect.signature(getattr(optax, name)).parameters) - {"learning_rate"}
        assert set(defaults) <= offered
        assert not any("mask" in option or "dtype" in option for option in defaults)


# --- muon ----------------------------------------------------------------------------------------


def layers_of(seed):
    """Return weights as networks have them: matrices, kernels, and what is none of them."""
    random = np.random.default_rng(seed)
    shapes = {
        "dense": {"weight": (6, 9), "bias": (6,)},
        "convolution": {"weight": (5, 4, 3, 3), "bias": (5, 1, 1)},
        "first": {"weight": (8, 1, 3)},
        "norm": {"weight": (8,)},
        "spectral": {"weight_real": (2, 4, 4, 3)},
    }
    return jax.tree.map(
        lambda shape: jnp.asarray(random.normal(size=shape), "f4"),
        shapes,
        is_leaf=lambda node: isinstance(node, tuple),
    )


def muon_changes(config, gradient, weights):
    optimizer = OPTIMIZERS.parse(config).build()
    return optimizer.update(gradient, optimizer.init(weights), weights)[0]


def test_muon_steps_along_all_directions_of_a_matrix():
    gradient, weights = layers_of(0), layers_of(1)
    changes = muon_changes("muon;9;constant;1.0", gradient, weights)
    for layer in ("dense", "convolution"):
        change = changes[layer]["weight"].reshape(len(changes[layer]["weight"]), -1)
        matrix = gradient[layer]["weight"].reshape(change.shape)
        left, _, right = np.linalg.svd(np.asarray(matrix, "f8"), full_matrices=False)
        largest = max(change.shape)
        sizes = np.diag(left.T @ (-change / (0.2 * np.sqrt(largest))) @ right.T)
        assert np.all((sizes > 0.6) & (sizes < 1.3)), layer  # the iteration ends about 1
        across = left.T @ change @ right.T - np.diag(np.diag(left.T @ change @ right.T))
        assert np.abs(across).max() < 0.05 * np.abs(change).max()


def test_muon_is_adam_where_there_is_no_matrix():
    gradient, weights = layers_of(0), layers_of(1)
    changes = muon_changes("with;nesterov=false;muon;9;constant;0.1", gradient, weights)
    adam = muon_changes("adam;9;constant;0.1", gradient, weights)
    for layer, name in [
        ("dense", "bias"), ("convolution", "bias"), ("first", "weight"), ("norm", "weight"),
        ("spectral", "weight_real"),
    ]:  # fmt: skip
        np.testing.assert_allclose(changes[layer][name], adam[layer][name], rtol=1e-5)


def test_muon_decays_all_weights():
    weights = layers_of(1)
    nothing = jax.tree.map(jnp.zeros_like, weights)
    changes = muon_changes("with;weight_decay=0.5;muon;9;constant;0.1", nothing, weights)
    jax.tree.map(
        lambda change, weight: np.testing.assert_allclose(change, -0.05 * weight, rtol=1e-5),
        changes,
        weights,
    )
