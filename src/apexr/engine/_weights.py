"""Weights as plain arrays by name."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr._parts import split
from apexr._typing import Step
from apexr.engine._mixed import MIXED_NAME
from apexr.engine._stacked import unstacked
from apexr.errors import ShapeError


def named_weights(emulators: Step) -> dict[str, np.ndarray]:
    """Return the arrays of a module by their paths, such as ``layers.0.weight``.

    Those of solvers in it follow from the scenario and are left out.
    """
    leaves, _ = jax.tree_util.tree_flatten_with_path(split(unstacked(emulators)).own)
    return {_name(path): np.asarray(leaf) for path, leaf in leaves}


def named_shapes(emulators: Step) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays of a module, or of what stands in their places, by path."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(
        split(unstacked(emulators), _is_array_like).own
    )
    return {_name(path): tuple(leaf.shape) for path, leaf in leaves}


def with_weights(emulators: Step, weights: dict[str, np.ndarray]) -> Any:
    """Return a module of the same structure that holds these arrays.

    Raises
    ------
    KeyError
        If an array is missing.
    """
    own, shared, structure = split(unstacked(emulators), _is_array_like)
    filled = jax.tree_util.tree_map_with_path(
        lambda path, _: jax.numpy.asarray(weights[_name(path)]), own
    )
    return structure.filled(filled, shared)


@jax.jit
def flat_weights(weights: Any) -> Float[Array, "seed parameter"]:
    """Return all arrays of a tree side by side; each leads with the seeds."""
    leaves = jax.tree.leaves(weights)
    return jnp.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves], axis=1)


def from_flat_weights(emulator: Step, flat: Float[np.ndarray, "seed parameter"]) -> Any:
    """Return emulators with such weights, from one that has arrays or shapes in their places.

    Raises
    ------
    ShapeError
        If it has another number of weights.
    """
    own, shared, structure = split(emulator, _is_array_like)
    leaves, treedef = jax.tree.flatten(own)
    ends = np.cumsum([math.prod(leaf.shape) for leaf in leaves])
    if ends[-1] != flat.shape[1]:
        raise ShapeError(f"expected {ends[-1]} weights of each network, got {flat.shape[1]}")
    filled = [
        jnp.asarray(part.reshape(len(flat), *leaf.shape))
        for part, leaf in zip(np.split(flat, ends[:-1], axis=1), leaves, strict=True)
    ]
    return structure.filled(jax.tree.unflatten(treedef, filled), shared)


def _is_array_like(leaf: Any) -> bool:
    return eqx.is_array(leaf) or isinstance(leaf, jax.ShapeDtypeStruct)


def _name(path: tuple[Any, ...]) -> str:
    own = tuple(entry for entry in path if getattr(entry, "name", None) != MIXED_NAME)
    return jax.tree_util.keystr(own, simple=True, separator=".")
