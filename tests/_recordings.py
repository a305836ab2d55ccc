"""Files in the layouts of others, written with h5py attribute for attribute."""

import zipfile

import h5py
import jax
import numpy as np

import apexr

SIZES = {"batch_size": 4, "record_loss_every": 3, "optim_config": "adam;7;constant;1e-3"}
NET = {"net": "Conv;2;1;tanh", "progress": False}
N, T, X, Y = 12, 7, 16, 8


def numbers(*shape, seed=0, dtype="f4"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def write_well(path, *, boundary="PERIODIC", samples=N, seed=0, points=(X, Y)):
    """Write a file as The Well's own writer of dummy files does, with more trajectories."""
    x, y = points
    values = {
        "tracer": numbers(samples, T, x, y, seed=seed),
        "velocity": numbers(samples, T, x, y, 2, seed=seed + 1),
        "mask": numbers(samples, x, y, seed=seed + 2),
        "strain": numbers(samples, T, x, y, 2, 2, seed=seed + 3),
    }
    with h5py.File(path, "w") as file:
        file.attrs["a"] = 0.25
        file.attrs["b"] = 0.75
        file.attrs["dataset_name"] = "dummy_dataset"
        file.attrs["grid_type"] = "cartesian"
        file.attrs["n_spatial_dims"] = 2
        file.attrs["n_trajectories"] = samples
        file.attrs["simulation_parameters"] = ["a", "b"]
        group = file.create_group("boundary_conditions")
        for name, count in (("x", x), ("y", y)):
            own = group.create_group(f"{name}_boundary")
            own.attrs["associated_dims"] = name  # the writer of the original gives text, no list
            own.attrs["associated_fields"] = []
            own.attrs["bc_type"] = boundary
            own.attrs["sample_varying"] = False
            own.attrs["time_varying"] = False
            own.create_dataset("mask", data=np.zeros(count, bool))
        group = file.create_group("dimensions")
        group.attrs["spatial_dims"] = ["x", "y"]
        axes = {"time": np.arange(T) * 0.1, "x": np.arange(x) / x, "y": np.arange(y) * 2 / y}
        for name, axis in axes.items():
            group.create_dataset(name, data=axis.astype("f4"))
            group[name].attrs["sample_varying"] = False
        group = file.create_group("scalars")
        group.attrs["field_names"] = ["a", "each", "time_varying_scalar"]
        for name, value in (("a", np.array(0.25)), ("each", np.arange(samples) * 0.5)):
            group.create_dataset(name, data=value)
            group[name].attrs["time_varying"] = False
            group[name].attrs["sample_varying"] = name == "each"
        group.create_dataset("time_varying_scalar", data=numbers(T))
        group["time_varying_scalar"].attrs["time_varying"] = True
        group["time_varying_scalar"].attrs["sample_varying"] = False
        fields = (["tracer", "mask"], ["velocity"], ["strain"])
        for order, names in enumerate(fields):
            group = file.create_group(f"t{order}_fields")
            group.attrs["field_names"] = names
            for name in names:
                field = group.create_dataset(name, data=values[name])
                field.attrs["dim_varying"] = [True, True]
                field.attrs["sample_varying"] = True
                field.attrs["time_varying"] = name != "mask"
    return values


def write_pdebench(path, *, extra_time=True, dt=0.05, samples=N):
    values = numbers(samples, T, X)
    with h5py.File(path, "w") as file:
        file.attrs["nu"] = 0.01
        file["tensor"] = values
        file["x-coordinate"] = ((np.arange(X) + 0.5) / X).astype("f4")
        file["t-coordinate"] = (np.arange(T + extra_time) * dt).astype("f4")
    return values


def write_flow(path):
    names = ("density", "pressure", "Vx", "Vy")
    values = {name: numbers(N, T, X, Y, seed=place) for place, name in enumerate(names)}
    with h5py.File(path, "w") as file:
        file.attrs.update({"eta": 1e-8, "zeta": 1e-8, "M": 0.1})
        for name, array in values.items():
            file[name] = array
        for name, count in (("x", X), ("y", Y), ("z", 1)):
            file[f"{name}-coordinate"] = ((np.arange(count) + 0.5) / count).astype("f4")
        file["t-coordinate"] = (np.arange(T + 1) * 0.05).astype("f4")
    return np.stack([values[name] for name in names], axis=2)


def write_groups(path, *, channels=2):
    values = numbers(N, T, X, Y, channels)
    with h5py.File(path, "w") as file:
        for place, one in enumerate(values):
            group = file.create_group(f"{place:04d}")
            group.attrs["config"] = (
                f"sim:\n  Du: 0.001\n  k: {place / 1000}\n  name: x\nxdim: {X}\n"
            )
            group["data"] = one
            group["grid/x"] = np.linspace(-1, 1, X, dtype="f4")
            group["grid/y"] = np.linspace(-1, 1, Y, dtype="f4")
            group["grid/t"] = np.linspace(0, 5, T, dtype="f4")
    return np.moveaxis(values, -1, 2)


def write_incompressible(path):
    velocity, particles = numbers(N, T, X, Y, 2), numbers(N, T, X, Y, 1, seed=1)
    with h5py.File(path, "w") as file:
        file["velocity"], file["particles"] = velocity, particles
        file["force"] = numbers(N, X, Y, 2, seed=2)
        file["t"] = np.tile((np.arange(T) * 0.005).astype("f4"), (N, 1))
    return np.moveaxis(np.concatenate([velocity, particles], axis=-1), -1, 2)


def write_arena(path, *, dt=None):
    values = {}
    with h5py.File(path, "w") as file:
        for part, samples in (("train", 6), ("valid", 2), ("test", 3)):
            group = file.create_group(part)
            arrays = [numbers(samples, T, X, Y, seed=s, dtype="f8") for s in range(3)]
            for name, array in zip(("u", "vx", "vy"), arrays, strict=True):
                group[name] = array
            group["t"] = np.tile(np.arange(T) * 1.5, (samples, 1))
            group["dt"] = np.full(samples, 1.5) if dt is None else dt[:samples]
            group["x"] = np.tile(np.arange(X) * 0.25, (samples, 1))
            group["dx"] = np.full(samples, 0.25)
            group["y"] = np.tile(np.arange(Y) * 0.5, (samples, 1))
            group["dy"] = np.full(samples, 0.5)
            group["buo_y"] = np.linspace(0.2, 0.5, samples)
            values[part] = np.stack(arrays, axis=2)
    return values


def write_arena_1d(path):
    values = numbers(4, T, X, dtype="f8")
    with h5py.File(path, "w") as file:
        for part in ("train", "test"):
            group = file.create_group(part)
            group[f"pde_{T}-{X}"] = values
            group["dt"], group["dx"] = np.full(4, 0.2), np.full(4, 0.5)
            group["v"] = np.arange(4.0)
    return values[:, :, None]


def weights(network):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(network) if hasattr(leaf, "shape")]


def trained(scenario, **options):
    given = {"task": "predict", "train": "one", "start_seed": 0, "num_seeds": 1}
    return apexr.run_experiment(scenario=scenario, **{**given, **NET, **options})


def assert_equal(first, second):
    """Compare losses, metrics, rollouts and weights bit for bit."""
    for name in ("train_loss", "nRMSE", "mean_nRMSE", "sample_rollout", "sample_reference"):
        np.testing.assert_array_equal(first[0][name].values, second[0][name].values, name)
    for mine, theirs in zip(weights(first[1]), weights(second[1]), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def write_dummy(path):
    """Write attribute for attribute what the_well 1.2.0 (utils/dummy_data.py) writes."""
    rng = np.random.default_rng(0)
    axes = {"time": np.linspace(0, 1, 10, dtype="f4")}
    axes |= {name: np.linspace(0, 1, 32, dtype="f4") for name in "xy"}
    with h5py.File(path, "w") as file:
        file.attrs.update({"a": 0.25, "b": 0.75, "dataset_name": "dummy_dataset"})
        file.attrs.update({"grid_type": "cartesian", "n_spatial_dims": 2, "n_trajectories": 2})
        file.attrs["simulation_parameters"] = ["a", "b"]
        for name in "xy":
            group = file.create_group(f"boundary_conditions/{name}_periodic")
            group.attrs.update({"associated_dims": name, "associated_fields": []})
            group.attrs.update({"bc_type": "PERIODIC"})
            group.attrs.update({"sample_varying": False, "time_varying": False})
            group.create_dataset("mask", data=np.zeros(32, bool))
        group = file.create_group("dimensions")
        group.attrs["spatial_dims"] = ["x", "y"]
        for name, axis in axes.items():
            group.create_dataset(name, data=axis).attrs["sample_varying"] = False
        group = file.create_group("scalars")
        group.attrs["field_names"] = ["a", "b", "time_varying_scalar"]
        scalars = {"a": np.array(0.25), "b": np.array(0.75), "time_varying_scalar": rng.random(10)}
        for name, value in scalars.items():
            own = group.create_dataset(name, data=value)
            own.attrs.update({"time_varying": value.ndim > 0, "sample_varying": False})
        fields = {
            "t0_fields/constant_field": rng.random((2, 32, 32)).astype("f4"),
            "t1_fields/field": rng.random((2, 10, 32, 32, 2)).astype("f4"),
        }
        for name, values in fields.items():
            own = file.create_dataset(name, data=values)
            own.attrs.update({"dim_varying": [True, True], "sample_varying": True})
            own.attrs["time_varying"] = "t1" in name
            own.parent.attrs["field_names"] = [name.partition("/")[2]]
        file.create_group("t2_fields").attrs["field_names"] = np.array([], "f8")


def write_sample(path):
    """Write trajectories column by column, as the archive of neuraloperator 0.3.0 holds them."""
    values = numbers(1200, 17, 16, dtype="f8")
    held = np.zeros(values.size)
    strides = tuple(8 * stride for stride in (1, 1200, 20400))
    np.lib.stride_tricks.as_strided(held, values.shape, strides)[:] = values
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("burgers_lowres/data/1", held.astype("<f8").tobytes())
    return values
