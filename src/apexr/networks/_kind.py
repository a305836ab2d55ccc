"""The interface of networks: a frozen spec with a config string, and the module that it builds."""

import abc
from collections.abc import Callable
from typing import Annotated, ClassVar, TypeVar, dataclass_transform

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._frames import SINGLE, Frames
from apexr._grammar import Count, Kind, OneOf, PositiveInt
from apexr._html import card
from apexr.networks._activations import ACTIVATIONS
from apexr.networks._base import UNBOUNDED, Reach, reach_of
from apexr.spectral import Grid

Activation = Annotated[str, OneOf(ACTIVATIONS)]
"""The name of a registered activation function."""

S = TypeVar("S")


class NetworkSpec(abc.ABC):
    """A network's configuration: what ``NAME;ARG;...`` parses to.

    Leaves are decorated with :func:`network`; their fields are the arguments of the string.

    Attributes
    ----------
    boundaries
        Boundaries that the network can handle: ``"periodic"``, ``"wall"``, ``"open"``; ``"any"``
        where the network assumes nothing.
    """

    boundaries: ClassVar[tuple[str, ...]] = ("periodic",)

    def check(  # noqa: B027 - most fit every grid
        self, grid: Grid, num_channels: PositiveInt
    ) -> None:
        """Refuse grids that the architecture cannot work on.

        Raises
        ------
        SpecError
            Naming the field at fault and the values that would fit.
        """

    def _repr_html_(self) -> str:
        said = (type(self).__doc__ or "").partition("\n")[0]
        return card(str(self), {}, said)

    @abc.abstractmethod
    def build(self, grid: Grid, num_channels: PositiveInt, key: PRNGKeyArray) -> eqx.Module:
        """Return the network that maps ``(channel, *space)`` to the same shape.

        Parameters
        ----------
        grid
            The grid that the states live on.
        num_channels
            Channels of the states.
        key
            Key from which all weights are drawn.
        """

    @property
    def frames(self) -> Frames:
        """How many frames the network is given, and how many it makes: one each."""
        return SINGLE

    def check_with(self, grid: Grid, num_channels: PositiveInt, num_constants: Count) -> None:
        """Refuse grids that the architecture cannot work on, with constant channels besides.

        Raises
        ------
        SpecError
            As for :meth:`check`.
        """
        self.check(grid, num_channels + num_constants)

    def build_with(
        self, grid: Grid, num_channels: PositiveInt, num_constants: Count, key: PRNGKeyArray
    ) -> eqx.Module:
        """Return the network of states behind which constant channels stand.

        Parameters
        ----------
        grid, num_channels, key
            As for :meth:`build`.
        num_constants
            Channels that the network is given and that it does not predict.
        """
        return self.build(grid, num_channels + num_constants, key)

    def receptive_field(self, grid: Grid) -> tuple[Reach, ...]:
        """Return, for each axis, how many points (back, forward) one output point sees.

        It is what the network's ``reach`` says, or infinite where it says nothing. Means of
        normalization layers, which see the whole grid, do not count.
        """
        key = jax.ShapeDtypeStruct((2,), jnp.uint32)
        network = eqx.filter_eval_shape(self.build, grid, 1, key)
        return (reach_of(network),) * grid.num_spatial_dims


class ChannelsSpec(NetworkSpec):
    """A network that may give other channels than it is given: those of one frame from several."""

    def build(self, grid: Grid, num_channels: PositiveInt, key: PRNGKeyArray) -> eqx.Module:
        """Return the network that maps ``(channel, *space)`` to the same shape."""
        return self.build_between(grid, num_channels, num_channels, key)

    @abc.abstractmethod
    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> eqx.Module:
        """Return the network that maps ``(in, *space)`` to ``(out, *space)``.

        Parameters
        ----------
        grid, key
            As for :meth:`build`.
        in_channels, out_channels
            Channels that it is given, and that it makes.
        """


class Network(eqx.Module):
    """A network that works on a whole batch at once.

    Leaves give :meth:`batched`; layout ``(channel, batch, *space)`` makes every convolution a
    matrix product over flattened batch and space. They may also say their :attr:`reach`.
    """

    def _repr_html_(self) -> str:
        arrays = jax.tree.leaves(eqx.filter(self, eqx.is_inexact_array))
        back, forward = self.reach
        facts = {
            "parameters": f"{sum(array.size for array in arrays):,} in {len(arrays)} arrays",
            "sees": "the whole domain"
            if np.isinf(back + forward)
            else f"{back + forward + 1:g} points along an axis",
        }
        return card(type(self).__name__, facts)

    @property
    def reach(self) -> Reach:
        """How many points (back, forward) along each axis one output point sees."""
        return UNBOUNDED

    @abc.abstractmethod
    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch."""

    def __call__(self, state: Float[Array, "in *space"]) -> Float[Array, "out *space"]:
        """Return the network's output for one state."""
        return self.batched(state[:, None])[:, 0]


NETWORKS: Kind[NetworkSpec] = Kind("network", "apexr.networks")
"""Every network by its name in config strings."""


@dataclass_transform(frozen_default=True)
def network(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers a network spec under ``name``.

    Parameters
    ----------
    name
        The first word of its config strings, in any case.

    Examples
    --------
    >>> @network("Identity")
    ... class IdentitySpec(NetworkSpec):
    ...     def build(self, grid, num_channels, key):
    ...         return eqx.nn.Identity()
    """
    return NETWORKS.register(name)  # type: ignore[return-value, arg-type]
