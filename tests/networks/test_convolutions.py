"""Convolutions and networks of them against XLA's convolution on padded input."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from _tiny import filled
from apexr.networks import (
    ACTIVATIONS,
    NETWORKS,
    Convolution,
    Pointwise,
    Space,
    UpConvolution,
)
from apexr.spectral import Grid

SPACE = "DHW"


PADDING = {"periodic": "wrap", "dirichlet": "constant", "neumann": "reflect"}


def by_xla(x, weight, bias, dilation, stride=1, boundary="periodic"):
    """Return the cross-correlation of ``(batch, channel, *space)``, padded for the boundary."""
    dims = weight.ndim - 2
    size = weight.shape[-1]
    before = (size - 1) // 2 * dilation
    after = (size - 1) * dilation - before
    padded = np.pad(x, [(0, 0), (0, 0), *[(before, after)] * dims], mode=PADDING[boundary])
    space = SPACE[:dims]
    out = jax.lax.conv_general_dilated(
        padded,
        np.asarray(weight),
        window_strides=(stride,) * dims,
        padding="VALID",
        rhs_dilation=(dilation,) * dims,
        dimension_numbers=(f"NC{space}", f"OI{space}", f"NC{space}"),
        precision="highest",
    )
    return np.asarray(out) + np.asarray(bias)


def apply(layer, x):
    """Return a layer's output for ``(batch, channel, *space)``."""
    batched = jax.jit(lambda x: jnp.moveaxis(layer(jnp.moveaxis(x, 0, 1)), 1, 0))
    return np.asarray(batched(x))


def states(dims, channels, points):
    return np.random.default_rng(0).normal(size=(2, channels, *(points,) * dims)).astype("f4")


@pytest.mark.parametrize("dilation", [1, 2, 9])  # the last goes around the grid
@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_layer_is_a_convolution_of_the_wrapped_input(dims, size, dilation):
    layer = filled(
        lambda key: Convolution(Space(dims), 2, 3, kernel_size=size, dilation=dilation, key=key)
    )
    assert layer.weight.shape == (3, 2, *(size,) * dims)
    x = states(dims, 2, 7 - dims)
    expected = by_xla(x, layer.weight, layer.bias, dilation)
    np.testing.assert_allclose(apply(layer, x), expected, atol=1e-5)


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann"])
@pytest.mark.parametrize(
    ("dims", "size", "dilation", "stride"),
    [(1, 3, 1, 1), (1, 4, 2, 1), (1, 3, 1, 2), (2, 3, 1, 1), (2, 2, 1, 2), (3, 3, 1, 2)],
)
def test_other_boundaries_pad_with_zeros_or_the_mirror_image(
    dims, size, dilation, stride, boundary
):
    space = Space(dims, boundary)
    sizes = {"kernel_size": size, "dilation": dilation, "stride": stride}
    layer = filled(lambda key: Convolution(space, 2, 3, **sizes, key=key))
    x = states(dims, 2, 8 - dims)
    expected = by_xla(x, layer.weight, layer.bias, dilation, stride, boundary)
    np.testing.assert_allclose(apply(layer, x), expected, atol=1e-5)


@pytest.mark.parametrize("boundary", ["periodic", "dirichlet", "neumann"])
@pytest.mark.parametrize(("dims", "points"), [(2, 7), (2, 8), (3, 5)])
def test_layers_of_many_channels_are_convolutions_at_every_boundary(dims, points, boundary):
    layer = filled(lambda key: Convolution(Space(dims, boundary), 12, 12, key=key))
    x = states(dims, 12, points)
    expected = by_xla(x, layer.weight, layer.bias, 1, boundary=boundary)
    np.testing.assert_allclose(apply(layer, x), expected, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("points", "stride"), [(6, 2), (7, 2), (7, 3)])
def test_a_stride_keeps_some_outputs(dims, points, stride):
    layer = filled(lambda key: Convolution(Space(dims), 2, 3, stride=stride, key=key))
    x = states(dims, 2, points)
    expected = by_xla(x, layer.weight, layer.bias, 1, stride)
    np.testing.assert_allclose(apply(layer, x), expected, atol=1e-5)


@pytest.mark.parametrize("boundary", ["periodic", "dirichlet", "neumann"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_up_convolution_is_a_convolution_between_inserted_zeros(dims, boundary):
    layer = filled(lambda key: UpConvolution(Space(dims, boundary), 2, 3, key=key))
    x = states(dims, 2, 4)
    padded = np.pad(x, [(0, 0), (0, 0), *[(0, 1)] * dims], mode=PADDING[boundary])
    spread = np.zeros((2, 2, *(10,) * dims), "f4")
    spread[(slice(None), slice(None), *(slice(0, None, 2),) * dims)] = padded
    turned = np.asarray(layer.weight)  # even points see the middle tap, odd ones w0 behind
    expected = by_xla(spread, turned, layer.bias, 1)
    expected = expected[(slice(None), slice(None), *(slice(8),) * dims)]
    np.testing.assert_allclose(apply(layer, x), expected, atol=1e-5)


@pytest.mark.parametrize("boundary", ["periodic", "neumann"])
@pytest.mark.parametrize(("dims", "stride"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)])
def test_gradients_are_those_of_xla(dims, stride, boundary):
    space = Space(dims, boundary)
    layer = filled(lambda key: Convolution(space, 2, 3, stride=stride, key=key))
    x = jnp.asarray(states(dims, 2, 4))
    reach = [(0, 0), (0, 0), *[(1, 1)] * dims]

    def ours(x, weight):
        own = eqx.tree_at(lambda layer: layer.weight, layer, weight)
        return jnp.sum(jnp.sin(own(jnp.moveaxis(x, 0, 1))))

    def xla(x, weight):
        spatial = SPACE[:dims]
        out = jax.lax.conv_general_dilated(
            jnp.pad(x, reach, mode=PADDING[boundary]),
            weight,
            (stride,) * dims,
            "VALID",
            dimension_numbers=(f"NC{spatial}", f"OI{spatial}", f"NC{spatial}"),
            precision="highest",
        )
        return jnp.sum(jnp.sin(out + layer.bias))

    given, expected = (jax.jit(jax.grad(f, argnums=(0, 1)))(x, layer.weight) for f in (ours, xla))
    for made, true in zip(given, expected, strict=True):
        np.testing.assert_allclose(made, true, atol=3e-5)


@pytest.mark.parametrize("dims", [1, 3])
def test_pointwise_layer_is_one_matrix_on_the_channels(dims):
    layer = filled(lambda key: Pointwise(Space(dims), 2, 3, key=key))
    x = states(dims, 2, 4)
    expected = by_xla(x, layer.weight, layer.bias, 1)
    np.testing.assert_allclose(apply(layer, x), expected, atol=1e-5)


def test_initial_weights_are_uniform_in_their_bounds():
    layer = Convolution(Space(2), 8, 32, key=jax.random.PRNGKey(0))
    limit = 1 / np.sqrt(8 * 3**2)
    weight = np.asarray(layer.weight)
    assert np.abs(weight).max() <= limit
    assert np.abs(weight).max() > 0.99 * limit
    assert abs(weight.mean()) < 0.02 * limit
    assert weight.std() == pytest.approx(limit / np.sqrt(3), rel=0.03)
    assert np.abs(layer.bias).max() <= limit


def test_conv_is_its_layers_with_activations_between():
    grid = Grid(1, 11)
    net = filled(lambda key: NETWORKS.parse("Conv;4;2;tanh").build(grid, 2, key))
    x = states(1, 2, 11)
    out = x
    for number, layer in enumerate(net.layers):
        out = by_xla(out, layer.weight, layer.bias, 1)
        out = np.tanh(out) if number < 2 else out
    assert len(net.layers) == 3
    np.testing.assert_allclose(eqx.filter_jit(net)(x[0]), out[0], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("tanh", np.tanh),
        ("swish", lambda x: x / (1 + np.exp(-x))),
        (
            "gelu",
            lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        ),
        ("identity", lambda x: x),
    ],
)
def test_activations(name, formula):
    x = np.linspace(-4, 4, 33, dtype="f4")
    np.testing.assert_allclose(jax.jit(ACTIVATIONS.get(name))(x), formula(x), atol=2e-6)
    assert NETWORKS.parse(f"Conv;1;1;{name.upper()}").activation == name


@pytest.mark.parametrize(("dims", "points", "depth"), [(1, 16, 0), (1, 16, 3), (2, 8, 1)])
def test_an_output_point_sees_what_the_receptive_field_says(dims, points, depth):
    grid = Grid(dims, points)
    spec = NETWORKS.parse(f"Conv;3;{depth};tanh")
    net = filled(lambda key: spec.build(grid, 1, key))
    place = (0, *(points // 2,) * dims)
    seen = jax.jit(jax.grad(lambda u: net(u)[place]))(jnp.zeros((1, *grid.shape)))
    reach = depth + 1
    assert spec.receptive_field(grid) == ((float(reach), float(reach)),) * dims
    expected = np.zeros(grid.shape, bool)
    expected[(slice(points // 2 - reach, points // 2 + reach + 1),) * dims] = True
    np.testing.assert_array_equal(np.abs(np.asarray(seen[0])) > 0, expected)


def test_taps_read_ahead_and_behind():
    layer = filled(lambda key: Convolution(Space(1), 1, 1, kernel_size=2, dilation=2, key=key))
    impulse = np.zeros((1, 1, 8), "f4")
    impulse[0, 0, 4] = 1
    out = apply(layer, impulse)[0, 0] - np.asarray(layer.bias).item()
    taps = np.asarray(layer.weight)[0, 0]
    expected = np.zeros(8)
    expected[[4, 2]] = taps  # y[i] = w0 x[i] + w1 x[i + 2]
    np.testing.assert_allclose(out, expected, atol=1e-6)
