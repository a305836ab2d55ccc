"""Times one case of the race on apexr's side and prints one line of JSON.

The command line and the way of measuring are those of ``peer_side.py``. ``process-1`` goes
through apexr's own command line, whose compile cache lies where ``XDG_CACHE_HOME`` says.
"""

from typing import Any

from peer_side import (
    CASES,
    SCENARIO,
    Case,
    optimiser,
    parse_arguments,
    print_result,
    time_case,
)


def main() -> None:
    """Time the case named on the command line."""
    name, updates, repeats = parse_arguments()
    run = run_command if CASES[name].whole_process else run_apexr
    figures = time_case(run, CASES[name], updates, repeats, warm_up=updates)
    print_result("apexr", name, figures)


def run_apexr(case: Case, num_updates: int, fields: dict[str, Any]) -> None:
    """Train ``case`` by the public call; the result is in memory when it returns."""
    import apexr

    apexr.run(
        SCENARIO,
        net=case.net,
        train=case.train,
        num_seeds=case.num_seeds,
        optim_config=optimiser(num_updates),
        **fields,
    )


def run_command(case: Case, num_updates: int, fields: dict[str, Any]) -> None:
    """Train ``case`` by the command line, in this process."""
    from apexr.cli import app

    arguments = ["run", SCENARIO, "--net", case.net, "--train", case.train]
    arguments += ["--num-seeds", str(case.num_seeds)]
    settings = {"optim_config": optimiser(num_updates), **fields}
    for name, value in settings.items():
        arguments += ["--set", f"{name}={value}"]
    app(arguments, standalone_mode=False)


if __name__ == "__main__":
    main()
