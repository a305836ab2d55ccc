"""The table of docs/solvers.md: emulators of Burgers' equation against their training solver.

Run it with ``make docs-solvers``. The settings are those of the published table, with fewer
updates and seeds; ``--published`` takes all of them, which needs an accelerator or a day.
"""

import argparse
from pathlib import Path

import numpy as np
from solvers import PAGE, replaced

import apexr
from apexr import analysis

NETS = {
    "Conv;34;10;relu": (1.00, 0.97, 0.87, 0.80, 0.81),
    "Res;26;8;relu": (1.0, 0.98, 0.88, 0.80, 0.82),
    "Dil;2;32;2;relu": (1.0, 0.91, 0.79, 0.69, 0.65),
    "UNet;12;2;relu": (1.0, 0.90, 0.86, 0.91, 1.11),
    "FNO;12;18;4;gelu": (1.0, 1.01, 0.91, 0.86, 1.12),
}
"""Network to its published superiority at ``STEPS``, of 30 seeds."""
STEPS = (1, 2, 3, 5, 10)
SETTINGS = {
    "scenario": "diff_burgers",
    "num_points": 60,
    "diffusion_gamma": 0.2,
    "convection_delta": -8.0,
    "train_solver": "fd;1.0;1",
    "test_solver": "fd;1.0;100",
    "ic_config": "fourier;1;false;true",
    "num_train_samples": 500,
    "num_test_samples": 20,
    "train_temporal_horizon": 1,
    "test_temporal_horizon": 10,
    "batch_size": 32,
    "train": "one",
}
PUBLISHED = "adam;100_000;warmup_cosine;0.0;3e-4;5_000"
SHORT = "adam;600;warmup_cosine;0.0;3e-3;60"
STORE = Path(__file__).with_name("_build") / "superiority.zarr"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--published", action="store_true", help="all updates, 30 seeds")
    arguments.add_argument("--updates", type=int, help="another number of updates")
    given = arguments.parse_args()
    optimizer = PUBLISHED if given.published else SHORT
    if given.updates:
        optimizer = f"adam;{given.updates};warmup_cosine;0.0;3e-3;{given.updates // 10}"
    seeds = 30 if given.published else 10
    configs = {**SETTINGS, "net": list(NETS), "num_seeds": seeds, "optim_config": optimizer}
    study = apexr.run_study(configs, STORE)
    PAGE.write_text(replaced(PAGE.read_text("utf-8"), "superiority", table(study)), "utf-8")


def table(study: object) -> str:
    """Return the median over seeds, its range, and the published numbers."""
    xi = analysis.superiority(study).load()
    head = ["network", *(f"step {step}" for step in STEPS)]
    rows = [head, ["---"] * len(head)]
    for net, published in NETS.items():
        own = xi.isel(experiment=int(np.flatnonzero(xi.net.values == net)[0]))
        cells = []
        for step, there in zip(STEPS, published, strict=True):
            low, middle, high = np.quantile(own.sel(time=step).values, [0, 0.5, 1])
            cells.append(f"{middle:.2f} ({low:.2f}–{high:.2f}); {there:.2f}")
        rows.append([f"`{net}`", *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    main()
