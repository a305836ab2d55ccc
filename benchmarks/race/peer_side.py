"""Times one case of the race on the peer's side and prints one line of JSON.

Run it in an environment that has ``apebench==0.1.1``::

    python peer_side.py conv-one-1 --updates 200 2200
    {"name": "conv-one-1", "side": "peer", "seconds_per_update": ..., ...}

A training case makes the same public call with U1 and with U2 updates. What both calls share
(tracing, compiling, data, tests) cancels in the difference of their times. ``process-1`` times
one whole process from here, the import included, to the result, with U2 updates.
Nothing of the peer is imported until a case runs, so the other side can use ``CASES``,
``parse_arguments``, ``time_case`` and ``print_result`` with a run of its own.
"""

import time

PROCESS_START = time.perf_counter()  # before every other import: `process-1` pays for them

import argparse  # noqa: E402
import contextlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import statistics  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

CONV = "Conv;26;10;relu"
FNO = "FNO;12;8;4;gelu"
SCENARIO = "diff_adv"  # 160 points, batches of 20: its defaults


class Case(NamedTuple):
    """What is trained, and the update counts that make a run long enough to time."""

    net: str
    train: str
    num_seeds: int
    updates: tuple[int, int]
    whole_process: bool = False


CASES: dict[str, Case] = {
    "conv-one-1": Case(CONV, "one", 1, (100, 1100)),
    "conv-one-10": Case(CONV, "one", 10, (20, 120)),
    "fno-one-1": Case(FNO, "one", 1, (200, 2200)),
    "fno-one-10": Case(FNO, "one", 10, (50, 350)),
    "conv-sup5-1": Case(CONV, "sup;5", 1, (30, 230)),
    "process-1": Case(CONV, "one", 1, (0, 1000), whole_process=True),
}
SMALL_TEST = {"num_test_samples": 2, "test_temporal_horizon": 2}

# trains `case` for a number of updates on scenarios with these fields, and returns when done
Run = Callable[[Case, int, dict[str, Any]], None]


def main() -> None:
    """Time the case named on the command line."""
    name, updates, repeats = parse_arguments()
    print_result("peer", name, time_case(run_peer, CASES[name], updates, repeats))


def parse_arguments() -> tuple[str, tuple[int, int], int]:
    """Return the case, its two update counts and how often the pair is measured."""
    parser = argparse.ArgumentParser(description="time one case of the race")
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--updates", nargs=2, type=int, metavar=("U1", "U2"))
    parser.add_argument("--repeats", type=int, default=1, help="pairs of runs; the median counts")
    options = parser.parse_args()
    first, second = options.updates or CASES[options.case].updates
    if not (CASES[options.case].whole_process or 0 < first < second):
        parser.error(f"--updates needs 0 < U1 < U2, got {first} {second}")
    if options.repeats < 1:
        parser.error(f"--repeats needs at least 1, got {options.repeats}")
    return options.case, (first, second), options.repeats


def time_case(
    run: Run, case: Case, updates: Sequence[int], repeats: int, warm_up: Sequence[int] = (10,)
) -> dict[str, Any]:
    """Return the measured figures of one case, trained by ``run``.

    ``warm_up`` are update counts of runs that are not timed. A side that keeps compiled programs
    warms up with the counts that are timed, so that no compilation is in the difference.
    """
    if case.whole_process:
        _seconds(run, case, updates[1], {})
        return {"seconds": time.perf_counter() - PROCESS_START, "updates": updates[1]}
    for count in warm_up:
        _seconds(run, case, count, SMALL_TEST)
    runs = [[_seconds(run, case, count, SMALL_TEST) for count in updates] for _ in range(repeats)]
    costs = [(second - first) / (updates[1] - updates[0]) for first, second in runs]
    return {
        "seconds_per_update": statistics.median(costs),
        "updates": list(updates),
        "run_seconds": runs,
    }


def _seconds(run: Run, case: Case, num_updates: int, fields: dict[str, Any]) -> float:
    start = time.perf_counter()
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stderr(nowhere),
        contextlib.redirect_stdout(nowhere),
    ):
        run(case, num_updates, fields)
    return time.perf_counter() - start


def optimiser(num_updates: int) -> str:
    """Return the default optimiser with its schedule squeezed into ``num_updates``."""
    return f"adam;{num_updates};warmup_cosine;0.0;1e-3;{num_updates // 5}"


def run_peer(case: Case, num_updates: int, fields: dict[str, Any]) -> None:
    """Train ``case`` by the peer's public call, whose table holds host values when it returns."""
    import apebench

    apebench.run_experiment(
        scenario=SCENARIO,
        task="predict",
        net=case.net,
        train=case.train,
        start_seed=0,
        num_seeds=case.num_seeds,
        optim_config=optimiser(num_updates),
        **fields,
    )


def print_result(side: str, name: str, figures: dict[str, Any]) -> None:
    """Print the one line that the race reads."""
    print(json.dumps({"name": name, "side": side, **figures}), flush=True)


if __name__ == "__main__":
    main()
