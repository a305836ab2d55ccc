"""Losses, errors and rollouts of short trainings."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from golden._files import write_archive
from golden._scenario import build, describe, free_compiled

CONV = "Conv;8;3;relu"
FNO = "FNO;6;6;2;gelu"
CONSTANT = "adam;30;constant;1e-3"
EXP = "adam;30;exp;1e-3;5;0.9;False"
STAIRS = "adam;30;exp;1e-3;5;0.9;True"
WARMUP = "adam;30;warmup_cosine;0.0;1e-3;10"
BASE = {
    "num_spatial_dims": 1,
    "num_points": 32,
    "num_train_samples": 5,
    "train_temporal_horizon": 6,
    "num_test_samples": 3,
    "test_temporal_horizon": 5,
    "record_loss_every": 1,
    "num_warmup_steps": 0,
}
SMALL_2D = {"num_spatial_dims": 2, "num_points": 16}
SMALL_3D = {"num_spatial_dims": 3, "num_points": 10, "ic_config": "fourier;3;true;true"}
NUM_SEEDS = 2

# label: scenario, network, training, optimiser, batch size, other fields
Case = tuple[str, str, str, str, int, dict[str, Any]]
CASES: dict[str, Case] = {
    # 30 windows: batches of 4 leave a last one of 2, batches of 5 or 6 leave none
    "adv-conv-one": ("diff_adv", CONV, "one", CONSTANT, 4, {}),
    "adv-fno-one": ("diff_adv", FNO, "one", CONSTANT, 4, {}),
    "adv-conv-one-even": ("diff_adv", CONV, "one", EXP, 5, {}),
    "adv-conv-one-stairs": ("diff_adv", CONV, "one", STAIRS, 4, {}),
    "adv-fno-one-warmup": ("diff_adv", FNO, "one", WARMUP, 4, {}),
    "adv-conv-one-full": ("diff_adv", CONV, "one", CONSTANT, 64, {}),
    "burgers-conv-one": ("diff_burgers", CONV, "one", CONSTANT, 4, {}),
    "burgers-fno-one-even": ("diff_burgers", FNO, "one", STAIRS, 5, {}),
    # 20 windows: batches of 4 leave none, batches of 6 a last one of 2
    "adv-conv-sup3-even": ("diff_adv", CONV, "sup;3", WARMUP, 4, {}),
    "adv-fno-sup3": ("diff_adv", FNO, "sup;3", CONSTANT, 6, {}),
    "burgers-conv-sup3": ("diff_burgers", CONV, "sup;3", CONSTANT, 6, {}),
    "adv-conv-sup3-cut": ("diff_adv", CONV, "sup;3;true", CONSTANT, 6, {}),
    "burgers-fno-sup3-cut": ("diff_burgers", FNO, "sup;3;true", WARMUP, 6, {}),
    "burgers2d-conv-one": ("diff_burgers", CONV, "one", CONSTANT, 4, SMALL_2D),
    "adv2d-fno-sup3": ("diff_adv", "FNO;4;6;2;gelu", "sup;3", CONSTANT, 6, SMALL_2D),
    "burgers3d-conv-one": ("diff_burgers", "Conv;6;2;relu", "one", CONSTANT, 4, SMALL_3D),
    "fisher-conv-one": ("diff_fisher", CONV, "one", CONSTANT, 4, {"num_trjs_returned": 2}),
    "ks-conv-one-every7": (
        "diff_ks",
        CONV,
        "one",
        CONSTANT,
        4,
        {"num_points": 48, "num_warmup_steps": 5, "record_loss_every": 7, "start_seed": 3},
    ),
}
DIVERTED: dict[str, Case] = {
    "adv-conv-div3": ("diff_adv", CONV, "div;3", CONSTANT, 6, {}),
    "burgers-fno-div3": ("diff_burgers", FNO, "div;3", WARMUP, 6, {}),
    "adv-conv-div3-cut": ("diff_adv", CONV, "div;3;true", CONSTANT, 6, {}),
    "burgers-conv-div3-cut-cutdiv": ("diff_burgers", CONV, "div;3;true;true", CONSTANT, 6, {}),
    "burgers-conv-div3-cutdiv": ("diff_burgers", CONV, "div;3;false;true", CONSTANT, 6, {}),
}


def write_training(folder: Path) -> None:
    """Write ``training.npz`` (one, sup) and ``training_div.npz`` (div)."""
    _write(folder / "training.npz", CASES)
    _write(folder / "training_div.npz", DIVERTED)


def _write(path: Path, cases: dict[str, Case]) -> None:
    arrays: dict[str, Any] = {}
    described: dict[str, Any] = {}
    for label, case in cases.items():
        outcome, described[label] = run_case(case)
        arrays |= {f"{label}/{name}": values for name, values in outcome.items()}
        free_compiled()
    write_archive(path, arrays, {"cases": described})


def run_case(case: Case, task: str = "predict") -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays of one training, and what a test needs to do the same."""
    key, net, train, optimiser, batch_size, more = case
    kwargs = {**BASE, "optim_config": optimiser, "batch_size": batch_size, **more}
    start_seed = kwargs.pop("start_seed", 0)
    scenario = build(key, **kwargs)
    run = {
        "task_config": task,
        "network_config": net,
        "train_config": train,
        "start_seed": start_seed,
        "num_seeds": NUM_SEEDS,
    }
    table, _ = scenario(**run)
    arrays = _columns(table, ("train_loss", *scenario.report_metrics.split(",")))
    arrays["sample_rollout"] = _rollouts(table)
    model = scenario.get_neural_stepper(
        task_config=task, network_config=net, key=jax.random.PRNGKey(start_seed)
    )
    arrays["full_loss"] = np.asarray(scenario.full_loss(model, train_config=train))
    return arrays, {**describe(key, scenario, kwargs), "run": run}


def _columns(table: pd.DataFrame, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return one (seed, step) array per name, and the steps at which the loss was recorded."""
    columns = {
        name: [column for column in table.columns if column.startswith(f"{name}_")]
        for name in names
    }
    steps = [int(column.rsplit("_", 1)[1]) for column in columns["train_loss"]]
    arrays = {name: table[found].to_numpy(np.float32) for name, found in columns.items()}
    return {**arrays, "update_step": np.array(steps)}


def _rollouts(table: pd.DataFrame) -> np.ndarray:
    names = [column for column in table.columns if column.startswith("sample_rollout_")]
    return np.stack([np.array(table[name].tolist(), np.float32) for name in names], axis=1)
