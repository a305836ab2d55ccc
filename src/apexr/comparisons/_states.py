"""Where the rollouts of a comparison begin, and how long they are."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from apexr._simulate import read_solver, read_states
from apexr.scenarios import BaseScenario
from apexr.steppers import repeat
from apexr.steppers._arrays import check_count


def read_steps(scenario: BaseScenario, given: Any) -> int:
    """Return how many steps are asked for; by default the test horizon.

    Raises
    ------
    SpecError
        If the number is not whole or below 1.
    """
    if given is None:
        return scenario.test_temporal_horizon
    check_count("num_steps", given, minimum=1)
    return int(given)


def initial_states(scenario: BaseScenario, given: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of the test samples and the states, warmed up where they are drawn."""
    if given is None:
        values = np.asarray(scenario.get_test_ic_set())
        return np.arange(len(values)), values
    solver = read_solver(scenario, grid=None, dt=None, channel_names=None, keywords={})
    start = read_states(solver, given, num_samples=None, seed=None)
    values = start.states
    if start.drawn and scenario.num_warmup_steps:
        warm = repeat(scenario.get_ref_stepper(), scenario.num_warmup_steps)
        values = np.asarray(jax.vmap(warm)(jnp.asarray(values)))
    return (np.arange(len(values)) if start.samples is None else start.samples), values
