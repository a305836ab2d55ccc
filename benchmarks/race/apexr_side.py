"""Times one case of the race on apexr's side and prints one line of JSON.

A whole process goes through apexr's own command line, whose compile cache lies where
``XDG_CACHE_HOME`` says.
"""

import time

PROCESS_START = time.perf_counter()  # before every other import: a whole process pays for them

from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

from cases import Process, Rollout, Training  # noqa: E402
from measure import optimiser, run_side  # noqa: E402


def train(case: Training | Process, num_updates: int, fields: dict[str, Any]) -> None:
    """Train by the public call, or by the command line in this process."""
    if isinstance(case, Process):
        _run_command(case, {"optim_config": optimiser(num_updates), **fields})
        return
    import apexr

    apexr.run(
        case.scenario,
        net=case.net,
        train=case.train,
        num_seeds=case.num_seeds,
        optim_config=optimiser(num_updates),
        **fields,
    )


def _run_command(case: Process, settings: dict[str, Any]) -> None:
    from apexr.cli import app

    arguments = [
        "run",
        case.scenario,
        "--net",
        case.net,
        "--train",
        case.train,
        "--num-seeds",
        str(case.num_seeds),
    ]
    for name, value in settings.items():
        arguments += ["--set", f"{name}={value}"]
    app(arguments, standalone_mode=False)


def prepare(case: Rollout) -> Callable[[], Any]:
    """Return the function that makes the trajectories, spread over the cores."""
    import jax

    from apexr.steppers import simulate

    stepper, states = start_of(case)
    devices = jax.local_devices()
    return lambda: jax.block_until_ready(simulate(stepper, states, case.num_steps, devices=devices))


def start_of(case: Rollout) -> tuple[Any, Any]:
    """Return the stepper of a case and its initial states."""
    from apexr.kernels import prepare_host_devices

    prepare_host_devices()
    from apexr.scenarios import scenario_dict

    scenario = scenario_dict[case.scenario](num_test_samples=case.num_samples, **case.fields)
    return scenario.get_ref_stepper(), scenario.get_test_ic_set().values


def limit(case: Training | Rollout) -> float:
    """Return what the bare products and transforms of an update, or of a step, take."""
    import limit as bare

    if isinstance(case, Training):
        return bare.of_update(case)
    return bare.of_step(*start_of(case), case)


if __name__ == "__main__":
    run_side("apexr", PROCESS_START, train, prepare, warm=True, limit=limit)
