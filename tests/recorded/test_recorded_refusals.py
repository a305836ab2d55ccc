"""Every bad input is refused before any work, with what to do."""

import json
import os

import h5py
import numpy as np
import pytest
import xarray as xr

import _recordings as files
import apexr
from apexr.errors import ApexrError, MissingExtraError, SpecError, StoreError

DIMS = ("sample", "time", "channel", "x")
TINY = {"batch_size": 4, "record_loss_every": 3, "optim_config": "adam;6;constant;1e-3"}


@pytest.fixture(autouse=True)
def no_work(monkeypatch):
    """Fail if anything is drawn, compiled or trained."""
    from apexr.experiment import _execute

    def never(*args, **kwargs):
        raise AssertionError("work was done")

    monkeypatch.setattr(_execute, "draw_emulators", never)
    monkeypatch.setattr(_execute, "prepare", never)
    monkeypatch.setattr(_execute, "train", never)


def array(*shape):
    return files.numbers(*(shape or (10, 6, 1, 16)))


def run(scenario, **options):
    given = {"net": "Conv;2;1;tanh", "train": "one", "progress": False, **options}
    return apexr.run(scenario, **given)


def recorded(values=None, **options):
    return apexr.Recorded(array() if values is None else values, dims=DIMS, **TINY, **options)


def test_fields_that_are_missing_or_misspelled(tmp_path):
    files.write_flow(tmp_path / "a.h5")
    with pytest.raises(SpecError, match="'densty'; did you mean 'density'"):
        apexr.Recorded(tmp_path / "a.h5", fields=["densty"])
    with pytest.raises(SpecError, match="constants: nothing is called 'nu'"):
        apexr.Recorded(tmp_path / "a.h5", constants=["nu"])
    with pytest.raises(SpecError, match="named twice"):
        apexr.Recorded(tmp_path / "a.h5", fields=["Vx", "Vx"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("memory", [None, "5kB"])
def test_numbers_that_are_not_finite_are_named_by_trajectory_and_time(bad, memory):
    values = array()
    values[7, 4, 0, 3] = bad
    with pytest.raises(SpecError, match=r"trajectory 7 of .*: not finite at time step 4"):
        run(recorded(values, data_memory=memory))


def test_numbers_that_float32_does_not_hold():
    values = array().astype("f8")
    values[2, 1] = 1e300
    with pytest.raises(SpecError, match=r"trajectory 2 .* in float32"):
        run(recorded(values))


def test_a_study_names_them_before_it_starts(tmp_path):
    values = array()
    values[0, 0] = np.nan
    np.save(tmp_path / "a.npy", values)
    config = {"scenario": "recorded", "source": str(tmp_path / "a.npy"), "dims": DIMS}
    with pytest.raises(SpecError, match="not finite"):
        apexr.run_study([{**config, **TINY, "net": "Conv;2;1;tanh"}], tmp_path / "s.zarr")
    assert not (tmp_path / "s.zarr").exists()


def test_different_grids_in_one_pattern(tmp_path):
    files.write_well(tmp_path / "a.hdf5")
    files.write_well(tmp_path / "b.hdf5", points=(16, 16))
    with pytest.raises(SpecError, match=r"a\.hdf5 and .*b\.hdf5 differ: grid \(16, 8\)"):
        apexr.Recorded(str(tmp_path / "*.hdf5"))


def test_different_time_steps_in_one_pattern(tmp_path):
    files.write_pdebench(tmp_path / "a.hdf5", dt=0.1)
    files.write_pdebench(tmp_path / "b.hdf5", dt=0.2)
    with pytest.raises(SpecError, match=r"dt 0\.1 and 0\.2"):
        apexr.Recorded(str(tmp_path / "*.hdf5"))


def test_windows_longer_than_trajectories():
    with pytest.raises(SpecError, match="window of 8 frames"):
        run(recorded(), train="sup;7")


def test_more_than_there_is():
    with pytest.raises(SpecError, match="num_train_samples must be at most 8"):
        recorded(num_train_samples=9)
    with pytest.raises(SpecError, match="test_temporal_horizon must be at most 2"):
        recorded(test_temporal_horizon=5, stride=2)


def test_fewer_times_than_frames(tmp_path):
    files.write_pdebench(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        count = file["tensor"].shape[1]
        del file["t-coordinate"]
        file["t-coordinate"] = 0.2 * np.arange(count - 2)
    with pytest.raises(SpecError, match=f"t-coordinate: {count - 2} times for {count} frames"):
        apexr.Recorded(tmp_path / "a.h5")


def test_a_time_step_that_varies(tmp_path):
    times = np.array([0, 1, 2, 3.5, 4, 5])
    data = xr.DataArray(array(), dims=DIMS, coords={"time": times})
    with pytest.raises(SpecError, match=r"steps must be equal.*from entry 2 to 3 is 1.5"):
        apexr.Recorded(data)
    files.write_arena(tmp_path / "a.h5", dt=np.linspace(0.1, 0.2, 6))
    with pytest.raises(SpecError, match="dt varies from"):
        apexr.Recorded(tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("dims", "said"),
    [
        ((), "which axis is which"),
        (("sample", "time", "x"), "has 4 axes .* names 3"),
        (("sample", "time", "chanel", "x"), "dims must be different names"),
        (("sample", "time", "x", "x"), "dims must be different names"),
        (("sample", "channel", "x", "y"), "need the dimensions time and x"),
        ({"a": "time"}, "named in order"),
    ],
)
def test_wrong_dims(dims, said):
    with pytest.raises(SpecError, match=said):
        apexr.Recorded(array(), dims=dims)


def test_damaged_hdf5(tmp_path):
    files.write_pdebench(tmp_path / "a.h5")
    data = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "short.h5").write_bytes(data[: len(data) // 2])
    (tmp_path / "zeros.h5").write_bytes(bytes(2048))
    (tmp_path / "empty.h5").write_bytes(b"")
    for name in ("short", "zeros", "empty"):
        with pytest.raises(StoreError, match=f"{name}.h5: damaged"):
            apexr.Recorded(tmp_path / f"{name}.h5")


def test_random_damage_ends_in_an_error_of_apexr_or_in_other_numbers(tmp_path):
    files.write_well(tmp_path / "a.hdf5", samples=3)
    data = bytearray((tmp_path / "a.hdf5").read_bytes())
    rng = np.random.default_rng(0)
    for round_ in range(40):
        broken = data.copy()
        for place in rng.integers(0, 6000, 12):
            broken[place] = rng.integers(256)
        path = tmp_path / f"{round_}.hdf5"
        path.write_bytes(broken)
        try:
            apexr.Recorded(path).recorded_data("train")[:]
        except ApexrError:
            continue


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_arrays_of_objects_are_not_opened(tmp_path, name):
    values = np.array([[{}], [1]], dtype=object)
    save = np.save if name.endswith("npy") else np.savez
    save(tmp_path / name, values)
    with pytest.raises(SpecError, match=r"objects|real numbers"):
        apexr.Recorded(tmp_path / name, dims=("sample", "time"))
    with pytest.raises(SpecError, match="reads as object"):
        apexr.Recorded(values, dims=("sample", "time"))


def test_a_file_of_numpy_that_is_cut(tmp_path):
    np.save(tmp_path / "a.npy", array())
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(data[:-8])
    with pytest.raises(StoreError, match="damaged"):
        apexr.Recorded(tmp_path / "a.npy", dims=DIMS)


def test_a_url_without_its_extra(monkeypatch):
    import fsspec

    def fails(*args, **kwargs):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", fails)
    with pytest.raises(MissingExtraError, match=r"apexr\[cloud\]"):
        apexr.Recorded("s3://bucket/a.hdf5")


def test_a_file_that_changes_while_it_is_used(tmp_path):
    np.save(tmp_path / "a.npy", array())
    scenario = apexr.Recorded(tmp_path / "a.npy", dims=DIMS, **TINY)
    np.save(tmp_path / "a.npy", 2 * array())
    os.utime(tmp_path / "a.npy", (1, 1))
    with pytest.raises(SpecError, match="has changed since it was opened"):
        run(scenario)


@pytest.mark.parametrize("train", ["div;2", "chain;2;1", "residuum;1", "loss;MAE;residuum;1"])
def test_objectives_that_step_a_solver(train):
    with pytest.raises(SpecError, match="without the solver that made them"):
        run(recorded(), train=train)


def test_tasks_that_correct_a_solver():
    with pytest.raises(SpecError, match="none can be corrected; take the task 'predict'"):
        run(recorded(), task="correct;parallel")


@pytest.mark.parametrize(
    "ask",
    [
        lambda scenario: scenario.get_ref_stepper(),
        lambda scenario: scenario.get_coarse_stepper(),
        lambda scenario: scenario.get_train_data_coarse(),
        lambda scenario: scenario.get_ic_generator(),
        lambda scenario: scenario.reference_error(),
        apexr.simulate,
        lambda scenario: apexr.solver_ladder(scenario, points=(8, 16)),
    ],
)
def test_what_needs_the_solver_says_that_there_is_none(ask):
    with pytest.raises(SpecError, match="recorded trajectories"):
        ask(recorded())


def test_boundaries_need_a_network_that_has_them(tmp_path):
    files.write_well(tmp_path / "a.hdf5", boundary="WALL")
    scenario = apexr.Recorded(tmp_path / "a.hdf5", **TINY)
    for net in ("Conv;2;1;tanh", "FNO;2;2;1;gelu", "UNet;4;1;relu", "Pure;3"):
        with pytest.raises(SpecError, match=r"boundary 'wall'; networks without .*: AViT, MLP"):
            run(scenario, net=net)
    apexr.scenarios.plan(scenario, apexr.scenarios.Request(net="MLP;4;1;relu"))
    again = apexr.Recorded(tmp_path / "a.hdf5", boundary="periodic", **TINY)
    apexr.scenarios.plan(again, apexr.scenarios.Request(net="Conv;2;1;tanh"))


def test_boundaries_of_a_network_of_ones_own(tmp_path):
    from apexr.networks import MLP, NETWORKS, network

    @network("WallNet")
    class WallNet(MLP):
        """WallNet - as the perceptron, for walls."""

        boundaries = ("wall",)

    try:
        files.write_well(tmp_path / "a.hdf5", boundary="WALL")
        scenario = apexr.Recorded(tmp_path / "a.hdf5", **TINY)
        apexr.scenarios.plan(scenario, apexr.scenarios.Request(net="WallNet;4;1;relu"))
        with pytest.raises(SpecError, match="MLP, WallNet"):
            run(scenario)
    finally:
        NETWORKS.registry.unregister("WallNet")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"coarsen": 3}, "does not divide 16 points"),
        ({"coarsen": 0}, "coarsen must be"),
        ({"coarsen": (2, 2)}, "coarsen must be"),
        ({"crop": ((0, 17),)}, "crop must be"),
        ({"crop": ((3, 4),)}, "crop must be"),
        ({"crop": 5}, "crop must be"),
        ({"stride": 0}, "stride must be"),
        ({"stride": 99}, "there are no steps for training"),
        ({"boundary": "wal"}, "did you mean 'wall'"),
        ({"data_memory": "much"}, "data_memory must be"),
        ({"ic_config": "fourier;5"}, "ic_config of Recorded follows"),
        ({"sourse": 1}, "did you mean 'source'"),
    ],
)
def test_parameters_that_do_not_fit(options, said):
    with pytest.raises(SpecError, match=said):
        recorded(**options)


def test_a_source_that_is_none():
    for source, said in (
        (None, "source is missing"),
        (5, "source must be a path"),
        ("nowhere/a.hdf5", "no data are there"),
        ({}, "no array"),
        ("http:/one.slash", "no data are there"),
    ):
        with pytest.raises(SpecError, match=said):
            apexr.Recorded(source)
    with pytest.raises(SpecError, match="source is missing"):
        run("recorded")


def test_a_budget_that_holds_not_one_update():
    with pytest.raises(SpecError, match="data_memory 500 bytes is too small"):
        run(recorded(data_memory=500))


# --- files of strangers ------------------------------------------------------------------------


def test_links_out_of_an_hdf5_file_are_not_followed(tmp_path):
    files.write_pdebench(tmp_path / "secret.h5")
    for kind in ("external", "storage", "virtual"):
        path = tmp_path / f"{kind}.h5"
        files.write_pdebench(path)
        with h5py.File(path, "a") as file:
            del file["tensor"]
            if kind == "external":
                file["tensor"] = h5py.ExternalLink(tmp_path / "secret.h5", "tensor")
            elif kind == "storage":
                outside = [(str(tmp_path / "secret.h5"), 0, h5py.h5f.UNLIMITED)]
                file.create_dataset("tensor", (10, 6, 16), "u1", external=outside)
            else:
                layout = h5py.VirtualLayout((12, 7, 16), "f4")
                layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", "tensor", (12, 7, 16))
                file.create_virtual_dataset("tensor", layout)
        with pytest.raises(SpecError, match=r"link out of the file|lies in other files"):
            apexr.Recorded(path, layout="pdebench")
        netcdf = path.with_suffix(".nc")
        path.rename(netcdf)
        with pytest.raises(SpecError, match=r"link out of the file|lies in other files"):
            apexr.Recorded(netcdf)


def test_soft_links_within_a_file_are_followed_but_not_in_circles(tmp_path):
    values = files.write_pdebench(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.move("tensor", "held/here")
        file["tensor"] = h5py.SoftLink("/held/here")
    test = apexr.Recorded(tmp_path / "a.h5").get_test_data()
    np.testing.assert_array_equal(test.values[0, :, 0], values[0])
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["tensor"]
        file["tensor"] = h5py.SoftLink("/tensor")
    with pytest.raises(ApexrError):
        apexr.Recorded(tmp_path / "a.h5", layout="pdebench")


def test_a_configuration_is_data(tmp_path):
    files.write_groups(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["0000"].attrs["config"] = f"!!python/object/apply:os.mkdir ['{tmp_path}/harm']"
    assert apexr.Recorded(tmp_path / "a.h5").num_channels == 2
    assert not (tmp_path / "harm").exists()


def test_codecs_that_run_programs_are_refused(tmp_path):
    import zarr

    store = tmp_path / "a.zarr"
    zarr.create_array(store, shape=(9, 5, 16), dtype="f4", zarr_format=2, compressors=None)
    told = json.loads((store / ".zarray").read_text())
    told["filters"] = [{"id": "pickle", "protocol": 4}]
    (store / ".zarray").write_text(json.dumps(told))
    with pytest.raises(ApexrError, match=r"pickle|damaged"):
        apexr.Recorded(store, dims=("sample", "time", "x"))


def test_sizes_that_no_memory_holds(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("tensor", (10, 10, 10**10), "f4", chunks=(1, 1, 1024))
        file["x-coordinate"] = np.arange(4.0)
        file["t-coordinate"] = np.arange(11.0)
    with pytest.raises(SpecError, match=r"one frame of .* refused"):
        apexr.scenarios.inspect(tmp_path / "a.h5")


def test_things_that_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.h5")
    for path in (tmp_path / "pipe.h5", "/dev/zero"):
        with pytest.raises(SpecError, match="is no file"):
            apexr.Recorded(path)


@pytest.mark.parametrize(
    "ask",
    [
        lambda store, scenario: apexr.decompose(store, scenario=scenario),
        lambda store, scenario: apexr.climate(store, steps=4, scenario=scenario),
    ],
    ids=["decompose", "climate"],
)
def test_results_without_a_solver_are_not_compared_with_one(tmp_path, monkeypatch, ask):
    monkeypatch.undo()
    run(recorded(), net="Pure;3", store=tmp_path / "one.zarr")
    with pytest.raises(SpecError, match="without the solver that made them"):
        ask(tmp_path / "one.zarr", recorded())
    with pytest.raises(SpecError, match=r"give the scenario itself, as apexr.Recorded"):
        apexr.decompose(tmp_path / "one.zarr")
