"""Every plot and film of docs/plots.md, from a small study that is run here.

Run it with ``make docs-plots`` (a few minutes on two cores), which is a part of ``make docs``:
other pages read the same study. It lies in ``docs/_build/study``, or in the folder given,
``python docs/plot_gallery.py FOLDER``; what is finished is not run again.
"""

import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr
from redrawn import redrawn

import apexr
from apexr.study import plan_study

FOLDER = Path(__file__).resolve().with_suffix("")
STORE = Path(__file__).resolve().parent / "_build" / "study"

SMALL = {
    "train_temporal_horizon": 20,
    "num_train_samples": 10,
    "num_test_samples": 6,
    "test_temporal_horizon": 60,
    "optim_config": "adam;600;warmup_cosine;0.0;3e-3;60",
    "record_loss_every": 10,
    "batch_size": 10,
    "num_seeds": 3,
}
LINE = {**SMALL, "num_points": 64, "num_trjs_returned": 3, "num_seeds": 6}
PLANE = {**SMALL, "num_spatial_dims": 2, "num_points": 48, "num_seeds": 2}
SPACE = {
    **SMALL,
    "num_spatial_dims": 3,
    "num_points": 24,
    "num_seeds": 1,
    "num_train_samples": 3,
    "num_test_samples": 2,
    "train_temporal_horizon": 8,
    "test_temporal_horizon": 24,
    "optim_config": "adam;60;constant;3e-3",
}
NETS = ("Conv;12;4;relu", "Res;12;2;relu", "FNO;12;8;4;gelu", "Pure;3")
TOO_FAST = {"optim_config": "adam;40;constant;3.0"}
"""Makes seeds of the linear network diverge, which pictures have to show."""


def main(folder: Path = STORE) -> None:
    """Run what is missing of the studies, draw all pictures, write all films."""
    started = time.perf_counter()
    line, plane, space = (study(folder / name, todo) for name, todo in configs().items())
    print(f"studies: {time.perf_counter() - started:.0f} s")
    for name, (draw, width) in pictures(line, plane, space).items():
        with redrawn(FOLDER / f"{name}.png") as picture:
            apexr.plot.save(draw(), picture, width=width, dpi=200)
    films(line, plane, space)
    print(f"with pictures and films: {time.perf_counter() - started:.0f} s")


def configs() -> dict[str, list[dict[str, Any]]]:
    """Return the experiments of each study: in one, two and three dimensions."""
    grid = itertools.product(("diff_burgers", "diff_ks"), NETS, ("one", "sup;5"))
    line = [
        {**LINE, **(TOO_FAST if (net, train) == ("Pure;3", "sup;5") else {})}
        | {"scenario": scenario, "net": net, "train": train}
        for scenario, net, train in grid
    ]
    return {
        "line": line,
        "plane": [{**PLANE, "scenario": "diff_burgers", "net": "FNO;8;12;3;gelu"}],
        "space": [{**SPACE, "scenario": "diff_burgers", "net": "Conv;8;3;relu"}],
    }


def study(store: Path, todo: list[dict[str, Any]]) -> xr.Dataset:
    """Return the study, run as far as it was not, in the order asked for: a network, a color."""
    made = apexr.run_study(todo, store, progress=False)
    return made.sel(experiment=[one.id for one in plan_study(todo)])


def pictures(
    line: xr.Dataset, plane: xr.Dataset, space: xr.Dataset
) -> dict[str, tuple[Callable[[], Any], str]]:
    """Return what draws each picture, and its width."""
    plot = apexr.plot
    burgers = line.isel(experiment=(line.scenario == "1d_diff_burgers").values)
    single = burgers.isel(experiment=(burgers.train == "sup;5").values)
    plain = burgers.isel(experiment=(burgers.train == "one").values)
    learned = single.isel(experiment=(single.net != "Pure;3").values)
    one = chosen(line, scenario="1d_diff_ks", net="FNO;12;8;4;gelu", train="sup;5")
    flow, volume = plane.isel(experiment=0), space.isel(experiment=0)
    return {
        "loss": (lambda: plot.loss(single, by="net"), "column"),
        "metric": (lambda: plot.metric(learned, by="net", logy=True), "column"),
        "metric_diverged": (lambda: plot.metric(single, by="net", logy=True), "column"),
        "metric_train": (
            lambda: plot.metric(
                burgers.isel(experiment=(burgers.net == NETS[0]).values), by="train"
            ),
            "column",
        ),
        "overview": (lambda: plot.overview(one), "page"),
        "spacetime": (lambda: plot.spacetime(one), "page"),
        "spacetime_2d": (lambda: plot.spacetime(flow, times=[0, 20, 60]), "page"),
        "state_1d": (lambda: plot.state(one, times=[0, 10, 60]), "column"),
        "state_2d": (lambda: plot.state(flow), "page"),
        "state_3d": (lambda: plot.state(volume, times=[0, 6, 24]), "page"),
        "volume": (lambda: plot.state(volume, times=[0, 6, 24], view="volume"), "page"),
        "compare_1d": (lambda: plot.compare(one, time=20), "page"),
        "compare_2d": (lambda: plot.compare(flow, time=40), "page"),
        "compare_3d": (lambda: plot.compare(volume, view="volume"), "page"),
        "facets_seed": (lambda: plot.facets(one.isel(seed=slice(3)), "seed"), "page"),
        "facets_channel": (lambda: plot.facets(flow, "channel", time=40), "column"),
        "facets_experiment": (lambda: plot.facets(single, "experiment"), "page"),
        "spectra": (lambda: plot.spectra(one), "column"),
        "error_spectrum": (lambda: plot.error_spectrum(one), "column"),
        "heatmap": (lambda: plot.heatmap(line, up_to=60), "column"),
        "pareto": (lambda: plot.pareto(plain, up_to=60), "column"),
        "sizes": (lambda: plot.sizes(single), "page"),
        "panels": (lambda: per_scenario(line), "page"),
    }


def chosen(ds: xr.Dataset, **config: str) -> xr.Dataset:
    """Return the one experiment with these coordinates."""
    for name, value in config.items():
        ds = ds.isel(experiment=(ds[name] == value).values)
    return ds.squeeze("experiment")


def per_scenario(line: xr.Dataset) -> Any:
    """Return the errors of all networks, a panel for each scenario."""
    names = list(dict.fromkeys(line.scenario.values))
    line = line.isel(experiment=(line.train == "sup;5").values)
    parts = [line.isel(experiment=(line.scenario == name).values) for name in names]
    curves = [apexr.plot.metric(part, by="net", logy=True) for part in parts]
    return apexr.plot.panels(curves, 2, names)


def films(line: xr.Dataset, plane: xr.Dataset, space: xr.Dataset) -> None:
    """Write a film for each number of dimensions."""
    one = chosen(line, scenario="1d_diff_ks", net="FNO;12;8;4;gelu", train="sup;5")
    flat, deep = plane.isel(experiment=0), space.isel(experiment=0)
    apexr.plot.animate(flat, FOLDER / "rollout_2d.mp4")
    shown: dict[str, tuple[xr.Dataset, dict[str, Any]]] = {
        "rollout_1d": (one, {"panel": 160, "fps": 10}),
        "rollout_2d": (flat, {"panel": 160, "fps": 10}),
        "rollout_3d": (deep, {"view": "volume", "panel": 180, "fps": 5}),
    }
    for name, (ds, options) in shown.items():
        with redrawn(FOLDER / f"{name}.gif") as film:
            apexr.plot.animate(ds, film, **options)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
