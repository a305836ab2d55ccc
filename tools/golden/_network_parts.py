"""Outputs of the network library's constructors with choices that no config string makes."""

import itertools
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
import pdequinox

from golden._files import write_archive
from golden._scenario import free_compiled

KEY = 7
IN_CHANNELS, OUT_CHANNELS = 2, 3
POINTS = {1: 16, 2: 8, 3: 8}
BOUNDARIES = ("periodic", "dirichlet", "neumann")


class Case(NamedTuple):
    """One constructor with its arguments; ``blocks`` is for the sequential one."""

    maker: str
    dims: int
    boundary: str
    kwargs: dict[str, Any]
    blocks: str | None = None

    def __str__(self) -> str:
        chosen = ",".join(f"{name}={value}" for name, value in self.kwargs.items())
        return f"{self.maker}/{self.dims}d/{self.boundary}/{self.blocks}/{chosen}".replace(" ", "")


ARCHITECTURES: dict[str, dict[str, Any]] = {
    "ConvNet": {"hidden_channels": 3, "depth": 2},
    "ClassicResNet": {"hidden_channels": 3, "num_blocks": 1},
    "ModernResNet": {"hidden_channels": 3, "num_blocks": 1},
    "DilatedResNet": {"hidden_channels": 3, "num_blocks": 1, "dilation_rates": (1, 3, 2)},
    "ClassicUNet": {"hidden_channels": 2, "num_levels": 2},
    "ModernUNet": {"hidden_channels": 2, "num_levels": 1},
}
SEQUENTIAL = {"hidden_channels": (2, 3, 4), "num_blocks": 2}
CASES = (
    *(
        Case(maker, dims, boundary, kwargs)
        for (maker, kwargs), dims, boundary in itertools.product(
            ARCHITECTURES.items(), (1, 2), BOUNDARIES[1:]
        )
    ),
    *(
        Case("ClassicUNet", 3, boundary, {"hidden_channels": 2, "num_levels": 1})
        for boundary in BOUNDARIES[1:]
    ),
    *(
        Case("ConvNet", 1, boundary, {"hidden_channels": 2, "depth": 1, "kernel_size": size})
        for boundary in BOUNDARIES
        for size in (2, 5)
    ),
    *(
        Case("Sequential", 1, "neumann", SEQUENTIAL, blocks)
        for blocks in ("ClassicRes", "ModernRes", "DilatedRes")
    ),
    Case(
        "ModernUNet",
        1,
        "periodic",
        {"hidden_channels": 2, "num_levels": 2, "num_blocks": 3, "channel_multipliers": (2, 3)},
    ),
)


def write_network_parts(folder: Path) -> None:
    """Write ``network_parts.npz``."""
    arrays: dict[str, Any] = {}
    cases: dict[str, dict[str, Any]] = {}
    for case in CASES:
        state = arrays.setdefault(f"{case.dims}d/input", _input(case.dims))
        network = _build(case)
        arrays[str(case)] = np.asarray(eqx.filter_jit(network)(state))
        cases[str(case)] = case._asdict() | {
            "parameter_count": pdequinox.count_parameters(network),
            "receptive_field": network.receptive_field,
        }
    free_compiled()
    sizes = {"key": KEY, "in_channels": IN_CHANNELS, "out_channels": OUT_CHANNELS}
    write_archive(folder / "network_parts.npz", arrays, {"cases": cases, **sizes})


def _build(case: Case) -> Any:
    given = (case.dims, IN_CHANNELS, OUT_CHANNELS)
    common = {"boundary_mode": case.boundary, "key": jax.random.PRNGKey(KEY)} | case.kwargs
    if case.blocks is None:
        return getattr(pdequinox.arch, case.maker)(*given, activation=jax.nn.relu, **common)
    factory = getattr(pdequinox.blocks, f"{case.blocks}BlockFactory")()
    return pdequinox.Sequential(*given, activation=jax.nn.relu, block_factory=factory, **common)


def _input(dims: int) -> np.ndarray:
    shape = (IN_CHANNELS, *(POINTS[dims],) * dims)
    return np.random.default_rng(dims).standard_normal(shape, np.float32)
