"""How often the intervals of ``scaling_fit`` cover the truth, in many synthetic studies.

Errors ``E + A n^-alpha`` with lognormal spread, at seven sizes, five seeds each; run
``python docs/scaling_coverage.py [DRAWS]``. ``tests/analysis/test_scaling.py`` makes fewer draws.
"""

import sys

import numpy as np
import xarray as xr

from apexr.analysis import scaling_fit

SIZES = np.array([8, 16, 32, 64, 128, 256, 512])
SEEDS = 5
SPREAD = 0.1
LAWS = {
    "power": {"A": 2.0, "alpha": 0.5},
    "power_floor": {"A": 2.0, "alpha": 0.7, "E": 0.05},
}


def study(law: dict[str, float], draw: int) -> xr.Dataset:
    """Return a synthetic study of a law."""
    rng = np.random.default_rng(draw)
    clean = law.get("E", 0.0) + law["A"] * SIZES ** -law["alpha"]
    errors = clean[:, None, None] * np.exp(rng.normal(0, SPREAD, (len(SIZES), SEEDS, 1)))
    names = np.array([f"n{size}" for size in SIZES], dtype=object)
    return xr.Dataset(
        {
            "mean_nRMSE": (("experiment", "seed", "time"), errors),
            "num_train_samples": ("experiment", SIZES),
        },
        {"experiment": names, "seed": np.arange(SEEDS), "time": [1]},
    )


def main(draws: int) -> None:
    """Print the share of draws in which each interval covers."""
    for form, law in LAWS.items():
        covered = dict.fromkeys(law, 0)
        for draw in range(draws):
            fit = scaling_fit(study(law, draw), form=form, num_resamples=200).isel(curve=0)
            for name, value in law.items():
                covered[name] += int(fit[f"{name}_low"] <= value <= fit[f"{name}_high"])
        shares = ", ".join(f"{name} {count / draws:.1%}" for name, count in covered.items())
        print(f"{form}: {shares} of {draws} draws", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
