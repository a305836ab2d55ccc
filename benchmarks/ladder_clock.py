"""How well the clock of a ladder repeats: the same rungs, several times, on this machine.

Run it on a quiet machine: ``python benchmarks/ladder_clock.py``. It prints, for each rung, the
largest deviation from the median over the repetitions, of latency and of throughput; the promise is
a tenth.
"""

import argparse

import numpy as np

import apexr


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repetitions", type=int, default=5)
    given = arguments.parse_args()
    rungs = {"points": (40, 160), "substeps": (1, 4), "solvers": ("etdrk;2", "fd;1.0;1")}
    ladders = [
        apexr.solver_ladder("diff_burgers", **rungs, num_steps=50) for _ in range(given.repetitions)
    ]
    labels = ladders[0]
    print(f"{'solver':<10}{'points':>8}{'substeps':>10}{'latency':>10}{'batch':>10}")
    for place in range(labels.sizes["rung"]):
        spread = []
        for name in ("latency", "throughput"):
            times = np.array([ladder[name].values[place] for ladder in ladders])
            spread.append(np.abs(times / np.median(times) - 1).max())
        one = labels.isel(rung=place)
        print(
            f"{one.solver.item():<10}{one.points.item():>8}{one.substeps.item():>10}"
            f"{spread[0]:>10.1%}{spread[1]:>10.1%}"
        )


if __name__ == "__main__":
    main()
