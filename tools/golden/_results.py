"""What a study of the peer leaves on disk: tables, weights, and what the networks answer."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import apebench
import equinox as eqx
import jax

from golden._files import write_archive

SIZES = {
    "num_points": 16,
    "train_temporal_horizon": 4,
    "test_temporal_horizon": 5,
    "batch_size": 4,
    "record_loss_every": 2,
    "optim_config": "adam;6;constant;1e-3",
}
COMMON = {"task": "predict", "train": "one", "start_seed": 0, "num_seeds": 2}
CASES: dict[str, dict[str, Any]] = {
    "conv": {"scenario": "diff_adv", "net": "Conv;4;2;relu", "callbacks": "weight_norm;3"},
    "fno": {"scenario": "diff_burgers", "net": "FNO;4;2;1;gelu", "report_metrics": "mean_MSE"},
    "unet": {"scenario": "diff_adv", "net": "UNet;2;1;relu", "start_seed": 3},
    "mlp": {"scenario": "phy_burgers", "net": "MLP;8;2;relu", "num_seeds": 1},
    "mores": {
        "scenario": "diff_adv",
        "net": "MoRes;4;1;relu",
        "num_seeds": 1,
        "num_spatial_dims": 2,
        "num_points": 6,
        "report_metrics": "mean_MSE,mean_fourier_nRMSE;0;2;0",
    },
    "mounet": {"scenario": "norm_adv", "net": "MoUNet;2;1;relu"},
}


def write_results(folder: Path) -> None:
    """Write ``results/CASE.csv``, ``CASE.eqx`` and ``outputs.npz``: input and answer of each."""
    target = folder / "results"
    target.mkdir(exist_ok=True)
    arrays: dict[str, Any] = {}
    for case, changed in CASES.items():
        config = {**COMMON, **SIZES, **changed}
        with tempfile.TemporaryDirectory() as made:
            (table,), (weights,) = apebench.run_study([config], made)
            shutil.copy(table, target / f"{case}.csv")
            shutil.copy(weights, target / f"{case}.eqx")
        arrays |= {
            f"{case}/{name}": value for name, value in _answer(config, target / case).items()
        }
    write_archive(target / "outputs.npz", arrays, {"cases": CASES, "common": {**COMMON, **SIZES}})


def _answer(config: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a state and what the stored networks make of it."""
    beside = {"scenario", *COMMON, "net"}
    keywords = {name: value for name, value in config.items() if name not in beside}
    scenario = apebench.scenarios.scenario_dict[config["scenario"]](**keywords)
    state = scenario.get_test_ic_set()[0]
    networks = scenario.load_model(
        f"{path}.eqx",
        task_config=config["task"],
        network_config=config["net"],
        num_seeds=config["num_seeds"],
    )
    if config["num_seeds"] == 1:
        return {"state": state, "answer": networks(state)}
    answer = eqx.filter_vmap(lambda network, u: network(u), in_axes=(eqx.if_array(0), None))
    return {"state": state, "answer": jax.device_get(answer(networks, state))}
