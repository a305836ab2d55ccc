"""Hostile study files are data: no code runs, nothing takes long, nothing takes much memory."""

import json
import os
import time

import pytest
from _hostile import NOT_WRONG, hostile_files

from _tiny import NET, SIZES, forget_peak, peak_memory, python
from apexr.errors import SpecError
from apexr.study import plan_study

pytestmark = pytest.mark.acceptance

BASE = {"scenario": "diff_adv", "net": NET, **SIZES}


@pytest.fixture
def folder(tmp_path):
    """Return a folder with all of them, links to devices and pipes among them."""
    files = hostile_files(tmp_path / "planted")
    assert len(files) >= 50
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "device.toml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    return tmp_path


def test_hostile_files_are_data(folder, monkeypatch):
    ran = []
    for module, name in ((os, "system"), (os, "popen"), (os, "execv")):
        monkeypatch.setattr(module, name, lambda *a, **k: ran.append(a))
    plan_study([BASE])  # what is imported and compiled once is not counted
    accepted, wordy, slow, large = [], [], [], []
    for path in sorted(folder.iterdir()):
        before, begin = forget_peak(), time.process_time()
        try:
            plan_study(path)
        except SpecError as error:
            wordy += [path.name] if len(str(error)) > 100_000 else []
        else:
            accepted.append(path.name)
        seconds, held = time.process_time() - begin, peak_memory() - before
        slow += [(path.name, seconds)] if seconds > 1 else []
        large += [(path.name, held)] if held > 200e6 else []
    assert set(accepted) <= set(NOT_WRONG)
    assert (wordy, slow, large, ran) == ([], [], [], [])
    assert not (folder / "planted").exists()


WATCHED = """
import json, sys, time
from pathlib import Path

sys.path.insert(0, sys.argv[2])
from _tiny import forget_peak, peak_memory
from apexr.errors import SpecError
from apexr.study import plan_study

folder = Path(sys.argv[1])
ACTS = ("os.system", "os.exec", "os.fork", "os.spawn", "os.posix_spawn", "subprocess", "pickle",
        "marshal", "ctypes.dlopen", "socket", "os.remove", "os.rename", "os.mkdir", "shutil")
done = []

def watch(event, arguments):
    if event.startswith(ACTS):
        done.append(event)
    elif event == "exec":
        name = arguments[0].co_filename
        if not name.startswith("/") or name.startswith(str(folder)):
            done.append(f"exec of {name}")
    elif event == "open" and not isinstance(arguments[0], int):
        name, mode = str(arguments[0]), arguments[1] or "r"
        if name.startswith("/etc") or (mode.strip("rb") and not name.startswith("/proc/self/")):
            done.append(f"open {name} {mode}")

plan_study([json.loads(sys.argv[3])])  # what is imported and compiled once is not counted
for path in sorted(folder.iterdir()):
    try:
        plan_study(path)
    except SpecError:
        pass
sys.addaudithook(watch)
found = {}
for path in sorted(folder.iterdir()):
    done.clear()
    before, begin = forget_peak(), time.process_time()
    try:
        plan_study(path)
        said = "accepted"
    except SpecError:
        said = "refused"
    seconds = time.process_time() - begin
    found[path.name] = [said, seconds, peak_memory() - before, [*done]]
print(json.dumps(found))
"""


@pytest.mark.slow
def test_the_interpreter_sees_nothing_run(folder, record_property):
    """In a fresh process, with its audit hook, its clock and the peak of its memory."""
    here = os.path.dirname(os.path.dirname(__file__))
    found = json.loads(python(WATCHED, folder, here, json.dumps(BASE)).splitlines()[-1])
    assert len(found) >= 50
    assert {name for name, (said, *_) in found.items() if said == "accepted"} <= {*NOT_WRONG}
    assert {name: done for name, (*_, done) in found.items() if done} == {}
    seconds = max(seconds for _, seconds, *_ in found.values())
    peak = max(peak for _, _, peak, _ in found.values())
    record_property("files, seconds, bytes", [len(found), seconds, peak])
    assert seconds < 1
    assert peak < 200e6
    assert not (folder / "planted").exists()
