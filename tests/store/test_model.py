"""A store against a dictionary: whatever is done to a study in whatever order, both agree."""

import shutil
import tempfile
from pathlib import Path

import pytest
from _crash import Crash, Disk
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from apexr import store
from apexr._files._durable import json_bytes
from apexr._files._layout import MANIFEST, PACKED
from apexr.errors import StoreError
from apexr.store.unit._manifest import entries_of, make_manifest
from apexr.store.unit._publish import ConflictError, publish_files

pytestmark = pytest.mark.acceptance

IDS = [character * 32 for character in "abc"]
CONTENTS = st.integers(0, 3)
MEMORY = Path("/dev/shm")
"""A folder that is synced in no time, where there is one: the model knows what is durable."""


COUNTED = {"examples": 0, "checks": 0}


def files_of(name, content):
    """Return the files of a unit that is small: what happens does not depend on what it holds."""
    files = {"data.zarr/zarr.json": b"{}", "data.zarr/a/c/0": f"{name}{content}".encode()}
    labels = {"config": {}, "attrs": {}, "sizes": {}, "seeds": [content]}
    return {**files, MANIFEST: json_bytes(make_manifest(labels, entries_of(files)))}


class Study(RuleBasedStateMachine):
    """Publish, be killed, go on, lose, damage, verify, repair, pack, merge, fail."""

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.study = self.root / "study"
        self.held = {}
        self.damaged = set()
        self.failed = {}
        store.create_study(self.study)
        COUNTED["examples"] += 1

    def teardown(self):
        shutil.rmtree(self.root)

    def unit(self, name):
        return store.unit_path(self.study, name)

    @rule(
        name=st.sampled_from(IDS), content=CONTENTS, overwrite=st.booleans(), packed=st.booleans()
    )
    def publish(self, name, content, overwrite, packed):
        if name in self.damaged and not overwrite:
            return  # what is said of it depends on what is damaged
        known = self.held.get(name)
        try:
            publish_files(
                files_of(name, content), store.place(self.unit(name)), overwrite, packed=packed
            )
        except ConflictError:
            assert known not in (None, content)
            assert not overwrite
        else:
            assert overwrite or known in (None, content)
            self.held[name] = content
            self.damaged.discard(name)

    @rule(
        name=st.sampled_from(IDS),
        content=CONTENTS,
        moment=st.integers(1, 16),
        how=st.sampled_from(["error", "crash"]),
        keep_names=st.booleans(),
        overwrite=st.booleans(),
        packed=st.booleans(),
    )
    def be_killed(self, name, content, moment, how, keep_names, overwrite, packed):
        """The n-th operation fails, or the power goes: the old state or the new one is there."""
        if name in self.damaged or (self.held.get(name, content) != content and not overwrite):
            return
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(self.root, patch, moment, how)
            try:
                publish_files(
                    files_of(name, content), store.place(self.unit(name)), overwrite, packed=packed
                )
            except (StoreError, OSError, Crash):
                done = False
            else:
                done = True
        if how == "crash" and disk.dead:
            disk.after_power_loss(keep_names)
        seen = self.seen(name)
        assert seen in ({content} if done else {self.held.get(name), content})
        if seen is not None:
            self.held[name] = seen

    @rule()
    def go_on(self):
        store.create_study(self.study)
        assert not list((self.study / ".staging").glob("*"))

    @rule(name=st.sampled_from(IDS))
    def lose(self, name):
        shutil.rmtree(self.unit(name), ignore_errors=True)
        self.unit(name).with_name(name + PACKED).unlink(missing_ok=True)
        self.held.pop(name, None)
        self.damaged.discard(name)

    @rule(name=st.sampled_from(IDS), which=st.integers(0, 10), how=st.sampled_from(["cut", "flip"]))
    def damage(self, name, which, how):
        packed = self.unit(name).with_name(name + PACKED)
        folder = [path for path in self.unit(name).rglob("*") if path.is_file()]
        files = sorted(folder) or [path for path in [packed] if path.exists()]
        if not files or name in self.damaged:
            return
        path = files[which % len(files)]
        data = path.read_bytes()
        middle = len(data) // 2
        changed = data[:middle] + (b"" if how == "cut" else bytes([data[middle] ^ 4]))
        path.write_bytes(changed + (b"" if how == "cut" else data[middle + 1 :]))
        self.damaged.add(name)

    @rule()
    def verify(self):
        if self.damaged:
            with pytest.raises(StoreError) as caught:
                store.verify(self.study)
            assert all(name in str(caught.value) for name in self.damaged)
        else:
            assert store.verify(self.study) == len(self.held)

    @rule()
    def repair(self):
        assert len(store.repair(self.study).moved) == len(self.damaged)
        for name in self.damaged:
            del self.held[name]
        self.damaged.clear()

    @rule()
    def pack(self):
        if any(self.unit(name).is_dir() for name in self.damaged):  # only what is whole is packed
            with pytest.raises(StoreError):
                store.pack(self.study)
        else:
            store.pack(self.study)
            assert store.pack(self.study) == 0

    @rule(name=st.sampled_from(IDS), content=CONTENTS)
    def merge(self, name, content):
        other = self.root / "other"
        store.create_study(other)
        publish_files(files_of(name, content), store.Study.at(other).unit(name))
        if name not in self.damaged:
            try:
                store.merge(self.study, other)
            except ConflictError:
                assert self.held[name] != content
            else:
                assert self.held.setdefault(name, content) == content
        shutil.rmtree(other)

    @rule(name=st.sampled_from(IDS))
    def fail(self, name):
        store.Study.at(self.study).notes.record_failure(name, ValueError("no"), {})
        self.failed[name] = self.failed.get(name, 0) + 1

    @rule(name=st.sampled_from(IDS))
    def succeed(self, name):
        store.Study.at(self.study).notes.forget_failure(name)
        self.failed.pop(name, None)

    def seen(self, name):
        """Return what is published under an id, or None."""
        if not store.is_published(self.unit(name)):
            return None
        store.verify(self.unit(name))
        return store.read_manifest(self.unit(name))["seeds"][0]

    @invariant()
    def agrees(self):
        COUNTED["checks"] += 1
        for name in IDS:
            if name not in self.damaged:
                assert self.seen(name) == self.held.get(name)
        failures = store.Study.at(self.study).notes.failures()
        assert {name: record["attempts"] for name, record in failures.items()} == self.failed


def run(examples, steps):
    COUNTED.update(examples=0, checks=0)
    run_state_machine_as_test(
        Study,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert COUNTED["examples"] >= examples


def test_a_study_is_a_dictionary():
    run(30, 20)


@pytest.mark.slow
def test_a_study_is_a_dictionary_500_times(record_property):
    run(500, 50)
    record_property("examples", COUNTED["examples"])
    record_property("checks", COUNTED["checks"])
