"""The study whose tables and picture stand in docs/learning_study.md.

Every network with three trainings and two tasks on the Burgers equation, in a small size. Run it
with ``make docs-learning``. Finished experiments are not run again: the study lies in a folder of
the system's temporary directory, or in the one given, ``python docs/learning_study.py FOLDER``.
"""

import itertools
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

import apexr
from apexr.analysis import count_diverged, geometric_mean
from apexr.study import plan_study

PAGE = Path(__file__).resolve().with_suffix(".md")
PICTURE = PAGE.with_suffix("") / "error.png"
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
STORE = Path(tempfile.gettempdir()) / "apexr_learning_study"

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
TRAININGS = ("one", "sup;3", "div;3")
TASKS = ("predict", "correct;sequential")
SIZES = {
    "scenario": "diff_burgers",
    "num_points": 48,
    "train_temporal_horizon": 20,
    "num_test_samples": 10,
    "test_temporal_horizon": 50,
    "optim_config": "adam;1_200;warmup_cosine;0.0;3e-3;150",
    "record_loss_every": 100,
    "num_seeds": 2,
}
STEPS = (1, 10, 50)


def configs() -> list[dict[str, Any]]:
    """Return the configurations of all experiments."""
    return [
        {**SIZES, "task": task, "train": train, "net": net}
        for task, train, net in itertools.product(TASKS, TRAININGS, NETS)
    ]


def main(store: Path = STORE) -> None:
    """Run what is missing of the study; write its tables and its picture."""
    planned = [one.id for one in plan_study(configs())]
    study = apexr.run_study(configs(), store)
    study = study.sel(experiment=[name for name in planned if name in study.experiment])
    rows = tabulate(study)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    shrink(apexr.plot.save(picture(study), PICTURE))
    print(rows.to_string(index=False))


# --- tables ----------------------------------------------------------------------------------


def tabulate(study: xr.Dataset) -> pd.DataFrame:
    """Return one row for each experiment; errors are medians over its seeds."""
    error = study.mean_nRMSE.load()
    median = error.median("seed", skipna=False)
    columns = {
        **{name: study[name].values for name in ("net", "task", "train")},
        "parameters": study.num_parameters.values,
        **{f"step_{step}": median.sel(time=step).values for step in STEPS},
        "gmean": geometric_mean(study, up_to=STEPS[-1]).median("seed", skipna=False).values,
        "diverged": count_diverged(study, "mean_nRMSE").values,
        "train_seconds": study.train_seconds.values,
        "compile_seconds": study.compile_seconds.values,
    }
    return pd.DataFrame(columns)


def pivoted(rows: pd.DataFrame, value: str, show: str) -> str:
    """Return a column of the rows as a Markdown table, network by task and training."""
    wide = rows.pivot(index="net", columns=["task", "train"], values=value)
    wide = wide.reindex(index=NETS, columns=itertools.product(TASKS, TRAININGS))
    counts = rows.drop_duplicates("net").set_index("net").parameters
    head = ("network", "parameters", *(f"{task}, {train}" for task, train in wide.columns))
    body = [
        (f"`{net}`", f"{counts[net]:,}", *(show.format(number) for number in wide.loc[net]))
        for net in NETS
    ]
    lines = [head, (":--", *("--:",) * (len(head) - 1)), *body]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def cost(rows: pd.DataFrame) -> str:
    """Return what an experiment of the study costs."""
    training, compiling = rows.train_seconds.median(), rows.compile_seconds.median()
    return (
        f"{len(rows)} experiments of {SIZES['num_seeds']} seeds; an experiment takes (median)"
        f" {training:.1f} s of training and {compiling:.1f} s of compilation."
        f" {rows.diverged.sum()} seeds diverged.\n"
    )


TABLES: dict[str, Callable[[pd.DataFrame], str]] = {
    "cost": cost,
    "gmean": lambda rows: pivoted(rows, "gmean", "{:.3f}"),
    "first": lambda rows: pivoted(rows, f"step_{STEPS[0]}", "{:.4f}"),
    "tenth": lambda rows: pivoted(rows, f"step_{STEPS[1]}", "{:.3f}"),
    "last": lambda rows: pivoted(rows, f"step_{STEPS[2]}", "{:.3f}"),
    "diverged": lambda rows: pivoted(rows, "diverged", "{:.0f}"),
    "training": lambda rows: pivoted(rows, "train_seconds", "{:.1f}"),
}


def filled(page: str, rows: pd.DataFrame) -> str:
    """Return the page with its tables made again."""
    return BLOCK.sub(lambda found: found[1] + TABLES[found[2]](rows) + found[3], page)


# --- picture ---------------------------------------------------------------------------------


def picture(study: xr.Dataset) -> Any:
    """Return the error over time, a panel for each task and training, a curve for each network."""
    plots, titles = [], []
    for task, train in itertools.product(TASKS, TRAININGS):
        chosen = study.isel(experiment=((study.task == task) & (study.train == train)).values)
        plots.append(apexr.plot.metric(chosen, by="net", band="none", logy=True, order=NETS))
        titles.append(f"{task}, {train}")
    return apexr.plot.panels(plots, len(TRAININGS), titles)


def shrink(path: Path) -> None:
    """Write a picture of few colors again with a palette, in a third of the bytes."""
    from PIL import Image

    with Image.open(path) as image:
        image.convert("RGB").quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
