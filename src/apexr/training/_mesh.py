"""Which devices work on which seeds and which part of a batch."""

import logging
import math
import os

import jax
import numpy as np
from jax.sharding import Mesh

SEED_AXIS = "seed"
BATCH_AXIS = "batch"

_log = logging.getLogger(__name__)


def prepare_host_devices(count: int | None = None) -> None:
    """Make every CPU core a device of JAX, if no backend runs yet.

    On a CPU the seeds are shared out over the cores, which uses them better than one
    multi-threaded program does. Once JAX has started its backend nothing can be changed;
    a log line says so.

    Parameters
    ----------
    count
        How many devices, if not as many as there are cores. A number that JAX was given before
        stays.
    """
    cores = count or usable_cores()
    flags = os.environ.get("XLA_FLAGS", "")
    if jax.config.values["jax_num_cpu_devices"] > 0 or "xla_force_host" in flags:
        return
    try:
        jax.config.update("jax_num_cpu_devices", cores)
    except RuntimeError:
        if jax.default_backend() == "cpu" and jax.local_device_count() < cores:
            _log.info("JAX had started before apexr: seeds share one CPU device, which is slower")


def usable_cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def seed_mesh(num_seeds: int) -> Mesh:
    """Return the devices as a grid (seed, batch).

    As many devices as divide the number of seeds evenly work on different seeds; the devices
    that are left over share the batch of each seed.
    """
    devices = jax.local_devices()
    across_seeds = math.gcd(num_seeds, len(devices))
    grid = np.array(devices).reshape(across_seeds, len(devices) // across_seeds)
    return Mesh(grid, (SEED_AXIS, BATCH_AXIS))
