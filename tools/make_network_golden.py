"""Ask the original architectures what they answer; apexr's tests compare its own with them.

``python tools/make_network_golden.py GROUP [SOURCE] [--out FOLDER]`` writes
``tests/networks/golden/GROUP.npz``, in an environment with PyTorch and what the group needs:

- ``the_well``: the package ``the-well`` 1.2.0
- ``neuraloperator``: the package ``neuraloperator`` 2.0.0 with ``tensorly-torch``
- ``pdearena``, ``fourierflow``: a clone of that repository at ``SOURCE``, and ``einops``

Weights and inputs are not drawn but given by :func:`numbers`, so that the test can make them too.
Each case holds the shape of the input, some numbers of the output, and how many real numbers are
trained; ``counts`` are those of networks of the published sizes.
"""

import argparse
import json
import math
import sys
import types
import zlib
from importlib import util
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

MOST = 300
"""So many numbers of an output are kept, evenly spaced."""
GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "networks" / "golden"


def numbers(name, shape):
    """Return numbers without a pattern that anyone can make again."""
    count = math.prod(shape)
    phase = 0.7 * np.arange(count) ** 2 + zlib.crc32(name.encode()) % 1000
    scale = math.sqrt(3 / max(1, math.prod(shape[1:])))
    return (scale * np.sin(phase)).reshape(shape).astype("f4")


def fill(model):
    """Give a model its weights."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            real = torch.view_as_real(parameter) if parameter.is_complex() else parameter
            real.copy_(torch.from_numpy(numbers(name, tuple(real.shape))))
    return model.eval()


def count(model):
    """Return how many real numbers are trained."""
    return sum(p.numel() * (2 if p.is_complex() else 1) for p in model.parameters())


def case(model, shape, last=False):
    """Return shape, some outputs and size; ``last`` says where the original has its channels."""
    x = numbers("x", shape)
    given = torch.from_numpy(np.moveaxis(x, 1, -1).copy() if last else x)
    with torch.no_grad():
        y = fill(model)(given).numpy()
    y = np.moveaxis(y, -1, 1) if last else y
    return {"shape": shape, "y": y.ravel()[:: 1 + y.size // MOST], "count": count(model)}


def sized(make):
    """Return the size of a model that is not made in memory."""
    with torch.device("meta"):
        return count(make())


def periodic(model):
    """Let every convolution go on around the circle."""
    for part in model.modules():
        if isinstance(part, torch.nn.Conv1d | torch.nn.Conv2d | torch.nn.Conv3d):
            part.padding_mode = "circular"
    return model


def module_at(folder, *parts):
    """Return a module of a folder, without what the packages around it import."""
    for end in range(1, len(parts)):
        name = ".".join(parts[:end])
        package = sys.modules.setdefault(name, types.ModuleType(name))
        package.__path__ = [str(Path(folder, *parts[:end]))]
    spec = util.spec_from_file_location(".".join(parts), Path(folder, *parts).with_suffix(".py"))
    module = sys.modules[spec.name] = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def installed(name):
    """Return the folder that a package is installed in."""
    return Path(util.find_spec(name).submodule_search_locations[0]).parent


def the_well():
    for name in ("timm", "timm.layers", "timm.models", "timm.models.layers", "huggingface_hub"):
        module = sys.modules[name] = types.ModuleType(name)
        module.DropPath = torch.nn.Identity  # nothing is dropped
        module.PyTorchModelHubMixin = type("PyTorchModelHubMixin", (), {})
    folder, models = installed("the_well"), ("the_well", "benchmark", "models")
    AViT = module_at(folder, *models, "avit", "__init__").AViT
    UNetConvNext = module_at(folder, *models, "unet_convnext", "__init__").UNetConvNext

    def unet(dims, width, stages, blocks, channels):
        return UNetConvNext(
            channels, channels, dims, (16,) * dims, stages, blocks, init_features=width
        )

    def avit(shape, width, heads, blocks, channels):
        model = AViT(channels, channels, len(shape), shape, width, heads, blocks)
        for block in model.blocks if len(shape) == 2 else ():
            # in 2D the released block attends to heads where it is to attend to rows
            first, _ = block.spatial_permutations
            second = ("b h he w c -> b w he h c", "b w he h c -> b h w (he c)")
            block.spatial_permutations = [first, second]
        return model

    cases = {
        "CNeXt;4;2;1 2d zeros": case(unet(2, 4, 2, 1, 2), (2, 2, 16, 12)),
        "CNeXt;4;2;1 2d periodic": case(periodic(unet(2, 4, 2, 1, 2)), (2, 2, 16, 16)),
        "CNeXt;2;1;2 3d periodic": case(periodic(unet(3, 2, 1, 2, 1)), (1, 1, 8, 8, 8)),
        "AViT;48;2;2;16 2d": case(avit((48, 32), 48, 2, 2, 2), (2, 2, 48, 32), last=True),
        "AViT;48;4;1;16 3d": case(avit((32, 16, 16), 48, 4, 1, 1), (1, 1, 32, 16, 16), last=True),
    }
    counts = {
        "CNeXt;42;4;2 2d 4": sized(lambda: unet(2, 42, 4, 2, 4)),
        "CNeXt;42;4;2 3d 3": sized(lambda: unet(3, 42, 4, 2, 3)),
        "AViT;768;12;8;16 2d 4": sized(lambda: avit((128, 384), 768, 12, 8, 4)),
        "AViT;768;12;8;16 3d 3": sized(lambda: avit((64, 64, 64), 768, 12, 8, 3)),
    }
    return cases, counts, {"the-well": version("the-well")}


def on_a_circle(x, scale, axis, output_shape=None):
    """Interpolate by a sum of waves, as the package itself does in 3D, up to the last wave."""
    (size,) = output_shape or [round(x.shape[-1] * scale[0])]
    if size == x.shape[-1]:
        return x
    waves = torch.fft.rfft(x, norm="forward")
    kept = min(size, x.shape[-1]) // 2
    waves[..., kept] = waves[..., kept].real * (2 if size < x.shape[-1] else 0.5)
    return torch.fft.irfft(waves[..., : kept + 1], n=size, norm="forward")


def neuraloperator():
    folder = installed("neuralop")
    unused = types.ModuleType("neuralop.layers.discrete_continuous_convolution")
    unused.EquidistantDiscreteContinuousConv2d = None
    sys.modules[unused.__name__] = unused
    TFNO = module_at(folder, "neuralop", "models", "fno").TFNO
    UNO = module_at(folder, "neuralop", "models", "uno").UNO
    LocalNO = module_at(folder, "neuralop", "models", "local_no").LocalNO
    spectral_convolution = sys.modules["neuralop.layers.spectral_convolution"]

    def tfno(dims, modes, width, blocks, rank, channels):
        return TFNO(
            n_modes=(modes,) * dims,
            in_channels=channels,
            out_channels=channels,
            hidden_channels=width,
            n_layers=blocks,
            rank=rank,
            positional_embedding=None,
        )

    def local(shape, modes, width, blocks, channels):
        return LocalNO(
            n_modes=(modes,) * len(shape),
            in_channels=channels,
            out_channels=channels,
            hidden_channels=width,
            default_in_shape=shape,
            n_layers=blocks,
            disco_layers=False,
            positional_embedding=None,
        )

    def uno(dims, modes, width, levels, channels):
        widths = [width * 2**level for level in range(levels + 1)]
        scales = [1.0, *[0.5] * levels, 1.0, *[2.0] * levels, 1.0]
        return UNO(
            in_channels=channels,
            out_channels=channels,
            hidden_channels=2 * width,
            lifting_channels=8 * width,
            projection_channels=2 * width,
            n_layers=len(scales),
            uno_out_channels=[*widths, widths[-1], *reversed(widths)],
            uno_n_modes=[[modes] * dims] * len(scales),
            uno_scalings=[[scale] * dims for scale in scales],
            channel_mlp_skip="linear",
            positional_embedding=None,
        )

    plain = spectral_convolution.resample
    spectral_convolution.resample = on_a_circle
    lined = case(uno(1, 5, 3, 2, 2), (2, 2, 32))
    spectral_convolution.resample = plain
    cases = {
        "TFNO;6;5;2;0.3 1d": case(tfno(1, 6, 5, 2, 0.3, 2), (2, 2, 16)),
        "TFNO;6;4;2;0.2 2d": case(tfno(2, 6, 4, 2, 0.2, 2), (2, 2, 12, 10)),
        "TFNO;4;3;1;0.2 3d": case(tfno(3, 4, 3, 1, 0.2, 1), (1, 1, 6, 8, 6)),
        "LocalNO;6;5;2 1d": case(local((16,), 6, 5, 2, 2), (2, 2, 16)),
        "LocalNO;4;4;2 2d": case(local((10, 10), 4, 4, 2, 2), (2, 2, 10, 10)),
        "UNO;5;3;2 1d": lined,
        "UNO;5;3;0 2d": case(uno(2, 5, 3, 0, 2), (2, 2, 10, 12)),
    }
    counts = {
        "TFNO;16;64;4;0.1 1d 1": count(tfno(1, 16, 64, 4, 0.1, 1)),
        "TFNO;16;64;4;0.1 2d 1": count(tfno(2, 16, 64, 4, 0.1, 1)),
        "TFNO;16;64;4;0.1 3d 3": count(tfno(3, 16, 64, 4, 0.1, 3)),
        "LocalNO;16;32;4 2d 1": count(local((32, 32), 16, 32, 4, 1)),
        "UNO;8;32;1 2d 1": count(uno(2, 8, 32, 1, 1)),
    }
    names = ("neuraloperator", "tensorly", "tensorly-torch")
    return cases, counts, {name: version(name) for name in names}


def pdearena(folder):
    unets = module_at(folder, "pdearena", "modules", "twod_unet")

    class Around(torch.nn.Module):
        """The up-sampling of four taps on a circle."""

        def __init__(self, conv):
            super().__init__()
            self.conv = conv

        def forward(self, x):
            wide = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="circular")
            return self.conv(wide)[..., 2:-2, 2:-2]

    def unet(width, multipliers, blocks, channels, around=False):
        model = unets.Unet(
            *(channels, 0, channels, 0, 1, 1, width, "gelu"),
            norm=True,
            ch_mults=multipliers,
            mid_attn=True,
            n_blocks=blocks,
        )
        for part in model.up if around else ():
            if isinstance(part, unets.Upsample):
                part.forward = Around(part.conv).forward
        return periodic(model) if around else model

    class Levels(torch.nn.Module):
        """The original takes an axis of times."""

        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def named_parameters(self, *arguments, **keywords):
            return self.inner.named_parameters(*arguments, **keywords)

        def forward(self, x):
            return self.inner(x[:, None])[:, 0]

    cases = {
        "UNetMod;8;1,2;1 2d zeros": case(Levels(unet(8, (1, 2), 1, 2)), (2, 2, 8, 12)),
        "UNetMod;8;1,2;1 2d periodic": case(Levels(unet(8, (1, 2), 1, 2, True)), (2, 2, 8, 8)),
        "UNetMod;8;1,1,2;2 2d zeros": case(Levels(unet(8, (1, 1, 2), 2, 1)), (1, 1, 8, 8)),
    }
    counts = {"UNetMod;64;1,2,2,4;2 2d 3": sized(lambda: unet(64, (1, 2, 2, 4), 2, 3))}
    return cases, counts, {"pdearena": "78a8b03"}


def fourierflow(folder):
    grids = module_at(folder, "fourierflow", "modules", "factorized_fno", "grid_2d")

    def ffno(modes, width, blocks, expansion, channels):
        model = grids.FNOFactorized2DBlock(
            modes, width, input_dim=channels, n_layers=blocks, factor=expansion
        )
        model.out[1] = type(model.out[1])(128, channels)
        return model

    class Forecast(torch.nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def named_parameters(self, *arguments, **keywords):
            return self.inner.named_parameters(*arguments, **keywords)

        def forward(self, x):
            return self.inner(x)["forecast"]

    cases = {
        "FFNO;4;5;2;3 2d": case(Forecast(ffno(4, 5, 2, 3, 2)), (2, 2, 10, 10), last=True),
        "FFNO;5;4;1;2 2d": case(Forecast(ffno(5, 4, 1, 2, 1)), (1, 1, 8, 8), last=True),
    }
    counts = {"FFNO;16;64;4;4 2d 1": sized(lambda: ffno(16, 64, 4, 4, 1))}
    return cases, counts, {"fourierflow": "82d1689"}


GROUPS = {one.__name__: one for one in (the_well, neuraloperator, pdearena, fourierflow)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("group", choices=GROUPS)
    parser.add_argument("source", nargs="?", help="the clone, for groups that need one")
    parser.add_argument("--out", type=Path, default=GOLDEN)
    given = parser.parse_args()
    torch.set_num_threads(1)
    cases, counts, made_with = GROUPS[given.group](*[given.source] * (given.source is not None))
    arrays = {
        f"{name}|{part}": np.asarray(value)
        for name, one in cases.items()
        for part, value in one.items()
    }
    meta = {"counts": counts, "made_with": {**made_with, "torch": torch.__version__}}
    given.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(given.out / f"{given.group}.npz", meta=json.dumps(meta), **arrays)


if __name__ == "__main__":
    main()
