"""The networks of several seeds in one module, which says so."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from apexr._html import card
from apexr._parts import split
from apexr._typing import Step
from apexr.errors import ShapeError, SpecError


class Stacked(eqx.Module):
    """Emulators of several seeds, side by side: their arrays lead with the seed.

    ``networks[0]`` is the first one, and iterating gives one after another. Under
    ``equinox.filter_vmap`` it maps a state as each of them does.

    Parameters
    ----------
    emulators
        The module whose arrays lead with the seeds.
    seeds
        Labels of the seeds.
    """

    emulators: Any
    seeds: tuple[int, ...] = eqx.field(static=True)
    _ndim: int | None = eqx.field(static=True)

    def __init__(self, emulators: Step, seeds: Sequence[int]) -> None:
        self.emulators = emulators
        self.seeds = tuple(int(seed) for seed in seeds)
        self._ndim = _first_ndim(emulators)

    def _repr_html_(self) -> str:
        own, *_ = split(self.emulators)
        numbers = sum(array.size for array in jax.tree.leaves(own)) // len(self)
        seeds = ", ".join(map(str, self.seeds))
        facts = {"seeds": seeds, "parameters": f"{numbers:,} of each"}
        return card(f"{len(self)} networks of {type(self.emulators).__name__}", facts)

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: Any) -> Any:
        """Return the emulator at a place, or a module of those in a slice.

        Raises
        ------
        SpecError
            If it is neither a whole number nor a slice.
        IndexError
            If there is none.
        """
        if isinstance(index, slice):
            return stack(select_seed(self.emulators, index), self.seeds[index])
        if isinstance(index, bool) or not isinstance(index, int | np.integer):
            raise SpecError(
                f"networks are counted from 0 to {len(self) - 1}, got {index!r}; by seed:"
                " networks[networks.seeds.index(SEED)]"
            )
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} networks, of the seeds {self.seeds}")
        return select_seed(self.emulators, int(index))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __call__(self, state: Any) -> Any:
        """Return one state one step later; under ``equinox.filter_vmap`` over the networks.

        Raises
        ------
        ShapeError
            If it is called as if it were one network.
        """
        if self._is_stacked:
            raise ShapeError(
                f"these are {len(self)} networks, stacked: take one as networks[0], or map over"
                " all: equinox.filter_vmap(lambda network, state: network(state), in_axes="
                "(equinox.if_array(0), None))(networks, state)"
            )
        return self.emulators(state)

    def __getattr__(self, name: str) -> Any:
        """Return what the stacked module has under a name, such as ``layers``."""
        if name.startswith("__") or name in ("emulators", "seeds", "_ndim"):
            raise AttributeError(name)
        return getattr(self.emulators, name)

    def __reduce__(self) -> Any:
        return stack, (self.emulators, self.seeds)

    @property
    def _is_stacked(self) -> bool:
        """Whether the arrays lead with the seeds; within a map over them they do not."""
        return _first_ndim(self.emulators) == self._ndim

    def __repr__(self) -> str:
        if not self._is_stacked:
            return repr(self.emulators)
        return (
            f"{len(self)} networks, stacked: arrays lead with the seeds {list(self.seeds)};"
            f" networks[0] is one\n{self.emulators!r}"
        )


def stacked(emulators: Step, seeds: Sequence[int]) -> Any:
    """Return emulators of several seeds as a module that says so, or the only one itself."""
    return stack(emulators, seeds) if len(seeds) > 1 else select_seed(emulators, 0)


def stack(emulators: Step, seeds: Sequence[int]) -> Stacked:
    """Return emulators whose arrays lead with the seeds as a module that says so."""
    return _named(type(emulators).__name__)(emulators, seeds)


@functools.cache
def _named(name: str) -> type[Stacked]:
    """Return the class of stacked modules, called as what is stacked."""
    held = {"__doc__": Stacked.__doc__, "__module__": Stacked.__module__}
    make: Any = type(Stacked)
    made: type[Stacked] = make(name, (Stacked,), held)
    return made


def unstacked(emulators: Step) -> Any:
    """Return the plain module of what :func:`stacked` gave."""
    return emulators.emulators if isinstance(emulators, Stacked) else emulators


def select_seed(emulators: Step, index: int | slice) -> Any:
    """Return the emulator of one seed, or of some."""
    own, shared, structure = split(unstacked(emulators))
    picked = jax.tree.map(lambda array: jnp.asarray(np.asarray(array)[index]), own)
    return structure.filled(picked, jax.tree.map(lambda a: jnp.asarray(np.asarray(a)), shared))


def _first_ndim(emulators: Step) -> int | None:
    leaves = jax.tree.leaves(split(emulators, _has_shape).own)
    return leaves[0].ndim if leaves else None


def _has_shape(leaf: Any) -> bool:
    return hasattr(leaf, "shape") and hasattr(leaf, "ndim")
