"""Wrappers: a network of differences, of normalized states, of histories, of several steps.

They may stand around each other in any order, each once; together they say one map. With the
newest frame ``u``, the network ``g``, means ``mu`` and deviations ``sigma`` of the training data:

    norm          mu + sigma g((u - mu) / sigma)
    delta         u + s g(u)
    both          u + sigma_d g((u - mu) / sigma), sigma_d that of the difference of two frames

``g`` is given all frames of the history, and makes all those of the bundle.

References
----------
Ohana et al. (2024), "The Well: a Large-Scale Collection of Diverse Physics Simulations for Machine
Learning", NeurIPS, arXiv:2412.00568 (normalization, differences, histories); Brandstetter, Worrall
and Welling (2022), "Message Passing Neural PDE Solvers", ICLR, arXiv:2202.03376 (bundles).
"""

import abc
import dataclasses
import functools
from typing import Annotated, Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._frames import Frames, newest
from apexr._grammar import Count, Nested, OneOf, PositiveInt, Range, Skippable
from apexr.errors import SpecError
from apexr.networks._base import Reach, check_fits
from apexr.networks._kind import NETWORKS, ChannelsSpec, Network, NetworkSpec, network
from apexr.networks._statistics import NORMS, Statistics, unmeasured
from apexr.spectral import Grid

NestedNetwork = Annotated[NetworkSpec, Nested(NETWORKS)]
FrameCount = Annotated[int, Range(minimum=1, maximum=1000)]


@dataclasses.dataclass(frozen=True)
class Form:
    """The combined settings of all wrappers around a network.

    Attributes
    ----------
    core
        The network within.
    given, made
        Frames of the history and of the bundle; None where no wrapper says it.
    is_delta, size
        Whether differences are predicted, and their size where it is given.
    norm
        How states are normalized, or None.
    """

    core: NetworkSpec
    given: int | None = None
    made: int | None = None
    is_delta: bool = False
    size: float | None = None
    norm: str | None = None

    @property
    def frames(self) -> Frames:
        """How many frames the network is given, and how many it makes."""
        return Frames(self.given or 1, self.made or 1)

    def core_channels(self, num_channels: int, num_constants: int) -> tuple[int, int]:
        """Return the channels that the network within is given, and those that it makes.

        One that keeps its channels has those of whichever are more.
        """
        given = self.frames.given * num_channels + num_constants
        made = self.frames.made * num_channels
        if isinstance(self.core, ChannelsSpec):
            return given, made
        return max(given, made), max(given, made)


class Wrapper(NetworkSpec):
    """A network within another one's clothes; leaves say what they change."""

    boundaries: ClassVar[tuple[str, ...]] = ()

    inner: NestedNetwork

    def __post_init__(self) -> None:
        object.__setattr__(self, "boundaries", self.inner.boundaries)
        _ = self.form

    @abc.abstractmethod
    def around(self, form: Form) -> Form:
        """Return what is said together with the wrappers within.

        Raises
        ------
        SpecError
            If they say it already.
        """

    @functools.cached_property
    def form(self) -> Form:
        """The combined settings of all wrappers."""
        inner = self.inner
        return self.around(inner.form if isinstance(inner, Wrapper) else Form(inner))

    @property
    def frames(self) -> Frames:
        """How many frames the network is given, and how many it makes."""
        return self.form.frames

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse what the network within refuses."""
        self.check_with(grid, num_channels, 0)

    def check_with(self, grid: Grid, num_channels: PositiveInt, num_constants: Count) -> None:
        """Refuse what the network within refuses."""
        self.form.core.check(grid, max(self.form.core_channels(num_channels, num_constants)))

    def build(self, grid: Grid, num_channels: PositiveInt, key: PRNGKeyArray) -> "Wrapped":
        """Return the wrapped network; the network within is drawn from the key itself."""
        return self.build_with(grid, num_channels, 0, key)

    def build_with(
        self, grid: Grid, num_channels: PositiveInt, num_constants: Count, key: PRNGKeyArray
    ) -> "Wrapped":
        """Return the wrapped network; the network within is drawn from the key itself."""
        core, channels = self.form.core, self.form.core_channels(num_channels, num_constants)
        if isinstance(core, ChannelsSpec):
            network = core.build_between(grid, *channels, key)
        else:
            network = core.build(grid, channels[0], key)
        return Wrapped(network, self.form, num_channels, num_constants)

    def receptive_field(self, grid: Grid) -> tuple[Reach, ...]:
        """Return that of the network within."""
        return self.form.core.receptive_field(grid)

    def _alone(self, said: object, name: str) -> None:
        if said is not None:
            raise SpecError(f"INNER must have no {name} of its own: one is enough")


@network("delta")
class Delta(Wrapper):
    """delta;[SCALE;]INNER - u + s INNER(u), s = RMS of the training data's steps, or SCALE.

    With ``norm`` the size of the difference is that of each channel, times ``SCALE`` where one is
    given. A network that gives zero makes the identity.
    """

    scale: Annotated[float | None, Skippable(), Range(minimum=0.0, exclusive=True)]
    inner: NestedNetwork

    def around(self, form: Form) -> Form:
        """Return the form of a network of differences."""
        self._alone(form.is_delta or None, "delta")
        return dataclasses.replace(form, is_delta=True, size=self.scale)


@network("norm")
class Normalized(Wrapper):
    """norm;KIND;INNER - states normalized a channel: zscore or rms of the training data.

    ``mu + sigma INNER((u - mu) / sigma)``, with ``mu = 0`` for ``rms``; sigma is at least 1e-4.
    With ``delta``: ``u + sigma_d INNER((u - mu) / sigma)``, ``sigma_d`` of the difference of two
    frames.
    """

    kind: Annotated[str, OneOf(NORMS)]
    inner: NestedNetwork

    def around(self, form: Form) -> Form:
        """Return the form of a network of normalized states."""
        self._alone(form.norm, "norm")
        return dataclasses.replace(form, norm=self.kind)


@network("history")
class History(Wrapper):
    """history;GIVEN;INNER - the next frame from the last GIVEN ones; the first ones are given.

    The state has the channels of all frames, the newest last.
    """

    given: FrameCount
    inner: NestedNetwork

    def around(self, form: Form) -> Form:
        """Return the form of a network of a history."""
        self._alone(form.given, "history")
        return dataclasses.replace(form, given=self.given)


@network("bundle")
class Bundle(Wrapper):
    """bundle;MADE;INNER - MADE frames at a call; the next call begins with the last ones.

    The state has the channels of all frames, the newest last.
    """

    made: FrameCount
    inner: NestedNetwork

    def around(self, form: Form) -> Form:
        """Return the form of a network of a bundle."""
        self._alone(form.made, "bundle")
        return dataclasses.replace(form, made=self.made)


class Wrapped(Network):
    """The network that wrappers build.

    It maps a state of all frames, followed by the constant channels, to the next such state. A
    state that has the frames of the history alone will do, too.

    Parameters
    ----------
    core
        The network within.
    form
        The settings of the wrappers.
    num_channels, num_constants
        Channels of a frame, and constant ones.
    """

    core: Any
    statistics: Statistics | None
    frames: Frames = eqx.field(static=True)
    num_channels: int = eqx.field(static=True)
    num_constants: int = eqx.field(static=True)
    is_delta: bool = eqx.field(static=True)
    size: float | None = eqx.field(static=True)
    num_inputs: int = eqx.field(static=True)

    def __init__(self, core: Any, form: Form, num_channels: int, num_constants: int) -> None:
        self.core = core
        self.frames, self.is_delta, self.size = form.frames, form.is_delta, form.size
        self.num_channels, self.num_constants = num_channels, num_constants
        self.num_inputs, _ = form.core_channels(num_channels, num_constants)
        steps = form.is_delta and (form.norm is not None or form.size is None)
        inputs = num_channels + num_constants
        self.statistics = unmeasured(form.norm, inputs, num_channels, steps=steps)

    @property
    def reach(self) -> Reach:
        """That of the network within."""
        return getattr(self.core, "reach", super().reach)

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the next states of a batch.

        Raises
        ------
        ShapeError
            If the states have other channels or axes.
        """
        channels, frames = self.num_channels, self.frames
        sizes = [n * channels + self.num_constants for n in (frames.given, frames.held)]
        check_fits(states, sizes[0] if states.shape[0] == sizes[0] else sizes[1])
        count = states.shape[0] - self.num_constants
        predicted, constants = states[:count], states[count:]
        last = newest(predicted, frames.given, channels)
        made = self._made(last, constants)
        held = jnp.concatenate([predicted, *(self._out(one, last[-1]) for one in made)])
        return jnp.concatenate([held[-frames.held * channels :], constants])

    def within(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return what the network within says of the normalized states, as it says it."""
        count = states.shape[0] - self.num_constants
        last = newest(states[:count], self.frames.given, self.num_channels)
        return jnp.concatenate(self._made(last, states[count:]))

    def _made(self, last: list[Array], constants: Array) -> list[Array]:
        """Return what the network within says of the frames, normalized as they are."""
        channels = self.num_channels
        parts = [self._in(frame, slice(channels)) for frame in last]
        parts.append(self._in(constants, slice(channels, None)))
        missing = self.num_inputs - sum(part.shape[0] for part in parts)
        if missing:
            parts.append(jnp.zeros((missing, *last[0].shape[1:]), last[0].dtype))
        step = getattr(self.core, "batched", None) or jax.vmap(self.core, in_axes=1, out_axes=1)
        given = step(jnp.concatenate(parts))
        return [
            given[place * channels : (place + 1) * channels] for place in range(self.frames.made)
        ]

    def _in(self, frame: Array, chosen: slice) -> Array:
        held = self.statistics
        if held is None or held.shift is None or held.scale is None:
            return frame
        return (frame - _along(held.shift[chosen], frame)) / _along(held.scale[chosen], frame)

    def _out(self, made: Array, last: Array) -> Array:
        held, chosen = self.statistics, slice(self.num_channels)
        if self.is_delta:
            made = made if held is None or held.step is None else _along(held.step, made) * made
            return last + (made if self.size is None else self.size * made)
        if held is None or held.shift is None or held.scale is None:
            return made
        return _along(held.shift[chosen], made) + _along(held.scale[chosen], made) * made


def _along(values: Float[Array, " channel"], frame: Array) -> Array:
    """Return a number of each channel in a form that broadcasts over batch and space."""
    return values.reshape(-1, *(1,) * (frame.ndim - 1))
