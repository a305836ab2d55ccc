"""Shapes in annotations are compared with arrays, where the tests are asked to."""

import os

import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float, TypeCheckError, jaxtyped

from _shapes import check_shapes
from apexr.kernels import convolve


@jaxtyped(typechecker=check_shapes)
def product(
    left: Float[Array, "row inner"], right: Float[Array, "inner column"] | None = None
) -> Float[Array, "row column"]:
    """Return a product, of the wrong shape where the right factor is left out."""
    return left if right is None else left @ right


def test_arrays_of_the_annotated_shapes_pass():
    assert product(jnp.ones((2, 3)), jnp.ones((3, 4))).shape == (2, 4)
    assert product(np.ones((2, 3)), right=np.ones((3, 4))).shape == (2, 4)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (np.ones((2, 3)), np.ones((4, 3))),  # two sizes of one dimension
        (np.ones(2), np.ones((2, 3))),  # a dimension is missing
        (np.ones((2, 3), int), np.ones((3, 4))),  # whole numbers
        (np.ones((2, 3, 4)), None),  # both
    ],
)
def test_arrays_of_other_shapes_do_not(left, right):
    with pytest.raises(TypeCheckError):
        product(left, right)


def test_results_of_other_shapes_do_not():
    @jaxtyped(typechecker=check_shapes)
    def flattened(x: Float[Array, "row column"]) -> Float[Array, "row column"]:
        return x.reshape(-1)

    with pytest.raises(TypeCheckError):
        flattened(np.ones((2, 3)))


def test_kernels_are_checked_where_that_is_asked_for():
    assert hasattr(convolve, "__wrapped__") == ("APEXR_CHECK_SHAPES" in os.environ)
