"""Forced steps, rollouts of any function with auxiliary inputs, windows of trajectories."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import ShapeError, SpecError
from apexr.spectral import Grid, fft, ifft
from apexr.steppers import (
    Burgers,
    Diffusion,
    ETDRKStepper,
    ForcedStepper,
    Poisson,
    RepeatedStepper,
    repeat,
    rollout,
    stack_sub_trajectories,
)

GRID = Grid(2, 8)
STATE = np.random.default_rng(0).normal(size=(2, 8, 8)).astype("float32")
FORCES = np.random.default_rng(1).normal(size=(4, 2, 8, 8)).astype("float32")


@pytest.fixture(params=["plain", "repeated"])
def stepper(request):
    inner = ETDRKStepper(Burgers(0.01), GRID, 0.01)
    return inner if request.param == "plain" else RepeatedStepper(inner, 2)


def test_a_force_acts_inside_the_step(stepper):
    forced = ForcedStepper(stepper)
    inner = getattr(stepper, "stepper", stepper)
    expected, f_hat = fft(STATE, 2), fft(FORCES[0], 2)
    for _ in range(getattr(stepper, "num_substeps", 1)):
        expected = inner.kernel.forced(expected, lambda _: f_hat)
    expected = ifft(expected, GRID)
    np.testing.assert_allclose(forced(STATE, FORCES[0]), expected, atol=1e-6)
    stepped = forced.step_fourier(fft(STATE, 2), fft(FORCES[0], 2))
    np.testing.assert_allclose(ifft(stepped, GRID), expected, atol=1e-5)
    assert (forced.dt, forced.grid, forced.num_channels) == (stepper.dt, GRID, 2)
    together = jax.vmap(forced, (None, 0))(STATE, FORCES)
    np.testing.assert_allclose(together[0], expected, atol=1e-6)
    as_function = forced(STATE, lambda _: FORCES[0], 3.0)
    np.testing.assert_allclose(as_function, expected, atol=1e-6)


def test_forces_of_their_own_shape_are_refused(stepper):
    for state, force in ((STATE, FORCES[0, :1]), (STATE[:1], FORCES[0])):
        with pytest.raises(ShapeError, match=r"\(1, 8, 8\)"):
            ForcedStepper(stepper)(state, force)


@pytest.mark.parametrize("constant", [True, False])
def test_rollouts_with_a_force(stepper, constant):
    forced, state, frames = ForcedStepper(stepper), STATE, []
    for force in FORCES:
        state = forced(state, FORCES[0] if constant else force)
        frames.append(state)
    aux = FORCES[0] if constant else FORCES
    settings = {"takes_aux": True, "constant_aux": constant}
    np.testing.assert_allclose(
        rollout(forced, 4, **settings)(STATE, aux), np.stack(frames), atol=1e-5
    )
    whole = rollout(forced, 4, include_init=True, **settings)(STATE, aux)
    np.testing.assert_array_equal(whole[0], STATE)
    np.testing.assert_allclose(whole[1:], np.stack(frames), atol=1e-5)
    np.testing.assert_allclose(repeat(forced, 4, **settings)(STATE, aux), frames[-1], atol=1e-5)


def swing(state, push):
    """Return the next position and speed of a pendulum with a pytree for a state."""
    speed = state["speed"] - 0.1 * jnp.sin(state["place"]) + push["by"]
    return {"place": state["place"] + 0.1 * speed, "speed": speed}


def test_pytrees_of_states_and_inputs():
    start = {"place": np.float32(1.0), "speed": np.zeros((), "float32")}
    pushes = {"by": np.linspace(0, 1, 5, dtype="float32")}
    frames = rollout(swing, 5, takes_aux=True, constant_aux=False, include_init=True)(start, pushes)
    state = start
    for step, push in enumerate(pushes["by"], 1):
        state = swing(state, {"by": push})
        np.testing.assert_allclose(frames["place"][step], state["place"], rtol=1e-6)
    last = repeat(swing, 5, takes_aux=True, constant_aux=False)(start, pushes)
    np.testing.assert_allclose(last["speed"], state["speed"], rtol=1e-6)


def test_networks_are_rolled_out_and_differentiated():
    layer = eqx.nn.Linear(3, 3, key=jax.random.key(0))
    frames = rollout(layer, 4)(jnp.ones(3))
    np.testing.assert_allclose(frames[1], layer(layer(jnp.ones(3))), rtol=1e-6)
    batch = jax.vmap(repeat(layer, 4))(jnp.ones((2, 3)))
    np.testing.assert_allclose(batch[0], frames[-1], rtol=1e-6)
    grown = eqx.filter_grad(lambda net: jnp.sum(repeat(net, 4)(jnp.ones(3))))(layer)
    assert np.abs(grown.weight).max() > 0


def test_one_step_of_poisson_maps_forces_to_states():
    grid = Grid(1, 16)
    f = np.sin(2 * np.pi * grid.coordinates).astype("float32")
    frames = rollout(Poisson(grid), 1, include_init=True)(f)
    np.testing.assert_array_equal(frames[0], f)
    np.testing.assert_allclose(frames[1], f / (2 * np.pi) ** 2, atol=1e-8)


def test_no_steps():
    forced = ForcedStepper(ETDRKStepper(Diffusion(), GRID, 0.1))
    state = STATE[:1]
    kept = repeat(forced, 0, takes_aux=True)(state, state)
    np.testing.assert_array_equal(kept, state)
    assert rollout(forced, 0, takes_aux=True)(state, state).shape == (0, 1, 8, 8)
    none = rollout(forced, 0, takes_aux=True, constant_aux=False)(state, FORCES[:0, :1])
    assert none.shape == (0, 1, 8, 8)


def test_inputs_that_do_not_fit():
    forced = ForcedStepper(ETDRKStepper(Burgers(), GRID, 0.1))
    run = rollout(forced, 3, takes_aux=True, constant_aux=False)
    with pytest.raises(ShapeError, match=r"one entry a step, \(3, …\), got \(4, 2, 8, 8\)"):
        run(STATE, FORCES)
    with pytest.raises(ShapeError, match="one entry a step"):
        run(STATE, 1.0)
    with pytest.raises(ShapeError, match="like of the state"):
        rollout(lambda u: u[:1], 3)(STATE)
    with pytest.raises(ShapeError, match="like of the state"):
        repeat(lambda u: {"u": u}, 3)(STATE)
    with pytest.raises(ShapeError, match=r"int32\[3\]"):
        repeat(lambda u: u * 0.5, 3)(np.arange(3, dtype="int32"))
    for make in (rollout, repeat):
        with pytest.raises(SpecError, match="ForcedStepper"):
            make(forced.stepper, 3, takes_aux=True)
        with pytest.raises(SpecError, match="num_steps"):
            make(forced, -1)


@pytest.mark.parametrize("length", [1, 3, 5])
def test_windows(length):
    trajectory = np.arange(10.0).reshape(5, 2)
    windows = stack_sub_trajectories({"a": trajectory, "b": (trajectory[:, 0],)}, length)
    assert windows["a"].shape == (6 - length, length, 2)
    for start in range(6 - length):
        np.testing.assert_array_equal(windows["a"][start], trajectory[start : start + length])
    np.testing.assert_array_equal(windows["b"][0], windows["a"][..., 0])


@pytest.mark.parametrize(
    ("trajectory", "length", "error", "named"),
    [
        (np.zeros((3, 2)), 4, ShapeError, "windows of 4 frames .* got 3"),
        ((np.zeros(3), np.zeros(4)), 2, ShapeError, "equally many frames"),
        (np.zeros(()), 1, ShapeError, "got 0"),
        ({}, 1, ShapeError, "equally many"),
        (np.zeros(3), 0, SpecError, "length"),
        (np.zeros(3), 1.5, SpecError, "length"),
    ],
)
def test_windows_that_cannot_be(trajectory, length, error, named):
    with pytest.raises(error, match=named):
        stack_sub_trajectories(trajectory, length)
