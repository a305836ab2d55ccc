"""The tables of docs/solvers.md: ladders of solvers, and when four networks have paid.

Run it with ``make docs-solvers``. Sizes and updates are small, so that it takes some minutes.
"""

import re
from pathlib import Path
from typing import Any

import apexr
from apexr import analysis

PAGE = Path(__file__).with_suffix(".md")
FOLDER = Path(__file__).with_name("_build") / "solvers"
NETS = ["Conv;12;4;relu", "Res;12;2;relu", "FNO;12;8;4;gelu", "UNet;8;2;relu"]
SEEDS, UPDATES = 3, 200
COMMON = {
    "num_train_samples": 20,
    "num_test_samples": 5,
    "optim_config": f"adam;{UPDATES};warmup_cosine;0.0;2e-3;{UPDATES // 10}",
}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "diff_ks_cons": (
        {"num_points": 64, "test_temporal_horizon": 20},
        {"points": (32, 48, 64), "substeps": (1, 2, 4), "solvers": ("etdrk;2", "etdrk;4")},
    ),
    "diff_burgers": (
        {
            "num_spatial_dims": 2,
            "num_points": 32,
            "test_temporal_horizon": 20,
            "train_temporal_horizon": 20,
        },
        {"points": (12, 20, 32), "substeps": (1, 2), "solvers": ("etdrk;2", "fd;1.0;2")},
    ),
    "diff_adv": (
        {"num_points": 64, "test_temporal_horizon": 20},
        {"points": (12, 24, 64), "substeps": 1, "solvers": ("etdrk;2", "fd;0.5;1")},
    ),
}
"""Scenario to its parameters and to its ladder."""


def main() -> None:
    text = PAGE.read_text("utf-8")
    for key, (parameters, rungs) in CASES.items():
        chosen = {**COMMON, **parameters}
        ladder = apexr.solver_ladder(key, **rungs, **chosen)
        configs = {"scenario": key, "net": NETS, "num_seeds": SEEDS, **chosen}
        store = FOLDER / f"{key}.zarr"
        study = apexr.run_study(configs, store)
        text = replaced(text, f"ladder {key}", rung_table(ladder))
        text = replaced(text, f"breakeven {key}", breakeven_table(study, store, ladder))
    PAGE.write_text(text, "utf-8")


def rung_table(ladder: Any) -> str:
    """Return error and cost of each rung that no other one of its solver beats."""
    last = int(ladder.time.values[-1])
    error = ladder.mean_nRMSE.mean("time").values
    rows = [["solver", "points", "substeps", f"mean nRMSE to step {last}", "alone", "in a batch"]]
    rows.append(["---"] * len(rows[0]))
    for place in range(ladder.sizes["rung"]):
        one = ladder.isel(rung=place)
        costs = [_seconds(one.latency.item()), _seconds(1 / one.throughput.item())]
        labels = [f"`{one.solver.item()}`", str(one.points.item()), str(one.substeps.item())]
        rows.append([*labels, f"{error[place]:.2g}", *costs])
    return _table(rows)


def breakeven_table(study: Any, store: Path, ladder: Any) -> str:
    """Return after how many trajectories each network has paid."""
    rows = [
        ["network", "error", "its time", "a solver's", "trajectories to pay", "finite", "bound"]
    ]
    rows.append(["---"] * len(rows[0]))
    for name in study.experiment.values:
        one = study.sel(experiment=name)
        cost = apexr.clock(store, experiment=str(name))
        found = analysis.breakeven(one, ladder, inference=cost).load()
        spread = f"{_count(found.lowest)} – {_count(found.highest)}"
        rows.append(
            [
                f"`{one.net.item()}`",
                f"{found.error.median().item():.2g}",
                _seconds(found.inference_seconds.item()),
                _seconds(found.solver_seconds.median().item()),
                f"{_count(found['median'])} ({spread})",
                f"{found.finite_share.item():.0%}",
                f"{int(found.upper_bound.sum())} of {found.sizes['seed']}",
            ]
        )
    rule = ladder.attrs["rule_efficient_solver"]
    return (
        _table(rows)
        + f"\n\nEqual accuracy: {ladder.attrs['rule_equal_accuracy']}. Efficient\nsolver: {rule}."
    )


def _count(number: Any) -> str:
    return "∞" if number.item() == float("inf") else f"{number.item():,.0f}"


def _seconds(value: float) -> str:
    return f"{1e3 * value:.3g} ms" if value >= 1e-3 else f"{1e6 * value:.3g} µs"


def _table(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def replaced(text: str, name: str, table: str) -> str:
    """Return a page with the part between the marks of a name replaced."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page has no {begin}")
    return pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text)


if __name__ == "__main__":
    main()
