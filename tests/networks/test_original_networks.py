"""Architectures against their originals: same weights, same outputs, same sizes.

The golden arrays are made by ``tools/make_network_golden.py``, which gives the originals the
weights that :func:`numbers` gives here under the original's names.
"""

import json
import math
import zlib
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.networks import (
    NETWORKS,
    ConvNeXtUNet,
    ModernUNet,
    NormedBlock,
    Space,
)
from apexr.spectral import Grid

GOLDEN = Path(__file__).parent / "golden"
CLOSE = 2e-4
KEY = jax.ShapeDtypeStruct((2,), np.uint32)
GROUPS = ("the_well", "pdearena", "fourierflow", "neuraloperator")


def golden():
    """Return the cases of all groups by name, and the sizes of the larger networks."""
    cases, counts = {}, {}
    for group in GROUPS:
        with np.load(GOLDEN / f"{group}.npz") as held:
            counts |= json.loads(str(held["meta"]))["counts"]
            for name in held.files:
                if "|" in name:
                    case, part = name.split("|")
                    cases.setdefault(case, {})[part] = held[name]
    return cases, counts


CASES, COUNTS = golden()


def numbers(name, shape):
    """Return the numbers that the script has given the original's parameter of this name."""
    phase = 0.7 * np.arange(math.prod(shape)) ** 2 + zlib.crc32(name.encode()) % 1000
    scale = math.sqrt(3 / max(1, math.prod(shape[1:])))
    return (scale * np.sin(phase)).reshape(shape).astype("f4")


class Copier:
    """Collects which leaf of a network gets which parameter of its original."""

    def __init__(self):
        self.leaves, self.values = [], []

    def put(self, leaf, value):
        assert leaf.size == value.size
        self.leaves.append(leaf)
        self.values.append(value.reshape(leaf.shape))

    def same(self, layer, name, *, bias=True, shape=None):
        """Weight and bias of a layer whose weight is stored in the original's order."""
        shape = layer.weight.shape if shape is None else shape
        self.put(layer.weight, numbers(f"{name}.weight", shape))
        if bias:
            self.put(layer.bias, numbers(f"{name}.bias", (layer.bias.size,)))

    def linear(self, layer, name, *, bias=True):
        self.same(layer, name, bias=bias, shape=layer.weight.shape[:2])

    def line(self, layer, name, *, bias=True):
        """A pointwise layer that the original has as a convolution of one tap in 1D."""
        self.same(layer, name, bias=bias, shape=(*layer.weight.shape[:2], 1))

    def turned(self, layer, name, *, bias=True):
        """A transposed convolution, which the original stores as (in, out, ...)."""
        shape = layer.weight.shape
        weight = numbers(f"{name}.weight", (shape[1], shape[0], *shape[2:]))
        self.put(layer.weight, weight.swapaxes(0, 1))
        if bias:
            self.put(layer.bias, numbers(f"{name}.bias", (layer.bias.size,)))

    def complex(self, pair, name, shape, order=None):
        """Real and imaginary part, which the original stores as a last axis of two."""
        both = numbers(name, (*shape, 2))
        for leaf, part in zip(pair, (both[..., 0], both[..., 1]), strict=True):
            self.put(leaf, part if order is None else part.transpose(order))

    def into(self, net):
        """Return the network with all its leaves replaced; none may be left or met twice."""
        places = {id(leaf): place for place, leaf in enumerate(jax.tree.leaves(net))}
        found = [places[id(leaf)] for leaf in self.leaves]
        assert sorted(found) == list(range(len(places)))
        values = dict(zip(found, self.values, strict=True))
        filled = [jnp.asarray(values[place]) for place in range(len(places))]
        return jax.tree.unflatten(jax.tree.structure(net), filled)


def copy_cnext(net, to):
    def stage(part, name):
        if part.join is not None:
            to.same(part.join, f"{name}.skip_proj")
        for place, block in enumerate(part.blocks):
            copy_block(block, f"{name}.blocks.{place}")
        shape = (part.norm.weight.size, *(1,) * (part.resample.weight.ndim - 2))
        for kind in ("weight", "bias"):
            value = numbers(f"{name}.resample.block.0.{kind}", shape)
            to.put(getattr(part.norm, kind), value)

    def copy_block(block, name):
        to.same(block.depthwise, f"{name}.dwconv")
        to.same(block.norm, f"{name}.norm")
        to.linear(block.expand, f"{name}.pwconv1")
        to.linear(block.contract, f"{name}.pwconv2")
        to.put(block.scale, numbers(f"{name}.gamma", block.scale.shape))

    to.same(net.lifting, "in_proj")
    to.same(net.projection, "out_proj")
    copy_block(net.bottom, "neck.blocks.0")
    for place, part in enumerate(net.down):
        stage(part, f"encoder.{place}")
        to.same(part.resample, f"encoder.{place}.resample.block.1")
    for place, part in enumerate(net.up):
        stage(part, f"decoder.{place}")
        to.turned(part.resample, f"decoder.{place}.resample.block.1")


def copy_avit(net, to):
    for place, (patch, norm) in enumerate(zip(net.down, net.down_norms, strict=True)):
        to.same(patch, f"embed.in_projs.{3 * place}", bias=False)
        to.same(norm, f"embed.in_projs.{3 * place + 1}")
    table = numbers("absolute_pe", (*net.places.shape[1:], net.places.shape[0]))
    to.put(net.places, np.moveaxis(table, -1, 0))
    for place, block in enumerate(net.blocks):
        name = f"blocks.{place}"
        to.put(block.scale, numbers(f"{name}.gamma", block.scale.shape))
        to.same(block.norm, f"{name}.norm", bias=False)
        to.linear(block.projection, f"{name}.fused_projection")
        to.same(block.query_norm, f"{name}.qnorm", bias=False)
        to.same(block.key_norm, f"{name}.knorm", bias=False)
        to.linear(block.output, f"{name}.output_head")
        to.linear(block.contract, f"{name}.mlp_remaining.1")
    for place, patch in enumerate(net.up):
        to.turned(patch, f"debed.out_proj.{3 * place}", bias=False)
    for place, norm in enumerate(net.up_norms):
        to.same(norm, f"debed.out_proj.{3 * place + 1}")


def copy_unetmod(net, to):
    def block(part, name):
        for place in (0, 1):
            to.same(part.norms[place], f"{name}.norm{place + 1}")
            to.same(part.convolutions[place], f"{name}.conv{place + 1}")
        if part.shortcut is not None:
            to.same(part.shortcut, f"{name}.shortcut")

    to.same(net.lifting, "image_proj")
    for place, part in enumerate(net.down):
        if isinstance(part, NormedBlock):
            block(part, f"down.{place}.res")
        else:
            to.same(part, f"down.{place}.conv")
    first, attention, second = net.bottom
    block(first, "middle.res1")
    block(second, "middle.res2")
    to.same(attention.norm, "middle.attn.norm")
    to.linear(attention.projection, "middle.attn.projection")
    to.linear(attention.output, "middle.attn.output")
    for place, part in enumerate(net.up):
        if isinstance(part, NormedBlock):
            block(part, f"up.{place}.res")
        else:
            to.turned(part, f"up.{place}.conv")
    to.same(net.norm, "norm")
    to.same(net.projection, "final")


def copy_ffno(net, to):
    to.linear(net.lifting, "in_proj")
    for place, layer in enumerate(net.projection.layers):
        to.linear(layer, f"out.{place}")
    for number, block in enumerate(net.blocks):
        name = f"spectral_layers.{number}"
        shape = (block.real.shape[2], block.real.shape[1], block.real.shape[3], 2)
        # the original's first weight is that of the last axis
        axes = [numbers(f"{name}.fourier_weight.{place}", shape) for place in (1, 0)]
        both = np.stack(axes).swapaxes(1, 2)
        to.put(block.real, both[..., 0])
        to.put(block.imag, both[..., 1])
        for place, layer in enumerate(block.mlp.layers):
            to.linear(layer, f"{name}.backcast_ff.layers.{place}.0")


def copy_mlp(mlp, name, to):
    for place, layer in enumerate(mlp.layers):
        to.line(layer, f"{name}.fcs.{place}")


def copy_spectral(part, name, to):
    waves = part.waves
    if hasattr(waves, "real"):
        out_channels, in_channels, *modes = waves.real.shape
        turn = (1, 0, *range(2, 2 + len(modes)))
        to.complex(
            (waves.real, waves.imag),
            f"{name}.weight.tensor",
            (in_channels, out_channels, *modes),
            turn,
        )
    else:
        out_rank, in_rank, *ranks = waves.core[0].shape
        order = (1, 0, *range(2, 2 + len(ranks)))
        to.complex(waves.core, f"{name}.weight.core", (in_rank, out_rank, *ranks), order)
        for pair, place in zip(waves.factors, order, strict=True):
            to.complex(pair, f"{name}.weight.factors.factor_{place}", pair[0].shape)
        modes = ranks
    to.put(part.bias, numbers(f"{name}.bias", (part.bias.size, *(1,) * len(modes))))


def copy_operator_block(block, name, place, to):
    copy_spectral(block.spectral, f"{name}.convs.{place}", to)
    to.line(block.skip, f"{name}.fno_skips.{place}.conv", bias=False)
    copy_mlp(block.mlp, f"{name}.channel_mlp.{place}", to)
    gate = f"{name}.channel_mlp_skips.{place}"
    if hasattr(block.gate, "weight"):
        to.line(block.gate, f"{gate}.conv", bias=False)
    else:
        ones = (1,) * (block.skip.weight.ndim - 2)
        to.put(block.gate, numbers(f"{gate}.weight", (1, block.gate.size, *ones)))


def copy_tfno(net, to):
    copy_mlp(net.lifting, "lifting", to)
    copy_mlp(net.projection, "projection", to)
    for place, block in enumerate(net.blocks):
        copy_operator_block(block, "fno_blocks", place, to)


def copy_localno(net, to):
    copy_mlp(net.lifting, "lifting", to)
    copy_mlp(net.projection, "projection", to)
    for place, block in enumerate(net.blocks):
        name = "local_no_blocks"
        copy_spectral(block.spectral, f"{name}.convs.{place}", to)
        to.line(block.skip, f"{name}.local_no_skips.{place}.conv", bias=False)
        weight = numbers(f"{name}.differential.{place}.weight", block.differences.weight.shape)
        to.put(block.differences.weight, weight)


def copy_uno(net, to):
    copy_mlp(net.lifting, "lifting", to)
    copy_mlp(net.projection, "projection", to)
    blocks = (*net.down, net.bottom, *net.up)
    for place, block in enumerate(blocks):
        copy_operator_block(block, f"fno_blocks.{place}", 0, to)
    for place, bridge in enumerate(net.bridges):
        to.line(bridge, f"horizontal_skips.{place}.conv", bias=False)


COPIES = {
    "CNeXt": copy_cnext,
    "AViT": copy_avit,
    "UNetMod": copy_unetmod,
    "FFNO": copy_ffno,
    "TFNO": copy_tfno,
    "LocalNO": copy_localno,
    "UNO": copy_uno,
}


def built(config, grid, channels, boundary):
    """Return the shapes of a network, with zeros beyond the ends where the original has them."""
    spec = NETWORKS.parse(config)
    spec.check(grid, channels)

    def build(key):
        if boundary == "periodic":
            return spec.build(grid, channels, key)
        space = Space(grid.num_spatial_dims, "dirichlet")
        sizes = {"width": spec.width, "num_blocks": spec.blocks, "key": key}
        if config.startswith("CNeXt"):
            return ConvNeXtUNet(space, channels, channels, num_stages=spec.stages, **sizes)
        return ModernUNet(space, channels, channels, multipliers=spec.multipliers, **sizes)

    return eqx.filter_eval_shape(build, KEY)


def size_of(net):
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(net))


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_sizes_are_those_of_the_original(name):
    case = CASES[name]
    config, _, boundary = (*name.split(" "), "periodic")[:3]
    x = numbers("x", tuple(case["shape"]))
    grid = Grid(x.ndim - 2, x.shape[2:])
    net = built(config, grid, x.shape[1], "zeros" if boundary == "zeros" else "periodic")
    assert size_of(net) == case["count"]
    to = Copier()
    COPIES[config.split(";")[0]](net, to)
    ours = eqx.filter_jit(lambda net, x: net.batched(x))(to.into(net), np.moveaxis(x, 0, 1))
    ours = np.moveaxis(ours, 1, 0).ravel()
    scale = np.abs(case["y"]).max()
    assert scale > 0.1
    every = -(-ours.size // case["y"].size)
    np.testing.assert_allclose(ours[::every], case["y"], atol=CLOSE * max(scale, 1))


@pytest.mark.parametrize("name", COUNTS)
def test_sizes_of_the_published_networks(name):
    config, dims, channels = name.split(" ")
    points = 384 if int(dims[0]) < 3 else 64
    shape = (128, 384) if dims == "2d" else (points,) * int(dims[0])
    net = built(config, Grid(int(dims[0]), shape), int(channels), "periodic")
    assert size_of(net) == COUNTS[name]


def test_the_golden_networks_are_all_there():
    assert {name.split(";")[0] for name in CASES} == set(COPIES)
