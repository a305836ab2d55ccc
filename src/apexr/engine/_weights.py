"""Weights as plain arrays by name."""

from typing import Any

import equinox as eqx
import jax
import numpy as np

from apexr._parts import split


def named_weights(emulators: Any) -> dict[str, np.ndarray]:
    """Return the arrays of a module by their paths, such as ``layers.0.weight``.

    Those of solvers in it follow from the scenario and are left out.
    """
    leaves, _ = jax.tree_util.tree_flatten_with_path(split(emulators).own)
    return {_name(path): np.asarray(leaf) for path, leaf in leaves}


def with_weights(emulators: Any, weights: dict[str, np.ndarray]) -> Any:
    """Return a module of the same structure that holds these arrays.

    Raises
    ------
    KeyError
        If an array is missing.
    """
    own, shared, structure = split(emulators, _is_array_like)
    filled = jax.tree_util.tree_map_with_path(
        lambda path, _: jax.numpy.asarray(weights[_name(path)]), own
    )
    return structure.filled(filled, shared)


def _is_array_like(leaf: Any) -> bool:
    return eqx.is_array(leaf) or isinstance(leaf, jax.ShapeDtypeStruct)


def _name(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")
