"""Every way of convolving in 2D and 3D against XLA's convolution, and minimal filtering itself."""

import itertools
from fractions import Fraction

import jax
import numpy as np
import pytest

from apexr.kernels import _winograd as winograd
from apexr.kernels._convolution import _correlate_split, convolve, correlation

# an axis of one tile and less, of whole tiles, and of tiles that end beyond the grid
GRIDS = [(1, 1), (2, 3), (3, 2), (4, 5), (8, 4), (9, 6), (4, 3, 5), (6, 1, 4)]


def fields(grid, in_channels=3, out_channels=2, dtype="f4"):
    """Return a batch ``(in, 2, *grid)`` and a kernel of three taps an axis."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(in_channels, 2, *grid))
    weight = rng.normal(size=(out_channels, in_channels, *(3,) * len(grid)))
    return x.astype(dtype), weight.astype(dtype)


def summed(x, weight, dilation=1):
    """Return the periodic cross-correlation as the sum of all taps, in double precision."""
    space = range(2, x.ndim)
    total = 0
    for tap in itertools.product(range(3), repeat=len(space)):
        rolled = np.roll(x.astype("f8"), [dilation * (1 - index) for index in tap], tuple(space))
        total += np.einsum("oi,ib...->ob...", weight[(..., *tap)].astype("f8"), rolled)
    return total


def worst(made, true):
    """Return the largest error, of the largest number."""
    return np.abs(np.asarray(made) - true).max() / np.abs(true).max()


def test_six_products_give_four_outputs_exactly():
    """By unit vectors in rational numbers: the algorithm is bilinear."""
    kernel = [[Fraction(round(48 * entry), 48) for entry in row] for row in winograd.KERNEL]
    for tap, point in itertools.product(range(3), range(6)):
        products = [row[tap] * int(winograd.INPUT[i, point]) for i, row in enumerate(kernel)]
        made = [
            sum(int(factor) * product for factor, product in zip(row, products, strict=True))
            for row in winograd.OUTPUT
        ]
        assert made == [int(output + tap == point) for output in range(4)]


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_minimal_filtering_is_the_convolution(grid):
    x, weight = fields(grid)
    made = winograd.correlate(x, weight)
    assert made.dtype == x.dtype
    assert worst(made, summed(x, weight)) < 2e-6


@pytest.mark.parametrize(
    ("dilation", "grid"),
    [(2, (8, 3)), (2, (10, 6)), (3, (27, 4)), (4, (16, 16)), (8, (32, 9)), (2, (8, 3, 5))],
    ids=str,
)
def test_dilated_taps_are_filtered_on_every_phase_of_the_rows(dilation, grid):
    x, weight = fields(grid, in_channels=24, out_channels=24)
    offsets = tuple(dilation * offset for offset in winograd.OFFSETS)
    way = correlation(weight.shape, offsets, grid, filtered=True)
    assert way.func is winograd.correlate
    true = summed(x, weight, dilation)
    assert worst(way(x, weight), true) < 4e-6
    assert worst(convolve(x, weight, dilation=dilation), true) < 4e-6
    back = jax.vjp(way, x, weight)[1](true.astype("f4"))
    slow = jax.vjp(lambda *both: _correlate_split(*both, offsets, len(grid)), x, weight)[1](
        true.astype("f4")
    )
    for made, expected in zip(back, slow, strict=True):
        assert worst(made, np.asarray(expected)) < 1e-5


@pytest.mark.parametrize(
    ("dilation", "grid"), [(2, (9, 8)), (2, (6, 8)), (4, (16, 4)), (4, (8, 16))], ids=str
)
def test_dilated_taps_on_other_grids_are_gathered_or_shifted(dilation, grid):
    x, weight = fields(grid, in_channels=24, out_channels=24)
    offsets = tuple(dilation * offset for offset in winograd.OFFSETS)
    assert correlation(weight.shape, offsets, grid, filtered=True).func is _correlate_split
    true = summed(x, weight, dilation)
    assert worst(convolve(x, weight, dilation=dilation), true) < 2e-6


@pytest.mark.parametrize("grid", [(9, 6), (6, 1, 4)], ids=str)
def test_minimal_filtering_is_as_exact_as_double_precision(grid):
    x, weight = fields(grid, dtype="f8")
    with jax.enable_x64(True):
        assert worst(winograd.correlate(x, weight), summed(x, weight)) < 1e-14


@pytest.mark.parametrize("grid", [(9, 6), (4, 3, 5)], ids=str)
def test_taps_may_be_gathered_or_shifted_along_any_axes(grid):
    x, weight = fields(grid)
    for axes in range(len(grid) + 1):
        made = _correlate_split(x, weight, winograd.OFFSETS, axes)
        assert worst(made, summed(x, weight)) < 1e-6


@pytest.mark.parametrize("grid", [(9, 6), (8, 4), (4, 3, 5)], ids=str)
def test_gradients_in_both_modes_are_those_of_the_sum(grid):
    x, weight = fields(grid)
    tangents = tuple(np.roll(array, 1, -1) for array in (x, weight))
    made, moved = jax.jvp(winograd.correlate, (x, weight), tangents)
    true = summed(tangents[0], weight) + summed(x, tangents[1])
    assert worst(moved, true) < 2e-6
    back = jax.vjp(winograd.correlate, x, weight)[1](made)
    pairing = sum(np.vdot(given, tangent) for given, tangent in zip(back, tangents, strict=True))
    np.testing.assert_allclose(pairing, np.vdot(made, true), rtol=1e-4)


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "grid", "taken"),
    [
        (26, 26, (32, 32), None),
        (12, 12, (8, 8), None),
        (8, 8, (8, 8, 8), None),
        (1, 26, (32, 32), 2),
        (26, 1, (32, 32), 0),
        (1, 32, (8, 8, 8), 3),
    ],
)
def test_few_channels_are_gathered_or_shifted_and_many_filtered(
    in_channels, out_channels, grid, taken
):
    shape = (out_channels, in_channels, *(3,) * len(grid))
    way = correlation(shape, winograd.OFFSETS, grid, filtered=True)
    assert way is correlation(shape, winograd.OFFSETS, grid, filtered=True)  # chosen once
    if taken is None:
        assert way.func is winograd.correlate
    else:
        assert way.keywords["axes"] == taken
    plain = correlation(shape, winograd.OFFSETS, grid, filtered=False)
    assert plain.func is _correlate_split


def test_minimal_filtering_is_for_cpus_alone(monkeypatch):
    monkeypatch.setattr(winograd, "correlate", None)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    x, weight = fields((8, 4), in_channels=16, out_channels=16)
    assert worst(convolve(x, weight), summed(x, weight)) < 1e-6
