"""Sizes and helpers that several test folders share."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SIZES = {
    "num_points": 16,
    "num_train_samples": 3,
    "train_temporal_horizon": 4,
    "num_test_samples": 3,
    "test_temporal_horizon": 5,
    "batch_size": 4,
    "record_loss_every": 3,
    "optim_config": "adam;6;constant;1e-3",
}
"""Parameters that make any scenario run in a moment, compilation aside."""

FITTING = {
    ("phy_unbal_adv", 2): {"advection_coef_vector": (0.01, -0.04)},
    ("phy_diag_diff", 3): {"diffusion_coef_vector": (0.001, 0.002, 0.0004)},
    ("phy_aniso_diff", 3): {
        "diffusion_coef_matrix": (
            (0.001, 0.0005, 0.0003),
            (0.0005, 0.002, 0.0002),
            (0.0003, 0.0002, 0.0004),
        )
    },
}
"""Parameters of the scenarios whose defaults belong to another number of dimensions."""


def tiny(key, dims=None):
    """Return parameters that make the scenario ``key`` run in a moment."""
    steady = {"train_temporal_horizon": 1, "test_temporal_horizon": 1}
    sizes = {**SIZES, **steady} if key == "phy_poisson" else SIZES
    chosen = {} if dims is None else {"num_spatial_dims": dims}
    return {**sizes, **chosen, **FITTING.get((key, dims), {})}


NET = "Conv;2;1;tanh"


def filled(build, seed=0, scale=0.5):
    """Return the module that ``build(key)`` would give, with normal weights made by NumPy.

    Much faster than drawing them with JAX, which compiles a program for every shape.
    """
    import equinox as eqx
    import jax

    rng = np.random.default_rng(seed)
    shapes = eqx.filter_eval_shape(build, jax.ShapeDtypeStruct((2,), np.uint32))

    def fill(leaf):
        if not isinstance(leaf, jax.ShapeDtypeStruct):
            return leaf
        return jax.numpy.asarray(rng.normal(0, scale, leaf.shape).astype(leaf.dtype))

    return jax.tree.map(fill, shapes)


_COMPILED = tempfile.TemporaryDirectory(prefix="apexr-compiled-")  # removed with this process


def compiled_once():
    """Return what lets processes share their compiled programs: environment variables.

    The test process itself keeps none: most of its programs are compiled once, and keeping takes
    longer.
    """
    return {
        "JAX_ENABLE_COMPILATION_CACHE": "true",
        "JAX_COMPILATION_CACHE_DIR": _COMPILED.name,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def units(study):
    """Return what is published in a study, packed or not, by name."""
    found = Path(study).glob("experiments/*")
    return sorted(path for path in found if path.name != "zarr.json")


def python(code, *arguments, cwd=None, env=None, check=True, timeout=300):
    """Run ``code`` in a fresh interpreter and return what it printed.

    It finds what others have compiled (see :func:`compiled_once`).
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **compiled_once(), **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def loaded_after(code, *modules, cwd=None):
    """Return which of ``modules`` a fresh interpreter has loaded after running ``code``."""
    ask = "import sys, json; print(json.dumps([m for m in sys.argv[1:] if m in sys.modules]))"
    lines = python(f"{code}\n{ask}", *modules, cwd=cwd).splitlines()
    return json.loads(lines[-1])


def peak_memory():
    """Return the most bytes that this process has had in memory since :func:`forget_peak`."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024


def forget_peak():
    """Let the peak be what the process has in memory now (Linux), and return it."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")
    return peak_memory()
