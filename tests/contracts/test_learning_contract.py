"""What every registered task, objective and optimizer keeps to, whatever it is."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from _tiny import filled
from apexr.engine import MODES, TASKS, EmulatorPlan
from apexr.networks import NETWORKS
from apexr.objectives import LOSSES, OBJECTIVES, Setting
from apexr.spectral import Grid
from apexr.steppers import Convection, ETDRKStepper, as_solver, simulate
from apexr.training import OPTIMIZERS, as_batched

GRID = Grid(1, 8)
OBJECTIVE_EXAMPLES = {
    "one": "one",
    "sup": "sup;3;true",
    "div": "div;3;true",
    "chain": "chain;3;2",
    "mix": "mix;1;2",
    "residuum": "residuum;2",
    "loss": "loss;nMSE;chain;3;3",
    "weights": "weights;1,0.5;mix;1;1",
    "cut": "cut;2;div;3",
    "composite": "composite;1,0.1;one|div;2",
    "noise": "noise;0.1;sup;2",
    "push": "push;3",
    "curriculum": "curriculum;1@0,3@5;div;2",
}
OPTIMIZER_EXAMPLES = {
    "clip": "clip;1.0;sgd",
    "clip_value": "clip_value;1.0;sgd",
    "decay": "decay;1e-3;sgd",
    "with": "with;momentum=0.5;sgd",
    "ema": "ema;0.5;sgd",
}
TASK_EXAMPLES = ["predict", "refine", *(f"correct;{mode}" for mode in MODES.names())]


def stepper():
    equation = Convection((0.0, 0.0, 0.01), convection_scale=0.5, conservative=True)
    return ETDRKStepper(equation, GRID, 0.05)


@pytest.fixture(scope="module")
def windows():
    states = np.random.default_rng(0).normal(size=(3, 1, 8)).astype("f4")
    return jnp.moveaxis(simulate(stepper(), states, 4), (0, 1), (1, 2))


def test_every_kind_is_tried():
    assert set(OBJECTIVE_EXAMPLES) == set(OBJECTIVES.names()), "add an example of the new one"
    tasks = {config.split(";")[0] for config in TASK_EXAMPLES}
    assert tasks == set(TASKS.names()), "add an example of the new one"


@pytest.mark.parametrize("config", OBJECTIVE_EXAMPLES.values(), ids=OBJECTIVE_EXAMPLES)
def test_objectives_give_differentiable_losses(config, windows):
    spec = OBJECTIVES.parse(config)
    assert OBJECTIVES.parse(str(spec)) == spec
    assert 1 <= spec.stored_frames <= spec.window_length
    solver = as_solver(stepper())
    net = filled(lambda key: NETWORKS.parse("Conv;2;1;tanh").build(GRID, 1, key))
    params, static = eqx.partition(net, eqx.is_inexact_array)
    window = windows[:, :, : spec.stored_frames]

    @jax.jit
    def outcome(params, window):
        setting = Setting(reference=solver.batched)

        def losses(params):
            emulate = eqx.combine(params, static).batched
            return spec.sample_losses(emulate, window, setting)

        exact = spec.sample_losses(solver.batched, window, setting)
        return losses(params), jax.grad(lambda p: losses(p).mean())(params), exact

    losses, gradient, exact = jax.tree.map(np.asarray, outcome(params, window))
    assert losses.shape == exact.shape == (3,)
    assert (losses > 0).all()
    assert np.ptp(losses) > 0  # the samples are kept apart
    assert all(np.isfinite(g).all() and g.any() for g in jax.tree.leaves(gradient))
    np.testing.assert_allclose(exact, 0, atol=1e-9)  # the solver itself makes no error


@pytest.mark.parametrize("name", LOSSES.names())
def test_losses_vanish_at_the_target_and_keep_the_samples_apart(name, windows):
    loss = LOSSES.get(name).function
    first, second = windows[:, :, 0], windows[:, :, 1]
    apart, same, doubled = jax.jit(
        lambda a, b: (loss(a, b), loss(b, b), loss(2 * a, 2 * b) / loss(a, b))
    )(first, second)
    assert apart.shape == (3,)
    assert (np.asarray(apart) > 0).all()
    np.testing.assert_array_equal(same, 0)
    power = {"MSE": 4, "MAE": 2, "nMSE": 1, "nMAE": 1}
    if name in power:
        np.testing.assert_allclose(doubled, power[name], rtol=1e-5)


@pytest.mark.parametrize("config", TASK_EXAMPLES)
def test_tasks_map_states_to_states(config, windows):
    network = NETWORKS.parse("Conv;2;1;tanh")
    plan = EmulatorPlan(network, TASKS.parse(config), GRID, 1, stepper)
    plan.check()
    emulator, states = plan.build(jax.random.PRNGKey(0)), windows[:, :, 0]

    @eqx.filter_jit
    def outputs(emulator, states):
        return jax.vmap(emulator, in_axes=1, out_axes=1)(states), as_batched(emulator)(states)

    single, batched = outputs(emulator, states)
    assert single.shape == states.shape
    np.testing.assert_allclose(single, batched, atol=1e-5)
    assert len(plan.receptive_field()) == 1


def test_optimizers_go_downhill():
    """All in one program: a small step along each reduces a quadratic loss."""
    names = OPTIMIZERS.names()
    specs = [OPTIMIZERS.parse(f"{OPTIMIZER_EXAMPLES.get(n, n)};9;constant;1e-3") for n in names]
    weights = {"a": jnp.asarray([[1.0, -2.0], [0.5, 3.0]]), "b": jnp.asarray([[-1.0], [0.3]])}

    @jax.jit
    def losses(weights):
        def loss(w):
            return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(w))

        def after(spec):
            transformation, w = spec.build(), weights
            state = transformation.init(w)
            for _ in range(2):
                changes, state = transformation.update(jax.grad(loss)(w), state, w)
                w = optax.apply_updates(w, changes)
            return loss(w)

        return loss(weights), [after(spec) for spec in specs]

    before, values = losses(weights)
    for name, value in zip(names, values, strict=True):
        assert value < before, name
