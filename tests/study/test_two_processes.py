"""Two processes on one study: each experiment is trained once, also when one of them is killed."""

import json
import subprocess
import sys

import pytest

from _tiny import NET, SIZES, units
from apexr import store
from apexr.study._work import in_turn
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

COUNT = 20

RUNNER = """
import json, sys, time
from types import SimpleNamespace
from apexr import store
from apexr.study._work import in_turn
from apexr.testing import mock_experiment

def share(study, log, ds):
    store.create_study(study)
    work = [(SimpleNamespace(id=f"{number:032x}"), []) for number in range(20)]
    for one, _ in in_turn(work, store.Study.at(study), lambda one: []):
        unit = store.unit_path(study, one.id)
        if not store.is_published(unit):
            with open(log, "a") as file:
                file.write(f"{one.id}\\n")
            time.sleep(0.05)
            store.publish_experiment(ds, {}, unit)
    return "done"

def publish(study, number, packed, ds):
    unit, form = store.unit_path(study, f"{number:032x}"), packed[int(sys.argv[1]) - 1]
    try:
        store.publish_experiment(ds, {}, unit, packed=form)
    except store.ConflictError:
        return "refused"
    return "published"

ds = mock_experiment(random_seed=int(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(globals()[name](*arguments, ds), flush=True)
"""

TRAINER = """
import json, sys
import apexr.experiment._execute
from apexr.study import plan_study, run_planned

print("ready", flush=True)
study, log, configs = json.loads(sys.stdin.readline())
train = apexr.experiment._execute.train

def counted(*arguments):
    with open(log, "a") as file:
        file.write("trained\\n")
    return train(*arguments)

apexr.experiment._execute.train = counted
print(len(run_planned(plan_study(configs), study, progress=False)))
"""


class Pair:
    """Two processes of one program, which take lines of JSON and answer each with a line."""

    def __init__(self, code):
        self.code = code
        self.processes = [None, None]

    def begin(self):
        """Begin those that do not run, and wait until both are ready."""
        missing = [
            n for n, one in enumerate(self.processes) if one is None or one.poll() is not None
        ]
        for number in missing:
            self.processes[number] = subprocess.Popen(
                [sys.executable, "-c", self.code, str(number + 1)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        for number in missing:
            assert self.answer(number) == "ready"
        return self

    def tell(self, *words):
        for process in self.processes:
            process.stdin.write(json.dumps(words) + "\n")
            process.stdin.flush()

    def answer(self, number):
        return self.processes[number].stdout.readline().strip()

    def end(self):
        for process in filter(None, self.processes):
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def runners():
    pair = Pair(RUNNER)
    yield pair
    pair.end()


@pytest.fixture
def pair(runners):
    """Return two processes that wait for lines; those of the test before, if they live."""
    return runners.begin()


@pytest.fixture
def trainers():
    pair = Pair(TRAINER).begin()
    yield pair
    pair.end()


def check_study(study, count=COUNT):
    assert store.verify(study) == count
    results = [mock_experiment(random_seed=seed) for seed in (1, 2)]
    for unit in units(study):
        read = store.open_experiment(unit).load()
        assert any(read.identical(result) for result in results)  # never mixed


def kill_one(pair, log):
    """Kill the first of the two when five trainings are noted."""
    while not log.exists() or len(log.read_text().split()) < 5:
        assert pair.processes[1].poll() is None
    pair.processes[0].kill()


def test_each_experiment_is_trained_once(pair, tmp_path):
    study, log = tmp_path / "study", tmp_path / "log"
    pair.tell("share", str(study), str(log))
    assert (pair.answer(0), pair.answer(1)) == ("done", "done")
    trained = log.read_text().split()
    assert sorted(trained) == sorted({*trained})
    assert len(trained) == COUNT
    check_study(study)
    assert not list((study / ".locks").iterdir())


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("packed", [(False, False), (True, True), (False, True)])
def test_of_two_that_publish_at_once_one_wins(pair, tmp_path, count, packed, record_property):
    study = tmp_path / "study"
    store.create_study(study)
    wins = [0, 0]
    for number in range(count):
        pair.tell("publish", str(study), number, packed)
        said = [pair.answer(0), pair.answer(1)]
        assert sorted(said) == ["published", "refused"]
        wins[said.index("published")] += 1
    record_property("wins", wins)
    check_study(study, count)


def test_the_other_goes_on_when_one_is_killed(pair, tmp_path):
    study, log = tmp_path / "study", tmp_path / "log"
    pair.tell("share", str(study), str(log))
    kill_one(pair, log)
    assert pair.answer(1) == "done"
    assert len(log.read_text().split()) <= COUNT + 1  # what the dead one was at is run again
    check_study(study)


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_two_real_studies(trainers, tmp_path, killed):
    """The same with networks that are trained, by the function behind ``apexr.run_study``."""
    study, log = tmp_path / "study", tmp_path / "log"
    common = {"scenario": "diff_adv", "net": NET, **SIZES}
    configs = [{**common, "train_seed": number} for number in range(COUNT)]
    trainers.tell(str(study), str(log), configs)
    if killed:
        kill_one(trainers, log)
    assert [trainers.answer(0), trainers.answer(1)] == ["" if killed else "0", "0"]
    trained = len(log.read_text().split())
    assert trained in ((COUNT, COUNT + 1) if killed else (COUNT,))
    assert store.verify(study) == COUNT
    assert store.Study.at(study).notes.failures() == {}


def test_a_claim_ends_with_its_block(tmp_path):
    name = "a" * 32
    with (
        store.Study.at(tmp_path).notes.claim(name) as first,
        store.Study.at(tmp_path).notes.claim(name, wait=False) as second,
    ):
        assert (first, second) == (True, False)
        assert store.Study.at(tmp_path).notes.claimed() == {name}
    assert store.Study.at(tmp_path).notes.claimed() == set()
    with store.Study.at(tmp_path).notes.claim(name, wait=False) as again:
        assert again


def test_those_of_others_come_last(tmp_path):
    class One:
        def __init__(self, name):
            self.id = name * 32

    with store.Study.at(tmp_path).notes.claim("b" * 32, wait=False):
        work = [(One("b"), ["both"]), (One("a"), ["all"])]
        turns = in_turn(work, store.Study.at(tmp_path), lambda one: [f"left of {one.id[0]}"])
        one, parts = next(turns)
        assert (one.id, parts) == ("a" * 32, ["all"])
    one, parts = next(turns)
    assert (one.id, parts) == ("b" * 32, ["left of b"])
    assert store.Study.at(tmp_path).notes.claimed() == {"b" * 32}
    turns.close()
    assert store.Study.at(tmp_path).notes.claimed() == set()
