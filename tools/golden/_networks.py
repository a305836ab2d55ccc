"""Outputs of freshly drawn networks on stored inputs."""

from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from golden._files import write_archive
from golden._scenario import build, free_compiled


class Shape(NamedTuple):
    """One grid and number of channels."""

    dims: int
    channels: int
    points: int

    def __str__(self) -> str:
        return f"{self.dims}d_c{self.channels}_n{self.points}"

    @property
    def kwargs(self) -> dict[str, int]:
        """The fields of a scenario of this shape."""
        return {
            "num_spatial_dims": self.dims,
            "num_channels": self.channels,
            "num_points": self.points,
        }


KEYS = (0, 42)
ACTIVATIONS = ("identity", "relu", "sigmoid", "tanh", "swish", "gelu")
SHAPES = (Shape(1, 1, 32), Shape(2, 1, 12), Shape(2, 2, 12), Shape(3, 1, 8), Shape(3, 3, 8))
ODD = (Shape(1, 2, 31), Shape(2, 1, 11))
WIDE = (Shape(1, 1, 32), Shape(2, 1, 24), Shape(2, 2, 24))
FIRST: tuple[tuple[str, tuple[Shape, ...]], ...] = (
    *((f"Conv;8;3;{activation}", SHAPES) for activation in ACTIVATIONS),
    ("Conv;26;10;relu", SHAPES),
    ("Conv;5;0;tanh", SHAPES),
    *((f"FNO;4;6;2;{activation}", SHAPES) for activation in ACTIVATIONS),
    ("FNO;12;8;4;gelu", WIDE),
    ("Conv;8;3;relu", ODD),
    ("FNO;4;6;2;gelu", ODD),
)
ALL: tuple[tuple[str, tuple[Shape, ...]], ...] = tuple(
    (config, SHAPES)
    for config in (
        "Res;6;2;relu",
        "UNet;4;2;relu",
        "Dil;2;6;1;relu",
        "MLP;16;2;relu",
        "Pure;3;identity",
        "MoRes;6;2;relu",
        "MoUNet;4;2;relu",
    )
)


def write_networks(folder: Path) -> None:
    """Write ``networks.npz`` (Conv and FNO) and ``networks_all.npz`` (the others)."""
    _write(folder / "networks.npz", FIRST)
    _write(folder / "networks_all.npz", ALL)


def _write(path: Path, cases: tuple[tuple[str, tuple[Shape, ...]], ...]) -> None:
    arrays: dict[str, Any] = {}
    meta: dict[str, dict[str, Any]] = {"shapes": {}, "parameter_count": {}, "receptive_field": {}}
    for config, shapes in cases:
        for shape in shapes:
            _add(arrays, meta, config, shape)
        free_compiled()
    write_archive(path, arrays, {"keys": KEYS, **meta})


def _add(
    arrays: dict[str, Any], meta: dict[str, dict[str, Any]], config: str, shape: Shape
) -> None:
    scenario = build("diff_adv", **shape.kwargs)
    state = arrays.setdefault(f"{shape}/input", _input(shape))
    meta["shapes"][str(shape)] = shape.kwargs
    meta["parameter_count"][f"{shape}/{config}"] = scenario.get_parameter_count(config)
    if shape.dims == 1:
        field = scenario.get_receptive_field(network_config=config, task_config="predict")
        meta["receptive_field"][f"{shape}/{config}"] = field
    for seed in KEYS:
        network = scenario.get_network(config, jax.random.PRNGKey(seed))
        arrays[f"{shape}/{config}/key{seed}"] = np.asarray(eqx.filter_jit(network)(state))


def _input(shape: Shape) -> np.ndarray:
    generator = np.random.default_rng(shape)
    return generator.standard_normal((shape.channels, *[shape.points] * shape.dims), np.float32)
