"""The grid: shapes, coordinates and what it refuses."""

import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.spectral import Grid, wrap_periodic


def test_shapes():
    grid = Grid(3, 9, 4.5)
    assert grid.shape == (9, 9, 9)
    assert grid.spectral_shape == (9, 9, 5)
    assert grid.dx == 0.5


def test_coordinates_leave_the_right_end_out_and_index_by_matrix():
    x, y = Grid(2, 4, 2.0).coordinates
    np.testing.assert_array_equal(x[:, 0], [0, 0.5, 1, 1.5])
    np.testing.assert_array_equal(y[0], [0, 0.5, 1, 1.5])


def test_equal_grids_are_one_key():
    assert len({Grid(1, 8), Grid(1, 8, 1.0), Grid(1, 8, 2.0)}) == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((0, 8), "num_spatial_dims"),
        ((4, 8), "num_spatial_dims"),
        ((True, 8), "num_spatial_dims"),
        ((1, 1), "num_points"),
        ((1, 8.0), "num_points"),
        ((1, 8, 0.0), "domain_extent"),
        ((1, 8, float("nan")), "domain_extent"),
        ((1, 8, "1"), "domain_extent"),
    ],
)
def test_refused(arguments, named):
    with pytest.raises(SpecError, match=named):
        Grid(*arguments)


def test_meshes():
    grid = Grid(2, 4, 2.0)
    np.testing.assert_array_equal(grid.mesh(), grid.coordinates)
    np.testing.assert_array_equal(grid.mesh(full=True)[0][:, 0], [0, 0.5, 1, 1.5, 2])
    np.testing.assert_array_equal(grid.mesh(zero_centered=True)[1][0], [-1, -0.5, 0, 0.5])
    both = grid.mesh(full=True, zero_centered=True)
    assert both.shape == (2, 5, 5)
    assert both.min() == -1
    assert both.max() == 1


def test_a_wrapped_field_has_the_right_ends():
    grid = Grid(2, 4, 2.0)

    def wave(points):
        return np.stack([np.sin(np.pi * points[0]), np.cos(np.pi * (points[0] + points[1]))])

    wrapped = wrap_periodic(wave(grid.coordinates))
    assert wrapped.shape == (2, 5, 5)
    np.testing.assert_allclose(wrapped, wave(grid.mesh(full=True)), atol=1e-6)
