"""What `apexr.simulate` refuses before any work, and what it says of trajectories that diverge."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import apexr
from apexr._memory import available_memory, format_bytes, read_bytes
from apexr.errors import ApexrWarning, ShapeError, SpecError, UnknownNameError
from apexr.spectral import Grid
from apexr.steppers import Convection, ETDRKStepper, Linear

BURGERS = Convection((0.0, 0.0, 1e-2), 0.1)
ONE = ETDRKStepper(BURGERS, Grid(1, 16), 0.01)
TWO = ETDRKStepper(BURGERS, Grid(2, 8), 0.01)
GOOD = np.ones((3, 1, 16))


@pytest.mark.parametrize(
    ("stepper", "shape", "said"),
    [
        (ONE, (3, 1, 15), r"\(any, 1, 16\), or \(1, 16\) for a single one; got \(3, 1, 15\)"),
        (ONE, (3, 2, 16), r"got \(3, 2, 16\)"),
        (ONE, (16,), r"got \(16,\)"),
        (ONE, (0, 1, 16), r"got \(0, 1, 16\)"),
        (ONE, (1, 1, 1, 16), r"got \(1, 1, 1, 16\)"),
        (TWO, (3, 1, 8, 8), r"\(any, 2, 8, 8\)"),
        (TWO, (2, 8, 9), r"got \(2, 8, 9\)"),
    ],
)
def test_wrong_shapes(stepper, shape, said):
    with pytest.raises(ShapeError, match=said):
        apexr.simulate(stepper, np.ones(shape), 3)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_states_that_are_not_finite(value):
    states = np.ones((4, 2, 8, 8))
    states[2, 1, :3] = value
    states[3, 0, 0, 0] = value
    with pytest.raises(
        SpecError,
        match="NaN or infinite numbers in 2 of 4 samples, 25 in all; the first: 24 in sample 2,"
        " channel 1",
    ):
        apexr.simulate(TWO, states, 3)


def test_states_that_no_single_precision_holds():
    with pytest.raises(SpecError, match="too large for float32 in 3 of 3 samples"):
        apexr.simulate(ONE, GOOD * 1e300, 3)


@pytest.mark.parametrize("states", [GOOD * 1j, GOOD.astype(str), GOOD > 0, np.array(None)])
def test_states_that_are_not_real_numbers(states):
    with pytest.raises(SpecError, match="initial_states must be real numbers, got an array of"):
        apexr.simulate(ONE, states, 3)


@pytest.mark.parametrize("steps", [-1, 2.0, 2.5, True, "3", np.nan])
@pytest.mark.parametrize("name", ["num_steps", "num_warmup_steps", "save_every"])
def test_numbers_of_steps(name, steps):
    keywords = {"num_steps": 3, name: steps}
    with pytest.raises(SpecError, match=f"{name} must be an integer of at least"):
        apexr.simulate(ONE, GOOD, **keywords)


def test_frames_that_are_none():
    with pytest.raises(SpecError, match="save_every must be an integer of at least 1, got 0"):
        apexr.simulate(ONE, GOOD, 3, save_every=0)
    with pytest.raises(SpecError, match="include_init must be True or False"):
        apexr.simulate(ONE, GOOD, 3, include_init="no")


def test_what_is_missing():
    with pytest.raises(SpecError, match="initial_states are missing"):
        apexr.simulate(ONE, None, 3)
    with pytest.raises(SpecError, match="num_steps is missing"):
        apexr.simulate(ONE, GOOD)
    with pytest.raises(SpecError, match=r"the grid of .* is not known; give grid=Grid"):
        apexr.simulate(jnp.sin, GOOD, 3)
    with pytest.raises(SpecError, match=r"ETDRKStepper\(equation, grid, dt\)"):
        apexr.simulate(BURGERS, GOOD, 3)


@pytest.mark.parametrize("solver", [3, None, ETDRKStepper, {"a": 1}])
def test_what_is_no_solver(solver):
    with pytest.raises(SpecError, match="must be a stepper, a scenario or its key"):
        apexr.simulate(solver, GOOD, 3)


def test_unknown_names():
    with pytest.raises(UnknownNameError, match="did you mean 'diff_burgers'"):
        apexr.simulate("diff_burger", None, 3)
    with pytest.raises(SpecError, match=r"unknown scenario keyword 'num_point'.*'num_points'"):
        apexr.simulate("diff_burgers", None, 3, num_point=32)
    with pytest.raises(SpecError, match=r"unknown scenario keyword 'num_step'.*'num_steps'"):
        apexr.simulate("diff_burgers", num_step=32)
    with pytest.raises(SpecError, match="unknown keyword 'save_evry'; did you mean 'save_every'"):
        apexr.simulate(ONE, GOOD, 3, save_evry=2)
    with pytest.raises(UnknownNameError, match="did you mean 'fourier'"):
        apexr.simulate(ONE, "furier;5;true;true", 3)


def test_what_contradicts_the_solver():
    with pytest.raises(SpecError, match="the stepper has the grid"):
        apexr.simulate(ONE, GOOD, 3, grid=Grid(1, 32))
    with pytest.raises(SpecError, match=r"the stepper has the dt 0\.01, got 0\.1"):
        apexr.simulate(ONE, GOOD, 3, dt=0.1)
    with pytest.raises(SpecError, match="a scenario has its own grid"):
        apexr.simulate("diff_adv", None, 3, grid=Grid(1, 32))
    with pytest.raises(SpecError, match="channel_names must be 1 different names"):
        apexr.simulate(ONE, GOOD, 3, channel_names=("u", "v"))
    with pytest.raises(SpecError, match="num_samples goes with initial states that are drawn"):
        apexr.simulate(ONE, GOOD, 3, num_samples=2)


def test_functions_that_make_no_states():
    grid = Grid(1, 16)
    with pytest.raises(ShapeError, match=r"must take a state \(1, 16\) to such, got \(1, 8\)"):
        apexr.simulate(lambda u: u[:, ::2], GOOD, 3, grid=grid)
    with pytest.raises(ShapeError, match="to such, got tuple"):
        apexr.simulate(lambda u: (u, u), GOOD, 3, grid=grid)
    with pytest.raises(SpecError, match="cannot be traced by JAX"):
        apexr.simulate(np.asarray, GOOD, 3, grid=grid)


def test_labeled_states_of_another_grid():
    u = apexr.simulate(ONE, GOOD, 1).isel(time=0)
    for change, said in (
        (
            lambda a: a.assign_coords(x=2 * a["x"]),
            "x: the array of initial states lives on another",
        ),
        (lambda a: a.isel(x=slice(8)), "8 points from 0 to"),
        (lambda a: a.rename(x="y"), "no dimension 'x'"),
        (lambda a: a.drop_vars("x").isel(x=slice(8)), "x: expected 16 entries, got 8"),
        (lambda a: a.isel(channel=0), "no dimension 'channel'"),
        (lambda a: a.expand_dims("run"), r"has dimensions \['run'\]"),
        (lambda a: xr.concat([a, a], "channel"), r"got \(3, 2, 16\)"),
    ):
        with pytest.raises(ShapeError, match=said):
            apexr.simulate(ONE, change(u), 3)
    with pytest.raises(SpecError, match="got a Dataset; choose a variable"):
        apexr.simulate(ONE, u.to_dataset(name="u"), 3)
    with pytest.raises(ShapeError, match=r"channel: the array of initial states lacks \['v'\]"):
        apexr.simulate(
            TWO,
            xr.DataArray(np.ones((2, 8, 8)), {"channel": ["u", "w"]}, ("channel", "x", "y")),
            3,
            channel_names=("u", "v"),
        )


def test_traced_states():
    with pytest.raises(SpecError, match=r"use apexr\.steppers\.simulate or rollout"):
        jax.jit(lambda u: apexr.simulate(ONE, u, 3))(GOOD)


# --- budgets -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "size"),
    [("4GB", 4 * 10**9), ("1.5 GiB", 3 * 2**29), ("512mib", 2**29), ("20_000", 20_000), (7, 7)],
)
def test_budgets_as_text(given, size):
    assert read_bytes("memory_budget", given) == size


@pytest.mark.parametrize("given", ["four", "4 GX", "-4GB", "", 0, -1, True, np.nan, [4], "0GB"])
def test_budgets_that_cannot_be_meant(given):
    with pytest.raises(SpecError, match="memory_budget must be a number of bytes or text"):
        apexr.simulate(ONE, GOOD, 3, memory_budget=given)


def test_sizes_are_told():
    assert format_bytes(999) == "999 bytes"
    assert format_bytes(1.5e9) == "1.5 GB"
    assert available_memory() > 10**6


def test_a_result_above_the_budget_is_refused_before_it_is_made():
    with pytest.raises(
        SpecError, match=r"take 19\.2 GB.*memory_budget is 4 GB; write them to a store"
    ):
        apexr.simulate(ONE, GOOD, 10**8, memory_budget="4GB")
    with pytest.raises(SpecError, match=r"raise memory_budget to at least"):
        apexr.simulate(ONE, GOOD, 10**8, memory_budget=500, store="never.zarr")


# --- divergence --------------------------------------------------------------------------------


def explosive(points=16):
    """A reaction whose solution leaves all bounds in finite time where it starts large."""
    from apexr.steppers import Polynomial

    return ETDRKStepper(Polynomial((0.0,), (0.0, 0.0, 1.0)), Grid(1, points), 0.1, order=1)


@pytest.mark.parametrize("stored", [False, True], ids=["memory", "store"])
def test_trajectories_that_diverge(tmp_path, stored):
    states = np.array([0.1, 5.0, 2.0])[:, None, None] * np.ones((3, 1, 64))
    keywords = {"store": tmp_path / "u.zarr", "memory_budget": "100kB"} if stored else {}
    with pytest.warns(
        ApexrWarning, match=r"2 of 3 trajectories diverged, the first, sample 1, by step \d+ \(time"
    ) as warned:
        u = apexr.simulate(explosive(64), states, 60, progress=False, **keywords)
    assert "smaller time step" in str(warned[0].message)
    assert warned[0].filename == __file__
    at = u["diverged_at"].values
    assert at[0] == -1
    assert 0 < at[1] < at[2]
    assert f"step {at[1]} " in str(warned[0].message)
    finite = np.isfinite(u).all(["channel", "x"]).values
    assert finite[0].all()
    for sample in (1, 2):
        assert finite[sample, : at[sample]].all()
        assert not finite[sample, at[sample] :].any()


def test_what_diverges_as_a_whole_is_not_computed_further(tmp_path):
    states = 5 * np.ones((2, 1, 64))
    with pytest.warns(ApexrWarning, match="2 of 2"):
        u = apexr.simulate(
            explosive(64),
            states,
            10**5,
            store=tmp_path / "u.zarr",
            memory_budget="2MB",
            progress=False,
        )
    assert len(list((tmp_path / "u.zarr" / "trajectories").glob("c*"))) < 5
    assert np.isnan(u.isel(time=-1)).all()


def test_divergence_in_the_warm_up():
    with pytest.warns(ApexrWarning, match="in the warm-up"):
        u = apexr.simulate(explosive(), 5 * GOOD, 2, num_warmup_steps=50)
    assert (u["diverged_at"] == 0).all()


def test_an_unstable_step_of_a_stiff_term():
    fast = ETDRKStepper(BURGERS, Grid(1, 16), 5.0)
    states = np.random.default_rng(0).normal(size=(2, 1, 16)) * 30
    with pytest.warns(ApexrWarning, match="higher order, or more points"):
        apexr.simulate(fast, states, 50)


def test_linear_equations_that_grow():
    growing = ETDRKStepper(Linear((5.0,)), Grid(1, 16), 1.0)
    with pytest.warns(ApexrWarning, match=r"by step 18 \(time 18\)"):
        apexr.simulate(growing, GOOD, 30)
