"""Texts that commands print about results, studies and trajectories."""

from typing import Any

import typer

from apexr._inert import inert

STEPS = (1, 2, 3, 4, 5, 10, 20, 50, 100, 200)
"""Time steps of the tables that commands print."""


def summary(result: Any) -> str:
    """Return what a result is, and the median over seeds of each metric at some steps."""
    from apexr import schema
    from apexr.analysis import band

    labels = {name: result[name].item() for name in ("scenario", "task", "net", "train")}
    steps = [step for step in STEPS if step in result["time"].values]
    curves = {schema.identifier(config): array for config, array in schema.metric_curves(result)}
    names = list(curves)
    rows = [f"{name} {inert(str(value), lines=False)}" for name, value in labels.items()]
    rows.append(f"seeds {result.sizes['seed']}{_diverged(schema.diverged_seeds(result))}")
    rows += _validated(result)
    rows += ["", f"median over seeds at time step\n{'step':>6}  " + "  ".join(names)]
    medians = {n: band(array.sel(time=steps))["median"].values for n, array in curves.items()}
    for place, step in enumerate(steps):
        cells = "  ".join(f"{medians[name][place]:>{len(name)}.3f}" for name in names)
        rows.append(f"{step:>6}  {cells}")
    return "\n".join(rows)


def _validated(result: Any) -> list[str]:
    """Return which weights were chosen by validation, and which seeds stopped before the end."""
    rows = []
    if "selected_at" in result:
        steps = ", ".join(map(str, result["selected_at"].values.astype(int)))
        rows.append(f"weights with the best validation, after updates {steps}")
    if "stopped_at" in result:
        stopped = result["stopped_at"].values.astype(int)
        steps = ", ".join("-" if step < 0 else str(step) for step in stopped)
        rows.append(f"stopped after updates {steps}")
    return rows


def decomposition_summary(parts: Any) -> str:
    """Return the parts of each experiment's error at some steps, over samples and seeds."""
    from apexr.schema import DECOMPOSITION

    told = [name for name in DECOMPOSITION if not name.startswith(("true_", "alignment"))]
    steps = [step for step in STEPS if step in parts["time"].values]
    rows = ["mean over test samples, median over seeds"]
    for one in [parts] if "experiment" not in parts.dims else _each_experiment(parts):
        labels = (str(one[name].item()) for name in ("scenario", "net", "train"))
        rows += ["", "  ".join(inert(label, lines=False) for label in labels)]
        rows.append(f"{'step':>6}  " + "  ".join(told))
        means = one[told].sel(time=steps).mean("test_sample", skipna=False).median("seed")
        for step in steps:
            at = means.sel(time=step)
            cells = "  ".join(f"{at[name].item():>{len(name)}.3g}" for name in told)
            rows.append(f"{step:>6}  {cells}")
    return "\n".join(rows)


def climate_summary(told: Any) -> str:
    """Return each distance of each experiment's rollouts with its noise floor."""
    names = [str(name).removesuffix("_noise") for name in told if str(name).endswith("_noise")]
    names = [name for name in names if "wavenumber" not in told[name].dims]
    width = max(map(len, names))
    rows = ["median over seeds; noise: the distance of the solver to itself"]
    for one in [told] if "experiment" not in told.dims else _each_experiment(told):
        labels = (str(one[name].item()) for name in ("scenario", "net", "train"))
        rows += ["", "  ".join(inert(label, lines=False) for label in labels)]
        bounded = one["bounded"].values
        rows.append(
            f"{'bounded':<{width}}  {bounded.mean():.3g} of the runs, all runs of"
            f" {int((bounded == 1).sum())} of {len(bounded)} seeds"
        )
        for name in names:
            own = one[name].median("seed", skipna=False)
            for channel in range(own.sizes["channel"]):
                value, noise = (float(part[channel]) for part in (own, one[f"{name}_noise"]))
                said = f" [{own['channel'].values[channel]}]" if own.sizes["channel"] > 1 else ""
                rows.append(f"{name:<{width}}  {value:.3g} (noise {noise:.3g}){said}")
    return "\n".join(rows)


def _each_experiment(study: Any) -> list[Any]:
    return [study.isel(experiment=place) for place in range(study.sizes["experiment"])]


def ladder_summary(ladder: Any) -> str:
    """Return the rungs of a ladder, their errors at some steps and their costs, and its rules."""
    from apexr import schema

    name = schema.metric_identifiers(ladder)[0]
    steps = [step for step in STEPS if step in ladder["time"].values]
    rows = [f"{ladder['scenario'].item()}  {name} at step, seconds of a trajectory"]
    columns = "  ".join(f"{step:>8}" for step in steps)
    rows.append(f"{'solver':<14}{'points':>8}{'substeps':>10}  {columns}{'batch':>12}{'alone':>12}")
    for place in range(ladder.sizes["rung"]):
        one = ladder.isel(rung=place)
        cells = "  ".join(f"{one[name].sel(time=step).item():>8.2g}" for step in steps)
        costs = f"{1 / one['throughput'].item():>12.3g}{one['latency'].item():>12.3g}"
        labels = f"{one['points'].item():>8}{one['substeps'].item():>10}"
        rows.append(f"{one['solver'].item():<14}{labels}  {cells}{costs}")
    truth, own = (ladder[f"{of}_error"].values for of in ("truth", "reference"))
    rows.append(f"truth: {ladder.attrs['truth']}, error {truth.max():.2g} at most")
    rows.append(f"test data of the scenario: error {own.max():.2g} at most")
    rows += [f"rule 1: {ladder.attrs['rule_equal_accuracy']}"]
    rows += [f"rule 2: {ladder.attrs['rule_efficient_solver']}"]
    return "\n".join(rows)


def breakeven_summary(found: Any) -> str:
    """Return after how many trajectories each experiment has paid, over its seeds."""
    rows = [f"steps {found.attrs['over']}, inference {found.attrs['inference']}"]
    head = ("median", "lowest", "highest", "finite", "bounds", "worst sample")
    rows.append("".join(f"{name:>14}" for name in head) + "  experiment")
    for one in [found] if "experiment" not in found.dims else _each_experiment(found):
        number = one["breakeven"]
        there = number.notnull()
        bounds = int((one["upper_bound"] & there).sum())
        worst = one["breakeven_worst_sample"].median("seed").item()
        cells = [f"{one[name].item():>14.4g}" for name in ("median", "lowest", "highest")]
        cells += [f"{one['finite_share'].item():>14.0%}", f"{bounds:>10} of {int(there.sum())}"]
        cells += [f"{worst:>14.4g}"]
        label = "  ".join(str(one[name].item()) for name in ("scenario", "net", "train"))
        rows.append(f"{''.join(cells)}  {label}")
    rows += ["bounds: seeds whose number is an upper bound, as they beat every rung of the ladder"]
    rows += [f"rule 1: {found.attrs['rule_equal_accuracy']}"]
    rows += [f"rule 2: {found.attrs['rule_efficient_solver']}"]
    return "\n".join(rows)


def study_summary(store: str, asked_for: set[str]) -> str:
    """Return how many of the experiments asked for are published, and how many seeds diverged."""
    from apexr import store as stores

    table = stores.list_experiments(store)
    table = table[table["id"].isin(asked_for) & (table["state"] == "published")]
    lost = table[table["num_diverged"] > 0]
    rows = [f"{len(table)} of {len(asked_for)} experiments published in {store}"]
    for _, row in lost.iterrows():
        what = f"{row['scenario']} {row['net']} {row['train']}"
        rows.append(f"diverged: {row['num_diverged']} of {len(row['seeds'])} seeds of {what}")
    return "\n".join(rows)


def failure_table(failures: list[Any], total: int) -> str:
    """Return what failed, one a line."""
    import pandas as pd

    names = ("scenario", "task", "net", "train")
    rows = [
        {
            "id": one.experiment.id,
            **{name: one.experiment.experiment.config[name] for name in names},
            "error": one.error,
        }
        for one in failures
    ]
    table = pd.DataFrame(rows).to_string(index=False)
    return f"{len(failures)} of {total} experiments failed:\n{table}"


def trajectory_summary(trajectories: Any) -> str:
    """Return what trajectories are, their sizes, and how many diverged."""
    import numpy as np

    from apexr._memory import format_bytes

    named = ("scenario", "scenario_kwargs", "equation", "dt", "initial_states", "seed")
    told = {name: trajectories.attrs[name] for name in named if name in trajectories.attrs}
    sizes = ", ".join(f"{dim} {size}" for dim, size in trajectories.sizes.items())
    steps = trajectories["time"].values
    rows = [f"{name} {inert(str(value), lines=False)}" for name, value in told.items()]
    rows.append(f"{sizes} ({format_bytes(trajectories.nbytes)}, {trajectories.dtype})")
    lost = trajectories.coords.get("diverged_at", np.array(-1)) >= 0
    rows.append(f"steps {steps[0]} to {steps[-1]}{_diverged(lost)}")
    return "\n".join(rows)


def say(text: str, *, err: bool = False) -> None:
    """Print text, which may hold labels of any stranger."""
    typer.echo(inert(text), err=err)


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _diverged(lost: Any) -> str:
    count = int(lost.sum())
    return f" ({count} diverged)" if count else ""
