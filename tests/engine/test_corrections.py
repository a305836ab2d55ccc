"""Emulators that correct a coarse solver: their formulas, what is trained and what is not."""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from _tiny import SIZES
from apexr._parts import split
from apexr.engine import (
    MODES,
    TASKS,
    EmulatorPlan,
    count_parameters,
    draw_emulators,
    evaluate,
    named_weights,
    select_seed,
    skeleton,
    with_weights,
)
from apexr.errors import SpecError
from apexr.metrics import parse_metrics
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.scenarios import difficulty
from apexr.spectral import Grid
from apexr.steppers import Convection, ETDRKStepper, RepeatedStepper, as_solver
from apexr.training import OPTIMIZERS, TrainingPlan, as_batched, train
from apexr.training._chunk import compiled_chunk

GRID = Grid(1, 16)
FORMULAS = {
    "parallel": lambda s, h, u: s(u) + h(u),
    "sequential": lambda s, h, u: h(s(u)),
    "sequential_with_bypass": lambda s, h, u: s(u) + h(s(u)),
}


def burgers(scale=1.0, grid=GRID):
    equation = Convection((0.0, 0.0, 0.01), convection_scale=scale, conservative=True)
    return ETDRKStepper(equation, grid, 0.05)


def plan(mode, stepper=burgers):
    network = NETWORKS.parse("Conv;2;1;tanh")
    return EmulatorPlan(network, TASKS.parse(f"correct;{mode}"), GRID, 1, stepper)


@pytest.fixture(scope="module")
def waves():
    states = np.random.default_rng(0).normal(size=(3, 5, 1, 16))
    return jnp.asarray(states, jnp.float32)


@pytest.mark.parametrize("mode", FORMULAS)
def test_formulas(mode, waves):
    solver = burgers()
    emulator = plan(mode).build(jax.random.PRNGKey(0))
    wanted = FORMULAS[mode](solver, emulator.network, waves[0, 0])
    np.testing.assert_allclose(emulator(waves[0, 0]), wanted, atol=1e-6)
    batch = as_batched(emulator)(jnp.moveaxis(waves[:, 0], 0, 1))
    np.testing.assert_allclose(batch[:, 0], wanted, atol=1e-6)


def test_all_modes_are_tried():
    assert set(MODES.names()) == set(FORMULAS)


@pytest.mark.parametrize("config", ["correct", "correct;foo", "correct;parallel;1", "Correct;x"])
def test_wrong_strings_are_refused(config):
    with pytest.raises(SpecError):
        TASKS.parse(config)


def test_a_near_miss_is_corrected():
    with pytest.raises(SpecError, match="did you mean 'sequential'"):
        TASKS.parse("correct;sequental")


def test_the_network_is_the_one_that_a_prediction_would_have():
    key = jax.random.PRNGKey(3)
    alone = dataclasses.replace(plan("parallel"), task=TASKS.parse("predict")).build(key)
    corrected = plan("parallel").build(key).network
    for a, b in zip(*(named_weights(net).values() for net in (alone, corrected)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_solvers_are_no_weights():
    recipe = plan("sequential")
    emulators, _ = draw_emulators([0, 1, 2], recipe)
    weights = named_weights(emulators)
    assert all(name.startswith("network.") for name in weights)
    assert all(values.shape[0] == 3 for values in weights.values())
    per_seed = sum(values[0].size for values in weights.values())
    assert count_parameters(recipe) == per_seed
    kernel = burgers().kernel
    for held, wanted in zip(*map(jax.tree.leaves, (emulators.solver, kernel)), strict=True):
        np.testing.assert_array_equal(held, wanted)  # once, not for every seed
    again = with_weights(skeleton(recipe), weights)
    for name, values in named_weights(again).items():
        np.testing.assert_array_equal(values, weights[name])
    one = select_seed(emulators, 1)
    assert one(jnp.zeros((1, 16))).shape == (1, 16)


@pytest.fixture(scope="module")
def trained(waves):
    emulators, keys = draw_emulators([0, 1], plan("sequential"))
    training = TrainingPlan(
        OBJECTIVES.parse("sup;2"), OPTIMIZERS.parse("adamw;6;constant;1e-2"), 4, 3
    )
    return emulators, train(emulators, waves, keys, training)


def test_training_changes_the_network_alone(trained):
    before, done = trained
    for a, b in zip(*map(jax.tree.leaves, (before.solver, done.emulators.solver)), strict=True):
        np.testing.assert_array_equal(a, b)
    for name, values in named_weights(done.emulators).items():
        assert not np.array_equal(values, named_weights(before)[name]), name


def test_training_equals_a_plain_loop(waves, trained):
    before, done = trained
    net, (_, key) = select_seed(before, 1), jax.random.split(jax.random.PRNGKey(1))
    optimizer = OPTIMIZERS.parse("adamw;6;constant;1e-2").build()
    solver, windows = net.solver, waves.shape[0] * 3
    state = optimizer.init(eqx.filter(net.network, eqx.is_array))

    @eqx.filter_jit
    def update(network, state, starts):
        def loss(network):
            u, total = starts[:, 0], 0.0
            for target in (starts[:, 1], starts[:, 2]):
                u = jax.vmap(lambda one: network(solver(one)))(u)
                total += ((u - target) ** 2).mean()
            return total

        value, gradient = eqx.filter_value_and_grad(loss)(network)
        changes, state = optimizer.update(gradient, state, network)
        return eqx.apply_updates(network, changes), state, value

    network, losses = net.network, []
    while len(losses) < 6:
        order = np.asarray(jax.random.permutation(key, windows))
        key = jax.random.split(key)[0]
        for place in range(0, windows, 4):
            picked = [waves[i // 3, i % 3 : i % 3 + 3] for i in order[place : place + 4]]
            network, state, value = update(network, state, jnp.stack(picked))
            losses.append(float(value))
    np.testing.assert_allclose(done.losses[1], [losses[0], losses[3]], rtol=1e-4)
    for a, b in zip(
        named_weights(select_seed(done.emulators, 1).network).values(),
        named_weights(network).values(),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_gradients_flow_through_the_solver(waves):
    """Against finite differences in the state that the solver is given."""
    with jax.enable_x64(True):
        solver = as_solver(burgers())
        u = np.asarray(waves[0, 0], "f8")
        slope = jax.jit(jax.grad(lambda u: (solver(u) ** 2).sum()))(u)
        direction = np.random.default_rng(1).normal(size=u.shape)
        loss = jax.jit(lambda u: (solver(u) ** 2).sum())
        eps = 1e-6
        ahead, behind = loss(u + eps * direction), loss(u - eps * direction)
        assert float((slope * direction).sum()) == pytest.approx(
            float(ahead - behind) / (2 * eps), rel=1e-6
        )


def test_none_flows_into_the_arrays_of_the_solver(waves):
    emulator = plan("parallel").build(jax.random.PRNGKey(0))
    gradient = eqx.filter_grad(lambda e: (e(waves[0, 0]) ** 2).sum())(emulator)
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(gradient.solver))
    assert all(np.any(leaf) for leaf in jax.tree.leaves(gradient.network))


def test_solvers_of_equal_shapes_share_the_compiled_training(waves):
    training = TrainingPlan(
        OBJECTIVES.parse("div;2"), OPTIMIZERS.parse("adam;3;constant;1e-3"), 4, 3, burgers
    )
    sizes = []
    for scale in (0.5, 2.0):
        recipe = plan("sequential", lambda scale=scale: burgers(scale))
        other = dataclasses.replace(training, reference_stepper=lambda scale=scale: burgers(scale))
        emulators, keys = draw_emulators([0], recipe)
        before = compiled_chunk.cache_info().misses
        train(emulators, waves, keys, other)
        sizes.append(compiled_chunk.cache_info().misses - before)
    assert sizes == [1, 0]


def test_evaluation_rolls_corrected_emulators_out(trained, waves):
    done = evaluate(trained[1].emulators, waves, parse_metrics("mean_MAE"), num_kept=2)
    emulator, state = select_seed(trained[1].emulators, 1), waves[1, 0]
    for time in range(4):
        state = emulator(state)
        np.testing.assert_allclose(done.rollouts[1, 1, time], state, atol=1e-5)


@pytest.mark.parametrize("mode", FORMULAS)
def test_a_spectral_solver_sees_everything(mode):
    scenario = difficulty.Advection(**SIZES)
    field = scenario.get_receptive_field(
        network_config="Conv;2;1;tanh", task_config=f"correct;{mode}"
    )
    assert field == ((math.inf, math.inf),)


@dataclasses.dataclass(frozen=True)
class Shift:
    """A coarse solver of somebody else's: looks at the two points on the left."""

    points: int = 2

    def __call__(self, state):
        return jnp.roll(state, self.points, axis=-1)

    def receptive_field(self, grid):
        return ((float(self.points), 0.0),) * grid.num_spatial_dims


def test_fields_of_foreign_solvers_add_up(waves):
    fields = {mode: plan(mode, Shift).receptive_field() for mode in FORMULAS}
    assert fields == {
        "parallel": ((2.0, 2.0),),
        "sequential": ((4.0, 2.0),),
        "sequential_with_bypass": ((4.0, 2.0),),
    }


def test_any_function_can_be_corrected(waves):
    emulators, keys = draw_emulators([0, 1], plan("sequential_with_bypass", Shift))
    training = TrainingPlan(
        OBJECTIVES.parse("div;2"), OPTIMIZERS.parse("adam;6;constant;1e-2"), 4, 3, Shift
    )
    done = train(emulators, waves, keys, training)
    assert np.isfinite(done.losses).all()
    assert done.emulators.solver == emulators.solver


def test_a_function_with_arrays_keeps_them(waves):
    class Mask(eqx.Module):
        keep: np.ndarray

        def __call__(self, state):
            return self.keep * state

    keep = np.arange(16.0, dtype="f4") % 2
    solver = as_solver(Mask(keep))
    np.testing.assert_allclose(solver(waves[0, 0]), keep * waves[0, 0])
    own, shared, structure = split(solver)
    assert not jax.tree.leaves(own)
    assert len(jax.tree.leaves(shared)) == 1
    assert hash(structure)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_solvers_step_batches_as_they_step_states(dims):
    grid = Grid(dims, 6)
    equation = Convection((0.0, 0.0, 0.01), convection_scale=1.0, conservative=True)
    stepper = RepeatedStepper(ETDRKStepper(equation, grid, 0.05), 2)
    shape = (dims, 4, *grid.shape)
    states = jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)
    made = eqx.filter_jit(as_solver(stepper).batched)(states)
    for sample in range(4):
        np.testing.assert_allclose(made[:, sample], stepper(states[:, sample]), atol=1e-5)
