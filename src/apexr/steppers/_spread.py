"""Samples shared out over devices."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

Function = Callable[[Any, Any], Any]
Devices = tuple[jax.Device, ...]

_SAMPLES = "sample"
_KEPT = 4
"""Of so many steppers the arrays are kept on all devices."""
_SMALL = 2**26
"""Bytes of a stepper up to which they are."""


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
    all_of_it, split = PartitionSpec(), PartitionSpec(_SAMPLES)  # type: ignore[no-untyped-call]

    def part(arrays: Any, samples: Any) -> Any:
        return function(eqx.combine(arrays, rest), samples)

    return jax.shard_map(
        part,
        mesh=_mesh(devices),
        in_specs=(all_of_it, split),
        out_specs=split,
        check_vma=False,
    )(arrays, samples)


def placed(whole: Any, samples: jax.Array, devices: Devices) -> tuple[Any, jax.Array]:
    """Return the arguments of :func:`spread` where they will be needed.

    A compiled function would bring them there too, but in a few milliseconds, and what each
    device holds as a whole again at every call.
    """
    if len(devices) <= 1:
        return whole, samples
    leaves, structure = jax.tree.flatten(whole)
    copy = _kept_copies if sum(leaf.nbytes for leaf in leaves) <= _SMALL else _copies
    whole = jax.tree.unflatten(structure, copy(tuple(map(_Itself, leaves)), devices))
    if len(samples) % len(devices) == 0:
        samples = jax.device_put(samples, NamedSharding(_mesh(devices), PartitionSpec(_SAMPLES)))
    return whole, samples


@dataclasses.dataclass(frozen=True, eq=False)
class _Itself:
    """An array that equals itself alone, so that it may be looked up."""

    array: jax.Array

    def __hash__(self) -> int:
        return id(self.array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.array is other.array


def _copies(arrays: tuple[_Itself, ...], devices: Devices) -> list[jax.Array]:
    everywhere = NamedSharding(_mesh(devices), PartitionSpec())
    return [jax.device_put(one.array, everywhere) for one in arrays]


_kept_copies = functools.lru_cache(maxsize=_KEPT)(_copies)


def _mesh(devices: Devices) -> Mesh:
    return Mesh(np.array(devices), (_SAMPLES,))
