"""Properties that layers share: where they work, how their weights are drawn, how far they see."""

import abc
import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from apexr.errors import ShapeError, SpecError, suggest
from apexr.kernels import PADDING

Reach = tuple[float, float]
"""How many points (back, forward) along each axis one output point sees."""

UNBOUNDED: Reach = (math.inf, math.inf)


@dataclasses.dataclass(frozen=True)
class Space:
    """Where layers work.

    Parameters
    ----------
    num_spatial_dims
        1, 2 or 3.
    boundary
        The boundary: ``"periodic"`` continues at the other end, ``"dirichlet"`` zeros,
        ``"neumann"`` the mirror image, in which the outermost point is not repeated.

    Raises
    ------
    SpecError
        If there is no such space.
    """

    num_spatial_dims: int
    boundary: str = "periodic"

    def __post_init__(self) -> None:
        if self.num_spatial_dims not in (1, 2, 3):
            raise SpecError(f"num_spatial_dims must be 1, 2 or 3, got {self.num_spatial_dims!r}")
        if self.boundary not in PADDING:
            known = ", ".join(PADDING)
            hint = suggest(str(self.boundary), PADDING)
            raise SpecError(f"boundary must be one of {known}, got {self.boundary!r}{hint}")


class Layer(eqx.Module):
    """A part of a network: maps ``(in, batch, *space)`` to ``(out, batch, *space)``."""

    @property
    @abc.abstractmethod
    def reach(self) -> Reach:
        """How many points (back, forward) along each axis one output point sees."""

    @abc.abstractmethod
    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space_out"]:
        """Return the layer's output for a batch."""


class MakeLayer(Protocol):
    """The factory by which generic networks make their parts: a layer's class, or a partial of it.

    ``functools.partial(ResidualBlock, activation="tanh")`` is one.
    """

    def __call__(
        self, space: Space, in_channels: int, out_channels: int, *, key: PRNGKeyArray
    ) -> Callable[[Array], Array]:
        """Return the layer, its weights drawn from the key."""


def draw_weights(
    key: PRNGKeyArray,
    in_channels: int,
    out_channels: int,
    kernel: tuple[int, ...],
    *,
    use_bias: bool = True,
) -> tuple[Float[Array, "out in *kernel"], Float[Array, "out *ones"] | None]:
    """Return weight and bias, uniform in ±1/√(in·∏kernel).

    The key is split in two, weight first, whether there is a bias or not.
    """
    weight_key, bias_key = jax.random.split(key)
    limit = 1 / math.sqrt(in_channels * math.prod(kernel))

    def uniform(key: PRNGKeyArray, shape: tuple[int, ...]) -> Array:
        return jax.random.uniform(key, shape, minval=-limit, maxval=limit)

    weight = uniform(weight_key, (out_channels, in_channels, *kernel))
    bias = uniform(bias_key, (out_channels, *(1,) * len(kernel))) if use_bias else None
    return weight, bias


def check_fits(x: Float[Array, "in batch *space"], channels: int, axes: int | None = None) -> None:
    """Refuse a batch that a layer is not made for, which could be broadcast to one that it is.

    Parameters
    ----------
    x
        The batch.
    channels, axes
        Axes of space of the layer's input; None allows any number.

    Raises
    ------
    ShapeError
        If the batch has other channels, other axes of space, or no point.
    """
    if x.shape[0] != channels or axes not in (None, x.ndim - 2) or not x.size:
        grid = "any grid" if axes is None else f"a grid of {axes} axes"
        raise ShapeError(
            f"this network takes states of {channels} channels on {grid}, got the shape"
            f" {(*x.shape[:1], *x.shape[2:])}; expected (channel, *space)"
        )


def add_bias(x: Float[Array, "out batch *space"], bias: Float[Array, "out *ones"] | None) -> Array:
    """Return ``x`` with a bias for each channel, if there is one."""
    return x if bias is None else x + bias[:, None]


def reach_of(part: Any) -> Reach:
    """Return a part's reach; what does not say so may see everything."""
    return getattr(part, "reach", UNBOUNDED)


def total_reach(parts: Iterable[Any], spacing: int = 1) -> Reach:
    """Return the reach of parts one after another, on points so far apart."""
    reaches = [reach_of(part) for part in parts]
    back, forward = (spacing * sum(reach[side] for reach in reaches) for side in (0, 1))
    return float(back), float(forward)
