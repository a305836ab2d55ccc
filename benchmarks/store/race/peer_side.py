"""Writes and reads the results of the race as the peer's study does, with ``apebench==0.1.1``.

The table has the columns of the peer's own call: configuration, errors, losses, one column an
update for callbacks (which are empty here, as by default) and the rollout as nested lists. Only
writing and reading are timed, not making the table.
"""

import sys
from pathlib import Path

import apebench
import equinox as eqx
import jax
import pandas as pd
from numbers_of_race import NET, SEEDS, UPDATES, measured, results


def networks():
    scenario = apebench.scenarios.difficulty.Advection()
    keys = jax.random.split(jax.random.PRNGKey(0), SEEDS)
    return eqx.filter_vmap(lambda key: scenario.get_network(NET, key))(keys)


def table(number, arrays):
    columns = {
        "scenario": "1d_diff_adv",
        "task": "predict",
        "train": "one",
        "net": NET,
        "seed": range(SEEDS),
        "scenario_kwargs": f"{{'number': {number}}}",
    }
    errors = arrays["mean_nRMSE"]
    columns |= {f"mean_nRMSE_{t + 1:04d}": errors[:, t] for t in range(errors.shape[1])}
    losses = arrays["train_loss"]
    every = UPDATES // losses.shape[1]
    columns |= {f"train_loss_{i * every:06d}": losses[:, i] for i in range(losses.shape[1])}
    columns |= {f"aux_{i:06d}": [{} for _ in range(SEEDS)] for i in range(UPDATES)}
    columns["sample_rollout_000"] = [rollout.tolist() for rollout in arrays["sample_rollout"]]
    return pd.DataFrame(columns)


def main(task, folder):
    raw, weights = folder / "raw", folder / "network_weights"
    if task == "read":
        files = sorted(raw.iterdir())
        measured(task, lambda: len(apebench.melt_concat_metrics_from_list(files)), folder)
        return
    stack, tables = networks(), [table(*pair) for pair in enumerate(results())]
    raw.mkdir()
    weights.mkdir()

    def write():
        for number, df in enumerate(tables):
            df.to_csv(raw / f"{number:02d}.csv")
            eqx.tree_serialise_leaves(weights / f"{number:02d}.eqx", stack)
        return len(tables)

    measured(task, write, folder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
