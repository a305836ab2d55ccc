"""Kernels: how the arithmetic of networks and trainings is done fast on a kind of device.

Convolutions (matrix products over gathered taps, minimal filtering, XLA's own), updates as long
vectors, batches of windows, barriers, compiler options and devices. The mathematics is stated in
the layers, the training and the solver; here is how. :mod:`apexr.kernels._platform` alone chooses
by platform; :mod:`apexr.kernels._plain` has the same kernels by XLA's own operations.
"""

from apexr.kernels._barriers import computed_once
from apexr.kernels._compile import (
    SMALL,
    Ahead,
    JitForDevices,
    JitKeepingBarriers,
    jit_once,
    keep_compiled,
)
from apexr.kernels._convolution import convolution_kernels, convolve, upsample
from apexr.kernels._depthwise import convolve_each
from apexr.kernels._devices import prepare_host_devices, usable_cores
from apexr.kernels._draws import DrawOnHost, UnknownDrawError, can_draw_on_host
from apexr.kernels._norms import normalize_groups
from apexr.kernels._platform import ACCELERATOR, CPU, Form, form, in_form
from apexr.kernels._products import multiply
from apexr.kernels._rounded import bfloat16_products, factors, summed
from apexr.kernels._seeds import gradient_bytes, map_seeds, room_for_gradients, seeds_at_once
from apexr.kernels._taps import PADDING, tap_offsets
from apexr.kernels._vectors import add_changes, on_vectors
from apexr.kernels._windows import frames_first, gather_windows, windows_at_once

__all__ = [
    "ACCELERATOR",
    "CPU",
    "PADDING",
    "SMALL",
    "Ahead",
    "DrawOnHost",
    "Form",
    "JitForDevices",
    "JitKeepingBarriers",
    "UnknownDrawError",
    "add_changes",
    "bfloat16_products",
    "can_draw_on_host",
    "computed_once",
    "convolution_kernels",
    "convolve",
    "convolve_each",
    "factors",
    "form",
    "frames_first",
    "gather_windows",
    "gradient_bytes",
    "in_form",
    "jit_once",
    "keep_compiled",
    "map_seeds",
    "multiply",
    "normalize_groups",
    "on_vectors",
    "prepare_host_devices",
    "room_for_gradients",
    "seeds_at_once",
    "summed",
    "tap_offsets",
    "upsample",
    "usable_cores",
    "windows_at_once",
]
