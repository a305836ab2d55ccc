"""Writers that are killed at any moment: what they have told is there, the rest is not seen."""

import subprocess
import sys

import pytest
import xarray as xr

from _tiny import units
from apexr import store
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

KILLER = """
import itertools, os, random, signal, sys, time
from apexr import store
from apexr.testing import mock_experiment

def write(study, first):
    for number in itertools.count(first):
        ds = mock_experiment(random_seed=number)
        unit = store.unit_path(study, f"{number:032x}")
        store.publish_experiment(ds, {}, unit, packed=packed)
        os.write(1, f"{number}\\n".encode())

def forked(function, *arguments):
    child = os.fork()  # nothing but imports has happened here: no thread is lost
    if child == 0:
        function(*arguments)
        os._exit(0)
    return child

def publish_one(folder):
    store.publish_experiment(mock_experiment(), {}, folder, packed=packed)

def both():
    '''Whether a writer has published and a writer has been killed in the middle of it.'''
    published = set(os.listdir(study + "/experiments")) - {"zarr.json"}
    return bool(published and os.listdir(study + "/.staging"))

study, count, packed = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "True"
begin = time.monotonic()
os.waitpid(forked(publish_one, study + "-first"), 0)
once = time.monotonic() - begin
rng = random.Random(7)
store.create_study(study)
for number in range(10 * count):
    if number >= count and both():  # a slow stretch of the machine shifts all times
        break
    writer = forked(write, study, 1000 * number)
    time.sleep(rng.uniform(0, 2 * once))
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
"""


def kill_writers(study, count, packed):
    """Kill writers, and check everything that can be seen, whether they have told of it or not.

    Returns
    -------
    How many experiments were told of, how many are seen, how many were torn in writing.
    """
    command = [sys.executable, "-c", KILLER, str(study), str(count), str(packed)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    acknowledged = {int(line) for line in told.splitlines()}
    torn = len(list((study / ".staging").iterdir()))
    published = units(study)
    assert all(unit.is_file() is packed for unit in published)
    seen = {int(unit.name.removesuffix(".zip"), 16) for unit in published}
    assert acknowledged <= seen
    assert len(seen - acknowledged) <= 10 * count  # killed between publishing and telling of it
    for number in seen:
        held = store.open_experiment(store.unit_path(study, f"{number:032x}")).load()
        xr.testing.assert_identical(held, mock_experiment(random_seed=number))
    assert store.verify(study) == len(seen)
    store.create_study(study)
    assert not list((study / ".staging").iterdir())
    return len(acknowledged), len(seen), torn


@pytest.mark.parametrize("packed", [False, True])
def test_20_kills_lose_nothing(tmp_path, packed):
    acknowledged, _, torn = kill_writers(tmp_path / "study.zarr", 20, packed)
    assert min(acknowledged, torn) > 0


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
def test_200_kills_lose_nothing(tmp_path, record_property, packed):
    counts = kill_writers(tmp_path / "study.zarr", 200, packed)
    record_property("acknowledged, seen, torn", counts)
    assert min(counts) > 20  # also where others have the machine
