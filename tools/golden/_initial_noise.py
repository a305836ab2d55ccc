"""Random initial conditions as the second release of the peer's solver draws them.

Run this group with ``exponax==0.2.0`` in place of the release that the peer was published with.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import exponax as ex

from golden._initial_more import write_states

ic = ex.ic


def write_initial_noise(folder: Path) -> None:
    """Write ``initial_noise.npz``; nothing with another release of the solver."""
    if not version("exponax").startswith("0.2."):
        print("  initial_noise.npz: needs exponax 0.2, left as it is")
        return
    write_states(folder / "initial_noise.npz", _generators)


def _generators(dims: int) -> dict[str, Any]:
    """Return the generators by the config string that means the same."""
    fourier, field = ic.RandomTruncatedFourierSeries, ic.GaussianRandomField
    offset = {"offset_range": (-0.5, 0.5)}
    return {
        "fourier;2;true;true": fourier(dims, cutoff=2, max_one=True),
        "fourier;5;true;false": fourier(dims, cutoff=5),
        "fourier;2;false;false": fourier(dims, cutoff=2, **offset),
        "fourier;2;false;true": fourier(dims, cutoff=2, max_one=True, **offset),
        "fourier;2;true;false;true": fourier(dims, cutoff=2, std_one=True),
        "grf;3.0;true;false": field(dims, powerlaw_exponent=3.0),
        "grf;2.0;false;true": field(dims, powerlaw_exponent=2.0, zero_mean=False, max_one=True),
        "grf;3.0;true;false;true": field(dims, powerlaw_exponent=3.0, std_one=True),
        "diffused;0.001;true;true": ic.DiffusedNoise(dims, intensity=0.001, max_one=True),
        "clamp;-1.0;2.0;fourier;3;false;false": ic.ClampingICGenerator(
            fourier(dims, cutoff=3, **offset), limits=(-1.0, 2.0)
        ),
        "channels;scaled;2.0;fourier;2;true;true|grf;3.0;true;true": (
            ic.RandomMultiChannelICGenerator(
                (
                    ic.ScaledICGenerator(fourier(dims, cutoff=2, max_one=True), 2.0),
                    field(dims, powerlaw_exponent=3.0, max_one=True),
                )
            )
        ),
    }
