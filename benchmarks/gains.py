"""Measures what each compiler option and each hand-made kernel gains, and prints a table.

Each choice is taken back, one at a time, and both programs train in turn in one process, so that a
slow stretch of the machine meets both::

    python benchmarks/gains.py                        # all
    python benchmarks/gains.py barriers --rounds 40
    python benchmarks/gains.py --cases conv-2d conv-3d

A row gives the cost of an update as apexr makes it, what it is of the cost without the choice (the
median over rounds, and from the fastest of each), and what compiling both takes. Below one the
choice pays. Run it once for each JAX: results are for that of the interpreter. Nothing else should
load the machine; where something does, ``--clock cpu`` counts the processor time of all threads.
"""

import argparse
import contextlib
import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from unittest import mock

from apexr.kernels import prepare_host_devices

prepare_host_devices()

import jax  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402

from apexr.engine import EmulatorPlan, Predict, draw_emulators  # noqa: E402
from apexr.kernels import (  # noqa: E402
    CPU,
    _compile,
    _convolution,
    _platform,
    _products,
    _taps,
    _winograd,
)
from apexr.networks import NETWORKS, _layers  # noqa: E402
from apexr.objectives import OBJECTIVES  # noqa: E402
from apexr.spectral import Grid  # noqa: E402
from apexr.training import OPTIMIZERS, TrainingPlan, _chunk, _loop, _named_optimizers  # noqa: E402

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


class Case(NamedTuple):
    """A training of so many updates in one go, on data that are noise."""

    net: str
    grid: Grid
    updates: int
    num_seeds: int = 1


CASES = {
    "conv": Case("Conv;26;10;relu", Grid(1, 160), 20),
    "conv-10": Case("Conv;26;10;relu", Grid(1, 160), 3, 10),
    "res": Case("Res;26;8;relu", Grid(1, 160), 12),
    "unet": Case("UNet;12;2;relu", Grid(1, 160), 40),
    "dil": Case("Dil;2;32;2;relu", Grid(1, 160), 10),
    "fno": Case("FNO;12;8;4;gelu", Grid(1, 160), 100),
    "conv-2d": Case("Conv;26;10;relu", Grid(2, 32), 2),
    "res-2d": Case("Res;16;4;relu", Grid(2, 32), 4),
    "unet-2d": Case("UNet;12;2;relu", Grid(2, 32), 3),
    "dil-2d": Case("Dil;1;16;2;relu", Grid(2, 32), 4),
    "dil-2d-wide": Case("Dil;2;32;1;relu", Grid(2, 32), 2),
    "fno-2d": Case("FNO;12;8;4;gelu", Grid(2, 32), 5),
    "conv-3d": Case("Conv;8;4;relu", Grid(3, 16), 3),
    "pure": Case("Pure;3", Grid(1, 160), 300),
    "mlp": Case("MLP;64;3;relu", Grid(1, 160), 100),
}


def _same(x: Any, *_: Any) -> Any:
    return x


def _by_gathering(x: Any, weight: Any, offsets: Any) -> Any:
    return _convolution.multiply(_convolution._flat(weight), _convolution.gather(x, (offsets,)))


_correlation = _convolution.correlation


def _filtered_undilated(shape: Any, offsets: Any, points: Any, *, filtered: bool) -> Any:
    undilated = offsets == _winograd.OFFSETS
    return _correlation(shape, offsets, points, filtered=filtered and undilated)


def _normalized(x: Any, weight: Any, bias: Any, *, num_groups: int, epsilon: float) -> Any:
    grouped = x.reshape(num_groups, -1, *x.shape[1:])
    axes, ones = (1, *range(3, grouped.ndim)), (1,) * (x.ndim - 1)
    centered = grouped - grouped.mean(axes, keepdims=True)
    variance = jax.numpy.square(centered).mean(axes, keepdims=True)
    normal = (centered * jax.lax.rsqrt(variance + epsilon)).reshape(x.shape)
    return normal * weight.reshape(-1, *ones) + bias.reshape(-1, *ones)


def _with_gaps(x: Any, stride: int, starts: Any, points: Any) -> Iterator[Any]:
    for combination in starts:
        pairs = zip(combination, points, strict=True)
        yield x[:, :, *(slice(start, start + size, stride) for start, size in pairs)]


Patch = tuple[Any, str, Any]
CHOICES: dict[str, tuple[list[Patch], tuple[str, ...]]] = {
    "barriers": ([(_compile, "keeping_barriers", dict)], tuple(CASES)),
    "minimal filtering": (
        [(_platform, "CPU", dataclasses.replace(CPU, filtering=False))],
        ("conv-2d", "res-2d", "unet-2d", "conv-3d"),
    ),
    "whole vectors": (
        [(_products, "fill_lanes", _same), (_convolution, "fill_lanes", _same)],
        ("conv", "conv-10", "res", "conv-2d"),
    ),
    "long vectors": (
        [
            (_chunk, "add_changes", optax.apply_updates),
            (_named_optimizers, "on_vectors", _same),
        ],
        ("conv", "fno", "conv-2d", "fno-2d", "conv-3d"),
    ),
    "windows at once": (
        [(_platform, "CPU", dataclasses.replace(CPU, parts=False))],
        ("conv-2d", "res-2d", "unet-2d", "fno-2d", "conv-3d"),
    ),
    "dilated filtering": (
        [(_convolution, "correlation", _filtered_undilated)],
        ("dil-2d", "dil-2d-wide"),
    ),
    "derivative of norms": (
        [(_layers, "normalize_groups", _normalized)],
        ("unet", "dil", "unet-2d", "dil-2d"),
    ),
    "phases of strides": ([(_taps, "_every", _with_gaps)], ("unet", "unet-2d")),
    "derivative in 1D": (
        [(_convolution, "_correlate_1d", _by_gathering)],
        ("conv", "conv-10", "res", "unet"),
    ),
}
"""What is put in the place of each choice, and which cases it is for."""


def main() -> None:
    """Measure what is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("choices", nargs="*", choices=[*CHOICES, []], metavar="CHOICE")
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=15, help="how often each program runs")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="which time counts")
    options = parser.parse_args()
    print(f"JAX {jax.__version__}, {jax.local_device_count()} devices")
    print(f"{'choice':<20} {'case':<10} {'update':>12} {'median':>7} {'best':>7} {'compile':>16}")
    for choice in options.choices or CHOICES:
        patches, cases = CHOICES[choice]
        for case in cases:
            if case in options.cases:
                _compare(choice, case, patches, options)


def _compare(choice: str, name: str, patches: list[Patch], options: argparse.Namespace) -> None:
    case, clock = CASES[name], CLOCKS[options.clock]
    with_it = _Program(case)
    with _patched(patches):
        without = _Program(case)
    both = [(with_it.seconds(clock), without.seconds(clock)) for _ in range(options.rounds)]
    ours, theirs = zip(*both, strict=True)
    median = statistics.median(mine / other for mine, other in both)
    update = statistics.median(ours) / case.updates * 1e3
    compiling = f"{with_it.compile_seconds:>6.1f} / {without.compile_seconds:.1f} s"
    print(
        f"{choice:<20} {name:<10} {update:>9.3f} ms {median:>7.2f}"
        f" {min(ours) / min(theirs):>7.2f} {compiling:>16}",
        flush=True,
    )


@contextlib.contextmanager
def _patched(patches: list[Patch]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for place, name, other in patches:
            stack.enter_context(mock.patch.object(place, name, other))
        yield


class _Program:
    """A compiled chunk of updates, with all that it works on."""

    def __init__(self, case: Case) -> None:
        jax.clear_caches()  # layers that were traced before hold what is now replaced
        plan = TrainingPlan(
            OBJECTIVES.parse("one"),
            OPTIMIZERS.parse(f"adam;{case.updates};constant;1e-3"),
            batch_size=20,
            record_loss_every=case.updates,
        )
        network = NETWORKS.parse(case.net)
        emulators, keys = draw_emulators(
            list(range(case.num_seeds)),
            EmulatorPlan(network, Predict(), case.grid, 1, lambda: None),
        )
        shape = (20, 5, 1, *case.grid.shape)
        data = jax.numpy.asarray(np.random.default_rng(0).normal(size=shape).astype("f4"))
        recipe, self._state, constants = _loop.start(emulators, shape[1], case.num_seeds, plan)
        batches = _loop._Batches.of(data, None, keys, plan, recipe, constants)
        self._work = next(batches.works([(0, case.updates)]))
        self._chunk = _chunk.compiled_chunk.__wrapped__(recipe)
        start = time.perf_counter()
        self._chunk.compiled(self._state, self._work)
        self.compile_seconds = time.perf_counter() - start
        self.seconds(time.perf_counter)  # warms up

    def seconds(self, clock: Callable[[], float]) -> float:
        """Return how long the chunk takes; each goes on where the last one ended."""
        start = clock()
        self._state, _ = jax.block_until_ready(self._chunk(self._state, self._work))
        return clock() - start


if __name__ == "__main__":
    main()
