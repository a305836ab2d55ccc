"""Two emulators that know nothing of apexr, scored by it: the figures of docs/foreign_models.md.

Each predicts the next value of a point from a stencil of its neighbors, with weights from a
ridge regression in NumPy. ``python docs/foreign_models.py`` writes ``foreign_models/``.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import apexr

FOLDER = Path(__file__).parent / "foreign_models"
SIZES = {
    "num_points": 64,
    "num_train_samples": 20,
    "train_temporal_horizon": 20,
    "num_test_samples": 10,
    "test_temporal_horizon": 50,
    "report_metrics": "mean_nRMSE,mean_VRMSE,mean_correlation",
}
REACH = 5
RIDGE = 1e-4
STEPS = [1, 2, 5, 10, 20, 50]


def linear(states: np.ndarray) -> np.ndarray:
    """Return the neighbors of each point, ``(..., x, feature)``, and a constant."""
    shifts = range(-REACH, REACH + 1)
    neighbors = np.stack([np.roll(states, shift, axis=-1) for shift in shifts], axis=-1)
    return np.concatenate([neighbors, np.ones_like(neighbors[..., :1])], axis=-1)


def quadratic(states: np.ndarray) -> np.ndarray:
    """Return the neighbors of each point and their products with the point itself."""
    features = linear(states)
    return np.concatenate([features, features[..., :-1] * states[..., None]], axis=-1)


def fit(features, trajectories: np.ndarray) -> np.ndarray:
    """Return the weights of the ridge regression from each frame to the next."""
    inputs = features(trajectories[:, :-1])
    rows = inputs.reshape(-1, inputs.shape[-1]).astype(np.float64)
    wanted = trajectories[:, 1:].ravel()
    return np.linalg.solve(rows.T @ rows + RIDGE * np.eye(rows.shape[1]), rows.T @ wanted)


def roll_out(features, weights: np.ndarray, start: np.ndarray, steps: int) -> np.ndarray:
    """Return ``(sample, time, channel, x)``, the start left out."""
    frames = [start]
    for _ in range(steps):
        frames.append(features(frames[-1]) @ weights)
    return np.stack(frames[1:], axis=1)


def main() -> None:
    """Fit, roll out, score, tabulate and draw."""
    scenario = apexr.scenarios.scenario_dict["diff_burgers"](**SIZES)
    train, test = scenario.get_train_data(), scenario.get_test_data()
    results = []
    for features in (linear, quadratic):
        weights = fit(features, train.values)
        rollout = roll_out(features, weights, test.values[:, 0], SIZES["test_temporal_horizon"])
        results.append(apexr.evaluate(scenario, rollout, name=f"{features.__name__} stencil"))
    study = xr.concat(results, "experiment", join="exact")
    table = tabulate(study)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "table.md").write_text(table.to_markdown() + "\n", encoding="utf-8")
    print(table.to_markdown())
    apexr.plot.save(apexr.plot.metric(study, by="net", logy=True), FOLDER / "error.png")


def tabulate(study: xr.Dataset) -> pd.DataFrame:
    """Return the error at some steps, and how long a prediction is good for."""
    one = study.isel(seed=0)
    rows = one.mean_nRMSE.sel(time=STEPS).to_pandas().T.round(4)
    rows.index = [f"mean_nRMSE, step {step}" for step in STEPS]
    rows.loc["correlation time (median)"] = one.apexr.correlation_time().median("test_sample")
    rows.loc["valid prediction (median)"] = one.apexr.valid_prediction_time().median("test_sample")
    rows.columns = list(one.net.values)
    return rows


if __name__ == "__main__":
    main()
