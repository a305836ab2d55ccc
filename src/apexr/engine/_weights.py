"""Weights as plain arrays by name."""

from typing import Any

import equinox as eqx
import jax
import numpy as np


def named_weights(emulators: Any) -> dict[str, np.ndarray]:
    """Return the arrays of a module by their paths, such as ``layers.0.weight``."""
    arrays = eqx.filter(emulators, eqx.is_array)
    leaves, _ = jax.tree_util.tree_flatten_with_path(arrays)
    return {_name(path): np.asarray(leaf) for path, leaf in leaves}


def with_weights(emulators: Any, weights: dict[str, np.ndarray]) -> Any:
    """Return a module of the same structure that holds these arrays.

    Raises
    ------
    KeyError
        If an array is missing.
    """
    arrays, static = eqx.partition(emulators, _is_array_like)
    filled = jax.tree_util.tree_map_with_path(
        lambda path, _: jax.numpy.asarray(weights[_name(path)]), arrays
    )
    return eqx.combine(filled, static)


def _is_array_like(leaf: Any) -> bool:
    return eqx.is_array(leaf) or isinstance(leaf, jax.ShapeDtypeStruct)


def _name(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")
