"""How both sides are timed: the same command line, the same repetitions, one line of JSON."""

import argparse
import contextlib
import gc
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cases import CASES, Process, Rollout, Training

COMPARED = 50
"""The step whose states are compared, before chaos tells the two sides apart."""
SMALL_TEST = {"num_test_samples": 2, "test_temporal_horizon": 2}

Clock = Callable[[], float]
CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}

# trains a case for a number of updates, on scenarios with these fields, and returns when done
Train = Callable[[Any, int, dict[str, Any]], None]
# returns the seconds of the bare products and transforms of a case
Limit = Callable[[Training | Rollout], float]
# returns the function that makes the trajectories of a case, on the device when it returns
Prepare = Callable[[Rollout], Callable[[], Any]]


def run_side(
    side: str,
    start: float,
    train: Train,
    prepare: Prepare,
    *,
    warm: bool,
    limit: Limit | None = None,
) -> None:
    """Time the case named on the command line and print the line that the race reads.

    Parameters
    ----------
    side
        Who it is.
    start
        When the process began.
    train, prepare
        How this side works.
    warm
        Whether the side keeps compiled programs: it then warms up with the very counts that are
        timed, so that no compilation is in their difference.
    limit
        Returns what the products and transforms of a case take by themselves.
    """
    options = _arguments()
    case = CASES[options.case]
    clock = CLOCKS[options.clock]
    if isinstance(case, Process):
        _quietly(train, case, case.updates, dict(case.fields))
        begun = start if options.clock == "wall" else 0.0  # processor time begins at the start
        figures: dict[str, Any] = {"seconds": clock() - begun}
    elif isinstance(case, Training):
        figures = _time_updates(train, case, options.repeats, clock, warm=warm)
    else:
        figures = _time_rollout(prepare, case, options)
    if limit is not None and options.limit and not isinstance(case, Process):
        figures["limit"] = limit(case)
    print(json.dumps({"name": options.case, "side": side, **figures}), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="time one case of the race")
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--repeats", type=int, default=0, help="timed runs; the median counts")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--limit", action="store_true", help="time bare products, too")
    parser.add_argument("--frames", type=Path, help="where to write frames of a rollout")
    return parser.parse_args()


def _time_updates(
    train: Train, case: Training, repeats: int, clock: Clock, *, warm: bool
) -> dict[str, Any]:
    """Return the cost of an update: what two runs share cancels in their difference."""
    for count in case.updates if warm else (10,):
        _seconds(train, case, count, clock)
    runs = [
        [_seconds(train, case, count, clock) for count in case.updates] for _ in range(repeats or 1)
    ]
    span = case.updates[1] - case.updates[0]
    return {"seconds": statistics.median((second - first) / span for first, second in runs)}


def _seconds(train: Train, case: Training, num_updates: int, clock: Clock) -> float:
    gc.collect()  # a full collection takes as long as a few updates, wherever it would fall
    start = clock()
    _quietly(train, case, num_updates, {**SMALL_TEST, **case.fields})
    return clock() - start


def _time_rollout(prepare: Prepare, case: Rollout, options: argparse.Namespace) -> dict[str, Any]:
    """Return the cost of one step of one sample, compiled, its frames included."""
    again = prepare(case)
    frames = np.asarray(again())
    if options.frames:
        np.save(options.frames, frames[:, min(COMPARED, case.num_steps)])
    times: Sequence[float] = [
        _time(again, CLOCKS[options.clock]) for _ in range(options.repeats or 5)
    ]
    return {"seconds": statistics.median(times) / (case.num_samples * case.num_steps)}


def _time(call: Callable[[], Any], clock: Clock) -> float:
    start = clock()
    call()
    return clock() - start


def _quietly(call: Callable[..., Any], *arguments: Any) -> None:
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stderr(nowhere),
        contextlib.redirect_stdout(nowhere),
    ):
        call(*arguments)


def optimiser(num_updates: int) -> str:
    """Return the default optimiser with its schedule squeezed into ``num_updates``."""
    return f"adam;{num_updates};warmup_cosine;0.0;1e-3;{num_updates // 5}"
