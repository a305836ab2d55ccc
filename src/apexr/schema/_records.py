"""Declarations of callbacks' records: each along update steps of its own."""

from collections.abc import Mapping
from dataclasses import replace

import xarray as xr

from apexr.schema._variable import Variable, label_of, table

CALLBACK = Variable(
    name="*",
    dims=("seed", "update_step_*"),
    kind="float",
    long_name="*",
    description="Record of a callback; further dimensions may follow.",
)
"""The record of a callback that has no declaration of its own."""

RECORDS: Mapping[str, Variable] = table(
    *(
        Variable(
            name=name,
            dims=("seed", f"update_step_{name}"),
            kind="float",
            long_name=long_name,
            description=description,
        )
        for name, long_name, description in (
            ("loss", "loss", "Loss of the batch before the update of that step."),
            ("weight_norm", "norm of the weights", "Root of the sum of all squared weights."),
            ("grad_norm", "norm of the gradient", "Of the loss of the batch before that update."),
        )
    ),
    Variable(
        name="net_weights",
        dims=("seed", "update_step_net", "parameter"),
        kind="float",
        long_name="weights",
        description="All weights of a network side by side; load_networks makes it again.",
    ),
    Variable(
        name="sample_rollout_history",
        dims=("seed", "update_step_sample_rollout", "sample", "time", "channel", "space"),
        kind="float",
        long_name="prediction",
        description="Prediction of the emulator at that step of its training.",
    ),
)
"""The records of apexr's callbacks; those of others are declared by :data:`CALLBACK`."""


def step_dim(callback: str) -> str:
    """Return the dimension along which a callback's records lie."""
    return f"update_step_{callback}"


def record_dim(array: xr.DataArray) -> str | None:
    """Return the dimension of update steps of a callback's record, None for anything else."""
    return next((str(dim) for dim in array.dims if str(dim).startswith(step_dim(""))), None)


def record(name: str, callback: str, dims: tuple[str, ...] = (), key: str = "") -> Variable:
    """Return the declaration of what a callback records.

    Parameters
    ----------
    name, callback
        The variable, and whose it is.
    dims
        Its dimensions besides seed and update step.
    key
        The key that tells it from other records of the callback, such as a metric's config string.
    """
    made = replace(
        CALLBACK,
        name=name,
        dims=("seed", step_dim(callback), *dims),
        long_name=label_of(key) if key else name.replace("_", " "),
        config=key or None,
    )
    return RECORDS.get(name, made)
