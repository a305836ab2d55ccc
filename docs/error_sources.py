"""The study whose tables and picture stand in docs/error_sources.md.

Every network on the Kuramoto-Sivashinsky equation, in a small size, with the errors of its rollouts
split by :func:`apexr.decompose`. Run it with ``make docs-errors``. Finished experiments are not run
again: the study lies in a folder of the system's temporary directory, or in the one given,
``python docs/error_sources.py FOLDER``.
"""

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import apexr

PAGE = Path(__file__).resolve().with_suffix(".md")
PICTURE = PAGE.with_suffix("") / "parts.png"
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
STORE = Path(tempfile.gettempdir()) / "apexr_error_sources"

NETS = (
    "Conv;16;6;relu",
    "Res;16;4;relu",
    "MoRes;16;4;relu",
    "Dil;2;16;2;relu",
    "UNet;8;2;relu",
    "MoUNet;8;2;relu",
    "FNO;12;8;4;gelu",
    "MLP;64;3;relu",
    "Pure;3",
)
CONFIGS = {
    "scenario": "diff_ks_cons",
    "net": list(NETS),
    "num_points": 64,
    "train_temporal_horizon": 20,
    "num_test_samples": 10,
    "test_temporal_horizon": 100,
    "optim_config": "adam;2_000;warmup_cosine;0.0;3e-3;200",
    "record_loss_every": 200,
    "num_seeds": 6,
}
STEPS = (1, 10, 100)
DRAWN = ("Conv;16;6;relu", "UNet;8;2;relu", "FNO;12;8;4;gelu", "Pure;3")


def main(store: Path = STORE) -> None:
    """Run what is missing of the study; split its errors; write the tables and the picture."""
    apexr.run_study(CONFIGS, store)
    parts = decomposed(store)
    numbers = tabulate(parts)
    if PAGE.exists():
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), numbers), encoding="utf-8")
    apexr.plot.save(picture(parts), PICTURE)
    print(numbers.to_string())


def decomposed(store: Path) -> xr.Dataset:
    """Return the split errors of the study, made once."""
    kept = store.with_name(f"{store.name}_parts.nc")
    if not kept.exists():
        apexr.store.publish_dataset(apexr.decompose(store), kept)
    return xr.open_dataset(kept)


# --- tables ----------------------------------------------------------------------------------


def tabulate(parts: xr.Dataset) -> pd.DataFrame:
    """Return one row for each network, step and seed, mean over the test samples."""
    names = [str(name) for name in parts.data_vars]
    means = parts[names].sel(time=list(STEPS)).mean("test_sample", skipna=False)
    kept = ["net", "seed", "time", *names]
    return means.to_dataframe().reset_index()[kept]


def over_seeds(numbers: pd.DataFrame, name: str, step: int) -> list[str]:
    """Return median, least and largest number over the seeds, for each network."""
    rows = numbers[numbers.time == step].set_index("net")[name]
    cells = []
    for net in NETS:
        low, middle, high = np.quantile(rows[net], [0, 0.5, 1])
        cells.append(f"{middle:.3g} [{low:.3g}–{high:.3g}]")
    return cells


def written(columns: dict[str, list[str]]) -> str:
    """Return columns as a Markdown table with a row for each network."""
    head = ["network", *columns]
    body = zip((f"`{net}`" for net in NETS), *columns.values(), strict=True)
    lines = [head, [":--", *["--:"] * len(columns)], *map(list, body)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def by_emulator(numbers: pd.DataFrame) -> str:
    """Return the one-step and the propagated error."""
    columns = {"one-step, step 1": over_seeds(numbers, "one_step", 1)}
    for step in STEPS[1:]:
        columns[f"one-step, step {step}"] = over_seeds(numbers, "one_step", step)
        columns[f"propagated, step {step}"] = over_seeds(numbers, "propagated", step)
    return written(columns)


def by_dynamics(numbers: pd.DataFrame) -> str:
    """Return what the emulator adds on its own states, and what it does to errors."""
    columns = {}
    for step in STEPS[1:]:
        for name, label in (
            ("own_state_error", "on own states"),
            ("excess_amplification", "excess amplification"),
        ):
            columns[f"{label}, step {step}"] = over_seeds(numbers, name, step)
    return written(columns)


TABLES: dict[str, Callable[[pd.DataFrame], str]] = {
    "emulator": by_emulator,
    "dynamics": by_dynamics,
}


def filled(page: str, numbers: pd.DataFrame) -> str:
    """Return the page with its tables made again."""
    return BLOCK.sub(lambda found: found[1] + TABLES[found[2]](numbers) + found[3], page)


# --- picture ---------------------------------------------------------------------------------


def picture(parts: xr.Dataset) -> Any:
    """Return the first split of some networks, a panel for each."""
    plots = []
    for net in DRAWN:
        one = parts.isel(experiment=int(np.flatnonzero(parts.net.values == net)[0]))
        plots.append(apexr.plot.decomposition(one, split="emulator"))
    return apexr.plot.panels(plots, 2, list(DRAWN))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
