"""A network of one's own in a script, and the table of those that are there.

``python docs/networks.py`` trains the network below on a small advection scenario and writes
``docs/networks_table.md``.
"""

from functools import partial
from pathlib import Path

import apexr
from apexr.errors import SpecError
from apexr.networks import (
    NETWORKS,
    Activation,
    NetworkSpec,
    Pointwise,
    ResidualBlock,
    Sequential,
    Space,
    network,
)

EXAMPLES = (
    "Conv;26;10;relu",
    "Res;26;8;relu",
    "MoRes;26;8;relu",
    "Dil;2;32;2;relu",
    "UNet;12;2;relu",
    "MoUNet;12;2;relu",
    "FNO;12;8;4;gelu",
    "MLP;64;3;relu",
    "Pure;3",
    "delta;norm;zscore;Conv;26;10;relu",
    "norm;zscore;Conv;26;10;relu",
    "history;4;Conv;26;10;relu",
    "bundle;2;Conv;26;10;relu",
    "CNeXt",
    "UNetMod",
    "FFNO",
    "TFNO",
    "UNO",
    "LocalNO",
    "Trans",
    "AViT",
)
SHAPES = ((1, 160, 1), (2, 160, 1), (3, 32, 1), (3, 32, 3))


@network("Taper")
class Taper(NetworkSpec):
    """Taper;WIDTH;ACTIVATION - residual blocks that get narrower."""

    width: int
    activation: Activation

    def build(self, grid, num_channels, key):
        """Return the network: any module that keeps the shape ``(channel, *space)``."""
        return Sequential(
            Space(grid.num_spatial_dims),
            num_channels,
            num_channels,
            widths=(self.width, self.width // 2, self.width // 4),
            block=partial(ResidualBlock, activation=self.activation),
            lifting=Pointwise,
            key=key,
        )


def train() -> None:
    """Train the network above as any other and show its error."""
    scenario = apexr.difficulty.Advection(
        num_points=48, optim_config="adam;500;warmup_cosine;0.0;3e-3;100"
    )
    print(scenario.get_parameter_count("Taper;16;tanh"), "parameters")
    print(scenario.get_receptive_field(network_config="Taper;16;tanh"), "points back, forward")
    result = apexr.run(scenario, net="Taper;16;tanh", num_seeds=2, progress=False)
    print(result.mean_nRMSE.median("seed").sel(time=[1, 10, 50]).to_series().round(3).to_string())


def table() -> str:
    """Return the sizes of all networks as a Markdown table."""
    labels = [f"{dims}D, {channels} channel{'s' * (channels > 1)}" for dims, _, channels in SHAPES]
    head = ["network", *labels, "sees per side (1D)"]
    rows = [head, [":--", *["--:"] * (len(head) - 1)], *map(row, EXAMPLES)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows) + "\n"


def row(config: str) -> list[str]:
    """Return parameter counts and receptive field of one network."""
    counts = []
    for dims, points, channels in SHAPES:
        equation = apexr.difficulty.Burgers if channels > 1 else apexr.difficulty.Diffusion
        scenario = equation(num_spatial_dims=dims, num_points=points)
        try:
            counts.append(f"{scenario.get_parameter_count(config):,}")
        except SpecError:  # a network for another number of dimensions
            counts.append("")
    one_axis = apexr.difficulty.Diffusion(num_spatial_dims=1 if counts[0] else 2)
    back, _ = one_axis.get_receptive_field(network_config=config)[0]
    return [f"`{config}`", *counts, "everything" if back == float("inf") else f"{back:g}"]


if __name__ == "__main__":
    train()
    assert "Taper" in NETWORKS.names()
    text = table()
    print(text)
    Path(__file__).with_name("networks_table.md").write_text(text)
