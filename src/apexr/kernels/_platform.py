"""The one place that chooses by platform how programs are written.

On a CPU a few cores share caches: matrix products over long rows, arithmetic saved by minimal
filtering and one seed at a time are fastest there. An accelerator has thousands of lanes to fill,
and starting a kernel costs time: it gets XLA's own convolutions, the seeds of a device as one
batch, and loops of a length that is known when they are compiled. Both forms compute the same, to
rounding.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar

import jax


@dataclasses.dataclass(frozen=True)
class Form:
    """How programs are written for one kind of device.

    Attributes
    ----------
    products
        Whether convolutions are matrix products over gathered taps, not XLA's own.
    filtering
        Whether minimal filtering may replace them where it saves enough multiplications. It adds
        rounding errors, on accelerators to those of products that are less precise by default.
    barriers
        Whether what several operations read is computed once, before the compiler fuses them.
    parts
        Whether a batch may go through in parts, so that what its gradient needs stays in the cache.
    batched_seeds
        Whether the seeds of a device are one batch while memory allows; else one follows another.
    static_chunks
        Whether the number of updates in a compiled chunk is known to the compiler.
    """

    products: bool
    filtering: bool
    barriers: bool
    parts: bool
    batched_seeds: bool
    static_chunks: bool


CPU = Form(
    products=True,
    filtering=True,
    barriers=True,
    parts=True,
    batched_seeds=False,
    static_chunks=False,
)
ACCELERATOR = Form(
    products=False,
    filtering=False,
    barriers=False,
    parts=False,
    batched_seeds=True,
    static_chunks=True,
)

_CHOSEN: ContextVar[Form | None] = ContextVar("form", default=None)


def form() -> Form:
    """Return the form of what is traced here: that of the platform, unless one was chosen."""
    return _CHOSEN.get() or (CPU if on_cpu() else ACCELERATOR)


@contextlib.contextmanager
def in_form(chosen: Form) -> Iterator[None]:
    """Have whatever is traced within take a form, whatever the platform is.

    Compiled functions remember what they traced: their static arguments must tell the form.
    """
    token = _CHOSEN.set(chosen)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def on_cpu() -> bool:
    """Tell whether programs run on a CPU, unless they are given other devices."""
    device = jax.config.jax_default_device  # type: ignore[attr-defined]
    platform = getattr(device, "platform", device) or jax.default_backend()
    return str(platform) == "cpu"
