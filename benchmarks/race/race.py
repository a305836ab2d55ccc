"""Races apexr against the published benchmark (the peer) and prints a table of ratios.

Both sides run one after the other, again and again, each in a process of its own, so that a
slow stretch of the machine meets both; the medians are compared, and the fastest of each side::

    python benchmarks/race/race.py                      # all cases
    python benchmarks/race/race.py fno-one-10 --rounds 5
    python benchmarks/race/race.py --peer-python ../peer-env/bin/python
    python benchmarks/race/race.py --against ../old-env/bin/python

The peer is installed by ``pip install "apexr[peer]"``, in this environment or in another one
whose interpreter is given. With ``--against`` the other side is apexr, too, under an interpreter
with another Python or JAX: no case should be more than a tenth slower here than there. Nothing
else should load the machine; where something does, ``--clock cpu`` counts the processor time of
all threads of each side. Rollouts are compared: the race stops where the two sides do not make
the same trajectories.

``share`` is that of the limit: what the bare matrix products and Fourier transforms of the case
take in the same process, of what apexr takes (see ``limit.py``). A ratio to the peer depends on how
well the peer's kernels fit a machine; this does not.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from cases import CASES, Process, Rollout

FOLDER = Path(__file__).parent
LIMIT = 1e-3
"""Largest deviation of trajectories, as a part of the largest value."""

NO_SLOWER = 1 / 1.1
"""What is to be reached against apexr elsewhere: at most a tenth slower."""

Side = tuple[str, str]


def main() -> None:
    """Run the cases named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], metavar="CASE")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--peer-python", default=sys.executable, help="interpreter of the peer")
    other.add_argument("--against", help="an interpreter whose apexr is the other side")
    options = parser.parse_args()
    ours: Side = (sys.executable, "apexr_side.py")
    theirs: Side = (options.peer_python, "peer_side.py")
    label = "peer"
    if options.against:
        theirs, label = (options.against, "apexr_side.py"), "against"
        print(f"here: {made_with(sys.executable)}; against: {made_with(options.against)}")
    print(
        f"{'case':<24} {label:>12} {'apexr':>12} {'ratio':>7} {'best':>7} {'bound':>7} {'share':>7}"
    )
    for name in options.cases or CASES:
        case = CASES[name]
        race = race_processes if isinstance(case, Process) else race_costs
        race(name, options.rounds, theirs, ours, ["--clock", options.clock])


def made_with(python: str) -> str:
    """Return which Python and which JAX an interpreter has."""
    code = (
        "import jax, platform; print('Python', platform.python_version(), 'JAX', jax.__version__)"
    )
    return subprocess.run(
        [python, "-c", code], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def bounds(name: str, other: Side) -> tuple[float, ...]:
    """Return the ratios to reach in a case."""
    case = CASES[name]
    reached = case.bounds if isinstance(case, Process) else (case.bound,)
    return (NO_SLOWER,) * len(reached) if other[1] == "apexr_side.py" else reached


def race_costs(name: str, rounds: int, other: Side, ours: Side, more: list[str]) -> None:
    """Compare the cost of one update of all seeds, or of one step of one sample."""
    case = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        frames = [Path(folder) / f"{side}.npy" for side in ("other", "apexr")]
        kept = [["--frames", str(path)] if isinstance(case, Rollout) else [] for path in frames]
        both = [
            [
                figures(*side, name, [*more, *keep, *limit])
                for side, keep, limit in zip((other, ours), kept, ([], ["--limit"]), strict=True)
            ]
            for _ in range(rounds)
        ]
        if isinstance(case, Rollout):
            compare(name, *(np.load(path) for path in frames))
    unit, scale = ("us", 1e6) if isinstance(case, Rollout) else ("ms", 1e3)
    times = zip(*([side["seconds"] for side in row] for row in both), strict=True)
    share = statistics.median(ours["limit"] / ours["seconds"] for _, ours in both)
    show(name, unit, *times, bound=bounds(name, other)[0], scale=scale, share=share)


def compare(name: str, other: np.ndarray, ours: np.ndarray) -> None:
    """Stop where the two sides do not make the same trajectories."""
    deviation = np.max(np.abs(ours - other)) / np.max(np.abs(other))
    if not deviation < LIMIT:
        sys.exit(f"{name}: the trajectories differ by {deviation:.2g} of the largest value")


def race_processes(name: str, rounds: int, other: Side, ours: Side, more: list[str]) -> None:
    """Compare whole processes; each first run of apexr meets an empty compile cache."""
    for side in (other, ours):  # whose interpreter then keeps its bytecode, as every user's does
        processes(side, name, more)
    both = [[processes(side, name, more) for side in (other, ours)] for _ in range(rounds)]
    for run, (label, bound) in enumerate(
        zip(("first", "second"), bounds(name, other), strict=True)
    ):
        times = zip(*([side[run] for side in row] for row in both), strict=True)
        show(f"{name} {label} run", "s", *times, bound=bound, scale=1.0)


def processes(side: Side, name: str, more: list[str]) -> tuple[float, float]:
    """Return what a first and a second process take; the peer keeps nothing for the second."""
    if side[1] == "peer_side.py":
        return (seconds(*side, name, more),) * 2
    with tempfile.TemporaryDirectory() as cache:
        return seconds(*side, name, more, cache), seconds(*side, name, more, cache)


def seconds(*side: Any) -> float:
    """Return the seconds that one side measured; see :func:`figures`."""
    return float(figures(*side)["seconds"])


def figures(
    python: str, script: str, name: str, extra: list[str], cache: str | None = None
) -> dict[str, Any]:
    """Return what one side measured."""
    environment = {**os.environ, **({"XDG_CACHE_HOME": cache} if cache else {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [python, FOLDER / script, name, *extra],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def show(
    name: str,
    unit: str,
    other: tuple[float, ...],
    ours: tuple[float, ...],
    *,
    bound: float,
    scale: float,
    share: float | None = None,
) -> None:
    """Print one row: medians, their ratio, that of the fastest, the ratio to reach, the share."""
    both = [statistics.median(side) * scale for side in (other, ours)]
    cells = " ".join(f"{value:>9.2f} {unit:<2}" for value in both)
    best = min(other) / min(ours)
    row = f"{name:<24} {cells} {both[0] / both[1]:>7.2f} {best:>7.2f} {bound:>7.2f}"
    print(row if share is None else f"{row} {share:>7.2f}", flush=True)


if __name__ == "__main__":
    main()
