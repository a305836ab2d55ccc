"""Draws made on the host: what draws once is compiled for far longer than it runs.

A network's weights are dozens of draws, and XLA compiles the generator for each of them. Here the
function is traced, and its operations are done by NumPy: the generator, whose whole numbers are the
same everywhere, and single operations on floating-point numbers, each rounded as IEEE 754 says.
Where a function does something else with its draws, that is compiled, with the bits as its input.

Source of the generator: Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3", SC11,
section 4.2; counters are numbered as JAX does.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from apexr.kernels._compile import jit_once

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = np.uint32(0x1BD11BDA)

Words = tuple[np.ndarray, np.ndarray]
Compile = Callable[[Callable[..., Any]], Callable[..., Any]]


class UnknownDrawError(Exception):
    """A draw that is not made on the host; whoever catches it compiles the function instead."""


class DrawOnHost:
    """A function of a key, whose draws are made by NumPy.

    Parameters
    ----------
    function
        The function to trace, here and now.
    compiled
        Compiles what NumPy does not do here.
    """

    def __init__(self, function: Callable[[Any], Any], compiled: Compile) -> None:
        key = jax.ShapeDtypeStruct((2,), np.uint32)
        self._traced, form = jax.make_jaxpr(function, return_shape=True)(key)
        self._structure = jax.tree.structure(form)
        self._compiled = compiled
        self._left: list[int] = []

    def __call__(self, keys: Sequence[np.ndarray]) -> Any:
        """Return what the function gives for each key, as arrays that lead with the keys.

        Raises
        ------
        UnknownDrawError
            If the generator is not that of this module.
        """
        noted = [_Bits() for _ in keys]
        rows = [bits.run(self._traced, key) for bits, key in zip(noted, keys, strict=True)]
        leaves = [None if made[0] is None else np.stack(made) for made in zip(*rows, strict=True)]
        self._left = [place for place, leaf in enumerate(leaves) if leaf is None]
        if self._left:
            stacked = [np.stack(bits) for bits in zip(*(one.noted for one in noted), strict=True)]
            for place, made in zip(self._left, self._rest(*stacked), strict=True):
                leaves[place] = made
        return jax.tree.unflatten(self._structure, leaves)

    @functools.cached_property
    def _rest(self) -> Callable[..., Any]:
        return self._compiled(jax.vmap(self._made_of))

    def _made_of(self, *bits: Any) -> list[Any]:
        """Return the results that NumPy does not give, of the bits of one key."""
        made = _Given(iter(bits)).run(self._traced, np.zeros(2, np.uint32))
        return [made[place] for place in self._left]


class _Key(np.ndarray):
    """The words of a key, and whatever is cut from them."""


class _Host:
    """Runs a traced function by NumPy."""

    def run(self, traced: Any, *arguments: Any) -> list[Any]:
        """Return its results."""
        keys = [np.asarray(key, np.uint32).view(_Key) for key in arguments]
        return self._run(traced.jaxpr, traced.consts, keys)

    def _run(self, program: Any, constants: Any, arguments: Any) -> list[Any]:
        held = dict(
            zip((*program.constvars, *program.invars), (*constants, *arguments), strict=True)
        )

        def read(variable: Any) -> Any:
            if not hasattr(variable, "val"):
                return held[variable]
            return np.asarray(variable.val, variable.aval.dtype)

        for equation in program.eqns:
            given = [read(variable) for variable in equation.invars]
            if equation.primitive.name in ("jit", "pjit"):
                inner = equation.params["jaxpr"]
                made = self._run(inner.jaxpr, inner.consts, given)
            else:
                made = self.operation(equation, given)
                if made is None or not equation.primitive.multiple_results:
                    made = [made] * len(equation.outvars)
            held.update(zip(equation.outvars, made, strict=True))
        return [read(variable) for variable in program.outvars]

    def operation(self, equation: Any, given: list[Any]) -> Any:
        """Return what an operation makes."""
        name = equation.primitive.name
        if name == "random_bits":
            return self.bits(given[0], equation.params["bit_width"], equation.params["shape"])
        if name in _OPERATIONS and not any(isinstance(value, jax.Array) for value in given):
            return _OPERATIONS[name](*given, equation.params)
        return self.other(equation, given)

    def bits(self, key: np.ndarray, width: int, shape: tuple[int, ...]) -> Any:
        """Return random bits."""
        return random_bits(key, width, shape)

    def other(self, equation: Any, given: list[Any]) -> Any:
        """Return what an operation makes that NumPy does not do as it would be compiled."""
        if any(isinstance(value, _Key) for value in given):
            raise UnknownDrawError(f"{equation.primitive.name} of a key")


class _Bits(_Host):
    """Notes the bits of all draws, in their order; what NumPy makes nothing of is None."""

    def __init__(self) -> None:
        self.noted: list[np.ndarray] = []

    def bits(self, key: np.ndarray, width: int, shape: tuple[int, ...]) -> Any:
        self.noted.append(random_bits(key, width, shape))
        return self.noted[-1]

    def operation(self, equation: Any, given: list[Any]) -> Any:
        if any(value is None for value in given):
            return None
        return super().operation(equation, given)

    def other(self, equation: Any, given: list[Any]) -> Any:
        super().other(equation, given)


class _Given(_Host):
    """Makes of bits that are given what is to be compiled."""

    def __init__(self, bits: Iterator[Any]) -> None:
        self._bits = bits

    def bits(self, key: np.ndarray, width: int, shape: tuple[int, ...]) -> Any:
        return next(self._bits)

    def other(self, equation: Any, given: list[Any]) -> Any:
        bound = equation.primitive.get_bind_params(equation.params)
        functions, params = bound if isinstance(bound, tuple) else ((), bound)
        return equation.primitive.bind(*functions, *given, **params)


@functools.cache
def can_draw_on_host() -> bool:
    """Tell whether this JAX draws what is drawn on the host, by a trivial program.

    The forms of traced programs are JAX's own and may change with a release.
    """

    def probe(key: Any) -> tuple[Any, Any]:
        first, second = jax.random.split(key)
        return jax.random.bits(first, (3,), "uint32"), second

    key = np.array([3, 2**31 + 7], np.uint32)
    try:
        made = DrawOnHost(probe, jax.jit)([key])
        known = jit_once(probe)(key.size)(key)
    except (AttributeError, LookupError, TypeError, ValueError, UnknownDrawError):
        return False
    return all(np.array_equal(ours[0], theirs) for ours, theirs in zip(made, known, strict=True))


def random_bits(key: np.ndarray, width: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return random bits of a key: of its generator's two words at a number, both or their sum."""
    high, low = _words(key, math.prod(shape))
    if width == 64:
        return ((high.astype(np.uint64) << np.uint64(32)) | low).reshape(shape)
    return (high ^ low).astype(f"u{width // 8}").reshape(shape)


def split(key: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the keys that a key is split into, as words along the last axis."""
    return np.stack(_words(key, math.prod(shape)), axis=-1).reshape(*shape, 2).view(_Key)


def _words(key: np.ndarray, count: int) -> Words:
    """Return the two words of a key's generator at the numbers from 0 on."""
    key = np.asarray(key)
    numbers = np.arange(count, dtype=np.uint64)
    high, low = (numbers >> np.uint64(32)).astype(np.uint32), numbers.astype(np.uint32)
    keys = (key[0], key[1], key[0] ^ key[1] ^ PARITY)
    high, low = high + keys[0], low + keys[1]
    for turn in range(5):
        for by in ROTATIONS[turn % 2]:
            high = high + low
            low = ((low << np.uint32(by)) | (low >> np.uint32(32 - by))) ^ high
        high = high + keys[(turn + 1) % 3]
        low = low + keys[(turn + 2) % 3] + np.uint32(turn + 1)
    return high, low


def _wrap(key: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    if params["impl"].name != "threefry2x32" or not jax.config.values["jax_threefry_partitionable"]:
        raise UnknownDrawError("a key of another generator")
    return key


def _broadcast(x: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    shape, places = params["shape"], params["broadcast_dimensions"]
    wide = [1] * len(shape)
    for size, place in zip(x.shape, places, strict=True):
        wide[place] = size
    return np.broadcast_to(x.reshape(wide), shape, subok=True)


def _slice(x: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    strides = params["strides"] or (1,) * x.ndim
    bounds = zip(params["start_indices"], params["limit_indices"], strides, strict=True)
    return x[tuple(slice(*bound) for bound in bounds)]


def _iota(params: dict[str, Any]) -> np.ndarray:
    shape, along = params["shape"], params["dimension"]
    line = np.arange(shape[along], dtype=params["dtype"])
    behind = (1,) * (len(shape) - along - 1)
    return np.broadcast_to(line.reshape(-1, *behind), shape)


def _sort(*arrays: np.ndarray, params: dict[str, Any]) -> list[np.ndarray]:
    """Return arrays in the order of the first, which only whole numbers have for sure."""
    first, along = arrays[0], params["dimension"]
    if first.dtype.kind != "u" or params["num_keys"] != 1 or not params["is_stable"]:
        raise UnknownDrawError("another order")
    order = np.argsort(first, axis=along, kind="stable")
    return [np.take_along_axis(array, order, along) for array in arrays]


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "random_wrap": _wrap,
    "random_unwrap": lambda key, params: key,
    "random_split": lambda key, params: split(key, params["shape"]),
    "slice": _slice,
    "unstack": lambda x, params: list(np.moveaxis(x, params["axis"], 0)),
    "squeeze": lambda x, params: np.squeeze(x, params["dimensions"]),
    "reshape": lambda x, params: x.reshape(params["new_sizes"]),
    "broadcast_in_dim": _broadcast,
    "convert_element_type": lambda x, params: x.astype(params["new_dtype"]),
    "bitcast_convert_type": lambda x, params: x.view(params["new_dtype"]),
    "shift_right_logical": lambda x, y, params: x >> y,
    "or": lambda x, y, params: x | y,
    "sub": lambda x, y, params: x - y,
    "mul": lambda x, y, params: x * y,
    "add": lambda x, y, params: x + y,
    "max": lambda x, y, params: np.maximum(x, y),
    "iota": _iota,
    "sort": lambda *arrays: _sort(*arrays[:-1], params=arrays[-1]),
}
"""Operations that NumPy rounds as compiled code does: those that IEEE 754 defines."""
