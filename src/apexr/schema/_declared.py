"""Every variable and coordinate of a result, declared; see the package."""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from apexr.errors import SpecError
from apexr.schema._records import CALLBACK, RECORDS, record_dim
from apexr.schema._variable import (
    SPATIAL_DIMS,
    TRAIN_SOLVER,
    Variable,
    label_of,
    table,
    train_solver_metric,
)

SCHEMA_VERSION = 1
"""Raised whenever a stored result of the new form could be misread by the old code."""

CONFIG_COORDS = ("scenario", "task", "net", "train", "scenario_kwargs")
"""Scalar coordinates of a result that say which experiment it is."""

CHUNK_BYTES = 16 * 2**20
"""Largest chunk of a stored variable."""
SPLIT_ORDER = ("experiment", "seed", "test_sample", "sample", "time", "update_step", "channel", "x")

VARIABLES: Mapping[str, Variable] = table(
    Variable(
        name="train_loss",
        dims=("seed", "update_step"),
        kind="float",
        long_name="training loss",
        description="Loss of the batch before the update of that step.",
    ),
    Variable(
        name="valid_loss",
        dims=("seed", "update_step"),
        kind="float",
        long_name="validation loss",
        description="Mean loss over all windows of the data for validation, before that update.",
    ),
    Variable(
        name="valid_score",
        dims=("seed", "update_step"),
        kind="float",
        long_name="validation score",
        description="The metric that weights are selected by: mean over rollouts and their steps.",
    ),
    Variable(
        name="sample_rollout",
        dims=("seed", "sample", "time", "channel", "space"),
        kind="float",
        long_name="prediction",
        description="Trajectories that the emulator makes from the first test states.",
    ),
    Variable(
        name="sample_reference",
        dims=("sample", "time", "channel", "space"),
        kind="float",
        long_name="reference",
        description="Trajectories of the reference solver from the same states.",
    ),
    Variable(
        name="initial_state",
        dims=("sample", "channel", "space"),
        kind="float",
        long_name="initial state",
        description="State at step 0 of both prediction and reference; never scored.",
    ),
    Variable(
        name="train_seconds",
        dims=("seed",),
        kind="float",
        units="s",
        optional=("seed",),
        long_name="training time",
        description="Wall time of the training, compilation not included.",
    ),
    Variable(
        name="compile_seconds",
        dims=("seed",),
        kind="float",
        units="s",
        optional=("seed",),
        long_name="compile time",
        description="Wall time of compiling the training and the rollout.",
    ),
    Variable(
        name="inference_seconds",
        dims=("seed",),
        kind="float",
        units="s",
        optional=("seed",),
        long_name="inference time",
        description="Wall time of rolling out and scoring all test samples.",
    ),
    Variable(
        name="num_parameters",
        dims=("seed",),
        kind="int",
        optional=("seed",),
        long_name="number of parameters",
        description="Trainable numbers of one network.",
    ),
    Variable(
        name="num_train_samples",
        dims=("seed",),
        kind="int",
        optional=("seed",),
        long_name="number of training trajectories",
        description="Trajectories that every seed was trained on.",
    ),
    Variable(
        name="train_flops",
        dims=("seed",),
        kind="float",
        optional=("seed",),
        long_name="operations of the training",
        description="Floating-point operations of all updates of one seed: three times those of"
        " the rollouts, by the compiler's count for the network.",
    ),
    Variable(
        name="receptive_field",
        dims=("seed",),
        kind="float",
        optional=("seed",),
        long_name="receptive field in grid points",
        description="Points along an axis that one output point of the emulator sees; inf = all.",
    ),
    Variable(
        name="diverged_at",
        dims=("seed",),
        kind="int",
        long_name="diverged at update step",
        description="Update step at which the loss became NaN or infinite; -1 = never.",
    ),
    Variable(
        name="selected_at",
        dims=("seed",),
        kind="int",
        long_name="weights selected after updates",
        description="Updates that the tested weights had seen: those with the best validation.",
    ),
    Variable(
        name="stopped_at",
        dims=("seed",),
        kind="int",
        long_name="training stopped after updates",
        description="Updates after which a seed stopped, out of patience; -1 = made all of them.",
    ),
)
"""The variables of a result by name, metrics and records of callbacks apart."""

MEAN_METRIC = Variable(
    name="mean_*",
    dims=("seed", "time", "channel"),
    optional=("channel",),
    kind="float",
    long_name="*",
    description="Error of the rollout, mean over the test samples; of all channels, or of each.",
)
"""The declaration of a metric's mean over the test samples."""
TRAJECTORY_METRIC = Variable(
    name="*",
    dims=("seed", "test_sample", "time", "channel"),
    optional=("channel",),
    kind="float",
    long_name="*",
    description="Error of the rollout from each test sample; of all channels, or of each.",
)
"""The declaration of a metric of each test sample."""
DIVERGED = Variable(
    name="diverged_at",
    dims=("sample",),
    kind="int",
    long_name="diverged at time step",
    description="First step with a number that is NaN or infinite; -1 = none.",
)
"""The coordinate of simulated trajectories that tells how far each can be used."""

COORDINATES: Mapping[str, Variable] = table(
    Variable(
        name="experiment",
        dims=("experiment",),
        kind="text",
        long_name="experiment",
        description="Id of the experiment in its study.",
    ),
    Variable(
        name="seed",
        dims=("seed",),
        kind="int",
        long_name="seed",
        description="Seed of the initial weights and of the batches.",
        standard_name="realization",
    ),
    Variable(
        name="update_step",
        dims=("update_step",),
        kind="int",
        first=0,
        long_name="update step",
        description="Number of updates made before.",
    ),
    Variable(
        name="time",
        dims=("time",),
        kind="int",
        first=1,
        long_name="time step",
        description="Number of emulator steps since the initial state, which is step 0.",
    ),
    Variable(
        name="time_value",
        dims=("time",),
        kind="float",
        long_name="time",
        description="Time in the units of the equation: time step times dt.",
    ),
    Variable(
        name="valid_time",
        dims=("valid_time",),
        kind="int",
        first=1,
        long_name="time step of validation",
        description="The same in rollouts on data for validation, which may be of another length.",
    ),
    Variable(
        name="test_sample",
        dims=("test_sample",),
        kind="int",
        first=0,
        long_name="test sample",
        description="Index in the test set.",
    ),
    Variable(
        name="sample",
        dims=("sample",),
        kind="int",
        first=0,
        long_name="sample",
        description="Index in the set; in results the first few of test_sample.",
    ),
    Variable(
        name="parameter",
        dims=("parameter",),
        kind="int",
        first=0,
        long_name="parameter",
        description="Index among the weights of a network.",
    ),
    Variable(
        name="channel",
        dims=("channel",),
        kind="text or int",
        first=0,
        long_name="channel",
        description="Name of the physical quantity, or its number.",
    ),
    Variable(
        name="num_channels",
        dims=(),
        kind="int",
        long_name="number of channels",
        description="Channels of a state, in a study whose experiments differ in their grids.",
    ),
    *(
        Variable(
            name=name,
            dims=(name,),
            kind="float",
            long_name=name,
            description="Position on the periodic grid; the end point is the first one again.",
            axis=name.upper(),
        )
        for name in SPATIAL_DIMS
    ),
    *(
        Variable(name=name, dims=(), kind="text", long_name=long_name, description=description)
        for name, long_name, description in (
            ("scenario", "scenario", "Name that the scenario gives itself."),
            ("task", "task", "Whether the network predicts or corrects a coarse solver."),
            ("net", "network", "Config string of the architecture."),
            ("train", "training", "Config string of the training methodology."),
            (
                "scenario_kwargs",
                "scenario keywords",
                "Keywords that differ from the scenario's defaults.",
            ),
        )
    ),
)
"""The coordinates of results and studies by name."""


# --- metrics ---------------------------------------------------------------------------------


def identifier(config: str) -> str:
    """Return the variable name of a metric's config string.

    Fields are joined by ``_``; a decimal point becomes ``p``, a minus sign ``m``.

    Examples
    --------
    >>> identifier("mean_fourier_nRMSE;0;5;0")
    'mean_fourier_nRMSE_0_5_0'
    """
    return re.sub(r"\W", "_", config.strip().replace(".", "p").replace("-", "m"))


def trajectory_name(name: str) -> str:
    """Return the per-trajectory twin of a metric: ``mean_nRMSE`` gives ``nRMSE``."""
    name = identifier(name)
    twin = re.sub(r"^(per_channel_)?mean_", r"\1", name)
    return twin if twin != name else f"{name}_per_sample"


def metric_names(configs: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return for each metric the names of its mean and of its errors of each test sample.

    The latter is :func:`trajectory_name`, but ``mean_nRMSE_per_sample`` where another metric of
    these is called ``nRMSE``.

    Raises
    ------
    SpecError
        If two variables of a result would have the same name.
    """
    means = {config: identifier(config) for config in dict.fromkeys(configs)}
    names = {
        config: (mean, _twin_name(config, set(means.values()) - {mean}))
        for config, mean in means.items()
    }
    owners: dict[str, str] = {}
    for config, pair in names.items():
        for name in pair:
            taken = owners.setdefault(name, config)
            if name in VARIABLES or name in COORDINATES:
                taken = f"the variable {name} of every result"
            if taken != config:
                raise SpecError(
                    f"metric {config!r}: it would be called {name!r} in a result, as {taken};"
                    " give the metric another name"
                )
    return names


def _twin_name(config: str, means: Collection[str]) -> str:
    twin = trajectory_name(config)
    return _per_sample(config) if twin in means else twin


def _per_sample(config: str) -> str:
    return f"{identifier(config)}_per_sample"


def mean_metric(config: str) -> Variable:
    """Return the declaration of the metric with this config string."""
    return replace(MEAN_METRIC, name=identifier(config), long_name=label_of(config), config=config)


def trajectory_metric(config: str, name: str | None = None) -> Variable:
    """Return the declaration of the same metric per trajectory, by default called as usual."""
    return replace(
        TRAJECTORY_METRIC,
        name=name or trajectory_name(config),
        long_name=label_of(config.removeprefix("mean_")),
        config=config,
    )


def metric_identifiers(ds: xr.Dataset) -> list[str]:
    """Return the names of the metrics (mean over test samples) that a result holds."""
    return [
        str(name)
        for name, array in ds.data_vars.items()
        if identifier(str(array.attrs.get("config", ""))) == name
    ]


def metric_curves(ds: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield the metrics that a result holds by config string, each of one number a seed and time.

    A metric per channel is yielded for every channel, as ``CONFIG[CHANNEL]``.
    """
    for name in metric_identifiers(ds):
        array, config = ds[name], str(ds[name].attrs["config"])
        if "channel" not in array.dims:
            yield config, array
            continue
        for place, channel in enumerate(array["channel"].values.tolist()):
            yield f"{config}[{channel}]", array.isel(channel=place)


def diverged_seeds(ds: xr.Dataset) -> np.ndarray:
    """Return for each seed of a result whether its training or its rollout became NaN or infinite.

    A training that stays finite may give an emulator whose rollout does not; both are counted. A
    training that diverged is not, where the weights were selected that it had before.
    """
    lost = np.zeros(ds.sizes.get("seed", 1), dtype=bool)
    if "diverged_at" in ds:
        lost |= ds["diverged_at"].values >= 0
        if "selected_at" in ds:
            lost &= ~(ds["selected_at"].values < ds["diverged_at"].values)
    for name in metric_identifiers(ds):
        finite = xr.ufuncs.isfinite(ds[name])
        lost |= ~finite.all([dim for dim in finite.dims if dim != "seed"]).values
    return lost


def declaration(name: str, array: xr.DataArray) -> Variable | None:
    """Return what declares the variable ``name``, or None.

    A metric is known by its ``config`` attribute, a callback's record by its own step dimension.
    """
    known = VARIABLES.get(name) or COORDINATES.get(name)
    if known is not None:
        return known
    config = array.attrs.get("config")
    if isinstance(config, str) and name.startswith(TRAIN_SOLVER):
        return train_solver_metric(declaration(name.removeprefix(TRAIN_SOLVER), array))
    if isinstance(config, str) and identifier(config) == name:
        return mean_metric(config)
    if isinstance(config, str) and name in (trajectory_name(config), _per_sample(config)):
        return trajectory_metric(config, name)
    if record_dim(array) is not None:
        return RECORDS.get(name, replace(CALLBACK, name=name))
    return None


def presence_name(dim: str) -> str:
    """Return the name of the study coordinate that tells which labels of ``dim`` exist.

    Results of different extent are joined along ``experiment`` by filling up with NaN; the
    boolean coordinate ``has_time(experiment, time)`` tells such fillings from diverged entries.
    """
    return f"has_{dim}"


# --- chunks ----------------------------------------------------------------------------------


def chunk_shape(
    dims: Sequence[str], shape: Sequence[int], itemsize: int, limit: int = CHUNK_BYTES
) -> tuple[int, ...]:
    """Return the chunk of a stored array: all of it up to ``limit`` bytes, else split.

    Dimensions are halved in the order of ``SPLIT_ORDER``, seeds before samples before time, so
    that a chunk holds whole states.
    """
    sizes = [max(1, size) for size in shape]
    order = [
        *(dim for dim in SPLIT_ORDER if dim in dims),
        *(d for d in dims if d not in SPLIT_ORDER),
    ]
    for axis in (list(dims).index(dim) for dim in order):
        while math.prod(sizes) * itemsize > limit and sizes[axis] > 1:
            sizes[axis] = -(-sizes[axis] // 2)
    return tuple(sizes)


# --- validation ------------------------------------------------------------------------------
