"""Products: the numbers and their gradients, whatever zeros are added on the way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from apexr.kernels._products import fill_lanes, multiply_each


@pytest.mark.parametrize(
    ("size", "filled"), [(1, 1), (12, 12), (16, 16), (24, 24), (25, 32), (26, 32), (31, 32)]
)
def test_only_what_ends_late_in_a_vector_is_filled(size, filled):
    x = np.ones((2, size))
    np.testing.assert_array_equal(fill_lanes(x, 1), np.pad(x, [(0, 0), (0, filled - size)]))


@pytest.mark.parametrize("size", [3, 24, 26])
def test_products_and_their_gradients_in_both_modes(size):
    with jax.enable_x64(True):
        random = np.random.default_rng(3)
        kernels, x = random.normal(size=(2, 5, size)), random.normal(size=(2, size, 7))
        out = [kernel @ factor for kernel, factor in zip(kernels, x, strict=True)]
        np.testing.assert_allclose(multiply_each(kernels, x), out, rtol=1e-13)
        check_grads(lambda k, x: jnp.sin(multiply_each(k, x)), (kernels, x), order=2)
