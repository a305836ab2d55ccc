"""Quantiles of rows of numbers that are infinite or missing in places."""

import numpy as np


def sort_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in order, what is missing (NaN) last, and how many entries each has."""
    return np.sort(values, axis=-1), (~np.isnan(values)).sum(axis=-1)


def quantiles(ordered: np.ndarray, count: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return linear quantiles of the first ``count`` entries of ordered rows, along the last axis.

    Between a finite and an infinite entry the quantile is infinite. Rows without entries get NaN.

    Parameters
    ----------
    ordered
        Shape ``(..., n)``.
    count
        Shape ``(...)``.
    levels
        Between 0 and 1, of a shape ``(..., levels)`` that broadcasts against the rows.
    """
    last = np.maximum(count - 1, 0)[..., None]
    if not ordered.shape[-1]:
        return np.full(np.broadcast_shapes(last.shape, np.shape(levels)), np.nan)
    place = last * np.asarray(levels, dtype=np.float64)
    below = np.floor(place).astype(np.intp)
    left = np.take_along_axis(ordered, below, axis=-1)
    right = np.take_along_axis(ordered, np.minimum(below + 1, last), axis=-1)
    return np.where(count[..., None] > 0, between(left, right, place - below), np.nan)


def between(left: np.ndarray, right: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return ``left + (right - left) weight``, also where both are infinite or the weight is 0."""
    with np.errstate(invalid="ignore"):
        mixed = left + (right - left) * weight
    return np.where((weight == 0) | (left == right), left, mixed)
