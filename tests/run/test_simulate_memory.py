"""`apexr.simulate` into a store stays under its memory budget: measured in fresh processes."""

import json

import pytest

from _tiny import python

MEASURE = """
import json, resource, sys
import numpy as np
import apexr
from apexr.spectral import Grid
from apexr.steppers import Convection, ETDRKStepper, simulate

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

dims, points, samples, steps, budget = map(int, sys.argv[1:])

def solver(points):
    return ETDRKStepper(Convection((0.0, 0.0, 1e-3), 0.1), Grid(dims, points), 0.01)

tiny = apexr.simulate(solver(8), "fourier;2;true;true", 3, store="tiny.zarr", progress=False)
tiny.load()
stepper = solver(points)
states = apexr.simulate(stepper, "fourier;2;true;true", 0, num_samples=samples).values[:, 0]
before = peak()
u = apexr.simulate(
    stepper, states, steps, store="u.zarr", memory_budget=budget, progress=False
)
used = peak() - before
# the same trajectories, made in memory at once, some samples at a time
equal = all(
    np.array_equal(u[at : at + 2], apexr.simulate(stepper, states[at : at + 2], steps))
    for at in range(0, samples, max(2, samples // 4))
)
print(json.dumps({
    "used": used, "result": u.nbytes, "equal": bool(equal), "lazy": u.chunks is not None,
    "steps": u.sizes["time"], "finite": bool((u["diverged_at"] == -1).all()),
}))
"""


def measure(tmp_path, *sizes):
    return json.loads(python(MEASURE, *sizes, cwd=tmp_path).splitlines()[-1])


def check(told, budget, times, steps):
    assert told["result"] > times * budget
    assert told["used"] < budget
    assert told["equal"]
    assert told["lazy"]
    assert told["finite"]
    assert told["steps"] == steps + 1


@pytest.mark.parametrize(
    ("dims", "points", "samples", "steps"), [(1, 256, 100, 1500), (2, 64, 4, 1200)]
)
def test_a_result_larger_than_the_budget(tmp_path, dims, points, samples, steps):
    budget = 70 * 10**6
    check(measure(tmp_path, dims, points, samples, steps, budget), budget, 2, steps)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dims", "points", "samples", "steps"),
    [(2, 128, 4, 1200), (3, 48, 2, 240), (1, 512, 200, 1500)],
)
def test_a_result_several_times_larger_than_the_budget(tmp_path, dims, points, samples, steps):
    budget = 150 * 10**6
    check(measure(tmp_path, dims, points, samples, steps, budget), budget, 4, steps)
