"""The parts of a model: trained, constant, and compiled in."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp


class Constant(eqx.Module):
    """A part of a model whose arrays are never trained and equal for all seeds: a solver."""


class Fixed(eqx.Module):
    """A part of a model whose arrays are measured, not trained, and stored with the weights."""


@dataclasses.dataclass(frozen=True)
class Structure:
    """A model without its arrays: what compiled code depends on. Hashable."""

    leaves: tuple[Any, ...]
    treedef: Any

    def filled(self, *parts: Any) -> Any:
        """Return the model with the arrays of these parts."""
        return eqx.combine(*parts, jax.tree.unflatten(self.treedef, self.leaves))


class Parts(NamedTuple):
    """A model taken apart; each part has None where the others have something.

    Attributes
    ----------
    own
        Arrays of which every seed has its own.
    shared
        Arrays of the :class:`Constant` parts.
    structure
        The rest.
    """

    own: Any
    shared: Any
    structure: Structure


def split(model: Any, is_array: Callable[[Any], bool] = eqx.is_array) -> Parts:
    """Return the parts of a model, which :meth:`Structure.filled` puts together again."""
    own, rest = eqx.partition(
        model,
        jax.tree.map(
            lambda node: not _is_constant(node) and is_array(node), model, is_leaf=_is_constant
        ),
    )
    shared, static = eqx.partition(rest, is_array)
    leaves, treedef = jax.tree.flatten(static)
    return Parts(own, shared, Structure(tuple(leaves), treedef))


def trained(own: Any) -> tuple[Any, Any]:
    """Return what is trained of the arrays of the seeds, and the rest; None stands for the other.

    Floating-point numbers are, those of :class:`Fixed` parts excepted.
    """
    return eqx.partition(
        own,
        jax.tree.map(
            lambda node: not _is_fixed(node) and jnp.issubdtype(node.dtype, jnp.inexact),
            own,
            is_leaf=_is_fixed,
        ),
    )


def without_fixed(own: Any) -> Any:
    """Return the arrays of the seeds without those of :class:`Fixed` parts."""
    return jax.tree.map(lambda node: None if _is_fixed(node) else node, own, is_leaf=_is_fixed)


def has_shape(leaf: Any) -> bool:
    """Tell whether a leaf is an array, or the shape of one."""
    return eqx.is_array(leaf) or isinstance(leaf, jax.ShapeDtypeStruct)


def shapes_of(tree: Any, sharding: Any) -> Any:
    """Return the shapes of arrays in place of them, spread over devices."""

    def shape(leaf: Any) -> Any:
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)

    return jax.tree.map(shape, tree)


def _is_constant(node: Any) -> bool:
    return isinstance(node, Constant)


def _is_fixed(node: Any) -> bool:
    return isinstance(node, Fixed)
