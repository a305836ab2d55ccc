"""Profiles and means of methods over many problems, as they are drawn."""

import numpy as np
import pytest
import xarray as xr

import apexr
from apexr.analysis import interquartile_mean, performance_profile
from apexr.errors import SpecError

NETS = ("Conv", "FNO")


def study():
    """Return two networks on two equations; one run of the second network diverged."""
    rng = np.random.default_rng(0)
    rows = [(net, name) for net in NETS for name in ("a", "b")]
    errors = np.exp(rng.normal(0, 0.2, (4, 5, 2))) * np.array([1, 1, 2, 2])[:, None, None]
    errors[3, 1] = np.nan
    text = np.array
    return xr.Dataset(
        {"mean_nRMSE": (("experiment", "seed", "time"), errors, {"config": "mean_nRMSE"})},
        {
            "experiment": text(list("wxyz"), dtype=object),
            "seed": np.arange(5),
            "time": [1, 2],
            "net": ("experiment", text([net for net, _ in rows], dtype=object)),
            "scenario": ("experiment", text([name for _, name in rows], dtype=object)),
        },
    )


def test_profiles_are_those_of_the_analysis():
    drawn = apexr.plot.performance_profile(study(), "Conv")
    told = performance_profile(study(), baseline="Conv")
    curves = [e for e in drawn if type(e).__name__ == "Curve"]
    assert [curve.label for curve in curves] == ["Conv (10 runs)", "FNO (10 runs, 1 diverged)"]
    for curve, net in zip(curves, NETS, strict=True):
        np.testing.assert_array_equal(curve.dimension_values(1), told.share.sel(net=net))
    with pytest.raises(SpecError, match="Conv"):
        apexr.plot.performance_profile(study(), "Con")


def test_means_are_those_of_the_analysis():
    drawn = apexr.plot.interquartile_mean(study(), "Conv")
    told = interquartile_mean(study(), baseline="Conv").sortby("ratio", ascending=False)
    (dots,) = (e for e in drawn if type(e).__name__ == "Scatter")
    np.testing.assert_array_equal(dots.dimension_values(0), told.ratio)
