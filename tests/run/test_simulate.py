"""`apexr.simulate`: every kind of solver and of initial states, labels, blocks, stores."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import apexr
from _tiny import python
from apexr import store as stores
from apexr._simulate._cut import COPIES, Size, cut_for_memory, cut_for_store
from apexr.errors import StoreError
from apexr.spectral import Grid
from apexr.steppers import Convection, ETDRKStepper, Linear, RepeatedStepper, simulate

LINEAR, BURGERS = Linear((0.0, -0.3, 1e-3)), Convection((0.0, 0.0, 1e-2), 0.1)


def stepper(equation=BURGERS, dims=1, points=16, **keywords):
    return ETDRKStepper(equation, Grid(dims, points, 2.0), 0.01, **keywords)


def states(solver, count, seed=0):
    shape = (count, solver.num_channels, *solver.grid.shape)
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_a_stepper_gives_labeled_trajectories():
    solver = stepper(order=3)
    batch = states(solver, 3)
    u = apexr.simulate(solver, batch, 4)
    assert u.dims == ("sample", "time", "channel", "x")
    np.testing.assert_allclose(u, simulate(solver, batch, 4), atol=1e-6)
    np.testing.assert_array_equal(u[:, 0], batch)
    np.testing.assert_array_equal(u["time"], [0, 1, 2, 3, 4])
    np.testing.assert_allclose(u["time_value"], 0.01 * u["time"])
    np.testing.assert_allclose(u["x"], np.arange(16) / 8)
    assert u["x"].attrs["extent"] == 2.0
    assert u.attrs["equation"] == repr(BURGERS)
    assert (u.attrs["dt"], u.attrs["order"]) == (0.01, 3)
    assert u.attrs["etdrk_coefficients"] == "exact"
    assert "jax_version" in u.attrs
    assert (u["diverged_at"] == -1).all()


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("equation", [LINEAR, BURGERS], ids=["linear", "nonlinear"])
def test_steps_between_frames_warm_up_and_start(equation, dims):
    solver = stepper(equation, dims, 5 if dims == 3 else 7)  # odd sizes will do
    batch = states(solver, 2)
    whole = apexr.simulate(solver, batch, 7)
    sparse = apexr.simulate(solver, batch, 7, save_every=3)
    assert sparse["time"].values.tolist() == [0, 3, 6]
    np.testing.assert_allclose(sparse, whole.isel(time=[0, 3, 6]), atol=1e-5)
    late = apexr.simulate(solver, batch, 5, num_warmup_steps=2, include_init=False, save_every=2)
    assert late["time"].values.tolist() == [2, 4]
    np.testing.assert_allclose(late, whole.isel(time=[4, 6]), atol=1e-5)


def test_one_state_gives_one_sample():
    solver = stepper()
    batch = states(solver, 2)
    one = apexr.simulate(solver, batch[1], 3)
    assert one.sizes == {"sample": 1, "time": 4, "channel": 1, "x": 16}
    np.testing.assert_allclose(one[0], apexr.simulate(solver, batch, 3)[1], atol=1e-6)


def test_no_step_at_all():
    solver = stepper()
    batch = states(solver, 2)
    np.testing.assert_array_equal(apexr.simulate(solver, batch, 0)[:, 0], batch)
    assert apexr.simulate(solver, batch, 0, include_init=False).sizes["time"] == 0


def test_integer_states_and_jax_arrays():
    solver = stepper()
    whole = np.arange(16)[None, None]
    u = apexr.simulate(solver, whole, 2)
    assert u.dtype == np.float32
    np.testing.assert_array_equal(u, apexr.simulate(solver, jnp.asarray(whole, float), 2))


def test_double_precision():
    with jax.enable_x64(True):
        u = apexr.simulate(stepper(), "fourier;2;true;true", 3)
    assert u.dtype == np.float64
    assert u.attrs["precision"] == "float64"


def test_states_by_a_config_string():
    solver = stepper(dims=2, points=8)
    u = apexr.simulate(solver, "fourier;2;true;true", 2, num_samples=3, seed=5)
    expected = apexr.initial.sample_set(
        apexr.initial.INITIAL_CONDITIONS.parse("fourier;2;true;true"),
        Grid(2, 8),
        num_samples=3,
        num_channels=2,
        seed=5,
    )
    np.testing.assert_array_equal(u[:, 0], expected)
    assert u.attrs["initial_states"].startswith("fourier;2")
    assert u.attrs["seed"] == 5


def test_labeled_states_are_aligned_by_name():
    solver = stepper(dims=2, points=6)
    u = apexr.simulate(solver, states(solver, 3), 2, channel_names=("u", "v"))
    turned = u.isel(time=-1).transpose("y", "x", "channel", "sample").isel(sample=[2, 0])
    turned = turned.isel(channel=[1, 0])
    further = apexr.simulate(solver, turned, 1, channel_names=("u", "v"), include_init=False)
    assert further["sample"].values.tolist() == [2, 0]
    whole = apexr.simulate(solver, u[:, 0].values, 3)
    np.testing.assert_allclose(further[:, 0], whole.isel(time=3, sample=[2, 0]), atol=1e-5)
    assert further["channel"].values.tolist() == ["u", "v"]


def test_a_scenario_by_its_key():
    scenario = apexr.difficulty.KuramotoSivashinskyConservative(
        num_points=16, num_test_samples=2, test_temporal_horizon=3, num_warmup_steps=4
    )
    u = apexr.simulate(scenario)
    np.testing.assert_allclose(u, scenario.get_test_data(), atol=1e-4)
    assert u.attrs["scenario"] == scenario.get_scenario_name()
    assert u.attrs["num_warmup_steps"] == 4
    assert u.attrs["etdrk_coefficients"] == "real"
    keyed = apexr.simulate(
        "diff_ks_cons", None, 3, num_points=16, num_test_samples=2, num_warmup_steps=4
    )
    np.testing.assert_array_equal(keyed, u)
    given = apexr.simulate(scenario, u.isel(time=0), 3)  # given states are warmed up already
    np.testing.assert_allclose(given, u, atol=1e-4)


def test_any_function_of_one_state():
    def rotate(u):
        return jnp.stack([u[1], -u[0]])

    u = apexr.simulate(
        rotate, np.ones((3, 2, 4)), 5, grid=Grid(1, 4), dt=0.5, channel_names=("p", "q")
    )
    np.testing.assert_array_equal(u.isel(sample=0, x=0).sel(channel="p"), [1, 1, -1, -1, 1, 1])
    np.testing.assert_allclose(u["time_value"], np.arange(6) / 2)
    every = apexr.simulate(rotate, np.ones((3, 2, 4)), 5, grid=Grid(1, 4), save_every=2)
    np.testing.assert_array_equal(every, u.isel(time=[0, 2, 4]))
    assert "time_value" not in every.coords


# --- blocks and stores -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "solver",
    [
        stepper(points=33),
        stepper(LINEAR, points=33),
        stepper(dims=2, points=12),
        stepper(LINEAR, dims=2, points=12),
        RepeatedStepper(stepper(dims=3, points=6), 2),
    ],
    ids=lambda s: f"{type(s).__name__}-{s.grid.num_spatial_dims}",
)
def test_blocks_in_a_store_equal_the_result_in_memory(tmp_path, solver):
    batch = states(solver, 5)
    u = apexr.simulate(solver, batch, 25, num_warmup_steps=1)
    state = batch[0].nbytes
    lazy = apexr.simulate(
        solver,
        batch,
        25,
        num_warmup_steps=1,
        store=tmp_path / "u.zarr",
        memory_budget=150 * state,
        progress=False,
    )
    assert lazy.chunks is not None
    assert max(map(len, lazy.chunks)) > 1
    if jax.__version_info__ < (0, 12):
        np.testing.assert_array_equal(lazy, u)
    else:  # its compiler contracts products and sums otherwise in loops of another length
        rounding = 64 * np.finfo(np.float32).eps * float(abs(u).max())
        np.testing.assert_allclose(lazy, u, rtol=0, atol=rounding)
    assert set(lazy.coords) == set(u.coords)
    for name in u.coords:
        assert lazy[name].variable.identical(u[name].variable), name
    times = {"created"}
    assert {k: v for k, v in lazy.attrs.items() if k not in times} == {
        k: v for k, v in u.attrs.items() if k not in times
    }


def test_a_store_is_read_again_and_replaced_on_demand(tmp_path):
    solver, path = stepper(), tmp_path / "deep" / "u.zarr"
    first = apexr.simulate(solver, "fourier;2;true;true", 5, store=path).load()
    xr.testing.assert_identical(apexr.open_trajectories(path).load(), first)
    stores.verify(path)
    with pytest.raises(stores.ConflictError, match="overwrite=True"):
        apexr.simulate(solver, "fourier;2;true;true", 6, store=path)
    again = apexr.simulate(solver, "fourier;2;true;true", 6, store=path, overwrite=True)
    assert again.sizes["time"] == 7
    assert [p.name for p in path.parent.iterdir()] == ["u.zarr"]


def test_a_store_is_not_taken_for_an_experiment(tmp_path):
    path = tmp_path / "u.zarr"
    apexr.simulate(stepper(), "fourier;2;true;true", 2, store=path)
    with pytest.raises(StoreError, match="expected format 'apexr-experiment'"):
        apexr.open_experiment(path)
    with pytest.raises(StoreError, match="found trajectories"):
        stores.check_writable(path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="found a file"):
        apexr.simulate(stepper(), "fourier;2;true;true", 2, store=tmp_path / "file")


def test_a_damaged_store_is_noticed(tmp_path):
    path = tmp_path / "u.zarr"
    apexr.simulate(stepper(), "fourier;2;true;true", 2, store=path)
    next(path.glob("trajectories/c*")).unlink()
    with pytest.raises(StoreError, match="missing"):
        apexr.open_trajectories(path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")], ids=["stop", "disk"])
def test_what_is_interrupted_leaves_nothing(tmp_path, monkeypatch, error):
    written = []

    def fail(writer, samples, frames, values):
        written.append(frames)
        if len(written) == 2:
            raise error

    monkeypatch.setattr(stores.TrajectoryWriter, "write", fail)
    expected = StoreError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        apexr.simulate(
            stepper(points=64),
            "fourier;2;true;true",
            900,
            store=tmp_path / "u.zarr",
            memory_budget="120kB",
            progress=False,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_noticed_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000, "used": 0, "total": 0})
    )
    with pytest.raises(StoreError, match=r"take 1\.28 kB, but the disk has 1 kB left"):
        apexr.simulate(stepper(), "fourier;2;true;true", 19, store=tmp_path / "u.zarr")


@pytest.mark.parametrize("at_once", [None, 2])
@pytest.mark.parametrize("budget", [10**5, 10**6, 10**8, 10**10])
def test_a_cut_holds_all_and_fits(at_once, budget):
    for samples, frames in ((1, 1), (3, 1000), (100, 7), (1000, 301)):
        size = Size(samples, frames, (2, 16), 4, at_once)
        cut = cut_for_store(size, budget)
        assert sum(s.stop - s.start for s in cut.groups()) == samples
        assert cut.block % cut.chunks[1] == 0
        assert cut.group % cut.chunks[0] == 0
        assert size.work(cut.group) + COPIES * cut.group * size.state <= budget
        assert cut_for_memory(size, size.result + budget).group >= 1


def test_results_are_opened_without_jax(tmp_path):
    apexr.simulate(stepper(), "fourier;2;true;true", 2, store=tmp_path / "u.zarr")
    code = """
import sys, apexr
assert apexr.open_trajectories("u.zarr").sum().compute() is not None
print("jax" in sys.modules)
"""
    assert python(code, cwd=tmp_path).strip() == "False"
