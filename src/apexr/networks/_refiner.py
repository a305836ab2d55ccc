"""A network that denoises: the next state is refined step by step from pure noise.

With the difference ``y`` of two frames, each channel divided by its size in the training data, the
network is given the state, ``x = √ā_k y + √(1 - ā_k) ε`` and the number of the step ``k``, and
predicts ``v = √ā_k ε - √(1 - ā_k) y``. The noise falls from step to step,
``β_k = SIGMA_MIN^((K - k)/K)``, ``ā_k = Π_{j≤k} (1 - β_j)``, from ``ā_K = 0``, nothing but noise.

References
----------
Lippe et al. (2023), "PDE-Refiner: Achieving Accurate Long Rollouts with Neural PDE Solvers",
NeurIPS, arXiv:2308.05732; Ho, Jain and Abbeel (2020), arXiv:2006.11239, equations 6 and 7 (the
sampling); Salimans and Ho (2022), arXiv:2202.00512, appendix D (the prediction of v).
"""

import dataclasses
import math
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Count, PositiveInt
from apexr._parts import Fixed
from apexr.networks._base import Reach
from apexr.networks._kind import ChannelsSpec, Network, NetworkSpec
from apexr.networks._statistics import Statistics
from apexr.networks._wrappers import Wrapped
from apexr.spectral import Grid

EMBEDDING = 8
"""Channels that tell the network the number of the step."""

LONGEST_PERIOD = 10_000.0
TIMES = 1000.0
"""The number of the last step: steps are evenly spaced from 0 on."""

KEY_BITS = 24
"""Bits of each number of a key: float32 holds them exactly."""

States = Float[Array, "channel batch *space"]


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The noise of all steps, in double precision.

    Parameters
    ----------
    num_steps
        ``K``: refinements after the first guess.
    sigma_min
        The least ``β``, that of the last step.
    """

    num_steps: int
    sigma_min: float

    @property
    def betas(self) -> Float[np.ndarray, " step"]:
        """The share of noise that each step adds."""
        falling = np.arange(self.num_steps, -1, -1) / self.num_steps
        return np.power(self.sigma_min, falling)

    @property
    def signal(self) -> Float[np.ndarray, " step"]:
        """``ā``: the share of the signal that is left after each step."""
        return np.exp(self._logarithms)

    @property
    def noise(self) -> Float[np.ndarray, " step"]:
        """``1 - ā``, to full precision where it is small."""
        return -np.expm1(self._logarithms)

    @property
    def _logarithms(self) -> Float[np.ndarray, " step"]:
        with np.errstate(divide="ignore"):  # nothing is left after the step of pure noise
            return np.cumsum(np.log1p(-self.betas))

    def sampling(self) -> Float[np.ndarray, "step weight"]:
        """Return ``√ā, √(1 - ā)``, the weights of ``y`` and ``x`` in the step before, its noise.

        The last step comes first, as it does in sampling.
        """
        betas, signal, noise = self.betas, self.signal, self.noise
        signal_before = np.concatenate([[1.0], signal[:-1]])
        noise_before = np.concatenate([[0.0], noise[:-1]])
        table = [
            np.sqrt(signal),
            np.sqrt(noise),
            np.sqrt(signal_before) * betas / noise,
            np.sqrt(1 - betas) * noise_before / noise,
            np.sqrt(betas * noise_before / noise),
        ]
        return np.stack(table, axis=1)[::-1]

    def embedding(self) -> Float[np.ndarray, "step channel"]:
        """Return what tells the network each step: cosines and sines of ``1000 k / K``."""
        half = EMBEDDING // 2
        waves = np.exp(-math.log(LONGEST_PERIOD) * np.arange(half) / half)
        times = np.arange(self.num_steps + 1) * (TIMES / self.num_steps)
        angles = times[:, None] * waves
        return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


class SamplingKey(Fixed):
    """Two whole numbers from which all noise of a seed's rollouts is drawn."""

    numbers: Float[Array, "*seed 2"]


@dataclasses.dataclass(frozen=True)
class RefinerSpec(NetworkSpec):
    """A network as one that denoises.

    Attributes
    ----------
    inner
        The network.
    schedule
        The noise.
    """

    boundaries: ClassVar[tuple[str, ...]] = ()

    inner: NetworkSpec
    schedule: Schedule

    def __post_init__(self) -> None:
        object.__setattr__(self, "boundaries", self.inner.boundaries)

    def __str__(self) -> str:
        return str(self.inner)

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse what the network refuses."""
        self.check_with(grid, num_channels, 0)

    def check_with(self, grid: Grid, num_channels: PositiveInt, num_constants: Count) -> None:
        """Refuse what the network refuses, with all that it is given."""
        self.inner.check_with(grid, num_channels, num_constants + num_channels + EMBEDDING)

    def build(self, grid: Grid, num_channels: PositiveInt, key: PRNGKeyArray) -> "Refiner":
        """Return the network; its weights are drawn from the key itself."""
        return self.build_with(grid, num_channels, 0, key)

    def build_with(
        self, grid: Grid, num_channels: PositiveInt, num_constants: Count, key: PRNGKeyArray
    ) -> "Refiner":
        """Return the network; its weights are drawn from the key itself."""
        more = num_constants + num_channels + EMBEDDING
        inner = self.inner
        if isinstance(inner, ChannelsSpec):
            network = inner.build_between(grid, num_channels + more, num_channels, key)
        else:
            network = inner.build_with(grid, num_channels, more, key)
        numbers = jax.random.randint(jax.random.fold_in(key, 1), (2,), 0, 2**KEY_BITS)
        size = Statistics(None, None, jnp.ones(num_channels), "rms", num_channels)
        key_of_seed = SamplingKey(numbers.astype(jnp.zeros(()).dtype))
        return Refiner(network, size, key_of_seed, self.schedule, num_channels)

    def receptive_field(self, grid: Grid) -> tuple[Reach, ...]:
        """Return that of all steps one after another."""
        times = self.schedule.num_steps + 1
        field = self.inner.receptive_field(grid)
        return tuple((times * back, times * forward) for back, forward in field)


class Refiner(Network):
    """An emulator that makes the next state from noise.

    It is a function of the state: the noise of a step is drawn from the key of the seed and from
    the bits of the state, so that equal states have equal next ones, wherever they are in a batch.

    Attributes
    ----------
    network
        The network that denoises.
    statistics
        The size of the difference of two frames, a channel.
    key
        The key from which the noise is drawn.
    schedule
        The noise of the steps.
    num_channels
        Channels of a frame.
    """

    network: Any
    statistics: Statistics
    key: SamplingKey
    schedule: Schedule = eqx.field(static=True)
    num_channels: int = eqx.field(static=True)

    @property
    def reach(self) -> Reach:
        """That of all steps one after another."""
        back, forward = getattr(self.network, "reach", super().reach)
        times = self.schedule.num_steps + 1
        return times * back, times * forward

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "in batch *space"]:
        """Return the next states of a batch, sampled."""
        shape, dtype = (self.num_channels, *states.shape[2:]), states.dtype
        keys = self._keys(states)

        def normal(step: Array | int) -> States:
            def own(key: PRNGKeyArray) -> Array:
                return jax.random.normal(jax.random.fold_in(key, step), shape, dtype)

            return jnp.moveaxis(jax.vmap(own)(keys), 0, 1)

        def refine(noisy: States, row: tuple[Array, Array, Array]) -> tuple[States, None]:
            step, told, weights = row
            signal, noise, of_clean, of_noisy, fresh = weights
            clean = signal * noisy - noise * self.says(states, noisy, told)
            return of_clean * clean + of_noisy * noisy + fresh * normal(step), None

        count = self.schedule.num_steps
        told = jnp.asarray(self.schedule.embedding()[::-1].copy(), dtype)
        weights = jnp.asarray(self.schedule.sampling().copy(), dtype)
        steps = jnp.arange(count, -1, -1)
        clean, _ = jax.lax.scan(refine, normal(count + 1), (steps, told, weights))
        frame = states[: self.num_channels]
        return jnp.concatenate([frame + self._size(frame) * clean, states[self.num_channels :]])

    def denoising_pairs(
        self, window: Float[Array, "in batch 2 *space"], keys: PRNGKeyArray
    ) -> tuple[States, States]:
        """Return what the network says of noisy differences, and what it should say.

        Parameters
        ----------
        window
            States and those that follow, constants behind them.
        keys
            One for each window: it says the step and the noise.
        """
        states, dtype = window[:, :, 0], window.dtype
        frame, following = (window[: self.num_channels, :, place] for place in (0, 1))
        clean = (following - frame) / self._size(frame)
        shape = (self.num_channels, *frame.shape[2:])

        def drawn(key: PRNGKeyArray) -> tuple[Array, Array]:
            which, how = jax.random.split(key)
            step = jax.random.randint(which, (), 0, self.schedule.num_steps + 1)
            return step, jax.random.normal(how, shape, dtype)

        steps, noise = jax.vmap(drawn)(keys)
        noise = jnp.moveaxis(noise, 0, 1)
        left = jnp.asarray(self.schedule.sampling()[::-1, :2].copy(), dtype)[steps]
        ones = (1,) * (frame.ndim - 2)
        signal, spoilt = (left[:, place].reshape(1, -1, *ones) for place in (0, 1))
        told = jnp.asarray(self.schedule.embedding(), dtype)[steps].T
        noisy = signal * clean + spoilt * noise
        return self.says(states, noisy, told), signal * noise - spoilt * clean

    def says(
        self,
        states: Float[Array, "in batch *space"],
        noisy: States,
        told: Float[Array, "embedding"] | Float[Array, "embedding batch"],
    ) -> States:
        """Return ``v`` as the network predicts it, from states, noisy differences and the step."""
        told = told.reshape(EMBEDDING, -1, *(1,) * (noisy.ndim - 2))
        step = jnp.broadcast_to(told, (EMBEDDING, *noisy.shape[1:]))
        given = jnp.concatenate([states, noisy, step])
        network = self.network
        if isinstance(network, Wrapped):
            return network.within(given)
        made = getattr(network, "batched", None) or jax.vmap(network, in_axes=1, out_axes=1)
        return made(given)[: self.num_channels]

    def _size(self, frame: Array) -> Array:
        size: Any = self.statistics.step
        return size.reshape(-1, *(1,) * (frame.ndim - 1))

    def _keys(self, states: Float[Array, "in batch *space"]) -> PRNGKeyArray:
        """Return a key for each state, from the seed's and the bits of the state."""
        numbers = self.key.numbers.astype(jnp.uint32)
        own = jax.random.fold_in(jax.random.fold_in(jax.random.PRNGKey(0), numbers[0]), numbers[1])

        def key_of(first: Array, second: Array) -> PRNGKeyArray:
            return jax.random.fold_in(jax.random.fold_in(own, first), second)

        return jax.vmap(key_of)(*digests(jnp.moveaxis(states, 1, 0)))


def digests(states: Float[Array, "batch channel *space"]) -> tuple[Array, Array]:
    """Return two numbers of 32 bits for each state, which depend on all of its bits.

    Each word is mixed with its place as in the finalizer of MurmurHash3, and all are added up.
    """
    words = jax.lax.bitcast_convert_type(states, jnp.uint32).reshape(len(states), -1)
    places = jnp.arange(words.shape[1], dtype=jnp.uint32)
    found = []
    for salt in (0x9E3779B9, 0x7F4A7C15):
        mixed = words + places * jnp.uint32(salt)
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            mixed = (mixed ^ (mixed >> shift)) * jnp.uint32(factor)
        found.append(jnp.sum(mixed ^ (mixed >> 16), axis=1, dtype=jnp.uint32))
    return found[0], found[1]


def resampled(network: Refiner, seed: int) -> Refiner:
    """Return a refiner whose rollouts are drawn from another key.

    Parameters
    ----------
    network
        One that the task ``refine`` trained; of one seed or of several.
    seed
        Says the key. Networks of several seeds keep keys of their own.
    """
    held = network.key.numbers

    def own(numbers: Array) -> Array:
        key = jax.random.PRNGKey(seed)
        for number in (0, 1):
            key = jax.random.fold_in(key, numbers[number].astype(jnp.uint32))
        return jax.random.randint(key, (2,), 0, 2**KEY_BITS).astype(numbers.dtype)

    fresh = own(held) if held.ndim == 1 else jax.vmap(own)(held)
    return eqx.tree_at(lambda one: one.key.numbers, network, fresh)  # type: ignore[no-any-return]
