"""Parts of the recent architectures against their definitions, and what they refuse."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from _tiny import filled
from apexr.errors import ShapeError, SpecError
from apexr.kernels import upsample
from apexr.networks import (
    NETWORKS,
    ConvNeXtUNet,
    DepthwiseConvolution,
    FactorizedOperator,
    FiniteDifference,
    ModernUNet,
    Patch,
    SpectralOperator,
    Unpatch,
    UShapedOperator,
)
from apexr.networks._attention import attend
from apexr.networks._base import PADDING, Space
from apexr.networks._lines import mix_lines
from apexr.networks._operators import tucker_ranks
from apexr.networks._trans import Rotary
from apexr.spectral import Grid, resample

RECENT = ("AViT", "CNeXt", "FFNO", "LocalNO", "TFNO", "Trans", "UNO", "UNetMod")


def batch(channels, *points, samples=2, seed=2):
    shape = (channels, samples, *points)
    return np.random.default_rng(seed).normal(size=shape).astype("f4")


def close(made, expected, atol=2e-5):
    np.testing.assert_allclose(np.asarray(made), np.asarray(expected), atol=atol)


def as_convolution(x, weight, **options):
    """Return XLA's own convolution of ``(channel, batch, *space)``."""
    letters = "XYZ"[: x.ndim - 2]
    layout = (f"CN{letters}", f"OI{letters}", f"CN{letters}")
    return jax.lax.conv_general_dilated(x, weight, dimension_numbers=layout, **options)


@pytest.mark.parametrize("boundary", PADDING)
@pytest.mark.parametrize("points", [(12,), (9, 10), (5, 6, 8), (4,), (4, 8)])
def test_a_depthwise_convolution_is_one_kernel_a_channel(points, boundary):
    space = Space(len(points), boundary)
    layer = filled(lambda key: DepthwiseConvolution(space, 3, key=key))
    x = batch(3, *points)
    widths = [(0, 0), (0, 0), *[(3, 3)] * len(points)]
    wide = np.pad(x, widths, mode=PADDING[boundary])
    expected = as_convolution(
        wide,
        layer.weight,
        window_strides=(1,) * len(points),
        padding="VALID",
        feature_group_count=3,
    )
    close(eqx.filter_jit(layer)(x), expected + layer.bias[:, None], 2e-4)


@pytest.mark.parametrize(("points", "size"), [((12,), 4), ((6, 9), 3), ((4, 2, 6), 2)])
def test_patches_are_strided_convolutions_and_back(points, size):
    dims = len(points)
    patch = filled(lambda key: Patch(Space(dims), 2, 3, size=size, key=key))
    x = batch(2, *points)
    expected = as_convolution(x, patch.weight, window_strides=(size,) * dims, padding="VALID")
    close(patch(x), expected + patch.bias[:, None])
    unpatch = filled(lambda key: Unpatch(Space(dims), 3, 2, size=size, use_bias=False, key=key))
    y = batch(3, *(one // size for one in points), seed=3)
    turned = np.flip(unpatch.weight, tuple(range(2, 2 + dims)))
    expected = as_convolution(
        y,
        turned,
        window_strides=(1,) * dims,
        padding=[(size - 1, size - 1)] * dims,
        lhs_dilation=(size,) * dims,
    )
    close(unpatch(y), expected)


@pytest.mark.parametrize("points", [(5,), (4, 3), (2, 3, 4)])
def test_doubling_is_a_transposed_convolution(points):
    dims = len(points)
    x, weight = batch(2, *points), batch(3, *(4,) * dims, samples=2, seed=4)
    wide = np.pad(x, [(0, 0), (0, 0), *[(2, 2)] * dims], mode="wrap")
    made = as_convolution(
        wide,
        np.flip(weight, tuple(range(2, 2 + dims))),
        window_strides=(1,) * dims,
        padding=[(2, 4)] * dims,
        lhs_dilation=(2,) * dims,
    )
    inside = tuple(slice(4, 4 + 2 * one) for one in points)
    close(upsample(x, weight), made[(slice(None), slice(None), *inside)])


def softmax(logits, axis):
    shares = np.exp(logits - logits.max(axis, keepdims=True))
    return shares / shares.sum(axis, keepdims=True)


@pytest.mark.parametrize("over", ["keys", "queries"])
@pytest.mark.parametrize("axis", [0, 1])
def test_attention_runs_along_one_axis(axis, over):
    queries, keys, values = (batch(6, 4, 5, seed=seed).reshape(2, 3, 2, 4, 5) for seed in (1, 2, 3))
    made = attend(*map(jnp.asarray, (queries, keys, values)), axis=axis, over=over)
    q, k, v = (np.moveaxis(part, 3 + axis, -1) for part in (queries, keys, values))
    logits = np.einsum("hdbxi,hdbxj->hbxij", q, k) / np.sqrt(3)
    shares = softmax(logits, -1 if over == "keys" else -2)
    expected = np.einsum("hbxij,hdbxj->hdbxi", shares, v)
    close(made, np.moveaxis(expected, -1, 3 + axis))


def norm_by_hand(norm, x):
    mean, deviation = x.mean(0), np.sqrt(x.var(0) + 1e-5)
    return (x - mean) / deviation * norm.weight[:, None, None] + norm.bias[:, None, None]


def mlp_by_hand(mlp, x):
    for number, layer in enumerate(mlp.layers):
        x = np.maximum(x, 0) if number else x
        x = np.einsum("oi,ibx->obx", layer.weight[..., 0], x)
        x = x if layer.bias is None else x + layer.bias[:, None]
    return x


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_a_transformer_by_hand(positions):
    spec = NETWORKS.parse(f"Trans;8;2;2;relu;{positions}")
    net = filled(lambda key: spec.build(Grid(1, 12), 2, key), scale=0.3)
    u = batch(2, 12)
    x = mlp_by_hand(net.lifting, u)
    place = np.arange(12)
    if positions == "sinusoidal":
        table = np.zeros((8, 12))
        for pair in range(4):
            table[2 * pair] = np.sin(place / 10_000 ** (2 * pair / 8))
            table[2 * pair + 1] = np.cos(place / 10_000 ** (2 * pair / 8))
        x = x + table[:, None]
    for block in net.blocks:
        layers = (block.attention.queries, block.attention.keys, block.attention.values)
        parts = [np.einsum("oi,ibx->obx", layer.weight[..., 0], x) for layer in layers]
        q, k, v = (part.reshape(2, 4, 2, 12) for part in parts)
        if positions == "rotary":  # each pair of channels is a complex number that is turned
            turn = np.exp(2j * np.pi * np.outer([1, 3], place) / 12)[:, None]
            q, k = ((part[:, :2] + 1j * part[:, 2:]) * turn for part in (q, k))
        logits = np.einsum("hdbi,hdbj->hbij", q, np.conj(k)).real / 2
        seen = np.einsum("hbij,hdbj->hdbi", softmax(logits, -1), v).reshape(8, 2, 12)
        seen = np.einsum("oi,ibx->obx", block.attention.output.weight[..., 0], seen)
        x = norm_by_hand(block.norms[0], seen + x)
        x = norm_by_hand(block.norms[1], mlp_by_hand(block.mlp, x) + x)
    close(
        eqx.filter_jit(lambda net, u: net.batched(u))(net, u), mlp_by_hand(net.projection, x), 1e-4
    )


@pytest.mark.parametrize(("width", "blocks", "channels"), [(32, 4, 1), (8, 1, 2)])
def test_the_size_of_the_published_transformer(width, blocks, channels):
    spec = NETWORKS.parse(f"Trans;{width};4;{blocks}")
    net = eqx.filter_eval_shape(
        spec.build, Grid(1, 160), channels, jax.ShapeDtypeStruct((2,), np.uint32)
    )
    ends = (channels * width + width) + 4 * (width**2 + width) + (width * channels + channels)
    block = 4 * width**2 + 2 * 2 * width**2 + 2 * 2 * width
    assert sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(net)) == ends + blocks * block


@pytest.mark.parametrize("points", [2, 7, 16, 160])
def test_turned_queries_and_keys_know_their_distance_alone(points):
    query, key = (batch(8, samples=1, seed=seed)[..., None] for seed in (1, 2))
    spread = [np.repeat(part.reshape(1, 8, 1, 1), points, -1) for part in (query, key)]
    q, k = (np.asarray(Rotary().turn(jnp.asarray(part)))[0, :, 0] for part in spread)
    products = q.T @ k
    for distance in range(points):
        same = [products[i, (i + distance) % points] for i in range(points)]
        np.testing.assert_allclose(same, same[0], atol=2e-5)
    assert np.ptp(products) > 0.1


def spectral_by_hand(layer, x, shape):
    """Return the sum of the kept waves on another grid, wave by wave, in double precision."""
    real, imag = map(np.asarray, layer.waves.parts())
    weight = real.astype("f8") + 1j * imag
    dims = x.ndim - 2
    modes = weight.shape[2:]
    spectrum = np.fft.fftn(x.astype("f8"), axes=tuple(range(2, x.ndim))) / math.prod(x.shape[2:])
    mesh = np.meshgrid(*(np.arange(size) / size for size in shape), indexing="ij")
    out = np.zeros((weight.shape[0], x.shape[1], *shape))
    for place in np.ndindex(*modes):
        wave = [one - count // 2 for one, count in zip(place[:-1], modes[:-1], strict=True)]
        wave.append(place[-1])
        given = spectrum[(slice(None), slice(None), *wave)]
        mixed = weight[(slice(None), slice(None), *place)] @ given
        phase = np.exp(2j * np.pi * sum(k * x for k, x in zip(wave, mesh, strict=True)))
        once = wave[-1] == 0 or 2 * wave[-1] == shape[-1]
        out += (1 if once else 2) * np.real(mixed.reshape(*mixed.shape, *(1,) * dims) * phase)
    return out + np.asarray(layer.bias).reshape(-1, *(1,) * (x.ndim - 1))


@pytest.mark.parametrize(
    ("points", "shape", "modes"),
    [
        ((9,), (9,), 4),
        ((8,), (8,), 8),
        ((16,), (8,), 5),
        ((6,), (12,), 4),
        ((9, 7), (9, 7), 5),
        ((8, 8), (8, 8), 8),
        ((12, 8), (6, 4), 3),
        ((6, 5), (12, 10), 4),
        ((4, 4, 4), (8, 8, 8), 2),
    ],
)
@pytest.mark.parametrize("rank", [None, 0.4])
def test_a_spectral_operator_is_a_sum_of_waves_on_any_grid(points, shape, modes, rank):
    space = Space(len(points))
    layer = filled(lambda key: SpectralOperator(space, 2, 3, modes=modes, rank=rank, key=key))
    x = batch(2, *points)
    made = eqx.filter_jit(layer)(x, shape)
    close(made, spectral_by_hand(layer, x, shape), 1e-4)


def test_lines_on_another_grid_are_the_interpolant():
    x = np.asarray(resample(batch(2, 5, 8).reshape(4, 5, 8), (5, 16)).reshape(2, 2, 5, 16))
    real = np.broadcast_to(np.eye(2, dtype="f4")[..., None], (2, 2, 4))
    real, imag = jnp.asarray(real), jnp.zeros((2, 2, 4))
    low = mix_lines(jnp.asarray(x), real, imag, axis=1)
    made = mix_lines(jnp.asarray(x), real, imag, axis=1, num_points=12)
    expected = resample(np.asarray(low).reshape(4, 5, 16), (5, 12)).reshape(2, 2, 5, 12)
    close(made, expected)


def test_ranks_hold_the_share_of_the_numbers():
    shape = (64, 64, 16, 9)
    for share in (0.05, 0.1, 0.5):
        ranks = tucker_ranks(shape, share)
        held = math.prod(ranks) + sum(n * r for n, r in zip(shape, ranks, strict=True))
        assert held == pytest.approx(share * math.prod(shape), rel=0.1)
    assert tucker_ranks((4, 4, 4), 1e-5) == (1, 1, 1)


def test_factorized_weights_start_as_wide_as_dense_ones():
    key = jax.random.PRNGKey(0)
    dense = SpectralOperator(Space(2), 32, 32, modes=8, key=key).waves
    tucker = SpectralOperator(Space(2), 32, 32, modes=8, rank=0.2, key=key).waves
    for waves in (dense, tucker):
        real, imag = map(np.asarray, waves.parts())
        assert np.sqrt(np.mean(real**2 + imag**2)) == pytest.approx(math.sqrt(2 / 64), rel=0.3)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_finite_differences_of_constants_vanish(dims):
    layer = filled(lambda key: FiniteDifference(Space(dims), 2, 3, num_points=6, key=key))
    close(layer(np.ones((2, 2, *(6,) * dims), "f4")), np.zeros((3, 2, *(6,) * dims)))


def test_finite_differences_converge_to_a_derivative():
    layer = filled(lambda key: FiniteDifference(Space(1), 1, 1, num_points=32, key=key))
    taps = np.asarray(layer.weight)[0, 0]
    errors = []
    for points in (32, 64, 128):
        place = 2 * np.pi * np.arange(points) / points
        made = np.asarray(layer(np.sin(place).astype("f4")[None, None]))[0, 0]
        slope = (taps[2] - taps[0]) * (2 * np.pi / 32) * np.cos(place)
        errors.append(np.abs(made - slope).max())
    assert errors[1] / errors[0] == pytest.approx(0.5, rel=0.1)
    assert errors[2] / errors[1] == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("name", RECENT)
def test_all_arguments_have_defaults(name):
    spec = NETWORKS.parse(name)
    assert str(spec) == name
    assert NETWORKS.usage(name).startswith(f"{name}[;WIDTH") or "MODES" in NETWORKS.usage(name)
    grid = Grid({"AViT": 2, "Trans": 1}.get(name, 1), 160)
    spec.check(grid, 1)
    net = eqx.filter_eval_shape(spec.build, grid, 1, jax.ShapeDtypeStruct((2,), np.uint32))
    assert jax.tree.leaves(net)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("Trans;30;4;2", r"WIDTH must be a multiple of 8 for 4 HEADS, got 30; .* are 24 and 32"),
        ("Trans;30;4;2;relu;sinusoidal", "WIDTH must be a multiple of 4 for 4 HEADS, got 30"),
        ("Trans;32;4;2;relu;rotery", "did you mean 'rotary'"),
        ("Trans;32;0", "HEADS must be at least 1"),
        ("AViT;100;4", "WIDTH must be a multiple of 48, .* are 96 and 144"),
        ("AViT;96;5", "WIDTH must be a multiple of 5 for 5 HEADS"),
        ("AViT;96;4;2;6", "PATCH must be a multiple of 4, got 6"),
        ("UNetMod;12", "WIDTH must be a multiple of 8, .* are 8 and 16"),
        ("UNetMod;16;1,0", "MULTIPLIERS must be at least 1 each"),
        ("UNetMod;16;1,2;0", "BLOCKS must be at least 1"),
        ("FFNO;4;8;0", "BLOCKS must be at least 1"),
        ("TFNO;4;8;2;0", "RANK must be at least 1e-06 and at most 1, got 0"),
        ("TFNO;4;8;2;1.5", "RANK must be at least 1e-06 and at most 1, got 1.5"),
        ("CNeXt;8;two", "STAGES must be int, got 'two'"),
        ("CNeXt;8;2;1;gelu", "nothing is expected after the last field"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(config, said):
    with pytest.raises(SpecError, match=said):
        NETWORKS.parse(config)


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann"])
def test_other_boundaries_where_the_definition_has_them(boundary):
    space = Space(1, boundary)
    make = (
        lambda key: ConvNeXtUNet(space, 1, 1, width=2, num_stages=1, num_blocks=1, key=key),
        lambda key: ModernUNet(
            space, 1, 1, width=8, multipliers=(1, 1), num_blocks=1, activation="tanh", key=key
        ),
    )
    x = batch(1, 8)
    for build in make:
        y = filled(build).batched(x)
        turned = np.roll(filled(build).batched(np.roll(x, 2, -1)), -2, -1)
        assert np.isfinite(y).all()
        assert np.abs(y - turned).max() > 1e-3 * np.abs(y).max()  # the ends are seen


@pytest.mark.parametrize(
    "build",
    [
        lambda space, key: FactorizedOperator(
            space, 1, 1, modes=2, width=2, num_blocks=1, expansion=2, key=key
        ),
        lambda space, key: UShapedOperator(space, 1, 1, modes=2, width=2, num_levels=0, key=key),
    ],
)
def test_fourier_series_are_refused_other_boundaries(build):
    with pytest.raises(
        SpecError, match=r"needs a periodic boundary, got 'neumann'; .*ConvNeXtUNet"
    ):
        build(Space(1, "neumann"), jax.random.PRNGKey(0))


@pytest.mark.parametrize(
    ("config", "dims", "said"),
    [
        ("CNeXt;2;2;1", 1, "this CNeXt: 10 points can be halved 1 times, not 2"),
        ("UNetMod;8;1,1,1;1", 1, "this UNetMod: 10 points can be halved 1 times, not 2"),
        ("UNO;2;2;2", 1, "this UNO: 10 points can be halved 1 times, not 2"),
        ("AViT;48;2;1;4", 2, "works on a grid of .16, 16. points, got .10, 10."),
    ],
)
def test_states_of_another_grid_are_refused(config, dims, said):
    net = filled(lambda key: NETWORKS.parse(config).build(Grid(dims, 16), 1, key))
    with pytest.raises(ShapeError, match=said):
        net(np.zeros((1, *(10,) * dims), "f4"))


def test_walls_name_the_networks_that_have_them():
    assert {"AViT", "MLP"} <= {
        name for name in NETWORKS.names() if "any" in NETWORKS.registry.get(name).boundaries
    }
