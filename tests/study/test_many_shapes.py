"""One process runs experiments of many shapes: neither mappings nor memory pile up."""

import json

import pytest

from _tiny import SIZES, python

RUN = """
import json, resource, sys
from pathlib import Path
import apexr.experiment._execute
from apexr.study import plan_study, run_planned

seen = []
train = apexr.experiment._execute.train

def counted(*arguments):
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    maps = len(Path("/proc/self/maps").read_text().splitlines())
    seen.append((maps, pages * resource.getpagesize()))
    return train(*arguments)

apexr.experiment._execute.train = counted
study = [
    {**json.loads(sys.argv[2]), "num_points": 12 + number} for number in range(int(sys.argv[3]))
]
failures = run_planned(plan_study(study), sys.argv[1], progress=False)
print(json.dumps([len(failures), seen]))
"""


def run(folder, count):
    """Return mapped regions and resident bytes before each training."""
    config = {**SIZES, "scenario": "diff_adv", "net": "Pure;3;relu", "num_train_samples": 2}
    arguments = (folder / "study.zarr", json.dumps(config), count)
    said = python(RUN, *arguments, env={"OMP_NUM_THREADS": "1"}, timeout=300 + 10 * count)
    failed, seen = json.loads(said.splitlines()[-1])
    assert (failed, len(seen)) == (0, count)
    return zip(*seen, strict=True)


@pytest.mark.parametrize("count", [9, pytest.param(300, marks=pytest.mark.slow)])
def test_the_resident_size_is_flat(tmp_path, count, record_property):
    maps, resident = run(tmp_path, count)
    settled = count // 3
    for name, sizes in (("maps", maps), ("bytes", resident)):
        record_property(name, [max(sizes[:settled]), max(sizes[settled:]), sizes[-1]])
    assert max(maps[settled:]) < 1.3 * max(maps[:settled])
    assert max(resident[settled:]) < max(resident[:settled]) + 80e6
