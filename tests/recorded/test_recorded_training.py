"""Training on recorded data: from every layout to a table and a picture; round trips."""

import importlib.util
import json
from pathlib import Path

import h5py
import jax
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import _recordings as files
import apexr
from _recordings import NET, SIZES, assert_equal, trained, weights
from apexr.errors import SpecError, StoreError
from apexr.scenarios import difficulty

DIMS = ("sample", "time", "channel", "x")


def every_file(folder):
    """Return a path and options for every layout."""
    files.write_well(folder / "well.hdf5")
    files.write_pdebench(folder / "burgers.hdf5")
    files.write_flow(folder / "cfd.hdf5")
    files.write_groups(folder / "groups.h5")
    files.write_arena(folder / "arena.h5")
    return ["well.hdf5", "burgers.hdf5", "cfd.hdf5", "groups.h5", "arena.h5"]


@pytest.mark.parametrize("place", range(5))
def test_from_a_file_to_a_table_and_a_picture(tmp_path, place):
    name = every_file(tmp_path)[place]
    result = apexr.run(apexr.Recorded(tmp_path / name, **SIZES), **NET)
    table = apexr.to_long(result, "mean_nRMSE")
    assert len(table) == result.sizes["time"]
    assert np.isfinite(table["mean_nRMSE"]).all()
    assert apexr.plot.metric(result) is not None
    assert result.attrs["source"].endswith(name)
    assert result.attrs["source_digest_of"] == "all bytes"
    assert {"split", "train_trajectories", "test_trajectories", "source_layout"} <= set(
        result.attrs
    )


def test_the_command_line_runs_and_draws(tmp_path):
    from typer.testing import CliRunner

    from apexr.cli import app

    files.write_pdebench(tmp_path / "burgers.hdf5")
    settings = [f"source={tmp_path / 'burgers.hdf5'}", *(f"{k}={v}" for k, v in SIZES.items())]
    options = [word for one in settings for word in ("--set", one)]
    command = ["run", "recorded", "--net", "Conv;2;1;tanh", *options, "--no-progress"]
    done = CliRunner().invoke(app, [*command, "--plot", str(tmp_path / "a.html")])
    assert done.exit_code == 0, done.output
    assert "1d_burgers" in done.output
    assert (tmp_path / "a.html").stat().st_size > 1000
    told = CliRunner().invoke(app, ["inspect", str(tmp_path / "burgers.hdf5")])
    assert "layout pdebench" in told.output


def test_a_study_of_two_networks_from_a_file(tmp_path):
    files.write_pdebench(tmp_path / "burgers.hdf5")
    study = tmp_path / "study.toml"
    study.write_text(
        f"""
        [common]
        scenario = "recorded"
        source = "{tmp_path / "burgers.hdf5"}"
        batch_size = 4
        record_loss_every = 3
        optim_config = "adam;7;constant;1e-3"
        [grid]
        net = ["Conv;2;1;tanh", "Pure;3"]
        """
    )
    held = apexr.run_study(study, tmp_path / "study.zarr", progress=False)
    assert sorted(held.net.values) == ["Conv;2;1;tanh", "Pure;3"]
    assert set(held.scenario.values) == {"1d_burgers"}
    alone = apexr.run(apexr.Recorded(tmp_path / "burgers.hdf5", **SIZES), **NET)
    row = held.isel(experiment=list(held.net.values).index("Conv;2;1;tanh"))
    np.testing.assert_array_equal(row.mean_nRMSE.values, alone.mean_nRMSE.values)
    ids = set(apexr.list_experiments(tmp_path / "study.zarr")["id"])
    apexr.run_study(study, tmp_path / "study.zarr", progress=False)
    assert set(apexr.list_experiments(tmp_path / "study.zarr")["id"]) == ids


def test_a_study_says_that_its_data_have_changed(tmp_path):
    path, store = tmp_path / "a.hdf5", tmp_path / "study.zarr"
    files.write_pdebench(path)

    def study(*nets, **options):
        configs = [
            {"scenario": "recorded", "source": str(path), "net": net, **files.SIZES} for net in nets
        ]
        return apexr.run_study(configs, store, progress=False, **options)

    study("Pure;3")
    study("Pure;3")
    files.write_pdebench(path, dt=0.1)
    with pytest.raises(StoreError, match=r"a\.hdf5 has changed since .* was run on it"):
        study("Pure;3")
    assert len(apexr.list_experiments(store)) == 1
    files.write_pdebench(path)
    study("Pure;3", "Pure;5")
    assert len(apexr.list_experiments(store)) == 2
    files.write_pdebench(path, samples=14)
    assert study("Pure;3", overwrite=True).sizes["experiment"] == 3


@pytest.fixture
def tool(monkeypatch):
    """The script that trains on the files of others' code, with few updates."""
    path = Path(__file__).resolve().parents[2] / "tools/foreign_data.py"
    spec = importlib.util.spec_from_file_location("foreign_data", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    few = "optim_config=adam;4;constant;1e-3"
    settings = {
        name: ["record_loss_every=2", *(few if "optim" in word else word for word in given)]
        for name, given in module.SETTINGS.items()
    }
    monkeypatch.setattr(module, "SETTINGS", settings)
    return module


@pytest.mark.parametrize("name", ["dummy.hdf5", "burgers.npy"])
def test_the_files_of_others_train_from_one_command_to_a_table_and_a_picture(tmp_path, tool, name):
    from typer.testing import CliRunner

    from apexr.cli import app

    if name == "dummy.hdf5":
        files.write_dummy(tmp_path / name)
    else:
        values = files.write_sample(tmp_path / "burgers_lowres.pt")
        np.testing.assert_array_equal(tool.read_sample(tmp_path / "burgers_lowres.pt"), values)
        np.save(tmp_path / name, values)
    for command in tool.commands(tmp_path / name):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    held = apexr.store.open_experiment((tmp_path / name).with_suffix(".zarr"))
    table = pd.read_csv((tmp_path / name).with_suffix(".csv"))
    assert len(table) == held.sizes["time"] == (9 if name == "dummy.hdf5" else 16)
    assert np.isfinite(table["mean_nRMSE"]).all()
    assert (tmp_path / name).with_suffix(".html").stat().st_size > 1000


# --- round trips -------------------------------------------------------------------------------

BENCHMARK = {
    "num_points": 24,
    "num_train_samples": 5,
    "train_temporal_horizon": 6,
    "num_test_samples": 3,
    "test_temporal_horizon": 9,
}


@pytest.mark.parametrize("suffix", [".zarr", ".nc"])
@pytest.mark.parametrize("train", ["one", "sup;3"])
def test_the_benchmarks_data_come_back_and_train_the_same(tmp_path, suffix, train):
    scenario = difficulty.Burgers(**BENCHMARK, **SIZES)
    path = tmp_path / f"data{suffix}"
    apexr.scraper.scrape_data_and_metadata(path, scenario=scenario)
    recorded = apexr.Recorded(path, **SIZES)
    assert recorded.numerics_attributes["split"] == "file"
    assert recorded.grid == scenario.grid
    for part in ("train", "test"):
        mine = getattr(recorded, f"get_{part}_data")().values
        np.testing.assert_array_equal(mine, getattr(scenario, f"get_{part}_data")().values)
    assert_equal(
        trained(scenario, train=train, num_seeds=2), trained(recorded, train=train, num_seeds=2)
    )


def test_files_of_the_well_written_by_apexr_come_back_and_train_the_same(tmp_path):
    made = apexr.physical.Burgers(**BENCHMARK, **SIZES)
    for part in ("train", "test"):
        folder = tmp_path / "data" / part
        folder.mkdir(parents=True)
        apexr.to_well(getattr(made, f"get_{part}_data")(), folder / "a.hdf5")
    recorded = apexr.Recorded(tmp_path, **SIZES)
    assert recorded.dt == made.dt
    assert recorded.grid == made.grid
    assert_equal(trained(made), trained(recorded))


@pytest.mark.parametrize("key", ["diff_adv", "diff_burgers", "phy_decay_turb"])
def test_writing_and_reading_are_inverse(tmp_path, key):
    dims = 1 if key == "diff_adv" else 2
    options = {**BENCHMARK, "num_points": 12, "num_spatial_dims": dims}
    data = apexr.scenarios.scenario_dict[key](**options).get_train_data()
    first, second = tmp_path / "a.hdf5", tmp_path / "b.hdf5"
    apexr.to_well(data, first)
    once = apexr.Recorded(first, split="last;1")
    every = np.concatenate([once.get_train_data(), once.get_test_data()])
    np.testing.assert_array_equal(every, data.values)
    again = xr.concat([once.get_train_data(), once.get_test_data()], "sample")
    apexr.to_well(again, second)
    twice = apexr.Recorded(second, split="last;1")
    np.testing.assert_array_equal(twice.get_test_data(), once.get_test_data())
    assert twice.grid == once.grid
    assert twice.dt == once.dt
    with h5py.File(first) as one, h5py.File(second) as other:
        for name in ("dimensions/time", *(f"dimensions/{axis}" for axis in "xy"[:dims])):
            np.testing.assert_array_equal(one[name][...], other[name][...])


def test_simulated_trajectories_come_back(tmp_path):
    sizes = {"num_points": 16, "num_samples": 4, "progress": False}
    made = apexr.simulate("diff_adv", num_steps=5, store=tmp_path / "a.zarr", **sizes)
    recorded = apexr.Recorded(tmp_path / "a.zarr", split="last;1")
    np.testing.assert_array_equal(recorded.get_train_data(), made.values[:3])


# --- identity ----------------------------------------------------------------------------------


def test_the_content_identifies_an_experiment_not_its_path(tmp_path):
    values = files.write_pdebench(tmp_path / "a.hdf5")
    (tmp_path / "b.hdf5").write_bytes((tmp_path / "a.hdf5").read_bytes())

    def id_of(source, **options):
        scenario = apexr.Recorded(source, **{**SIZES, **options})
        return apexr.scenarios.plan(scenario, apexr.scenarios.Request(net="Pure;3")).attrs[
            "experiment_id"
        ]

    first = id_of(tmp_path / "a.hdf5")
    assert first == id_of(tmp_path / "b.hdf5") == id_of(str(tmp_path / "a.hdf5"))
    assert first == id_of(tmp_path / "a.hdf5", data_memory="1GB", name="mine")
    assert first == id_of(tmp_path / "a.hdf5", num_train_samples=11, layout="pdebench")
    others = [{"stride": 2}, {"split": "last;1"}, {"coarsen": 2}, {"num_train_samples": 3}]
    assert len({first, *(id_of(tmp_path / "a.hdf5", **one) for one in others)}) == 5
    with h5py.File(tmp_path / "b.hdf5", "a") as file:
        file["tensor"][0, 0, 0] += 1
    assert id_of(tmp_path / "b.hdf5") != first
    two = [id_of(scale * values, dims=("sample", "time", "x")) for scale in (1, 1, 2)]
    assert two[0] == two[1] != two[2]


def test_a_file_that_changes_between_two_runs(tmp_path):
    files.write_pdebench(tmp_path / "a.hdf5")
    store = tmp_path / "store.zarr"
    first = apexr.run(apexr.Recorded(tmp_path / "a.hdf5", **SIZES), store=store, **NET)
    again = apexr.run(apexr.Recorded(tmp_path / "a.hdf5", **SIZES), store=store, **NET)
    np.testing.assert_array_equal(first.mean_nRMSE, again.mean_nRMSE)
    with h5py.File(tmp_path / "a.hdf5", "a") as file:
        file["tensor"][0, 0, 0] += 1
    with pytest.raises(StoreError, match=r"a\.hdf5 has changed since \(digest"):
        apexr.run(apexr.Recorded(tmp_path / "a.hdf5", **SIZES), store=store, **NET)


def test_networks_are_loaded_without_the_data(tmp_path):
    files.write_well(tmp_path / "a.hdf5")
    options = {"fields": ["tracer"], "constants": ["mask"], **SIZES}
    recorded = apexr.Recorded(tmp_path / "a.hdf5", **options)
    store = tmp_path / "store.zarr"
    result = apexr.run(recorded, store=store, num_seeds=2, **NET)
    expected = trained(recorded, num_seeds=2)[1]
    (tmp_path / "a.hdf5").unlink()
    networks = apexr.load_networks(store)
    for mine, theirs in zip(weights(networks), weights(expected), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    described = json.loads(result.attrs["specification"])["parameters"]
    again = apexr.Recorded(**described)
    assert again.get_parameter_count(NET["net"]) == int(result.num_parameters)
    with pytest.raises(SpecError, match="not at hand"):
        again.get_test_data()
    ids = [apexr.scenarios.plan(again, apexr.scenarios.Request(net=NET["net"], num_seeds=2)).attrs]
    assert ids[0]["experiment_id"] == result.attrs["experiment_id"]


@pytest.mark.parametrize(
    "source",
    [
        {"digest": 5},
        {
            "digest": "x",
            "digest_of": "",
            "layout": "",
            "points": [16, 16],
            "extents": [1.0],
            "origins": [0.0],
            "boundaries": ["periodic"],
            "dt": None,
            "fields": ["u"],
            "constants": [],
            "split": "file",
            "sizes": {"train": [1, 2], "test": [1, 2]},
        },
        {"digest": "x", "fields": "u" * 10_000},
    ],
)
def test_forged_descriptions_are_refused(source):
    with pytest.raises(SpecError, match="not a description"):
        apexr.Recorded(source)


# --- channels that are given -------------------------------------------------------------------


def test_constant_channels_are_seen_and_not_predicted():
    """A network with the right weights predicts u + c exactly from a constant channel c."""
    rng = np.random.default_rng(0)
    constant = rng.normal(size=(6, 16)).astype("f4")
    start = rng.normal(size=(6, 1, 16)).astype("f4")
    values = start + constant[:, None] * np.arange(5, dtype="f4")[:, None]
    ds = xr.Dataset(
        {"u": (("sample", "time", "x"), values), "c": (("sample", "x"), constant)},
    )
    scenario = apexr.Recorded(ds, constants=["c"], split="last;2", **SIZES)
    network = scenario.get_neural_stepper(network_config="Pure;1", key=jax.random.PRNGKey(0))
    kernel = np.array([[[1.0], [1.0]], [[7.0], [-3.0]]], "f4")
    exact = jax.tree.map(
        lambda leaf: jax.numpy.asarray(kernel.reshape(leaf.shape)) if leaf.size == 4 else leaf,
        network,
    )
    assert scenario.full_loss(exact) < 1e-10
    state = scenario.recorded_data("test")[:][0, 0]
    moved = np.asarray(exact(state))
    np.testing.assert_allclose(moved[0], state[0] + state[1], rtol=1e-6)
    np.testing.assert_array_equal(moved[1], state[1])
    result = apexr.run(scenario, **{**NET, "net": "Pure;1"})
    assert result.sizes["channel"] == 1
    assert result.channel.values.tolist() == ["u"]
    np.testing.assert_array_equal(result.sample_reference.values[0, :, 0], values[4, 1:])
    score = apexr.evaluate(scenario, values[4:, 1:, None])
    assert float(score.mean_nRMSE.max()) == 0


def test_rollouts_of_another_program_are_scored(tmp_path):
    values = files.numbers(10, 6, 1, 16)
    scenario = apexr.Recorded(values, dims=DIMS, split="last;3")
    score = apexr.evaluate(scenario, 0 * values[7:, 1:])
    np.testing.assert_allclose(score.mean_nRMSE, 1, rtol=1e-6)


def test_a_scenario_can_be_changed_and_compared():
    values = files.numbers(10, 6, 1, 16)
    first = apexr.Recorded(values, dims=DIMS, **SIZES)
    assert first == apexr.Recorded(values.copy(), dims=DIMS, **SIZES)
    assert first != apexr.Recorded(values, dims=DIMS, stride=2, **SIZES)
    assert hash(first) == hash(apexr.Recorded(values, dims=DIMS, **SIZES))
    result = apexr.run(first, stride=2, **NET)
    assert result.sizes["time"] == 2
    assert json.loads(result["scenario_kwargs"].item())["stride"] == 2
    assert len(result["scenario_kwargs"].item()) < 500
    assert "array of 10 x 6 frames" in repr(first)


def test_coordinates_of_results_are_those_of_the_file(tmp_path):
    coords = {"x": 3.0 + 0.5 * np.arange(16), "time": 0.25 * np.arange(6)}
    data = xr.DataArray(files.numbers(10, 6, 1, 16), dims=DIMS, coords=coords)
    result = apexr.run(apexr.Recorded(data, stride=2, **SIZES), **NET)
    np.testing.assert_allclose(result.x, coords["x"])
    np.testing.assert_allclose(result.time_value, [0.5, 1.0])
    assert result.x.attrs["boundary"] == "periodic"
    assert result.attrs["source_boundary"] == "periodic (assumed)"
