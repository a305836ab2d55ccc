"""Losses, errors and rollouts of short trainings that correct the coarse solver.

The released peer cannot train these: the gradient stop that it puts on its coarse solver is
mapped over all leaves, and the integers among them become traced values where their shapes are
checked. What was meant, a solver that no update changes, is had here by handing it over as a
plain function: then it has no arrays to train, and gradients flow through its states alone.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax

from golden._files import write_archive
from golden._scenario import build, free_compiled
from golden._training import CONSTANT, CONV, WARMUP, Case, run_case

MODES = ("parallel", "sequential", "sequential_with_bypass")
CASES: dict[str, Case] = {
    **{f"adv-conv-one-{mode}": ("diff_adv", CONV, "one", CONSTANT, 4, {}) for mode in MODES},
    **{
        f"burgers-conv-sup3-{mode}": ("diff_burgers", CONV, "sup;3", WARMUP, 6, {})
        for mode in MODES
    },
    "burgers-conv-div3-sequential": ("diff_burgers", CONV, "div;3", CONSTANT, 6, {}),
    "burgers2d-conv-one-sequential": (
        "diff_burgers",
        CONV,
        "one",
        CONSTANT,
        4,
        {"num_spatial_dims": 2, "num_points": 16, "num_substeps": 2},
    ),
}


def write_training_correct(folder: Path) -> None:
    """Write ``training_correct.npz``."""
    arrays: dict[str, Any] = {}
    described: dict[str, Any] = {}
    with _solvers_without_leaves():
        for label, case in CASES.items():
            task = f"correct;{label.rsplit('-', 1)[1]}"
            outcome, described[label] = run_case(case, task)
            arrays |= {f"{label}/{name}": values for name, values in outcome.items()}
            free_compiled()
    write_archive(folder / "training_correct.npz", arrays, {"cases": described})


@contextlib.contextmanager
def _solvers_without_leaves() -> Iterator[None]:
    """Make the coarse solvers plain functions, and let gradient stops pass functions by."""
    stop, classes = jax.lax.stop_gradient, {type(build(case[0])) for case in CASES.values()}
    getters = {cls: cls.get_coarse_stepper for cls in classes}

    def opaque(getter: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def get_coarse_stepper(scenario: Any) -> Any:
            stepper = getter(scenario)
            return lambda state: stepper(state)  # noqa: PLW0108 - has no leaves, as is wanted

        return get_coarse_stepper

    for cls, getter in getters.items():
        cls.get_coarse_stepper = opaque(getter)
    jax.lax.stop_gradient = lambda leaf: leaf if callable(leaf) else stop(leaf)
    try:
        yield
    finally:
        jax.lax.stop_gradient = stop
        for cls, getter in getters.items():
            cls.get_coarse_stepper = getter
