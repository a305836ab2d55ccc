"""Emulators of one state, seen as emulators of a batch."""

from collections.abc import Callable
from typing import Any

import jax
from jaxtyping import Array


def as_batched(emulator: Any) -> Callable[[Array], Array]:
    """Return one step of any emulator for states ``(channel, batch, *space)``.

    Emulators that know batches themselves have a method ``batched``; others are mapped.
    """
    if hasattr(emulator, "batched"):
        return emulator.batched  # type: ignore[no-any-return]
    return jax.vmap(emulator, in_axes=1, out_axes=1)
