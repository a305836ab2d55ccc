"""Samples shared out over devices."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

Function = Callable[[Any, Any], Any]
Devices = tuple[jax.Device, ...]


def spread(function: Function, whole: Any, samples: Any, devices: Devices) -> Any:
    """Return ``function(whole, samples)``, the samples shared out over devices.

    Parameters
    ----------
    function
        Its results lead with the samples.
    whole
        A pytree that each device holds as a whole.
    samples
        A pytree of arrays whose leading axis is a multiple of the number of devices.
    devices
        None or one of them means: where the arrays are.
    """
    if len(devices) <= 1:
        return function(whole, samples)
    arrays, rest = eqx.partition(whole, eqx.is_array)
    all_of_it, split = PartitionSpec(), PartitionSpec("sample")  # type: ignore[no-untyped-call]

    def part(arrays: Any, samples: Any) -> Any:
        return function(eqx.combine(arrays, rest), samples)

    return jax.shard_map(
        part,
        mesh=Mesh(np.array(devices), ("sample",)),
        in_specs=(all_of_it, split),
        out_specs=split,
        check_vma=False,
    )(arrays, samples)
