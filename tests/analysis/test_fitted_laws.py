"""Power laws: known parameters are found, and their intervals cover them."""

import dask
import numpy as np
import pytest
import xarray as xr

import apexr
from apexr.analysis import scaling_fit
from apexr.errors import MissingVariableError, SpecError

SIZES = np.array([8, 16, 32, 64, 128, 256, 512])


def study(law, sizes=SIZES, seeds=5, spread=0.1, draw=0, net="Conv", lost=()):
    """Return a study of errors ``law(n)`` with lognormal spread; ``lost`` runs diverged."""
    rng = np.random.default_rng(draw)
    clean = np.array([law(size) for size in sizes], float)
    errors = clean[:, None] * np.exp(rng.normal(0, spread, (len(sizes), seeds)))
    for place, seed in lost:
        errors[place, seed] = np.nan
    text = np.array
    return xr.Dataset(
        {
            "mean_nRMSE": (
                ("experiment", "seed", "time"),
                errors[..., None] * np.ones(3),
                {"config": "mean_nRMSE"},
            ),
            "num_train_samples": ("experiment", np.asarray(sizes)),
        },
        {
            "experiment": text([f"{net}{n}" for n in range(len(sizes))], dtype=object),
            "seed": np.arange(seeds),
            "time": [1, 2, 3],
            "net": ("experiment", text([net] * len(sizes), dtype=object)),
            "scenario_kwargs": (
                "experiment",
                text([f'{{"num_train_samples": {n}, "subset_of": 512}}' for n in sizes], object),
            ),
        },
    )


def power(n):
    return 2.0 * n**-0.5


def floored(n):
    return 0.05 + 2.0 * n**-0.7


@pytest.mark.parametrize(("law", "form"), [(power, "power"), (floored, "power_floor")])
def test_exact_laws_are_found(law, form):
    fit = scaling_fit(study(law, spread=1e-6), form=form, num_resamples=20).isel(curve=0)
    np.testing.assert_allclose(fit.A, 2, rtol=1e-3)
    np.testing.assert_allclose(fit.alpha, 0.5 if law is power else 0.7, rtol=1e-3)
    if form == "power_floor":
        np.testing.assert_allclose(fit.E, 0.05, rtol=1e-3)
    assert fit.identified
    assert fit["aicc"] < fit["aicc_other"]


def test_a_law_of_two_sizes_is_found():
    rng = np.random.default_rng(0)
    pairs = [(n, d) for n in SIZES[::2] for d in (10, 100, 1_000)]
    one = study(power, sizes=SIZES[:1].repeat(len(pairs)))
    n, d = np.array(pairs, float).T
    law = 0.1 + 3 * n**-0.6 + 5 * d**-0.8
    errors = law[:, None, None] * np.exp(rng.normal(0, 1e-4, (len(pairs), 5, 1))) * np.ones(3)
    one["mean_nRMSE"] = (("experiment", "seed", "time"), errors, {"config": "mean_nRMSE"})
    one["num_train_samples"] = ("experiment", n)
    one["num_parameters"] = ("experiment", d)
    axes = ("num_train_samples", "num_parameters")
    fit = scaling_fit(one, x=axes, form="two", num_resamples=10).isel(curve=0)
    found = [float(fit[name]) for name in ("E", "A", "alpha", "B", "beta")]
    np.testing.assert_allclose(found, [0.1, 3, 0.6, 5, 0.8], rtol=5e-2)


@pytest.mark.parametrize(
    ("law", "form", "true"),
    [
        (power, "power", {"A": 2.0, "alpha": 0.5}),
        (floored, "power_floor", {"A": 2.0, "alpha": 0.7, "E": 0.05}),
    ],
)
def test_intervals_cover_the_truth(law, form, true):
    """In a few draws; ``docs/scaling_coverage.py`` makes many."""
    draws = 30
    covered = dict.fromkeys(true, 0)
    for draw in range(draws):
        fit = scaling_fit(study(law, draw=draw), form=form, num_resamples=60).isel(curve=0)
        for name, value in true.items():
            covered[name] += int(fit[f"{name}_low"] <= value <= fit[f"{name}_high"])
    assert min(covered.values()) >= 0.85 * draws, covered


def test_the_criterion_tells_whether_there_is_a_floor():
    kept = {"num_resamples": 5}
    for draw in range(5):
        flat = scaling_fit(study(lambda n: 0.3 + 2 / n, draw=draw), form="power_floor", **kept)
        assert (flat.aicc < flat.aicc_other).all()
    steep = [scaling_fit(study(power, draw=draw), form="power", **kept) for draw in range(20)]
    assert sum(bool(one.aicc[0] < one.aicc_other[0]) for one in steep) >= 15


def test_what_the_sizes_do_not_tell_is_unidentified():
    flat = scaling_fit(study(lambda _: 0.3), num_resamples=50)
    assert not flat.identified
    assert (flat.alpha_low < 0) & (flat.alpha_high > 0)
    few = scaling_fit(study(power, sizes=SIZES[:3]), num_resamples=50)
    assert few.alpha_low > 0
    assert not few.identified


def test_a_diverged_run_pulls_as_an_outlier_and_is_counted():
    kept = {"num_resamples": 20}
    whole = scaling_fit(study(power), **kept).isel(curve=0)
    one = scaling_fit(study(power, lost=[(0, 1)]), **kept).isel(curve=0)
    assert one.num_diverged == 1
    assert abs(one.alpha - whole.alpha) < 0.1
    assert one.alpha > whole.alpha
    most = scaling_fit(study(power, lost=[(2, 0), (2, 1), (2, 2)]), **kept).isel(curve=0)
    assert np.isnan(most.alpha)
    assert not most.identified
    assert most.num_diverged == 3


def test_curves_are_told_apart_by_their_labels():
    both = xr.concat([study(power), study(floored, net="FNO")], "experiment")
    fit = scaling_fit(both, num_resamples=10)
    assert fit.net.values.tolist() == ["Conv", "FNO"]
    named = scaling_fit(both, by="net", num_resamples=10)
    np.testing.assert_array_equal(fit.alpha, named.alpha)
    with pytest.raises(MissingVariableError, match="no label 'nett'"):
        scaling_fit(both, by="nett")


def test_lazy_studies_of_any_chunking_give_the_same():
    whole = study(power)
    parts = whole.chunk({"experiment": 2, "seed": 3, "time": 1})
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_allclose(
            scaling_fit(parts, num_resamples=10), scaling_fit(whole, num_resamples=10)
        )


def test_keywords_are_sizes_too():
    bare = study(power).drop_vars("num_train_samples")
    fit = scaling_fit(bare, num_resamples=10)
    np.testing.assert_allclose(fit.alpha, scaling_fit(study(power), num_resamples=10).alpha)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"x": "num_trained"}, MissingVariableError, "num_train_samples"),
        ({"variable": "mean_RMSE"}, MissingVariableError, "mean_nRMSE"),
        ({"form": "exponential"}, SpecError, "power_floor"),
        ({"form": "two"}, SpecError, "two different sizes"),
        ({"x": ("num_train_samples", "num_train_samples"), "form": "two"}, SpecError, "two"),
        ({"x": ("num_train_samples", "seed")}, SpecError, "one size"),
        ({"x": "net"}, SpecError, "number of each run"),
        ({"time": 9}, SpecError, "no time step 9"),
        ({"confidence": 2.0}, SpecError, "confidence"),
        ({"num_resamples": 0}, SpecError, "num_resamples"),
    ],
)
def test_bad_arguments_are_refused(given, error, words):
    with pytest.raises(error, match=words):
        scaling_fit(study(power), **given)


def test_families_of_one_size_have_no_law():
    with pytest.raises(SpecError, match="all runs have one num_train_samples"):
        scaling_fit(study(power, sizes=[16, 16, 16]))
    with pytest.raises(SpecError, match="3 parameters and needs as many sizes"):
        scaling_fit(study(power, sizes=[16, 32]), form="power_floor")
    with pytest.raises(SpecError, match="open_study"):
        scaling_fit(study(power).isel(experiment=0))


def test_the_plot_has_runs_and_law():
    drawn = apexr.plot.scaling(study(power, lost=[(0, 1)]))
    labels = [element.label for element in drawn]
    assert any("exponent 0.5" in label and "1 of 35 diverged" in label for label in labels)
    points = next(e for e in drawn if type(e).__name__ == "Scatter")
    assert points.dimension_values(0).tolist() == SIZES.tolist()
    with pytest.raises(SpecError, match="form must be"):
        apexr.plot.scaling(study(power), form="two")
