"""Times one case of the race on the peer's side and prints one line of JSON.

Run it in an environment that has ``apebench==0.1.1``. A rollout is the peer's own: its compiled
step in its own loop, mapped over the samples as its data are made.
"""

import time

PROCESS_START = time.perf_counter()  # before every other import: a whole process pays for them

from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

from cases import Process, Rollout, Training  # noqa: E402
from measure import optimiser, run_side  # noqa: E402


def train(case: Training | Process, num_updates: int, fields: dict[str, Any]) -> None:
    """Train by the public call, whose table holds host values when it returns."""
    import apebench

    apebench.run_experiment(
        scenario=case.scenario,
        task="predict",
        net=case.net,
        train=case.train,
        start_seed=0,
        num_seeds=case.num_seeds,
        optim_config=optimiser(num_updates),
        **fields,
    )


def prepare(case: Rollout) -> Callable[[], Any]:
    """Return the function that makes the trajectories."""
    import apebench
    import exponax
    import jax

    scenario = apebench.scenarios.scenario_dict[case.scenario](
        num_test_samples=case.num_samples, **case.fields
    )
    states = scenario.get_test_ic_set()
    stepper = scenario.get_ref_stepper()
    one = exponax.rollout(stepper, case.num_steps, include_init=True)
    simulate = jax.jit(jax.vmap(one))
    return lambda: jax.block_until_ready(simulate(states))


if __name__ == "__main__":
    run_side("peer", PROCESS_START, train, prepare, warm=False)
