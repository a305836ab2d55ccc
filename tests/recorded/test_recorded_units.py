"""The units that files of others tell, from the file to the figure."""

import numpy as np
import pytest
import xarray as xr

import apexr
from _recordings import NET, SIZES, numbers
from apexr.errors import SpecError
from apexr.plots._fields import fields
from apexr.schema import validate


def ocean(units=True, samples=6):
    """Return two quantities on a plane of a kilometer, with the units of an oceanographer."""
    dims = ("sample", "time", "x", "y")
    told = {"temperature": "K", "salinity": "g/kg", "x": "m", "y": "m", "time": "s"}
    ds = xr.Dataset(
        {
            "temperature": (dims, numbers(samples, 6, 16, 8)),
            "salinity": (dims, 35 + 0.1 * numbers(samples, 6, 16, 8, seed=1)),
        },
        {"x": 62.5 * np.arange(16), "y": 125.0 * np.arange(8), "time": 0.5 * np.arange(6)},
    )
    for name, unit in told.items() if units else ():
        ds[name].attrs["units"] = unit
    return ds


def result(ds, **options):
    return apexr.run(apexr.Recorded(ds, **SIZES, **options), train="one", **NET)


def test_results_carry_the_units_of_axes_time_and_channels():
    ds = result(ocean())
    validate(ds)
    assert [ds[name].attrs["units"] for name in ("x", "y", "time_value")] == ["m", "m", "s"]
    assert ds["channel"].attrs["channel_units"] == '{"salinity": "g/kg", "temperature": "K"}'
    assert "units" not in ds["sample_rollout"].attrs  # there is no one for both
    for place, unit in enumerate(("K", "g/kg")):
        assert fields(ds, channel=place)[1].attrs["units"] == unit


def test_one_unit_of_all_channels_is_that_of_the_states():
    ds = result(ocean(), fields=["salinity"])
    assert ds["sample_rollout"].attrs["units"] == "g/kg"
    assert ds["initial_state"].attrs["units"] == "g/kg"


def test_a_unit_that_nobody_tells_is_claimed_by_nobody():
    ds = result(ocean(units=False))
    validate(ds)
    names = ("x", "time_value", "sample_rollout", "sample_reference", "initial_state")
    assert not any("units" in ds[name].attrs for name in names)
    assert "channel_units" not in ds["channel"].attrs


def test_units_are_no_part_of_the_identity(tmp_path):
    with_units, without = (
        apexr.Recorded(ocean(units), **SIZES).identifying_parameters for units in (True, False)
    )
    assert with_units == without


def test_units_come_back_from_a_store(tmp_path):
    path = tmp_path / "ocean.zarr"
    result(ocean()).pipe(lambda ds: apexr.store.publish_experiment(ds, {}, path))
    ds = apexr.open_experiment(path)
    assert ds["x"].attrs["units"] == "m"
    assert fields(ds, channel="salinity")[0].attrs["units"] == "g/kg"


def test_dates_are_counted_in_seconds():
    ds = ocean()
    ds = ds.assign_coords(time=np.datetime64("2000-01-01", "ns") + np.arange(6) * 60 * 10**9)
    held = result(ds)
    assert held["time_value"].attrs["units"] == "s"
    assert held["time_value"].values[0] == pytest.approx(60.0)


@pytest.mark.parametrize("names", [["u", "u"], ["", "u"]])
def test_channels_without_names_of_their_own_are_refused(names):
    dims = ("sample", "time", "channel", "x")
    array = xr.DataArray(numbers(6, 6, 2, 16), dims=dims, coords={"channel": names}, name="w")
    with pytest.raises(SpecError, match="channels must have different names"):
        apexr.Recorded(array, **SIZES)


@pytest.mark.parametrize("name", ["t", "time"])
def test_arrays_of_a_file_tell_times_and_positions(tmp_path, name):
    arrays = {"u": numbers(6, 6, 16), name: 0.25 * np.arange(6), "x": 0.5 * np.arange(16)}
    np.savez(tmp_path / "runs.npz", **arrays)
    data = apexr.Recorded(tmp_path / "runs.npz", dims=("sample", "time", "x"), **SIZES)
    assert data.dt == pytest.approx(0.25)
    assert data.domain_extent == pytest.approx(8.0)
