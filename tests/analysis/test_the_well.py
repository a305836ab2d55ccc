"""Trajectories in the layout of The Well, read back by its own rules."""

import json

import numpy as np
import pytest

import apexr
from apexr import labels
from apexr.errors import MissingVariableError, SpecError, StoreError
from apexr.exchange import _well
from apexr.labels import Axes
from apexr.testing import mock_experiment

h5py = pytest.importorskip("h5py")


def made(dims=1, channels=1, names=None, dt=0.5, samples=3, frames=4, points=6):
    values = np.random.default_rng(0).normal(size=(samples, frames, channels, *[points] * dims))
    axes = Axes(dims, points, 2.0, dt, names)
    attrs = {"scenario": "a name", "parameters": json.dumps({"num_points": points, "ic": "x"})}
    return labels.trajectories(values.astype(np.float32), axes, attrs=attrs)


def check_form(file):
    """Check what the specification asks of every file."""
    assert file.attrs["grid_type"] == "cartesian"
    space = [str(name) for name in file["dimensions"].attrs["spatial_dims"]]
    assert len(space) == file.attrs["n_spatial_dims"]
    grid = tuple(len(file["dimensions"][dim]) for dim in space)
    lead = (file.attrs["n_trajectories"], len(file["dimensions"]["time"]))
    assert set(file) == {
        "dimensions", "boundary_conditions", "scalars", "t0_fields", "t1_fields", "t2_fields",
    }  # fmt: skip
    for name in ("time", *space):
        assert file["dimensions"][name].dtype == np.float32
        assert not file["dimensions"][name].attrs["sample_varying"]
    for name in file.attrs["simulation_parameters"]:
        assert file.attrs[name] == pytest.approx(file["scalars"][name][()])
    assert list(file["scalars"].attrs["field_names"]) == list(file.attrs["simulation_parameters"])
    for order in range(3):
        group = file[f"t{order}_fields"]
        assert sorted(group.attrs["field_names"]) == sorted(group)
        for field in group.values():
            assert field.shape == (*lead, *grid, *[len(space)] * order)
            assert field.dtype == np.float32
            assert field.attrs["dim_varying"].tolist() == [True] * len(space)
            assert field.attrs["sample_varying"]
            assert field.attrs["time_varying"]
    for dim in space:
        boundary = file["boundary_conditions"][f"{dim}_periodic"]
        assert boundary.attrs["bc_type"] == "periodic"
        assert list(boundary.attrs["associated_dims"]) == [dim]
        assert boundary["mask"][()].nonzero()[0].tolist() == [0, len(boundary["mask"]) - 1]
    return space


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_scalar_fields(tmp_path, dims):
    states = made(dims)
    path = apexr.to_well(states, tmp_path / "a.hdf5")
    with h5py.File(path) as file:
        assert check_form(file) == ["x", "y", "z"][:dims]
        assert file.attrs["dataset_name"] == "a name"
        assert list(file.attrs["simulation_parameters"]) == ["num_points"]
        np.testing.assert_array_equal(file["dimensions/time"], [0, 0.5, 1, 1.5])
        np.testing.assert_array_equal(file["t0_fields/u"], states.values[:, :, 0])


@pytest.mark.parametrize(
    ("names", "expected"), [(("u", "v"), ["u", "v"]), (None, ["channel_0", "channel_1"])]
)
def test_channels_are_fields_by_their_names(tmp_path, names, expected):
    states = made(2, 2, names)
    with h5py.File(apexr.to_well(states, tmp_path / "a.h5")) as file:
        check_form(file)
        assert list(file["t0_fields"].attrs["field_names"]) == expected
        for place, name in enumerate(expected):
            np.testing.assert_array_equal(file["t0_fields"][name], states.values[:, :, place])


def test_velocities_are_one_field_of_vectors(tmp_path):
    states = made(2, 2, ("velocity_x", "velocity_y"))
    with h5py.File(apexr.to_well(states, tmp_path / "a.h5")) as file:
        check_form(file)
        field = file["t1_fields/velocity"][()]
        np.testing.assert_array_equal(field, np.moveaxis(states.values, 2, -1))


def test_lazy_trajectories_are_written_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr(_well, "BLOCK_VALUES", 1)
    states = made(2)
    with h5py.File(apexr.to_well(states.chunk(sample=1), tmp_path / "a.h5")) as file:
        np.testing.assert_array_equal(file["t0_fields/u"], states.values[:, :, 0])


@pytest.mark.quick
def test_a_result_gives_its_reference_and_its_predictions(tmp_path):
    ds = mock_experiment()
    with h5py.File(apexr.to_well(ds, tmp_path / "a.h5")) as file:
        check_form(file)
        field = next(iter(file["t0_fields"].values()))[()]
        np.testing.assert_array_equal(field[:, 0], ds["initial_state"][:, 0])
        np.testing.assert_array_equal(field[:, 1:], ds["sample_reference"][:, :, 0])
    with h5py.File(ds.apexr.to_well(tmp_path / "b.h5", "sample_rollout")) as file:
        check_form(file)
        field = next(iter(file["t0_fields"].values()))[()]
        seeds, samples = ds.sizes["seed"], ds.sizes["sample"]
        assert len(field) == seeds * samples
        last = field[-1]
        np.testing.assert_array_equal(last[0], ds["initial_state"][-1, 0])
        np.testing.assert_array_equal(last[1:], ds["sample_rollout"][-1, -1, :, 0])


def test_what_cannot_be_written(tmp_path):
    states, ds = made(), mock_experiment()
    with pytest.raises(SpecError, match=r"\.hdf5 or \.h5"):
        apexr.to_well(states, tmp_path / "a.nc")
    with pytest.raises(SpecError, match="dimensions"):
        apexr.to_well(ds["mean_nRMSE"], tmp_path / "a.h5")
    with pytest.raises(MissingVariableError, match="sample_reference"):
        apexr.to_well(ds.drop_vars("sample_rollout"), tmp_path / "a.h5", "sample_rollout")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        apexr.to_well(states, tmp_path / "file" / "a.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
