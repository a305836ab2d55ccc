"""Every public plot at the width of a column and of a page, in files and in pages: one sheet.

``make contact-sheet`` writes it. Results are made up from the schema, so that nothing is trained;
labels are as long as those of real studies, and some seeds have diverged.
"""

import argparse
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import apexr
from apexr.plots._paper import WIDTHS
from apexr.schema import CLIMATE, DECOMPOSITION
from apexr.store import join_experiments
from apexr.testing import mock_experiment

NETS = ("Conv;26;10;relu", "Res;26;8;relu", "FNO;12;18;4;gelu", "UNet;12;2;relu", "Pure;3")
KWARGS = '{"advection_gamma": -4.0, "train_temporal_horizon": 20}'
LONG = {"num_times": 60, "num_losses": 40, "num_points": 64, "scenario_kwargs": KWARGS}


@functools.cache
def one() -> xr.Dataset:
    """Return a result in one dimension, one of whose seeds diverged."""
    return mock_experiment(scenario="1d_diff_burgers", train="sup;5", diverged=[1], **LONG)


@functools.cache
def flat() -> xr.Dataset:
    """Return a result in two dimensions with two channels, on a domain twice as long as wide."""
    return mock_experiment(
        scenario="2d_phy_gs_type",
        num_spatial_dims=2,
        num_points=(32, 16),
        domain_extent=(2.0, 1.0),
        num_channels=2,
        num_samples=2,
        num_times=20,
    )


@functools.cache
def deep() -> xr.Dataset:
    """Return a result in three dimensions."""
    return mock_experiment(
        scenario="3d_diff_burgers", num_spatial_dims=3, num_points=12, num_times=20
    )


@functools.cache
def positive() -> xr.Dataset:
    """Return a result whose fields have one sign."""
    held = flat().copy()
    for name in ("sample_rollout", "sample_reference", "initial_state"):
        held[name] = 0.4 + 0.2 * held[name]
    return held


@functools.cache
def study(*, trains: tuple[str, ...] = ("one",), nets: tuple[str, ...] = NETS) -> xr.Dataset:
    """Return a study of two scenarios; in one experiment most seeds diverged."""
    made = {}
    for number, (scenario, net, train) in enumerate(
        (s, n, t) for s in ("1d_diff_burgers", "1d_diff_ks") for n in nets for t in trains
    ):
        lost = (0, 1) if net == "Pure;3" else ()
        ds = mock_experiment(
            scenario=scenario, net=net, train=train, random_seed=number, diverged=lost, **LONG
        )
        ds["num_parameters"] = ds.num_parameters * 0 + 400 * 3**number
        ds["train_seconds"] = ds.train_seconds * (1 + number)
        ds["receptive_field"] = ds.receptive_field * 0 + (np.inf if "NO" in net else 7.0 * number)
        made[f"{number:032x}"] = ds
    return join_experiments(made)


@functools.cache
def long_named() -> xr.Dataset:
    """Return the study under the names of a leaderboard: network, optimizer, number of a study."""
    names = [f"{net}  adamw;20_000;warmup_cosine;3e-3;2_000 [3]" for net in study()["net"].values]
    return study().assign_coords(net=("experiment", np.array(names, object)))


def single() -> xr.Dataset:
    """Return the experiments of one scenario."""
    return study().isel(experiment=(study().scenario == "1d_diff_burgers").values)


@functools.cache
def parts() -> xr.Dataset:
    """Return a decomposition in which what is propagated soon is nearly all of the error."""
    rng = np.random.default_rng(0)
    steps = np.arange(1, 61)
    noise = np.exp(rng.normal(0, 0.2, (3, 4, 1)))
    fresh = 0.01 * noise * np.ones(60)
    carried = 0.01 * noise * (1.15 ** (steps - 1) - 1)
    values = {
        "one_step": fresh,
        "propagated": carried,
        "error": np.hypot(fresh, carried),
        "own_state_error": 1.5 * fresh,
        "dynamics": 0.9 * carried,
    }
    dims = ("seed", "test_sample", "time")
    made = {
        name: (dims, array, {"long_name": DECOMPOSITION[name].long_name, "units": "1"})
        for name, array in values.items()
    }
    coords = one()[["scenario", "net", "train", "scenario_kwargs", "task"]].coords
    time = one()["time"]
    return xr.Dataset(made, {**coords, "seed": [0, 1, 2], "time": time})


@functools.cache
def statistics() -> xr.Dataset:
    """Return what long rollouts are compared by."""
    rng = np.random.default_rng(0)
    place = np.linspace(-3, 3, 40)
    shapes = {
        "histogram": np.exp(-(place**2)) / 12,
        "slope_histogram": np.exp(-np.abs(place)) / 8,
        "spectrum": 1e-2 * np.exp(-np.linspace(0, 8, 33)),
        "autocorrelation": np.exp(-np.arange(50) / 9),
    }
    over = {"spectrum": "wavenumber", "autocorrelation": "lag"}
    data: dict[str, Any] = {}
    for name, values in shapes.items():
        dim = over.get(name, "bin")
        spread = np.exp(rng.normal(0, 0.2, (3, 1, values.size)))
        attrs = {"long_name": CLIMATE[name].long_name, "units": "1"}
        data[name] = (("seed", "channel", dim), values * spread, attrs)
        data[f"reference_{name}"] = (("channel", dim), values[None], attrs)
    for name in (
        "histogram_w1",
        "slope_histogram_w1",
        "variance_error",
        "autocorrelation_time_error",
    ):
        data[name] = (("seed", "channel"), rng.uniform(0.1, 1, (3, 1)))
        data[f"{name}_noise"] = (("channel",), np.array([0.01]))
    for name in ("bin_center", "slope_bin_center"):
        data[name] = (("channel", "bin"), place[None], {"long_name": "bin", "units": "1"})
    coords = {name: one()[name] for name in ("scenario", "net", "train")}
    labels = {"seed": [0, 1, 2], "channel": np.array(["u"], object)}
    steps = {"wavenumber": np.arange(33), "lag": np.arange(50)}
    return xr.Dataset(data, {**coords, **labels, **steps})


@functools.cache
def sizes_of_data() -> xr.Dataset:
    """Return a study over the number of training samples."""
    made = {}
    for place, (net, count) in enumerate((n, c) for n in NETS[:2] for c in (8, 16, 32, 64, 128)):
        kwargs = f'{{"num_train_samples": {count}, "subset_of": 128}}'
        ds = mock_experiment(net=net, scenario_kwargs=kwargs, random_seed=place)
        ds["num_train_samples"] = ds.num_train_samples * 0 + count
        ds["mean_nRMSE"] = ds["mean_nRMSE"] * np.float32(count**-0.5)
        made[f"{place:032x}"] = ds
    return join_experiments(made)


@functools.cache
def rungs() -> xr.Dataset:
    """Return a ladder of two solvers for the scenario of :func:`single`."""
    names = np.repeat(np.array(["etdrk2", "fd;0.5;1"], object), 4)
    points = np.tile([16, 32, 64, 128], 2)
    steps = one()["time"].values
    errors = (0.3 * (16 / points) ** 2 * np.repeat([1.0, 3.0], 4))[:, None] * np.sqrt(steps / 60)
    attrs = {"config": "mean_nRMSE", "long_name": "mean nRMSE", "units": "1"}
    return xr.Dataset(
        {
            "mean_nRMSE": (("rung", "time"), errors, attrs),
            "throughput": ("rung", 4e3 / points),
            "latency": ("rung", points / 1e3),
        },
        {
            "solver": ("rung", names),
            "points": ("rung", points),
            "substeps": ("rung", np.ones(8, int)),
            "time": one()["time"],
            "scenario": "1d_diff_burgers",
            "scenario_kwargs": '{"advection_gamma": -4.0}',
        },
    )


def cases() -> dict[str, Callable[[], Any]]:
    """Return what draws each picture of the sheet, by its name."""
    plot = apexr.plot
    two = functools.partial(study, trains=("one", "sup;5"), nets=NETS[:2])
    return {
        "loss": lambda: plot.loss(single(), by="net"),
        "loss, one": lambda: plot.loss(one()),
        "loss, panels": lambda: plot.loss(two(), by="net"),
        "metric": lambda: plot.metric(single(), by="net", logy=True),
        "metric, one": lambda: plot.metric(one()),
        "metric, physical time": lambda: plot.metric(one(), physical=True),
        "metric, panels": lambda: plot.metric(two(), by="net"),
        "decomposition": lambda: plot.decomposition(parts()),
        "decomposition, one split": lambda: plot.decomposition(parts(), split="emulator"),
        "climate": lambda: plot.climate(statistics()),
        "scaling": lambda: plot.scaling(sizes_of_data()),
        "pareto": lambda: plot.pareto(single()),
        "pareto, two problems": lambda: plot.pareto(study()),
        "pareto, solvers": lambda: plot.pareto(single(), solvers=rungs(), up_to=60),
        "heatmap": lambda: plot.heatmap(study()),
        "heatmap, wide": lambda: plot.heatmap(single(), x="net", y="scenario"),
        "sizes": lambda: plot.sizes(study()),
        "performance_profile": lambda: plot.performance_profile(study(), baseline=NETS[0]),
        "interquartile_mean": lambda: plot.interquartile_mean(study(), baseline=NETS[0]),
        "interquartile_mean, long names": lambda: plot.interquartile_mean(
            long_named(), baseline=str(long_named()["net"].values[0])
        ),
        "performance_profile, long names": lambda: plot.performance_profile(
            long_named(), baseline=str(long_named()["net"].values[0])
        ),
        "heatmap, long names": lambda: plot.heatmap(long_named()),
        "pareto, long names": lambda: plot.pareto(long_named()),
        "metric, long names": lambda: plot.metric(long_named(), by="net"),
        "overview": lambda: plot.overview(one()),
        "panels": lambda: plot.panels([plot.metric(part) for part in (one(), flat())], 2),
        "spacetime": lambda: plot.spacetime(one()),
        "spacetime, physical time": lambda: plot.spacetime(one(), physical=True),
        "spacetime, 2D": lambda: plot.spacetime(flat()),
        "spacetime, one sign": lambda: plot.spacetime(positive()),
        "trajectory": lambda: plot.trajectory(one()["sample_reference"]),
        "trajectory, 2D": lambda: plot.trajectory(positive()["sample_reference"]),
        "state, 1D": lambda: plot.state(one()),
        "state, 2D": lambda: plot.state(flat(), channel=1),
        "state, 3D": lambda: plot.state(deep()),
        "state, volume": lambda: plot.state(deep(), view="volume"),
        "compare, 1D": lambda: plot.compare(one()),
        "compare, 2D": lambda: plot.compare(flat()),
        "compare, one sign": lambda: plot.compare(positive()),
        "compare, 3D": lambda: plot.compare(deep()),
        "compare, volume": lambda: plot.compare(deep(), view="volume"),
        "facets, seeds": lambda: plot.facets(one(), "seed"),
        "facets, channels": lambda: plot.facets(flat(), "channel"),
        "facets, experiments": lambda: plot.facets(study(), "experiment"),
        "spectra": lambda: plot.spectra(one()),
        "error_spectrum": lambda: plot.error_spectrum(one()),
    }


def figure(name: str, width: float | str) -> Any:
    """Return one picture as a figure of matplotlib, as ``save`` writes it."""
    from apexr.plots._save import picture

    return picture(cases()[name](), width)


def main() -> None:
    """Write the sheet and all its pictures into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="made if it is not there")
    parser.add_argument("--only", default="", help="names that begin so")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, draw in cases().items():
        if not name.startswith(chosen.only):
            continue
        stem = "".join(sign if sign.isalnum() else "_" for sign in name)
        drawn = draw()
        cells = []
        for width, size in WIDTHS.items():
            picture = f"{stem}_{width}.png"
            apexr.plot.save(drawn, chosen.folder / picture, width=width, dpi=150)
            page = f"{stem}_{width}.html"
            apexr.plot.save(drawn, chosen.folder / page, width=width)
            cells.append(f'<td><img src="{picture}" style="width:{size}in"></td>')
            cells.append(
                f'<td><iframe src="{page}" width="{96 * size + 40}" height="480"></iframe></td>'
            )
        rows.append(f"<h2>{name}</h2><table><tr>{''.join(cells)}</tr></table>")
    sheet = chosen.folder / "index.html"
    sheet.write_text(f"<!doctype html><meta charset='utf-8'>{''.join(rows)}", encoding="utf-8")
    print(sheet)


if __name__ == "__main__":
    main()
