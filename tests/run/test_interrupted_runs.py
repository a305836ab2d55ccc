"""Killed or interrupted at any moment, a training goes on to what it would have been."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import apexr
from _tiny import SIZES, compiled_once
from apexr.engine import CALLBACKS, Callback, callback
from apexr.errors import SpecError, Terminated
from apexr.training import tracker

UPDATES = 2000
COMMON = {
    **SIZES,
    "net": "Conv;2;1;tanh",
    "optim_config": f"adam;{UPDATES};constant;1e-3",
    "record_loss_every": 20,
    "callbacks": "weight_norm;70",
}
RUNNER = """
import json, os, signal, sys, threading, traceback
import apexr, apexr.experiment._execute
from apexr.store import Checkpoints
from apexr.training import tracker

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def run(store, log, moments, delay, chunks, keywords):
    seen, asked = [], []
    def is_due(self):
        asked.append(None)
        return len(asked) % chunks == 0
    Checkpoints.is_due = is_due
    @tracker(every=20)
    def watch(moment):
        with open(log, "a") as file:
            file.write(f"{moment.update_step}\\n")
        seen.append(None)
        if len(seen) == moments:
            threading.Timer(delay, die).start()
    apexr.run("diff_burgers", **keywords, store=store, trackers=[watch], progress=False)

for line in sys.stdin:
    child = os.fork()  # nothing but imports has happened here: no thread is lost
    if child == 0:
        try:
            run(**json.loads(line))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
KINDS = {
    "one seed": {"num_seeds": 1},
    "corrected, three seeds": {"num_seeds": 3, "task": "correct;sequential", "train": "div;2"},
}


def run(store, **changes):
    """Return weights and labeled result of a run in this process."""
    options = {"checkpoint_seconds": 0.0, "progress": False, **COMMON, **changes}
    ds = apexr.run("diff_burgers", **options, store=store)
    return ds.compute(), apexr.store.read_weights(store)


def assert_equal_runs(first, second):
    for name in ("train_loss", "weight_norm", "mean_nRMSE", "sample_rollout", "diverged_at"):
        np.testing.assert_array_equal(first[0][name], second[0][name])
    assert first[1].keys() == second[1].keys()
    for name, array in first[1].items():
        np.testing.assert_array_equal(array, second[1][name])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole") / "whole.zarr", num_seeds=2)


@pytest.fixture
def kill(tmp_path):
    """Return the function that runs in another process, which kills itself at a random moment.

    It returns whether it was killed, and before which updates it was seen.
    """
    log, errors = tmp_path / "log", tmp_path / "errors"
    with errors.open("w") as file:
        runner = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", RUNNER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env=os.environ | compiled_once(),
        )

    def call(store, keywords, chunks, rng):
        log.unlink(missing_ok=True)
        told = {"store": str(store), "log": str(log), "chunks": chunks}
        told |= {"moments": rng.randint(1, 6), "delay": rng.uniform(0, 0.01)}
        runner.stdin.write(json.dumps({**told, "keywords": {**COMMON, **keywords}}) + "\n")
        runner.stdin.flush()
        code = int(runner.stdout.readline() or 1)
        assert code in (0, -signal.SIGKILL), errors.read_text()
        return code != 0, [int(line) for line in log.read_text().split()] if log.exists() else []

    yield call
    runner.kill()
    runner.communicate()


def kill_and_go_on(tmp_path, kill, whole, keywords, count, chunks=1):
    """Kill a training so often; where it came to its end in between, begin another.

    A checkpoint is made after so many chunks of 20 updates: no more is ever done again.
    """
    rng = random.Random(7)
    store, killed, last, again = tmp_path / "killed.zarr", 0, 0, 0
    folder = tmp_path / ".checkpoints-killed.zarr"
    while killed < count:
        died, seen = kill(store, keywords, chunks, rng)
        killed += died
        if seen:
            assert last - 20 * chunks < seen[0] <= last + 20
            again += max(0, last + 20 - seen[0])
            last = seen[-1]
        if not died:  # a moment that never came
            assert_equal_runs(run(store, **keywords), whole)
            shutil.rmtree(store)
            last = 0
    assert store.exists() or list(folder.glob("*.ckpt")) or last < 20 * chunks
    assert_equal_runs(run(store, **keywords), whole)
    assert not folder.exists()
    return again


@pytest.mark.acceptance
def test_three_kills(tmp_path, kill, whole):
    kill_and_go_on(tmp_path, kill, whole, {"num_seeds": 2}, 3, chunks=2)


@pytest.mark.acceptance
@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count", "chunks"),
    [("one seed", 50, 1), ("one seed", 20, 4), ("corrected, three seeds", 20, 1)],
)
def test_many_kills(tmp_path, kill, kind, count, chunks, record_property):
    whole = run(tmp_path / "whole.zarr", **KINDS[kind])
    again = kill_and_go_on(tmp_path, kill, whole, KINDS[kind], count, chunks)
    record_property("kills, updates done again", [count, again])


def interrupt_at(update, times=1, number=signal.SIGINT):
    @tracker(every=20)
    def press(moment):
        if moment.update_step == update:
            for _ in range(times):
                signal.raise_signal(number)

    return press


@pytest.mark.acceptance
def test_twenty_interruptions(tmp_path, whole):
    store = tmp_path / "adv.zarr"
    for update in range(40, UPDATES, UPDATES // 20):
        press = interrupt_at(update)
        with pytest.raises(KeyboardInterrupt, match=f"of {UPDATES} updates; the same call goes on"):
            run(store, num_seeds=2, checkpoint_seconds=None, trackers=[press])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert_equal_runs(run(store, num_seeds=2), whole)


@pytest.mark.acceptance
def test_sigterm_is_like_the_first_ctrl_c(tmp_path, whole, caplog):
    store = tmp_path / "adv.zarr"
    for update in (40, 1000):
        term = interrupt_at(update, number=signal.SIGTERM)
        with pytest.raises(Terminated, match=f"stopped after {update + 20} of {UPDATES}") as caught:
            run(store, num_seeds=2, checkpoint_seconds=None, trackers=[term])
        assert caught.value.code == 143
        assert str(caught.value) in caplog.text  # a program of the user's ends without a word
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert_equal_runs(run(store, num_seeds=2), whole)


@pytest.mark.usefixtures("whole")
def test_a_handler_of_the_users_is_left_alone(tmp_path):
    told = []
    before = signal.signal(signal.SIGTERM, lambda *_: told.append("SIGTERM"))
    try:
        run(tmp_path / "adv.zarr", num_seeds=2, trackers=[interrupt_at(40, number=signal.SIGTERM)])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == ["SIGTERM"]


def test_a_second_interruption_ends_at_once(tmp_path):
    with pytest.raises(KeyboardInterrupt) as caught:
        run(tmp_path / "adv.zarr", checkpoint_seconds=None, trackers=[interrupt_at(40, times=2)])
    assert str(caught.value) == ""
    assert not (tmp_path / ".checkpoints-adv.zarr").exists()


def test_without_a_store_an_interruption_is_what_it_always_was():
    with pytest.raises(KeyboardInterrupt):
        apexr.run("diff_burgers", **COMMON, progress=False, trackers=[interrupt_at(20)])


def test_another_experiment_starts_anew(tmp_path, whole, caplog):
    store = tmp_path / "adv.zarr"
    with pytest.raises(KeyboardInterrupt):
        run(store, num_seeds=2, start_seed=5, trackers=[interrupt_at(40)])
    assert_equal_runs(run(store, num_seeds=2), whole)
    assert "the checkpoint was made with experiment_id" in caplog.text
    assert "it is not used" in caplog.text


@pytest.mark.usefixtures("whole")
def test_checkpoints_go_also_when_publishing_was_the_last_that_was_done(tmp_path, monkeypatch):
    store, folder = tmp_path / "adv.zarr", tmp_path / ".checkpoints-adv.zarr"
    with monkeypatch.context() as patch:
        patch.setattr("apexr.store.Checkpoints.clear", lambda _: None)
        run(store, num_seeds=2)
    assert list(folder.iterdir())
    run(store, num_seeds=2)
    assert not folder.exists()


def test_experiments_of_a_study_go_on(tmp_path, whole):
    """The one that is running is interrupted; the study ends; the next call finishes it."""

    @callback("ctrl_c")
    class Pressed(Callback):
        """ctrl_c;EVERY - an interruption at update 40, once."""

        every: int

        def measure(self, moment, test):
            if moment.update_step == 40 and not pressed:
                pressed.append(signal.raise_signal(signal.SIGINT))
            return moment.losses

    pressed = []
    try:
        configs = [{"scenario": "diff_burgers", **COMMON, "callbacks": "ctrl_c;20"}]
        study = tmp_path / "study.zarr"
        with pytest.raises(KeyboardInterrupt):
            apexr.run_study(configs, study, progress=False)
        assert len(list(study.glob("checkpoints/*/*.ckpt"))) == 1
        held = apexr.run_study(configs, study, progress=False)
        np.testing.assert_allclose(held.train_loss[0, 0], whole[0].train_loss[0], rtol=1e-3)
        assert not list(study.glob("checkpoints/*"))
    finally:
        CALLBACKS.registry.unregister("ctrl_c")


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("seconds", [-1, "60", True, float("nan")])
def test_wrong_intervals_are_refused(tmp_path, seconds):
    with pytest.raises(SpecError, match="checkpoint_seconds must be a number of seconds"):
        run(tmp_path / "adv.zarr", checkpoint_seconds=seconds)
    assert not list(tmp_path.iterdir())
