"""Networks that a function makes, where there is no config string to parse."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from apexr._frames import Frames, frames_of
from apexr._parts import split
from apexr.errors import ShapeError, SpecError
from apexr.networks import NetworkSpec
from apexr.spectral import Grid


@dataclasses.dataclass(frozen=True, eq=False)
class OwnNetwork(NetworkSpec):
    """A network that a function of a key makes; it may hold solvers, which no seed owns.

    Attributes
    ----------
    make
        Returns the network whose weights are drawn from a key.
    config
        Its name.
    """

    make: Callable[[PRNGKeyArray], Any]
    config: str

    def __str__(self) -> str:
        return self.config

    @functools.cached_property
    def frames(self) -> Frames:  # type: ignore[override]
        """The frames that the network states."""
        return frames_of(self.shapes())

    def build(self, grid: Grid, num_channels: int, key: PRNGKeyArray) -> Any:
        """Return the network.

        Raises
        ------
        SpecError
            If what is made cannot be called.
        """
        made = self.make(key)
        if not callable(made):
            raise SpecError(f"network {self.config!r} must be callable, got {made!r}")
        return made

    def receptive_field(self, grid: Grid) -> tuple[tuple[float, float], ...]:
        """Return what the network says of its reach; infinite where it says nothing."""
        unbounded = (float("inf"), float("inf"))
        reach = getattr(self.build(grid, 1, jax.random.PRNGKey(0)), "reach", unbounded)
        return (reach if isinstance(reach, tuple) else unbounded,) * grid.num_spatial_dims

    def shapes(self) -> Any:
        """Return a network with shapes in place of the arrays that are its own."""
        own, shared, structure = split(self.make(jax.random.PRNGKey(0)))
        return structure.filled(jax.eval_shape(lambda: own), shared)

    def draw(self, seeds: list[int]) -> tuple[Any, Array]:
        """Return the networks of all seeds, own arrays leading with them, and shuffle keys.

        Raises
        ------
        ShapeError
            If the networks of two seeds differ in more than their numbers.
        """
        keys = [jax.random.split(jax.random.PRNGKey(seed)) for seed in seeds]
        parts = [split(self.make(init_key)) for init_key, _ in keys]
        first = parts[0]
        if any(not eqx.tree_equal(_form(part.own), _form(first.own)) for part in parts):
            raise ShapeError(
                f"network {self.config!r}: the networks of two seeds have different arrays"
            )
        own = jax.tree.map(lambda *arrays: jnp.stack(arrays), *(part.own for part in parts))
        shuffle_keys = jnp.stack([shuffle_key for _, shuffle_key in keys])
        return first.structure.filled(own, first.shared), shuffle_keys


def _form(own: Any) -> Any:
    return jax.tree.map(lambda array: (array.shape, str(array.dtype)), own)
