"""Gradients with respect to states and coefficients, against central finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.spectral import Grid
from apexr.steppers import (
    AdvectionDiffusion,
    AllenCahn,
    Burgers,
    CahnHilliard,
    ETDRKStepper,
    ForcedStepper,
    KortewegDeVries,
    KuramotoSivashinsky,
    repeat,
    rollout,
    simulate,
)

STEPS, WIDTH = 5, 1e-5


def anisotropic(c):
    matrix = jnp.array([[c[2], c[3]], [c[3], c[4]]])
    return AdvectionDiffusion(c[:2], matrix)


# an equation of coefficients, the coefficients, dimensions, order
CASES = {
    "advection-diffusion": (anisotropic, (0.3, -0.7, 0.2, 0.05, 0.1), 2, 1),
    "burgers": (lambda c: Burgers(c[0], c[1]), (0.2, 0.8), 2, 2),
    "korteweg-de-vries": (
        lambda c: KortewegDeVries(c[0], c[1], c[2], c[3], conservative=True),
        (-1.5, 0.1, 0.3, 0.02),
        1,
        4,
    ),
    "kuramoto-sivashinsky": (lambda c: KuramotoSivashinsky(*c), (0.7, 0.5, 0.3), 1, 3),
    "allen-cahn": (lambda c: AllenCahn(c[0], c[1], c[2]), (0.1, 0.9, -0.8), 2, 4),
    "cahn-hilliard": (lambda c: CahnHilliard(*c), (0.1, 0.2, -1.0, 0.7), 1, 2),
}


def start(grid, num_channels):
    angles = 2 * np.pi / grid.domain_extent * grid.coordinates
    shift = np.arange(num_channels).reshape(-1, *(1,) * grid.num_spatial_dims)
    return jnp.asarray(sum(np.sin(a + shift) + 0.3 * np.cos(2 * a + shift) for a in angles))


def check(loss, *arguments):
    """Compare the slopes along random directions with central differences."""
    rng = np.random.default_rng(0)
    for place, argument in enumerate(arguments):
        direction = jnp.asarray(rng.normal(size=np.shape(argument)))
        ends = []
        for side in (WIDTH, -WIDTH):
            moved = [*arguments]
            moved[place] = argument + side * direction
            ends.append(loss(*moved))
        slope = jnp.sum(jax.grad(loss, place)(*arguments) * direction)
        np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * WIDTH), rtol=2e-7)


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_equations(name):
    build, coefficients, dims, order = CASES[name]
    with jax.enable_x64(True):
        grid = Grid(dims, 12, 2 * np.pi)

        @jax.jit
        def loss(coefficients, state):
            stepper = ETDRKStepper(build(coefficients), grid, 0.05, order)
            return jnp.sum(repeat(stepper, STEPS)(state) ** 3 + state**2)

        channels = build(jnp.asarray(coefficients)).num_channels(grid)
        check(loss, jnp.asarray(coefficients), start(grid, channels))


def test_gradients_of_a_forced_rollout():
    with jax.enable_x64(True):
        grid = Grid(1, 12, 2 * np.pi)
        forces = jnp.asarray(np.random.default_rng(1).normal(size=(STEPS, 1, 12)))

        @jax.jit
        def loss(viscosity, state, forces):
            forced = ForcedStepper(ETDRKStepper(Burgers(viscosity), grid, 0.05))
            run = rollout(forced, STEPS, takes_aux=True, constant_aux=False)
            return jnp.sum(run(state, forces) ** 3)

        check(loss, jnp.asarray(0.2), start(grid, 1), forces)


def test_gradients_through_a_batch_of_time_steps():
    with jax.enable_x64(True):
        grid = Grid(1, 12, 2 * np.pi)
        states = jnp.stack([start(grid, 1), 2 * start(grid, 1)])

        @jax.jit
        def loss(dt, states):
            stepper = ETDRKStepper(KortewegDeVries(), grid, dt, 3)
            return jnp.sum(simulate(stepper, states, STEPS) ** 3)

        check(loss, jnp.asarray(0.01), states)


def test_coefficients_can_be_mapped_over():
    grid = Grid(2, 8)
    state = np.random.default_rng(0).normal(size=(1, 8, 8)).astype("float32")
    velocities = jnp.array([[0.1, 0.2], [0.3, -0.4]])

    def step(velocity):
        return ETDRKStepper(AdvectionDiffusion(velocity, 0.01), grid, 0.1)(state)

    together = jax.jit(jax.vmap(step))(velocities)
    for one, velocity in zip(together, np.asarray(velocities), strict=True):
        np.testing.assert_allclose(one, step(velocity), atol=1e-6)
