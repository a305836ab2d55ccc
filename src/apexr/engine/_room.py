"""Whether data and training fit into the memory there is, said before anything runs."""

import math
from collections.abc import Mapping

import jax

from apexr._memory import available_memory, format_bytes
from apexr.engine._evaluate import STREAMED_BYTES
from apexr.errors import SpecError
from apexr.training import Footprint, seed_mesh

Shape = tuple[int, ...]


def require_room_for_data(
    shapes: Mapping[str, Shape], num_seeds: int, data_memory: int | None = None
) -> int:
    """Return how many bytes of memory the data take, by their shapes alone.

    Training data lie on the first device and, in another order, on every device; test data twice
    on their way to the rollouts.

    Parameters
    ----------
    shapes
        ``train``, ``test`` and perhaps ``valid``: ``(sample, frame, channel, *space)``.
    num_seeds
        How many networks are trained.
    data_memory
        Bytes that those for training may take; larger ones are not held whole. Then those for
        testing are not, either.

    Raises
    ------
    SpecError
        If they do not fit.
    """
    itemsize = jax.dtypes.canonicalize_dtype(float).itemsize
    sizes = {name: math.prod(shape) * itemsize for name, shape in shapes.items()}
    if data_memory is not None and sizes["train"] > data_memory:
        return data_memory + 2 * min(sizes["test"], STREAMED_BYTES)
    copies = _devices_in_one_memory(seed_mesh(num_seeds).size)
    taken = bytes_of_data(shapes, itemsize, copies)
    there = available_bytes()
    if taken > there:
        told = " and ".join(
            f"{format_bytes(size)} of {name} data ({' x '.join(map(str, shapes[name]))})"
            for name, size in sizes.items()
        )
        raise SpecError(
            f"{told} take {format_bytes(taken)} of memory, but {format_bytes(there)} are"
            " available; take fewer samples, a shorter horizon or fewer points"
        )
    return sizes["train"] + 2 * (sizes["test"] + sizes.get("valid", 0))


def bytes_of_data(shapes: Mapping[str, Shape], itemsize: int, copies: int) -> int:
    """Return what data take in a memory that holds so many copies of those for training."""
    sizes = {name: math.prod(shape) * itemsize for name, shape in shapes.items()}
    return sizes["train"] * (1 + copies) + 2 * sizes["test"] + sizes.get("valid", 0) * (1 + copies)


def require_room_for_training(
    need: Footprint, data: int, *, num_seeds: int, batch_size: int
) -> str:
    """Return what is to be said of the memory of a training that fits.

    Parameters
    ----------
    need
        Memory of the compiled training.
    data
        Memory of the data.
    num_seeds, batch_size
        Settings that could be made smaller.

    Raises
    ------
    SpecError
        If it does not fit, with what would.
    """
    there, devices = available_bytes(), _devices_in_one_memory(need.devices)
    taken = devices * need.on_device + data
    each = "" if need.devices == 1 else f" on each of {need.devices} devices"
    said = (
        f"training {num_seeds} seed{'s' if num_seeds > 1 else ''} takes"
        f" {format_bytes(need.held)} for data and weights and {format_bytes(need.working)} for an"
        f" update{each}, {format_bytes(taken)} of memory with all data;"
        f" {format_bytes(there)} are available"
    )
    if taken <= there:
        return said
    spare = there - data - devices * need.held
    batch = int(spare / max(1, devices * need.working) * batch_size)
    seeds = num_seeds - math.ceil((taken - there) / max(1, devices * need.per_seed))
    splits = need.windows < math.ceil(batch_size / need.devices)  # a batch goes through in parts
    advice = [f"batch_size {batch} instead of {batch_size}"] if batch > 0 and not splits else []
    advice += [f"{seeds} seeds at a time"] if 0 < seeds < num_seeds else []
    advice += ["a smaller network, a shorter unrolling or fewer points"]
    raise SpecError(f"{said}; what would fit: {', or '.join(advice)}")


def available_bytes() -> int:
    """Return how many bytes are free where the first device keeps its arrays."""
    held = jax.local_devices()[0].memory_stats()
    if not held or "bytes_limit" not in held:
        return available_memory()
    return int(held["bytes_limit"]) - int(held.get("bytes_in_use", 0))


def _devices_in_one_memory(count: int) -> int:
    """Return how many of the devices share the memory that is counted: on a CPU all of them."""
    return count if jax.default_backend() == "cpu" else 1
