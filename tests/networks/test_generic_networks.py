"""Blocks and the generic networks against their formulas; what does not fit is refused."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from _tiny import filled
from apexr.errors import ShapeError, SpecError
from apexr.networks import (
    NETWORKS,
    ConvNet,
    Convolution,
    DilatedBlock,
    DoubleConvBlock,
    GroupNorm,
    Hierarchical,
    Pointwise,
    PreactivationBlock,
    ResidualBlock,
    Sequential,
    Space,
    SpectralBlock,
)
from apexr.spectral import Grid


def batch(channels=2, points=12, samples=3):
    return np.random.default_rng(2).normal(size=(channels, samples, points)).astype("f4")


def close(made, expected):
    np.testing.assert_allclose(np.asarray(made), np.asarray(expected), atol=2e-5)


def norm_by_hand(layer, x):
    """Return the group norm of ``(channel, batch, *space)``, sample by sample."""
    out = np.empty(x.shape)
    for sample in range(x.shape[1]):
        for group in np.split(np.arange(x.shape[0]), layer.num_groups):
            part = np.asarray(x, "f8")[group, sample]
            out[group, sample] = (part - part.mean()) / np.sqrt(part.var() + 1e-5)
    ones = (1,) * (x.ndim - 1)
    return out * np.reshape(layer.weight, (-1, *ones)) + np.reshape(layer.bias, (-1, *ones))


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("dims", [1, 2])
def test_group_norm_is_over_space_and_the_channels_of_a_group(dims, groups):
    layer = filled(lambda key: GroupNorm(4, num_groups=groups))
    x = np.random.default_rng(0).normal(3, 2, size=(4, 3, *(5,) * dims)).astype("f4")
    close(eqx.filter_jit(layer)(x), norm_by_hand(layer, x))


def test_group_norm_starts_as_ones_and_zeros():
    layer = GroupNorm(3)
    np.testing.assert_array_equal(layer.weight, np.ones(3))
    np.testing.assert_array_equal(layer.bias, np.zeros(3))
    with pytest.raises(SpecError, match="num_groups must divide the 3 channels, got 2"):
        GroupNorm(3, num_groups=2)


@pytest.mark.parametrize("out_channels", [2, 3])
def test_residual_block(out_channels):
    block = filled(lambda key: ResidualBlock(Space(1), 2, out_channels, activation="tanh", key=key))
    x = batch()
    first, second = block.convolutions
    kept = x if out_channels == 2 else block.bypass(x)
    close(eqx.filter_jit(block)(x), np.tanh(second(np.tanh(first(x))) + kept))
    assert (block.bypass is None) == (out_channels == 2)
    assert block.reach == (2, 2)


@pytest.mark.parametrize("out_channels", [2, 3])
def test_preactivation_block(out_channels):
    block = filled(
        lambda key: PreactivationBlock(Space(1), 2, out_channels, activation="tanh", key=key)
    )
    x = batch()
    change = x
    for norm, convolution in zip(block.norms, block.convolutions, strict=True):
        change = convolution(np.tanh(norm_by_hand(norm, change)).astype("f4"))
    kept = x
    if out_channels == 3:
        kept = block.bypass(norm_by_hand(block.bypass_norm, x).astype("f4"))
        assert block.bypass.bias is None
    close(eqx.filter_jit(block)(x), change + kept)


@pytest.mark.parametrize("out_channels", [2, 3])
def test_dilated_block(out_channels):
    make = partial(DilatedBlock, rates=(1, 3), activation="tanh")
    block = filled(lambda key: make(Space(1), 2, out_channels, key=key))
    x = batch()
    change = x
    for norm, convolution in zip(block.norms, block.convolutions, strict=True):
        change = np.tanh(convolution(norm_by_hand(norm, change).astype("f4")))
    kept = x
    if out_channels == 3:
        kept = block.bypass(norm_by_hand(block.bypass_norm, x).astype("f4"))
    close(eqx.filter_jit(block)(x), change + kept)
    assert block.reach == (4, 4)


@pytest.mark.parametrize(("depth", "rates"), [(0, [1]), (1, [1, 2, 1]), (3, [1, 2, 4, 8, 4, 2, 1])])
def test_dilation_rates_rise_to_the_depth_and_fall_again(depth, rates):
    net = filled(lambda key: NETWORKS.parse(f"Dil;{depth};2;1;relu").build(Grid(1, 16), 1, key))
    assert [convolution.dilation for convolution in net.blocks[0].convolutions] == rates


def test_hierarchical_network_by_hand():
    make = partial(Hierarchical, Space(1), 1, 2, widths=(2, 4, 6), block=DoubleConvBlock)
    net = filled(lambda key: make(key=key))
    x = batch(1)
    finest = net.lifting(x)
    middle = net.left[0][0](net.down[0](finest))
    coarsest = net.left[1][0](net.down[1](middle))
    assert (middle.shape, coarsest.shape) == ((4, 3, 6), (6, 3, 3))
    up = net.right[1][0](jnp.concatenate([middle, net.up[1](coarsest)]))
    up = net.right[0][0](jnp.concatenate([finest, net.up[0](up)]))
    close(eqx.filter_jit(net.batched)(x), net.projection(up))


def test_networks_without_blocks_are_lifting_and_projection():
    x = batch()
    for net in (
        filled(lambda key: Sequential(Space(1), 2, 1, widths=(3,), block=ResidualBlock, key=key)),
        filled(
            lambda key: Hierarchical(
                Space(1), 2, 1, widths=(3,), block=ResidualBlock, lifting=Pointwise, key=key
            )
        ),
    ):
        close(net.batched(x), net.projection(net.lifting(x)))
        assert net.reach == (0, 0)


def test_parts_may_be_any_layers():
    stencil = partial(Convolution, kernel_size=5, use_bias=False)
    make = partial(Sequential, widths=(3, 4), block=stencil, lifting=stencil)
    net = filled(lambda key: make(Space(2, "neumann"), 1, 2, key=key))
    assert net.reach == (4, 4)
    assert eqx.filter_jit(net)(np.ones((1, 6, 6), "f4")).shape == (2, 6, 6)
    own = partial(Sequential, widths=(3, 3), block=lambda space, first, last, *, key: jnp.tanh)
    assert filled(lambda key: own(Space(1), 1, 1, key=key)).reach == (np.inf, np.inf)


def test_a_layer_along_one_axis_is_not_seen_through_a_wall():
    net = filled(
        lambda key: ConvNet(Space(1, "dirichlet"), 1, 1, widths=(3,), activation="tanh", key=key)
    )
    seen = jax.jit(jax.grad(lambda u: net(u)[0, 0]))(jnp.zeros((1, 9)))[0]
    np.testing.assert_array_equal(np.flatnonzero(seen), [0, 1, 2])  # not the other end


def test_forward_mode_works_in_two_dimensions():
    layer = filled(lambda key: Convolution(Space(2), 1, 2, key=key))
    x = np.random.default_rng(0).normal(size=(1, 1, 4, 4)).astype("f4")
    tangent = jax.jvp(layer, (x,), (x,))[1]
    close(tangent, layer(x) - layer(np.zeros_like(x)))


def test_gradients_of_gradients_work_in_one_dimension():
    layer = filled(lambda key: Convolution(Space(1), 1, 1, key=key))

    def energy(x):
        return jnp.sum(layer(x) ** 2)

    x = batch(1)
    twice = jax.jit(jax.grad(lambda x: jnp.sum(jax.grad(energy)(x) ** 2)))(x)
    step = 1e-2
    change = jax.random.normal(jax.random.PRNGKey(0), x.shape)
    norms = [float(jnp.sum(jax.grad(energy)(x + s * change) ** 2)) for s in (step, -step)]
    slope = (norms[0] - norms[1]) / (2 * step)
    assert float(jnp.vdot(twice, change)) == pytest.approx(slope, rel=2e-3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda key: Space(4), "num_spatial_dims must be 1, 2 or 3, got 4"),
        (lambda key: Space(1, "neuman"), "boundary must be one of .*got 'neuman'; did you mean"),
        (
            lambda key: Sequential(Space(1), 1, 1, widths=(), block=ResidualBlock, key=key),
            r"widths must be positive integers, at least one, got \(\)",
        ),
        (
            lambda key: Hierarchical(Space(1), 1, 1, widths=(2, 0), block=ResidualBlock, key=key),
            "widths must be positive integers",
        ),
        (
            lambda key: SpectralBlock(Space(1), 2, 3, modes=2, key=key),
            "a spectral block keeps its channels, got 2 and 3",
        ),
        (
            lambda key: SpectralBlock(Space(1, "dirichlet"), 2, 2, modes=2, key=key),
            "a spectral block needs a periodic boundary",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(build, message):
    with pytest.raises(SpecError, match=message):
        build(jax.random.PRNGKey(0))


@pytest.mark.parametrize("name", ["UNet", "MoUNet"])
def test_grids_that_cannot_be_halved_are_refused(name):
    spec = NETWORKS.parse(f"{name};2;3;relu")
    spec.check(Grid(2, 24), 1)
    with pytest.raises(SpecError, match=r"28 points can be halved 2 times, not 3.* 24 and 32"):
        spec.check(Grid(1, 28), 1)
    with pytest.raises(SpecError, match=r"6 points can be halved 1 times, not 3.* that can are 8"):
        spec.check(Grid(1, 6), 1)
    with pytest.raises(SpecError, match=r"least number of points that can is 2\*\*1000"):
        NETWORKS.parse(f"{name};2;1000;relu").check(Grid(1, 28), 1)
    with pytest.raises(SpecError, match="LEVELS must be at least 0 and at most 1000"):
        NETWORKS.parse(f"{name};2;500000000;relu")
    net = filled(lambda key: spec.build(Grid(1, 8), 1, key))
    with pytest.raises(ShapeError, match="12 points can be halved 2 times, not 3"):
        net(np.zeros((1, 12), "f4"))


def test_dilations_beyond_the_grid_are_refused():
    NETWORKS.parse("Dil;4;2;1;relu").check(Grid(1, 16), 1)
    with pytest.raises(
        SpecError, match=r"at most 3 on 15 points along an axis, got 4; .* fits is 2\*\*4"
    ):
        NETWORKS.parse("Dil;4;2;1;relu").check(Grid(1, 15), 1)


def test_more_modes_name_the_grid_that_fits():
    for dims, nearest in ((1, 22), (2, 24)):
        spec = NETWORKS.parse("FNO;12;2;1;relu")
        with pytest.raises(SpecError, match=f"number of points that fits is {nearest}"):
            spec.check(Grid(dims, nearest - 2), 1)
        spec.check(Grid(dims, nearest), 1)


def test_a_perceptron_is_matrices_on_the_flat_state():
    net = filled(lambda key: NETWORKS.parse("MLP;4;1;tanh").build(Grid(2, 3), 2, key))
    x = np.random.default_rng(0).normal(size=(2, 3, 3)).astype("f4")
    first, last = net.layers
    hidden = np.tanh(np.asarray(first.weight) @ x.ravel() + np.asarray(first.bias))
    expected = np.asarray(last.weight) @ hidden + np.asarray(last.bias)
    close(net(x), expected.reshape(x.shape))
    with pytest.raises(ShapeError, match=r"shape \(2, 3, 3\), got \(2, 4, 4\)"):
        net(np.zeros((2, 4, 4), "f4"))


def test_a_stencil_needs_no_activation():
    assert NETWORKS.parse("Pure;3") == NETWORKS.parse("pure;3;Identity")
    assert str(NETWORKS.parse("Pure;3;identity")) == "Pure;3"
    net = filled(lambda key: NETWORKS.parse("Pure;3;relu").build(Grid(1, 8), 1, key))
    taps = np.asarray(net.convolution.weight)[0, 0]
    x = batch(1, 8, 1)[:, 0]
    close(net(x)[0], taps[0] * np.roll(x[0], 1) + taps[1] * x[0] + taps[2] * np.roll(x[0], -1))
    assert jax.tree.leaves(net)[0].shape == (1, 1, 3)
    assert len(jax.tree.leaves(net)) == 1


@pytest.mark.parametrize(
    ("config", "counts", "reach"),
    [
        ("Conv;26;10;relu", (18_669, 18_826, 55_485, 55_954, 165_933, 168_743), 11),
        ("Conv;34;10;relu", (31_757, 31_962, 94_589, 95_202, 283_085, 286_759), 11),
        ("UNet;12;2;relu", (27_193, 27_242, 79_969, 80_090, 238_297, 238_971), 29),
        ("Res;26;8;relu", (32_943, 32_996, 97_839, 97_892, 292_527, 292_633), 16),
        ("FNO;12;18;4;gelu", (32_527, 32_564, 747_919, 747_956, 17_917_327, 17_917_401), np.inf),
        ("FNO;12;8;4;gelu", (6_457, 6_474, 147_769, 147_786, 3_539_257, 3_539_291), np.inf),
        ("Dil;2;32;2;relu", (31_777, 31_842, 93_217, 93_282, 277_537, 277_667), 20),
        ("MoRes;26;8;relu", (33_775, 33_828, 98_671, 98_724, 293_359, 293_465), 16),
        ("MoUNet;12;2;relu", (52_529, 52_594, 148_505, 148_642, 436_433, 437_139), 47),
        ("MLP;64;3;relu", (29_024, 49_664, 3_310_784, 6_613_184, 4_235_456, 12_689_600), 160),
        ("Pure;3;identity", (3, 12, 9, 36, 27, 243), 1),
    ],
)
def test_sizes_of_the_published_table(config, counts, reach):
    spec = NETWORKS.parse(config)
    shapes = ((1, 160, 1), (1, 160, 2), (2, 160, 1), (2, 160, 2), (3, 32, 1), (3, 32, 3))
    key = jax.ShapeDtypeStruct((2,), np.uint32)
    for (dims, points, channels), count in zip(shapes, counts, strict=True):
        net = eqx.filter_eval_shape(spec.build, Grid(dims, points), channels, key)
        assert sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(net)) == count
    assert spec.receptive_field(Grid(1, 160)) == ((reach, reach),)
