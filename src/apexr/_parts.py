"""What of a model is trained, what stays as it is, and what is compiled in."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax


class Constant(eqx.Module):
    """A part of a model whose arrays are never trained and equal for all seeds: a solver."""


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
