"""Two processes on one study: each experiment is trained once, also when one of them is killed."""

import json
import subprocess
import sys

import pytest

from _tiny import NET, SIZES
from apexr import store
from apexr.study._turns import in_turn
from apexr.testing import mock_experiment

COUNT = 20

RUNNER = """
import os, sys, time
from types import SimpleNamespace
from apexr import store
from apexr.study._turns import in_turn
from apexr.testing import mock_experiment

study, log, seed = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
store.create_study(study)
work = [(SimpleNamespace(id=f"{number:032x}"), []) for number in range(20)]
for one, _ in in_turn(work, study, lambda one: []):
    unit = store.unit_path(study, one.id)
    if not store.is_published(unit):
        with open(log, "a") as file:
            file.write(f"{one.id}\\n")
        time.sleep(0.05)
        store.publish_experiment(mock_experiment(random_seed=int(seed)), {}, unit)
"""


TRAINER = """
import json, os, sys
import apexr.experiment
from apexr.study import plan_study, run_planned

study, log, configs = sys.argv[1:]
train = apexr.experiment.train

def counted(*arguments):
    with open(log, "a") as file:
        file.write("trained\\n")
    return train(*arguments)

apexr.experiment.train = counted
planned = plan_study(json.loads(configs))
print("ready", flush=True)
sys.stdin.readline()
sys.exit(bool(run_planned(planned, study, progress=False)))
"""

RACER = """
import sys
from apexr import store
from apexr.testing import mock_experiment

study, log, seed = sys.argv[1:]
ds = mock_experiment(random_seed=int(seed))
store.create_study(study)
print("ready", flush=True)
for number, _ in enumerate(sys.stdin):
    try:
        store.publish_experiment(ds, {}, store.unit_path(study, f"{number:032x}"))
        print("published", flush=True)
    except store.ConflictError:
        print("refused", flush=True)
"""


@pytest.fixture
def launch(tmp_path):
    """Return the function that starts a process for each last argument, waiting for a line.

    They share a study, and a file in which they note a training.
    """
    started = []

    def begin(code, *each):
        for argument in each:
            arguments = (str(tmp_path / "study"), str(tmp_path / "log"), argument)
            command = [sys.executable, "-c", code, *arguments]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            started.append(subprocess.Popen(command, **pipes))
        for process in started:
            assert process.stdout.readline() == "ready\n"
        return started, tmp_path / "log"

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def start(processes):
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def check_study(study, count=COUNT):
    assert store.verify(study) == count
    results = [mock_experiment(random_seed=seed) for seed in (1, 2)]
    for unit in (study / "experiments").iterdir():
        read = store.open_experiment(unit).load()
        assert any(read.identical(result) for result in results)  # never mixed


def wait_for(log, count, process):
    """Wait until so many trainings are noted."""
    while not log.exists() or len(log.read_text().split()) < count:
        assert process.poll() is None


def test_each_experiment_is_trained_once(launch, tmp_path):
    processes, log = launch(RUNNER, "1", "2")
    start(processes)
    assert [process.wait() for process in processes] == [0, 0]
    trained = log.read_text().split()
    assert sorted(trained) == sorted({*trained})
    assert len(trained) == COUNT
    check_study(tmp_path / "study")
    assert not list((tmp_path / "study" / ".locks").iterdir())


def test_the_other_goes_on_when_one_is_killed(launch, tmp_path):
    processes, log = launch(RUNNER, "1", "2")
    start(processes)
    wait_for(log, 5, processes[1])
    processes[0].kill()
    assert processes[1].wait() == 0
    assert len(log.read_text().split()) <= COUNT + 1  # what the dead one was at is run again
    check_study(tmp_path / "study")


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_two_real_studies(launch, tmp_path, killed):
    """The same with networks that are trained, by the function behind ``apexr.run_study``."""
    common = {"scenario": "diff_adv", "net": NET, **SIZES}
    configs = json.dumps([{**common, "train_seed": number} for number in range(COUNT)])
    processes, log = launch(TRAINER, configs, configs)
    start(processes)
    if killed:
        wait_for(log, 5, processes[1])
        processes[0].kill()
    codes = [process.wait() for process in processes]
    assert codes == [-9 if killed else 0, 0]
    trained = len(log.read_text().split())
    assert trained in ((COUNT, COUNT + 1) if killed else (COUNT,))
    assert store.verify(tmp_path / "study") == COUNT
    assert store.read_failures(tmp_path / "study") == {}


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_of_two_that_publish_at_once_one_wins(launch, tmp_path, count, record_property):
    processes, _ = launch(RACER, "1", "2")
    wins = [0, 0]
    for _ in range(count):
        start(processes)
        said = [process.stdout.readline() for process in processes]
        assert sorted(said) == ["published\n", "refused\n"]
        wins[said.index("published\n")] += 1
    record_property("wins", wins)
    check_study(tmp_path / "study", count)


def test_a_claim_ends_with_its_block(tmp_path):
    name = "a" * 32
    with store.claim(tmp_path, name) as first, store.claim(tmp_path, name, wait=False) as second:
        assert (first, second) == (True, False)
        assert store.claimed(tmp_path) == {name}
    assert store.claimed(tmp_path) == set()
    with store.claim(tmp_path, name, wait=False) as again:
        assert again


def test_those_of_others_come_last(tmp_path):
    class One:
        def __init__(self, name):
            self.id = name * 32

    with store.claim(tmp_path, "b" * 32, wait=False):
        work = [(One("b"), ["both"]), (One("a"), ["all"])]
        turns = in_turn(work, tmp_path, lambda one: [f"left of {one.id[0]}"])
        one, parts = next(turns)
        assert (one.id, parts) == ("a" * 32, ["all"])
    one, parts = next(turns)
    assert (one.id, parts) == ("b" * 32, ["left of b"])
    assert store.claimed(tmp_path) == {"b" * 32}
    turns.close()
    assert store.claimed(tmp_path) == set()
