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

    arguments = ["run", "diff_adv", "--net", case.net, "--train", case.train]
    for name, value in settings.items():
        arguments += ["--set", f"{name}={value}"]
    app(arguments, standalone_mode=False)


def prepare(case: Rollout) -> Callable[[], Any]:
    """Return the function that makes the trajectories, spread over the cores."""
    from apexr._devices import prepare_host_devices

    prepare_host_devices()
    import jax

    from apexr.scenarios import scenario_dict
    from apexr.steppers import simulate

    scenario = scenario_dict[case.scenario](num_test_samples=case.num_samples, **case.fields)
    states = scenario.get_test_ic_set().values
    stepper = scenario.get_ref_stepper()
    devices = jax.local_devices()
    return lambda: jax.block_until_ready(simulate(stepper, states, case.num_steps, devices=devices))


if __name__ == "__main__":
    run_side("apexr", PROCESS_START, train, prepare, warm=True)
