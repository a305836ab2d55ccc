"""The devices of this process: on a CPU, its cores."""

import functools
import logging
import os

import jax

_log = logging.getLogger(__name__)


@functools.cache
def prepare_host_devices(count: int | None = None) -> None:
    """Make every CPU core a device of JAX, if no backend runs yet.

    On a CPU seeds and samples are shared out over the cores, which uses them better than one
    multi-threaded program does. Once JAX has started its backend nothing can be changed;
    a log line says so. Whatever of apexr starts JAX calls this first.

    Parameters
    ----------
    count
        How many devices, if not as many as there are cores. A number that JAX was given before
        stays.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if jax.config.values["jax_num_cpu_devices"] > 0 or "xla_force_host" in flags:
        return
    cores = count or usable_cores()
    try:
        jax.config.update("jax_num_cpu_devices", cores)
    except RuntimeError:
        if jax.default_backend() == "cpu" and jax.local_device_count() < cores:
            _log.info("JAX had started before apexr: seeds share one CPU device, which is slower")


def usable_cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
