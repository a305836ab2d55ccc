"""The generic networks give the published library's output where no config string reaches."""

from functools import partial

import equinox as eqx
import jax
import pytest
from _golden import Golden, deviation

from apexr.networks import (
    ConvNet,
    DilatedBlock,
    DoubleConvBlock,
    Hierarchical,
    PreactivationBlock,
    ResidualBlock,
    Sequential,
    Space,
)

GOLDEN = Golden("network_parts")
CASES = GOLDEN.meta["cases"]
BLOCKS = {"ClassicRes": ResidualBlock, "ModernRes": PreactivationBlock, "DilatedRes": DilatedBlock}


def maker(case):
    """Return the constructor of a case, with the widths that the published names stand for."""
    given = case["kwargs"]
    hidden = given["hidden_channels"]
    match case["maker"]:
        case "ConvNet":
            widths = (hidden,) * given["depth"]
            return partial(ConvNet, widths=widths, kernel_size=given.get("kernel_size", 3))
        case "ClassicUNet" | "ModernUNet" as name:
            ratios = given.get("channel_multipliers") or [
                2 ** (level + 1) for level in range(given["num_levels"])
            ]
            classic = name == "ClassicUNet"
            return partial(
                Hierarchical,
                widths=(hidden, *(hidden * ratio for ratio in ratios)),
                num_blocks=1 if classic else given.get("num_blocks", 2),
                block=DoubleConvBlock if classic else PreactivationBlock,
            )
        case "Sequential":
            return partial(Sequential, widths=tuple(hidden), block=BLOCKS[case["blocks"]])
        case name:
            block = BLOCKS[name.removesuffix("Net")]
            if "dilation_rates" in given:
                block = partial(block, rates=given["dilation_rates"])
            return partial(Sequential, widths=(hidden,) * (given["num_blocks"] + 1), block=block)


@pytest.mark.parametrize("name", CASES)
def test_output_parameters_and_reach_equal_the_published_ones(name):
    case = CASES[name]
    network = maker(case)(
        Space(case["dims"], case["boundary"]),
        GOLDEN.meta["in_channels"],
        GOLDEN.meta["out_channels"],
        key=jax.random.PRNGKey(GOLDEN.meta["key"]),
    )
    made = eqx.filter_jit(network)(GOLDEN[f"{case['dims']}d/input"])
    assert deviation(made, GOLDEN[name]) < 2e-4
    assert sum(leaf.size for leaf in jax.tree.leaves(network)) == case["parameter_count"]
    assert [list(network.reach)] * case["dims"] == case["receptive_field"]
