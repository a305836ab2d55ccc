"""Writes and reads the results of the race with apexr's own calls."""

import sys
from pathlib import Path

import jax
import numpy as np
import xarray as xr
from numbers_of_race import NET, POINTS, SEEDS, STEPS, measured, results

import apexr
from apexr import store
from apexr.engine import named_weights
from apexr.testing import mock_experiment


def networks() -> dict[str, np.ndarray]:
    """Return the weights of the networks, seeds leading."""
    scenario = apexr.difficulty.Advection()
    keys = jax.random.split(jax.random.key(0), SEEDS)
    build = lambda key: scenario.get_network(NET, key)  # noqa: E731
    return named_weights(jax.vmap(build)(keys))


def datasets() -> list[xr.Dataset]:
    made = []
    for number, arrays in enumerate(results()):
        ds = mock_experiment(
            net=NET, seeds=range(SEEDS), num_times=STEPS, num_losses=100, num_points=POINTS
        ).assign_coords(scenario_kwargs=f'{{"number":{number}}}')
        rollout = arrays["sample_rollout"][:, None]
        ds["train_loss"][:] = arrays["train_loss"]
        ds["mean_nRMSE"][:] = arrays["mean_nRMSE"]
        ds["sample_rollout"][:] = rollout[:, :, 1:]
        ds["initial_state"][:] = rollout[0, :, 0]
        made.append(ds.drop_vars(["nRMSE", "sample_reference"]))
    return made


def main(task: str, folder: Path) -> None:
    study = folder / "study.zarr"
    if task == "read":
        measured(task, lambda: len(apexr.to_long(apexr.open_study(study), "mean_nRMSE")), folder)
        return
    weights, made = networks(), datasets()
    store.create_study(study)

    def write() -> int:
        for number, ds in enumerate(made):
            store.publish_experiment(ds, weights, store.unit_path(study, f"{number:032x}"))
        return len(made)

    measured(task, write, folder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
