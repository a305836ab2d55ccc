"""Races apexr against the published benchmark (the peer) and prints a table of ratios.

Both sides run one after the other, again and again, each in a process of its own, so that a
slow stretch of the machine meets both; the medians are compared::

    python benchmarks/race/race.py                      # all cases
    python benchmarks/race/race.py fno-one-10 --rounds 5
    python benchmarks/race/race.py --peer-python ../peer-env/bin/python

The peer is installed by ``pip install "apexr[peer]"``, in this environment or in another one
whose interpreter is given. Nothing else should load the machine. Rollouts are compared: the race
stops where the two sides do not make the same trajectories.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from cases import CASES, Process, Rollout

FOLDER = Path(__file__).parent
LIMIT = 1e-3
"""Largest deviation of trajectories, as a part of the largest value."""

Side = tuple[str, str]


def main() -> None:
    """Run the cases named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], metavar="CASE")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs")
    parser.add_argument("--peer-python", default=sys.executable)
    options = parser.parse_args()
    peer, ours = (options.peer_python, "peer_side.py"), (sys.executable, "apexr_side.py")
    print(f"{'case':<24} {'peer':>12} {'apexr':>12} {'ratio':>7} {'bound':>7}")
    for name in options.cases or CASES:
        case = CASES[name]
        race = race_processes if isinstance(case, Process) else race_costs
        race(name, options.rounds, peer, ours)


def race_costs(name: str, rounds: int, peer: Side, ours: Side) -> None:
    """Compare the cost of one update of all seeds, or of one step of one sample."""
    case = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        frames = [Path(folder) / f"{side}.npy" for side in ("peer", "apexr")]
        extra = [["--frames", str(path)] if isinstance(case, Rollout) else [] for path in frames]
        both = [
            [seconds(*side, name, more) for side, more in zip((peer, ours), extra, strict=True)]
            for _ in range(rounds)
        ]
        if isinstance(case, Rollout):
            compare(name, *(np.load(path) for path in frames))
    unit, scale = ("us", 1e6) if isinstance(case, Rollout) else ("ms", 1e3)
    show(name, unit, *zip(*both, strict=True), bound=case.bound, scale=scale)


def compare(name: str, peer: np.ndarray, ours: np.ndarray) -> None:
    """Stop where the two sides do not make the same trajectories."""
    deviation = np.max(np.abs(ours - peer)) / np.max(np.abs(peer))
    if not deviation < LIMIT:
        sys.exit(f"{name}: the trajectories differ by {deviation:.2g} of the largest value")


def race_processes(name: str, rounds: int, peer: Side, ours: Side) -> None:
    """Compare whole processes; each first run of apexr meets an empty compile cache."""
    rows: list[tuple[float, ...]] = []
    for _ in range(rounds):
        whole = seconds(*peer, name, [])
        with tempfile.TemporaryDirectory() as cache:
            rows.append((whole, *(seconds(*ours, name, [], cache) for _ in range(2))))
    theirs, *runs = zip(*rows, strict=True)
    for label, mine, bound in zip(("first", "second"), runs, CASES[name].bounds, strict=True):
        show(f"{name} {label} run", "s", theirs, mine, bound=bound, scale=1.0)


def seconds(
    python: str, script: str, name: str, extra: list[str], cache: str | None = None
) -> float:
    """Return what one side measured."""
    environment = {**os.environ, **({"XDG_CACHE_HOME": cache} if cache else {})}
    done = subprocess.run(
        [python, FOLDER / script, name, *extra],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def show(
    name: str,
    unit: str,
    peer: tuple[float, ...],
    ours: tuple[float, ...],
    *,
    bound: float,
    scale: float,
) -> None:
    """Print one row: medians, their ratio and the ratio to reach."""
    both = [statistics.median(side) * scale for side in (peer, ours)]
    cells = " ".join(f"{value:>9.2f} {unit:<2}" for value in both)
    print(f"{name:<24} {cells} {both[0] / both[1]:>7.2f} {bound:>7.1f}", flush=True)


if __name__ == "__main__":
    main()
