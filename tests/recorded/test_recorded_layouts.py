"""Every layout is read as it was written: numbers, names, grid, time step, constants, parts."""

import numpy as np
import pytest
import xarray as xr

import _recordings as files
import apexr
from apexr.errors import SpecError, StoreError
from apexr.scenarios.recorded import LAYOUTS, Recording, inspect


def frames(scenario, part="train"):
    """Return what is used, in the order of the files."""
    split = scenario._split
    chosen = getattr(split, part)
    values = getattr(scenario, f"get_{part}_data")().values
    return values[np.argsort(chosen)], np.sort(chosen)


def check(scenario, values):
    """Compare both parts of a drawn split with what was written."""
    for part in ("train", "test"):
        held, chosen = frames(scenario, part)
        np.testing.assert_array_equal(held, values[chosen].astype("f4"))
    train, test = scenario._split.train, scenario._split.test
    assert not set(train) & set(test)


def test_the_well(tmp_path):
    path = tmp_path / "a.hdf5"
    values = files.write_well(path)
    scenario = apexr.Recorded(str(path), constants="all")
    names = ["tracer", "velocity_x", "velocity_y"]
    names += ["strain_xx", "strain_xy", "strain_yx", "strain_yy"]
    assert scenario.get_train_data().channel.values.tolist() == names
    strain = values["strain"].reshape(*values["strain"].shape[:-2], 4)
    stacked = np.concatenate([values["tracer"][..., None], values["velocity"], strain], axis=-1)
    check(scenario, np.moveaxis(stacked, -1, 2))
    assert scenario.grid.shape == (16, 8)
    np.testing.assert_allclose(scenario.grid.extents, (1, 2), rtol=1e-6)
    assert scenario.dt == 0.1
    assert scenario.axes.boundaries == ("periodic", "periodic")
    assert scenario.get_scenario_name() == "2d_dummy_dataset"
    with_constants = scenario.recorded_data("train")[:]
    assert scenario.num_constants == 3  # mask, a, each
    train = list(scenario._split.train)
    mask = values["mask"][train][:, None]
    np.testing.assert_array_equal(
        with_constants[:, :, 7], np.broadcast_to(mask, with_constants[:, :, 7].shape)
    )
    assert np.unique(with_constants[:, :, 8]) == 0.25
    np.testing.assert_array_equal(with_constants[:, 0, 9, 0, 0], np.array(train) * 0.5)


def test_a_folder_of_the_well_is_split_as_its_folders_say(tmp_path):
    for seed, part in enumerate(("train", "valid", "test")):
        folder = tmp_path / "dummy" / "data" / part
        folder.mkdir(parents=True)
        files.write_well(folder / "a.hdf5", samples=4 - seed, seed=seed)
    scenario = apexr.Recorded(tmp_path / "dummy", fields=["tracer"])
    assert scenario.numerics_attributes["split"] == "file"
    sizes = [scenario.num_train_samples, scenario.num_test_samples]
    assert [*sizes, len(scenario.get_valid_data())] == [4, 2, 3]
    expected = files.numbers(2, 7, 16, 8, seed=2)[:, :, None]
    np.testing.assert_array_equal(scenario.get_test_data().values, expected)


def test_pdebench(tmp_path):
    path = tmp_path / "1D_Burgers_Sols_Nu0.01.hdf5"
    values = files.write_pdebench(path)
    scenario = apexr.Recorded(path)
    check(scenario, values[:, :, None])
    assert scenario._split.test == (0,)  # the first tenth of a single file
    assert (scenario.dt, scenario.grid.extents) == (0.05, (1.0,))
    positions = scenario.get_test_data().x.values
    np.testing.assert_allclose(positions, (np.arange(16) + 0.5) / 16, rtol=1e-6)


def test_several_files_of_pdebench_are_split_in_the_end(tmp_path):
    for place in range(2):
        files.write_pdebench(tmp_path / f"{place}.hdf5", samples=10)
    scenario = apexr.Recorded(str(tmp_path / "*.hdf5"))
    assert scenario._split.test == (18, 19)
    assert scenario._split.train == tuple(range(18))


def test_pdebench_flow(tmp_path):
    path = tmp_path / "2D_CFD.hdf5"
    values = files.write_flow(path)
    scenario = apexr.Recorded(path, constants=["eta", "M"])
    check(scenario, values)
    assert scenario.axes.channel_names == ("density", "pressure", "Vx", "Vy")
    assert scenario.recorded_data("test")[:][0, 0, 4:, 0, 0].tolist() == [
        np.float32(1e-8),
        np.float32(0.1),
    ]


def test_pdebench_groups(tmp_path):
    path = tmp_path / "2D_diff-react_NA_NA.h5"
    values = files.write_groups(path)
    scenario = apexr.Recorded(path, constants=["k"], split="first;3")
    check(scenario, values)
    np.testing.assert_allclose(scenario.recorded_data("test")[:][:, 0, 2, 0, 0], [0, 0.001, 0.002])
    assert scenario.dt == pytest.approx(5 / 6, rel=1e-5)
    np.testing.assert_allclose(scenario.grid.extents, (2 * 16 / 15, 2 * 8 / 7), rtol=1e-5)


def test_pdebench_incompressible(tmp_path):
    path = tmp_path / "ns_incom.h5"
    values = files.write_incompressible(path)
    scenario = apexr.Recorded(path, constants=["force"])
    check(scenario, values)
    assert scenario.axes.channel_names == ("velocity_x", "velocity_y", "particles")
    assert scenario.num_constants == 2


def test_pdearena(tmp_path):
    path = tmp_path / "smoke.h5"
    values = files.write_arena(path)
    scenario = apexr.Recorded(path, constants="buo_y")
    for part in ("train", "test", "valid"):
        held = getattr(scenario, f"get_{part}_data")().values
        np.testing.assert_array_equal(held, values[part].astype("f4"))
    assert (scenario.dt, scenario.grid.extents) == (1.5, (4.0, 4.0))
    given = scenario.recorded_data("train")[:][:, 0, 3, 0, 0]
    np.testing.assert_allclose(given, np.linspace(0.2, 0.5, 6), rtol=1e-6)


def test_pdearena_1d(tmp_path):
    path = tmp_path / "KS.h5"
    values = files.write_arena_1d(path)
    scenario = apexr.Recorded(path)
    np.testing.assert_array_equal(scenario.get_train_data().values, values.astype("f4"))
    assert (scenario.dt, scenario.grid.extents) == (0.2, (8.0,))


def test_axes_of_an_array_in_any_order():
    values = files.numbers(9, 5, 2, 16)
    wanted = apexr.Recorded(values, dims=("sample", "time", "channel", "x"))
    moved = np.ascontiguousarray(np.transpose(values, (3, 1, 0, 2)))
    other = apexr.Recorded(moved, dims=("x", "time", "sample", "channel"))
    np.testing.assert_array_equal(other.get_test_data(), wanted.get_test_data())
    assert other._known.digest == wanted._known.digest


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_files_of_numpy(tmp_path, suffix, order):
    values = np.asarray(files.numbers(9, 5, 16), order=order)
    path = tmp_path / f"a{suffix}"
    np.save(path, values) if suffix == ".npy" else np.savez(path, u=values, x=np.arange(16) * 0.5)
    scenario = apexr.Recorded(path, dims=("sample", "time", "x"))
    check(scenario, values[:, :, None])
    assert scenario.grid.extents == ((1.0,) if suffix == ".npy" else (8.0,))


def labeled(order=("x", "trajectory", "y", "time")):
    sizes = {"trajectory": 10, "time": 5, "x": 16, "y": 8}
    values = files.numbers(*(sizes[name] for name in order))
    coords = {"time": np.arange(5) * 0.25, "x": np.arange(16) * 0.1, "y": np.arange(8) * 1.0}
    return xr.Dataset(
        {
            "h": (order, values),
            "depth": (("x", "y"), files.numbers(16, 8)),
            "nu": (("trajectory",), np.arange(10.0)),
        },
        coords,
    )


@pytest.mark.parametrize("kind", ["memory", "netcdf", "netcdf3", "zarr", "dask"])
def test_labeled_data_with_dimensions_in_any_order(tmp_path, kind):
    ds = labeled()
    source = ds.chunk({"trajectory": 3}) if kind == "dask" else ds
    if kind == "zarr":
        source = tmp_path / "a.zarr"
        ds.to_zarr(source, consolidated=False)
    elif kind.startswith("netcdf"):
        source = tmp_path / "a.nc"
        ds.to_netcdf(source, engine="scipy" if kind == "netcdf3" else "h5netcdf")
    scenario = apexr.Recorded(source, constants=("depth", "nu"))
    check(scenario, ds.h.transpose("trajectory", "time", "x", "y").values[:, :, None])
    assert (scenario.dt, scenario.grid.extents) == (0.25, (1.6, 8.0))
    held = scenario.recorded_data("train")[:]
    np.testing.assert_array_equal(held[0, 0, 1], ds.depth.values)
    np.testing.assert_array_equal(held[:, 2, 2, 3, 1], scenario._split.train)


def test_names_of_dimensions_are_asked_for_where_they_say_nothing():
    ds = labeled().rename(trajectory="which", x="lon")
    with pytest.raises(SpecError, match="what is the dimension 'lon'"):
        apexr.Recorded(ds, dims={"which": "sample"})
    scenario = apexr.Recorded(ds, dims={"which": "sample", "lon": "x"})
    assert scenario.grid.shape == (16, 8)


def test_a_single_zarr_array(tmp_path):
    import zarr

    values = files.numbers(9, 5, 16)
    zarr.create_array(tmp_path / "a.zarr", data=values, chunks=(2, 5, 16))
    scenario = apexr.Recorded(tmp_path / "a.zarr", dims=("sample", "time", "x"))
    check(scenario, values[:, :, None])


def test_a_file_behind_a_url(tmp_path):
    import fsspec

    path = tmp_path / "a.hdf5"
    values = files.write_pdebench(path)
    fsspec.filesystem("memory").pipe_file("/apexr-recorded/a.hdf5", path.read_bytes())
    check(apexr.Recorded("memory://apexr-recorded/a.hdf5"), values[:, :, None])


def test_a_reader_of_ones_own(tmp_path):
    values = files.numbers(9, 5, 16)
    (tmp_path / "run.bin").write_bytes(values.tobytes())

    @apexr.scenarios.layout("of_a_test")
    def read(path):
        held = np.fromfile(path, "f4").reshape(9, 5, 16)
        return xr.DataArray(held, dims=("sample", "time", "x"))

    try:
        check(apexr.Recorded(tmp_path / "run.bin", layout="of_a_test"), values[:, :, None])
    finally:
        LAYOUTS.unregister("of_a_test")


def test_stride_crop_and_coarsen_by_hand():
    values = files.numbers(9, 7, 2, 16, 12)
    dims = ("sample", "time", "channel", "x", "y")
    given = {"stride": 3, "crop": ((4, 16), (0, 12)), "coarsen": (3, 2)}
    scenario = apexr.Recorded(values, dims=dims, split="last;2", **given)
    cut = values[7:, ::3, :, 4:].astype("f8")
    means = cut.reshape(2, 3, 2, 4, 3, 6, 2).mean(axis=(4, 6))
    np.testing.assert_allclose(scenario.get_test_data(), means, rtol=1e-6)
    assert scenario.axes.boundaries == ("cut", "periodic")
    far = apexr.Recorded(values, dims=dims, split="last;2", stride=6)
    np.testing.assert_array_equal(far.get_test_data(), values[7:, ::6])


def test_fields_are_chosen_by_name_and_component(tmp_path):
    values = files.write_well(tmp_path / "a.hdf5")
    scenario = apexr.Recorded(tmp_path / "a.hdf5", fields="velocity_y,tracer", split="last;2")
    expected = np.stack([values["velocity"][10:, ..., 1], values["tracer"][10:]], axis=2)
    np.testing.assert_array_equal(scenario.get_test_data(), expected)


def test_inspecting_says_what_would_be_trained(tmp_path):
    files.write_well(tmp_path / "a.hdf5")
    told = inspect(tmp_path / "a.hdf5")
    for word in ("the_well", "12 trajectories of 7 frames", "velocity_x", "mask (constant)"):
        assert word in told
    assert "would be trained on" in told


def test_a_wave_has_its_energy_in_the_tail():
    x = np.arange(32) / 32
    values = np.cos(2 * np.pi * 15 * x)[None, None] * np.ones((4, 3, 1))
    told = inspect(values, dims=("sample", "time", "x"))
    row = next(line for line in told.splitlines() if line.startswith("u "))
    assert row.split()[-1] == "1.0e+00"


def test_files_that_fit_no_layout_or_several(tmp_path):
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["pressure"] = files.numbers(3, 4)
    with pytest.raises(SpecError, match="no known layout"):
        apexr.Recorded(tmp_path / "a.h5")
    files.write_pdebench(tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5", "a") as file:
        file["density"] = file["Vx"] = file["tensor"][...]
    with pytest.raises(SpecError, match=r"several layouts.*pdebench, pdebench_flow"):
        apexr.Recorded(tmp_path / "b.h5")
    assert apexr.Recorded(tmp_path / "b.h5", layout="pdebench").num_channels == 1
    with pytest.raises(SpecError, match="did you mean 'pdebench'"):
        apexr.Recorded(tmp_path / "b.h5", layout="pdebnch")


def test_a_recording_needs_fields_and_frames():
    with pytest.raises(SpecError, match="no field varies"):
        Recording("x", "here", 1, 2, (), ())
    with pytest.raises(StoreError, match="no HDF5"):
        apexr.Recorded(__file__)
