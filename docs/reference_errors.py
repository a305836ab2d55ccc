"""How good the reference data of every scenario are: a table for pages and for warnings.

``docs/solver_accuracy.py`` runs it; alone, it renews ``apexr/experiment/reference_errors.json``.
"""

import json
import math
import warnings
from pathlib import Path

import pandas as pd

import apexr
from apexr.scenarios import scenario_dict

TABLE = Path(apexr.__file__).parent / "experiment" / "reference_errors.json"
STEPS = (1, 5, 10, 50, 200)
POINTS = {2: 48, 3: 24}
"""Small grids beyond one dimension; 1D is measured whole."""
SECONDS = 60.0
FITTING = {
    ("phy_unbal_adv", 2): {"advection_coef_vector": (0.01, -0.04)},
    ("phy_diag_diff", 3): {"diffusion_coef_vector": (0.001, 0.002, 0.0004)},
    ("phy_aniso_diff", 3): {
        "diffusion_coef_matrix": (
            (0.001, 0.0005, 0.0003),
            (0.0005, 0.002, 0.0002),
            (0.0003, 0.0002, 0.0004),
        )
    },
}
"""Vectors and matrices of scenarios whose default has another length."""


def measure(key: str, dims: int) -> dict[str, object]:
    """Return the row of a scenario at its defaults, on a small grid beyond one dimension."""
    sizes = {"num_points": POINTS[dims]} if dims in POINTS else {}
    parameters = {**sizes, **FITTING.get((key, dims), {})}
    scenario = scenario_dict[key](num_spatial_dims=dims, **parameters)
    error = scenario.reference_error(max_seconds=SECONDS)
    last = int(error.time[-1])
    steps = [step for step in STEPS if step <= last]
    errors = {step: f"{float(error.mean_nRMSE.sel(time=step)):.2e}" for step in steps}
    return {
        "scenario": key,
        "num_spatial_dims": dims,
        "num_points": scenario.num_points,
        "errors": errors,
        "tail_energy": float(f"{float(error.tail_energy.max()):.1e}"),
    }


def measure_all() -> None:
    """Measure every scenario in each of its dimensions, and write the table."""
    rows = []
    for dims in (1, 2, 3):
        for key in scenario_dict:
            if dims not in scenario_dict[key].dimensions:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows.append(measure(key, dims))
            print(rows[-1], flush=True)
            text = ",\n".join(json.dumps(row) for row in rows)
            TABLE.write_text(f"[\n{text}\n]\n", encoding="utf-8")


def as_text(value: float) -> str:
    """Return an error as the pages print it."""
    if math.isinf(value):
        return "diverges"
    return "not converged" if math.isnan(value) else f"{value:.1e}"


def table() -> pd.DataFrame:
    """Return the table of the page."""
    rows = {}
    for row in json.loads(TABLE.read_text(encoding="utf-8")):
        name = f"`{row['scenario']}`, {row['num_spatial_dims']}D, {row['num_points']} points"
        errors = {int(step): as_text(float(value)) for step, value in row["errors"].items()}
        cells = {f"step {step}": errors.get(step, "") for step in STEPS}
        rows[name] = {**cells, "tail": as_text(row["tail_energy"])}
    return pd.DataFrame.from_dict(rows, orient="index")


if __name__ == "__main__":
    measure_all()
