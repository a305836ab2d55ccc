"""Disks that are really full: small file systems in memory, which only Linux lets anybody mount."""

import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.acceptance

FILLER = """
import contextlib, shutil, subprocess, sys
from pathlib import Path
from apexr import store
from apexr.errors import StoreError
from apexr.testing import mock_experiment

disk, count, checked = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "True"
study, usage = disk / "study", shutil.disk_usage
if not checked:  # let it come to the end of the disk, as when others fill it meanwhile
    shutil.disk_usage = lambda path: usage(path)._replace(free=10**12)

def publish(number):
    ds = mock_experiment(random_seed=number)
    store.publish_experiment(ds, {}, store.unit_path(study, f"{number:032x}"))

@contextlib.contextmanager
def mounted(size):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk], check=True)
    try:
        store.create_study(study)
        publish(1)
        yield
    finally:
        subprocess.run(["umount", disk], check=True)

with mounted(10**8):
    held = usage(disk).used
    publish(2)
    needed = usage(disk).used - held

said = []
for part in range(count):
    with mounted(held + 10_000 + (needed - 10_000) * part // count):
        try:
            publish(2)
        except StoreError as error:
            said.append("the disk has" if "the disk has" in str(error) else "No space left")
            assert said[-1] in str(error)
        assert len(said) == part + 1
        assert not list((study / ".staging").iterdir())
        assert store.verify(study) == 1
        store.open_study(study).load()
with mounted(held + needed + 10_000):
    publish(2)
    assert store.verify(study) == 2
print(*map(said.count, ("the disk has", "No space left")))
"""


def may_mount():
    """Tell whether a process may have file systems of its own."""
    command = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return shutil.which("unshare") and subprocess.run(command, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("checked", [True, False])
def test_20_sizes_of_a_full_disk(tmp_path, checked, record_property):
    # A right that some machines give to nobody. test_faults fills a modelled disk everywhere.
    if not may_mount():
        pytest.skip("no process of this user may mount file systems of its own")
    arguments = (sys.executable, "-c", FILLER, str(tmp_path), "20", str(checked))
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    noticed, full = map(int, done.stdout.split())
    assert noticed + full == 20
    assert (noticed > 0) == checked
    record_property("noticed before, full", [noticed, full])
