"""Two processes on one study: each experiment is trained once, also when one of them is killed."""

import subprocess
import sys

import pytest

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


@pytest.fixture
def runners(tmp_path):
    """Return two processes that wait for a line, and the file in which they note a training."""
    log = tmp_path / "log"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", RUNNER, str(tmp_path / "study"), str(log), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2)
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    yield started, log
    for process in started:
        process.kill()
        process.communicate()


def start(processes):
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def check_study(study):
    assert store.verify(study) == COUNT
    results = [mock_experiment(random_seed=seed) for seed in (1, 2)]
    for unit in (study / "experiments").iterdir():
        read = store.open_experiment(unit).load()
        assert any(read.identical(result) for result in results)  # never mixed


def test_each_experiment_is_trained_once(runners, tmp_path):
    processes, log = runners
    start(processes)
    assert [process.wait() for process in processes] == [0, 0]
    trained = log.read_text().split()
    assert sorted(trained) == sorted({*trained})
    assert len(trained) == COUNT
    check_study(tmp_path / "study")
    assert not list((tmp_path / "study" / ".locks").iterdir())


def test_the_other_goes_on_when_one_is_killed(runners, tmp_path):
    processes, log = runners
    start(processes)
    while not log.exists() or len(log.read_text().split()) < 5:
        assert processes[1].poll() is None
    processes[0].kill()
    assert processes[1].wait() == 0
    assert len(log.read_text().split()) <= COUNT + 1  # what the dead one was at is run again
    check_study(tmp_path / "study")


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
