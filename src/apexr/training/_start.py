"""The start of a training: what is compiled in, the first state, and what stays as it is."""

import functools
from typing import Any

import jax
import numpy as np

from apexr._parts import has_shape, shapes_of, split, trained
from apexr._typing import Step
from apexr.errors import SpecError
from apexr.kernels import form, jit_once
from apexr.training._base import Optimizer
from apexr.training._chunk import Constants, Static, TrainState
from apexr.training._mesh import seed_mesh
from apexr.training._plan import TrainingPlan
from apexr.training._records import NEVER


def start(
    emulators: Step, num_frames: int, num_seeds: int, plan: TrainingPlan
) -> tuple[Static, TrainState, Constants]:
    """Return what is compiled in, the state before the first update and what stays as it is."""
    static, params, held, shared = taken_apart(emulators, num_frames, num_seeds, plan)
    size = sum(leaf.size for leaf in jax.tree.leaves(params))
    optimizer = _optimizer_state(size)(params, plan.optimizer)
    never: Any = np.full(num_seeds, NEVER, dtype=np.int32)
    state = TrainState(params, optimizer, never)
    # By way of the host: device to devices, each array would be cut by a program of its own.
    # The chunks use the memory of the state again, so it shares none with the emulators.
    host = jax.tree.map(np.asarray, (state, held))
    state, held = jax.device_put(host, static.over_seeds, may_alias=False)
    shared, reference = jax.device_put((shared, plan.reference()), static.everywhere)
    return static, state, Constants(held, shared, reference)


def outline(
    emulators: Step, num_frames: int, num_seeds: int, plan: TrainingPlan
) -> tuple[Static, TrainState, Constants]:
    """Return what :func:`start` gives, with shapes in place of the arrays of the seeds.

    The emulators may hold shapes, too.
    """
    static, params, held, shared = taken_apart(emulators, num_frames, num_seeds, plan)
    optimizer = jax.eval_shape(functools.partial(_begin_all, optimizer=plan.optimizer), params)
    never: Any = jax.ShapeDtypeStruct((num_seeds,), np.int32)
    state = TrainState(params, optimizer, never)
    state, held = shapes_of((state, held), static.over_seeds)
    shared, reference = jax.device_put((shared, plan.reference()), static.everywhere)
    return static, state, Constants(held, shared, reference)


def taken_apart(
    emulators: Step, num_frames: int, num_seeds: int, plan: TrainingPlan
) -> tuple[Static, Any, Any, Any]:
    """Return what is compiled in, the weights, and what stays: the seeds' own and the shared.

    Raises
    ------
    SpecError
        If there are no weights.
    """
    own, shared, structure = split(emulators, has_shape)
    params, held = trained(own)
    if not jax.tree.leaves(params):
        raise SpecError(
            "there is nothing to train: the emulator has no floating-point arrays besides those"
            " of solvers"
        )
    mesh = seed_mesh(num_seeds)
    static = Static(mesh, plan.objective, plan.optimizer, num_frames, structure, form())
    return static, params, held, shared


def _begin_all(params: Any, optimizer: Optimizer) -> Any:
    """Return the optimizer's first state for the weights of every seed."""
    return jax.vmap(optimizer.build().init)(params)


_optimizer_state = jit_once(_begin_all, static_argnames=("optimizer",))
