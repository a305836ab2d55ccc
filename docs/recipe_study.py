"""The study whose tables and picture stand in docs/recipe_study.md.

Ten networks on three data sets, each with the plain and with the modern recipe. Run it with
``make docs-recipe``. A finished experiment is not run again: the study lies in a folder of the
system's temporary directory, or in the one given, ``python docs/recipe_study.py FOLDER``. The
recorded set is the sample of Burgers' equation in the wheel of neuraloperator, which pip fetches
on the first run.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from scipy import stats

import apexr
from apexr.analysis import geometric_mean
from apexr.study import plan_study

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from foreign_data import SAMPLE, read_sample

PAGE = Path(__file__).resolve().with_suffix(".md")
PICTURE = PAGE.with_suffix("") / "recipes.png"
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
STORE = Path(tempfile.gettempdir()) / "apexr_recipe_study"

NETS = (
    "Conv;16;6;relu",
    "Res;16;4;relu",
    "Dil;2;16;2;relu",
    "UNet;8;2;relu",
    "FNO;8;8;4;gelu",
    "FFNO;8;16;2;2",
    "UNO;4;16;1",
    "CNeXt;8;2;1",
    "UNetMod;8;1,2;1",
    "Trans;16;2;2",
)
UPDATES = 1_000
ADAM = f"adam;{UPDATES};warmup_cosine;0.0;3e-3;{UPDATES // 10}"
COMMON = {"num_seeds": 5, "record_loss_every": UPDATES // 10}
RECIPES: dict[str, dict[str, Any]] = {
    "plain": {"net": "{net}", "train": "one", "optim_config": ADAM},
    "modern": {
        "net": "delta;norm;zscore;{net}",
        "train": "noise;0.003;one",
        "optim_config": f"ema;0.99;{ADAM}",
        "select": "best;mean_nRMSE",
    },
}
"""The settings that the two recipes set; ``{net}`` is the network."""

SOLVED: dict[str, Any] = {
    "train_temporal_horizon": 20,
    "num_test_samples": 10,
    "num_valid_samples": 10,
    "test_temporal_horizon": 50,
}
DATA: dict[str, dict[str, Any]] = {
    "Burgers": {"scenario": "diff_burgers", "num_points": 48, **SOLVED},
    "Kuramoto-Sivashinsky": {"scenario": "diff_ks_cons", "num_points": 64, **SOLVED},
    "recorded Burgers": {
        "scenario": "recorded",
        "dims": ["sample", "time", "x"],
        "split": "0.8;0.1;0.1",
        "num_train_samples": 50,
    },
}


def main(store: Path = STORE) -> None:
    """Run what is missing of the study; write its tables and its picture."""
    recorded = sample(store)
    plans = {
        (data, recipe): plan_study(configs(data, recipe, recorded))
        for data in DATA
        for recipe in RECIPES
    }
    study = apexr.run_study(
        [one for pair in plans for one in configs(*pair, recorded)], store / "study.zarr"
    )
    rows = tabulate(study, {pair: [one.id for one in plan] for pair, plan in plans.items()})
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    PICTURE.parent.mkdir(exist_ok=True)
    picture(rows).savefig(PICTURE, dpi=130)
    print(written(rows, "Burgers"), tested(rows), sep="\n")


def sample(store: Path) -> Path:
    """Return the file of recorded trajectories; make it of the sample in a wheel if need be."""
    path = store / "burgers_lowres.npy"
    if not path.exists():
        packages = store / "packages"
        if not (packages / SAMPLE).exists():
            wheel = ["--no-deps", "--target", str(packages), "neuraloperator==0.3.0"]
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *wheel], check=True)
        np.save(path, read_sample(packages / SAMPLE))
    return path


def configs(data: str, recipe: str, recorded: Path) -> list[dict[str, Any]]:
    """Return the configurations of all networks with a recipe on a data set."""
    about = dict(DATA[data])
    if about["scenario"] == "recorded":
        about["source"] = str(recorded)
    chosen = RECIPES[recipe]
    return [{**COMMON, **about, **chosen, "net": chosen["net"].format(net=net)} for net in NETS]


# --- tables ----------------------------------------------------------------------------------


def tabulate(study: xr.Dataset, planned: dict[tuple[str, str], list[str]]) -> pd.DataFrame:
    """Return one row for each data set, recipe, network and seed."""
    rows = []
    for (data, recipe), ids in planned.items():
        for net, name in zip(NETS, ids, strict=True):
            one = study.sel(experiment=name).dropna("time", subset=["mean_nRMSE"], how="all")
            error = geometric_mean(one, up_to=int(one.time[-1]))
            rows += [
                (data, recipe, net, seed, value, int(one.num_parameters))
                for seed, value in enumerate(error.values)
            ]
    return pd.DataFrame(rows, columns=["data", "recipe", "net", "seed", "error", "parameters"])


def ratios(rows: pd.DataFrame, data: str) -> pd.DataFrame:
    """Return the error with the modern recipe over that with the plain one, network by seed."""
    wide = rows[rows.data == data].pivot(index="net", columns=["recipe", "seed"], values="error")
    return (wide["modern"] / wide["plain"]).reindex(NETS)


def written(rows: pd.DataFrame, data: str) -> str:
    """Return the errors of a data set as a Markdown table."""
    chosen = rows[rows.data == data]
    ratio = ratios(rows, data)
    head = ["network", "parameters", *RECIPES, "ratio", "seeds that gain"]
    lines = [head, [":--", *["--:"] * (len(head) - 1)]]
    for net in NETS:
        cells = []
        for recipe in RECIPES:
            low, middle, high = np.quantile(
                chosen.error[(chosen.net == net) & (chosen.recipe == recipe)], [0, 0.5, 1]
            )
            cells.append(f"{middle:.3g} [{low:.3g}–{high:.3g}]")
        parameters = chosen.parameters[chosen.net == net].iloc[0]
        gain = f"{int((ratio.loc[net] < 1).sum())} of {ratio.shape[1]}"
        lines.append(
            [f"`{net}`", f"{parameters:,}", *cells, f"{ratio.loc[net].median():.2f}", gain]
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def tested(rows: pd.DataFrame) -> str:
    """Return, for each data set, whether the networks as a set gain: Wilcoxon over the networks."""
    head = ["data", "median ratio", "networks that gain", "p (Wilcoxon, ten networks)"]
    lines = [head, [":--", *["--:"] * (len(head) - 1)]]
    for data in DATA:
        logs = np.log(ratios(rows, data).median(axis=1))
        p = stats.wilcoxon(logs).pvalue
        lines.append(
            [
                data,
                f"{np.exp(logs.median()):.2f}",
                f"{int((logs < 0).sum())} of {len(logs)}",
                f"{p:.2g}",
            ]
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


TABLES: dict[str, Callable[[pd.DataFrame], str]] = {
    "burgers": lambda rows: written(rows, "Burgers"),
    "ks": lambda rows: written(rows, "Kuramoto-Sivashinsky"),
    "recorded": lambda rows: written(rows, "recorded Burgers"),
    "tested": tested,
}


def filled(page: str, rows: pd.DataFrame) -> str:
    """Return the page with its tables made again."""
    return BLOCK.sub(lambda found: found[1] + TABLES[found[2]](rows) + found[3], page)


# --- picture ---------------------------------------------------------------------------------


def picture(rows: pd.DataFrame) -> Figure:
    """Return the errors of both recipes, a panel for each data set, a line for each network."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = figure.subplots(1, len(DATA), sharey=True)
    height = np.arange(len(NETS))[::-1]
    for axes, data in zip(panels, DATA, strict=True):
        for recipe, shift, marker in zip(RECIPES, (0.15, -0.15), "os", strict=True):
            wide = rows[(rows.data == data) & (rows.recipe == recipe)].pivot(
                index="net", columns="seed", values="error"
            )
            low, middle, high = np.quantile(wide.reindex(NETS), [0, 0.5, 1], axis=1)
            spread = [middle - low, high - middle]
            axes.errorbar(middle, height + shift, xerr=spread, fmt=marker, ms=4, label=recipe)
        axes.set(xscale="log", title=data, xlabel="nRMSE, geometric mean over the rollout")
        axes.xaxis.label.set_size(8)
        axes.xaxis.set_minor_formatter(NullFormatter())
    panels[0].set_yticks(height, [net.split(";")[0] for net in NETS])
    panels[0].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
