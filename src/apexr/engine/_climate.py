"""Long rollouts, a block at a time, and what is counted of them: memory does not grow with time.

A block holds some of the recorded states. Sums over time are made in double precision and in the
order of time, one state after another, so that they do not depend on where blocks begin.
"""

import dataclasses
from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr._parts import Structure, split
from apexr._typing import Step
from apexr.spectral import derivative, spectrum
from apexr.training import as_batched

BLOCK_BYTES = 32 * 2**20
"""How much of a rollout is in memory at once."""
MOST_AT_ONCE = 4096
"""Recorded states of a block, at most."""
PROBES = 16
"""Points of the grid, at most, at which correlations in time are measured."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """How long rollouts are, and what of them counts.

    Attributes
    ----------
    num_spinup
        Steps before anything counts.
    num_steps
        Steps after these.
    every
        Steps from one state that counts to the next.
    extent
        Length of each axis of the domain.
    chunk
        States of a block; None takes as many as fit :data:`BLOCK_BYTES`.
    """

    num_spinup: int
    num_steps: int
    every: int
    extent: tuple[float, ...]
    chunk: int | None = None


@dataclasses.dataclass(frozen=True)
class StatesBlock:
    """Some recorded states of a rollout.

    Attributes
    ----------
    states
        The states.
    slopes
        Their derivatives along the first axis.
    power
        Their power spectra.
    peaks
        The largest absolute number since the recorded state before; NaN where one was NaN.
    """

    states: Float[np.ndarray, "time sample channel *space"]
    slopes: Float[np.ndarray, "time sample channel *space"]
    power: Float[np.ndarray, "time sample channel wavenumber"]
    peaks: Float[np.ndarray, "time sample"]


def climate_blocks(
    step: Step, states: Float[Array, "sample channel *space"], plan: Plan
) -> Iterator[StatesBlock]:
    """Give the rollouts of one stepper, block after block.

    The first block's peaks hold those of the spin-up, too.

    Parameters
    ----------
    step
        One emulator, or the solver.
    states
        Where the rollouts begin.
    plan
        How long they are.
    """
    own, shared, structure = split(step)
    carry = jnp.moveaxis(states, 0, 1)
    peaks = jnp.zeros(len(states), carry.dtype)
    if plan.num_spinup:
        carry, peaks = _spun_up(own, shared, carry, structure, plan.num_spinup)
    total = plan.num_steps // plan.every
    fitting = max(1, min(MOST_AT_ONCE, BLOCK_BYTES // (3 * states.nbytes)))
    size = min(plan.chunk or fitting, total)
    for first in range(0, total, size):
        count = min(size, total - first)
        (carry, peaks), block = _advance(
            own, shared, (carry, peaks), count, structure, (size, plan.every, plan.extent)
        )
        yield StatesBlock(*(np.asarray(part)[:count] for part in block))


def _stepped(step: Step, carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
    states, peaks = carry
    states = step(states)
    axes = (0, *range(2, states.ndim))
    return (states, jnp.maximum(peaks, jnp.max(jnp.abs(states), axis=axes))), None


@partial(jax.jit, static_argnums=(3, 4))
def _spun_up(
    own: Any, shared: Any, states: Array, structure: Structure, num_steps: int
) -> tuple[Array, Array]:
    step = as_batched(structure.filled(own, shared))
    begin = (states, jnp.zeros(states.shape[1], states.dtype))
    return jax.lax.scan(partial(_stepped, step), begin, length=num_steps)[0]


@partial(jax.jit, static_argnums=(4, 5))
def _advance(
    own: Any,
    shared: Any,
    carry: tuple[Array, Array],
    count: int,
    structure: Structure,
    plan: tuple[int, int, tuple[float, ...]],
) -> tuple[tuple[Array, Array], tuple[Array, Array, Array, Array]]:
    """Return the next carry and ``count`` recorded states at the front of a block.

    The number is no constant of the program, so that one program makes blocks of any length: a
    compiler rounds loops of different lengths differently.
    """
    size, every, extent = plan
    step = as_batched(structure.filled(own, shared))

    def slope(state: Float[Array, "channel *space"]) -> Array:
        slopes = derivative(state, extent)
        return slopes[:1] if len(state) == 1 else slopes[:, 0]

    def told_of(states: Array, peaks: Array) -> tuple[Array, Array, Array, Array]:
        each = jnp.moveaxis(states, 1, 0)
        power = jax.vmap(lambda u: spectrum(u, domain_extent=extent).values)(each)
        return each, jax.vmap(slope)(each), power, peaks

    def interval(place: int, held: tuple[Any, tuple[Array, ...]]) -> Any:
        carry, block = held
        states, peaks = jax.lax.scan(partial(_stepped, step), carry, length=every)[0]
        filled = tuple(
            jax.lax.dynamic_update_index_in_dim(rows, row, place, 0)
            for rows, row in zip(block, told_of(states, peaks), strict=True)
        )
        return (states, jnp.zeros_like(peaks)), filled

    empty = tuple(
        jnp.zeros((size, *one.shape), one.dtype) for one in jax.eval_shape(told_of, *carry)
    )
    return jax.lax.fori_loop(0, count, interval, (carry, empty))  # type: ignore[no-any-return]


# --- what is counted -------------------------------------------------------------------------


@dataclasses.dataclass
class Ranges:
    """The ranges of states and slopes; what bins are made from.

    Attributes
    ----------
    states, slopes
        Least and largest number of each channel, ``(channel, 2)``.
    peak
        The largest absolute number, the spin-up included.
    """

    states: np.ndarray
    slopes: np.ndarray
    peak: float

    @classmethod
    def of(cls, blocks: Iterator[StatesBlock], num_channels: int) -> "Ranges":
        """Return the ranges of a rollout."""
        empty = np.tile([np.inf, -np.inf], (num_channels, 1))
        found = cls(empty, empty.copy(), 0.0)
        for block in blocks:
            for ends, values in ((found.states, block.states), (found.slopes, block.slopes)):
                axes = (0, 1, *range(3, values.ndim))
                ends[:, 0] = np.minimum(ends[:, 0], values.min(axis=axes))
                ends[:, 1] = np.maximum(ends[:, 1], values.max(axis=axes))
            found.peak = float(np.maximum(found.peak, block.peaks.max()))
        return found


class Histogram:
    """How often numbers fall into equal bins, and how far those outside are beyond the ends.

    Parameters
    ----------
    ranges
        Both ends of the bins of each channel.
    num_bins
        How many.
    """

    def __init__(self, ranges: np.ndarray, num_bins: int) -> None:
        low, high = np.asarray(ranges, np.float64).T
        flat = high <= low  # a constant field: one bin around it
        half = np.where(flat, np.maximum(1e-6 * np.abs(low), 1e-12), 0)
        self.low, self.high = low - half, high + half
        self.counts = np.zeros((len(low), num_bins + 2), np.int64)
        self.beyond = np.zeros(len(low))

    def add(self, values: np.ndarray, valid: np.ndarray) -> None:
        """Count states ``(time, sample, channel, *space)`` where ``(time, sample)`` is valid."""
        num_bins = self.counts.shape[1] - 2
        for channel, (low, high) in enumerate(zip(self.low, self.high, strict=True)):
            own = values[:, :, channel].reshape(*values.shape[:2], -1)
            chosen = own.astype(np.float64)[valid]
            place = np.floor((chosen - low) * (num_bins / (high - low))).astype(np.int64) + 1
            place = np.where(chosen == high, num_bins, np.clip(place, 0, num_bins + 1))
            self.counts[channel] += np.bincount(place.ravel(), minlength=num_bins + 2)
            if (place == 0).any() or (place > num_bins).any():
                over = np.maximum(chosen - high, 0) + np.maximum(low - chosen, 0)
                row = np.zeros(own.shape[:2])
                row[valid] = over.sum(axis=-1)
                self.beyond[channel] = _in_order(self.beyond[channel], row.sum(axis=1))

    @property
    def edges(self) -> np.ndarray:
        """The ends of all bins, ``(channel, bin + 1)``."""
        return np.linspace(self.low, self.high, self.counts.shape[1] - 1, axis=1)


class Tally:
    """Counts over the rollouts of one stepper.

    A run that leaves the bounds counts no further, whether it comes back or not.

    Parameters
    ----------
    ranges
        Of the reference: the ends of the bins.
    num_bins
        Bins of each histogram.
    bound
        The absolute number beyond which a run has left the bounds.
    num_lags
        Recorded states, at most, between two that are correlated.
    """

    def __init__(self, ranges: Ranges, num_bins: int, bound: float, num_lags: int) -> None:
        self.histogram = Histogram(ranges.states, num_bins)
        self.slopes = Histogram(ranges.slopes, num_bins)
        self.bound, self.num_lags = bound, num_lags
        self.offset = ranges.states.mean(axis=1)
        self.num_states = 0
        self.num_valid = 0
        self.num_points = 0
        self.bounded_until = np.zeros(0, np.int64)
        self.power: Any = 0.0
        self.mean: Any = 0.0
        self.square: Any = 0.0
        self.probe_sum: Any = 0.0
        self.products: Any = 0.0
        self._history = np.zeros(0)
        self._lost = np.zeros(0, bool)

    def add(self, block: StatesBlock) -> None:
        """Count a block."""
        length, samples, channels, *space = block.states.shape
        if not self._lost.size:
            self._lost = np.zeros(samples, bool)
            self.bounded_until = np.zeros(samples, np.int64)
            self.num_points = int(np.prod(space))
        with np.errstate(all="ignore"):
            inside = block.peaks <= self.bound  # NaN is not
        inside[0] &= ~self._lost
        valid = np.logical_and.accumulate(inside, axis=0)
        self._lost = ~valid[-1]
        self.num_states += length * samples
        self.num_valid += int(valid.sum())
        self.bounded_until += valid.sum(axis=0)
        self.histogram.add(block.states, valid)
        self.slopes.add(block.slopes, valid)
        kept = valid[..., None, None]
        power = np.where(kept, block.power.astype(np.float64), 0)
        self.power = _in_order(self.power, power.sum(axis=1))
        flat = block.states.reshape(length, samples, channels, -1).astype(np.float64)
        centered = np.where(kept, flat - self.offset[:, None], 0)
        self.mean = _in_order(self.mean, centered.mean(axis=-1).sum(axis=1))
        self.square = _in_order(self.square, (centered**2).mean(axis=-1).sum(axis=1))
        self._correlate(centered)

    def _correlate(self, centered: np.ndarray) -> None:
        """Add products of the numbers at some points with those at the same points before."""
        points = centered.shape[-1]
        chosen = np.unique(np.linspace(0, points, min(PROBES, points), endpoint=False).astype(int))
        probes = centered[..., chosen]
        if not self._history.size:
            self._history = np.zeros((self.num_lags, *probes.shape[1:]))
        with_history = np.concatenate([self._history, probes])
        length = len(probes)
        rows = np.stack(
            [
                (probes * with_history[self.num_lags - lag : self.num_lags - lag + length]).sum(
                    axis=(1, 3)
                )
                for lag in range(self.num_lags + 1)
            ],
            axis=-1,
        )
        self.products = _in_order(self.products, rows)
        self.probe_sum = _in_order(self.probe_sum, probes)
        self._history = with_history[len(with_history) - self.num_lags :]

    # --- results -----------------------------------------------------------------------------

    @property
    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of each channel over points, time and runs within the bounds."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mean, square = self.mean / self.num_valid, self.square / self.num_valid
        return mean + self.offset, square - mean**2

    @property
    def spectrum(self) -> np.ndarray:
        """Mean power of each channel and shell."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.power / self.num_valid)

    def shares(self, histogram: Histogram) -> np.ndarray:
        """Return the share of numbers in each bin, below and above them, and lost: in this order.

        Values outside of the bounds are lost.
        """
        total = self.num_states * self.num_points
        lost = (self.num_states - self.num_valid) * self.num_points
        counts = np.column_stack(
            [
                histogram.counts[:, 1:-1],
                histogram.counts[:, 0],
                histogram.counts[:, -1],
                np.full(len(histogram.counts), lost),
            ]
        )
        return counts / total

    @property
    def correlation(self) -> np.ndarray:
        """Autocorrelation in time at points, ``(channel, lag)``; NaN where a run left the bounds.

        The covariance with the mean of each point taken out, over that of no lag.
        """
        channels = len(self.offset)
        if self.num_valid < self.num_states:
            return np.full((channels, self.num_lags + 1), np.nan)
        samples, _, probes = self.probe_sum.shape
        length = self.num_states // samples
        left = length - np.arange(self.num_lags + 1)
        mean = self.probe_sum / length
        with np.errstate(invalid="ignore", divide="ignore"):
            products = np.where(left > 0, self.products / np.maximum(left, 1), np.nan)
            covariance = products / (samples * probes) - (mean**2).mean(axis=(0, 2))[:, None]
            return np.asarray(covariance / covariance[:, :1])


def _in_order(total: Any, rows: np.ndarray) -> Any:
    """Return a total with rows added one after another, whatever their number."""
    begin = np.broadcast_to(np.asarray(total, np.float64), rows.shape[1:])[None]
    return np.add.accumulate(np.concatenate([begin, rows]), axis=0)[-1]
