"""Declarations of the quantities by which long rollouts of emulators and solvers are compared."""

from collections.abc import Iterator, Mapping

from apexr.schema._variable import Variable, table

BIN = Variable(
    name="bin",
    dims=("bin",),
    kind="int",
    first=0,
    long_name="bin",
    description="Number of the bin of a histogram.",
)
"""The dimension of histograms of a field."""

WAVENUMBER = Variable(
    name="wavenumber",
    dims=("wavenumber",),
    kind="int",
    first=0,
    long_name="wavenumber",
    description="Shell of wavenumbers: waves in the longest axis of the domain.",
)
"""The dimension of spectra."""

LAG = Variable(
    name="lag",
    dims=("lag",),
    kind="int",
    first=0,
    long_name="lag in steps",
    description="Steps between two states that are correlated.",
)
"""The dimension of autocorrelations."""


def _float(name: str, dims: tuple[str, ...], long_name: str, description: str) -> Variable:
    return Variable(
        name=name, dims=dims, kind="float", long_name=long_name, description=description
    )


_STATISTICS = (
    ("histogram", ("bin",), "share of numbers", "Share of all numbers of the states in a bin."),
    (
        "slope_histogram",
        ("bin",),
        "share of slopes",
        "Share of all derivatives along x in a bin.",
    ),
    ("spectrum", ("wavenumber",), "power", "Power of a shell of wavenumbers, mean over time."),
    ("mean", (), "mean", "Over points, time and runs."),
    ("variance", (), "variance", "Over points, time and runs."),
    (
        "autocorrelation",
        ("lag",),
        "autocorrelation",
        "Correlation of the numbers at a point, a lag apart in time.",
    ),
    (
        "autocorrelation_time",
        (),
        "autocorrelation time in steps",
        "Lag at which the autocorrelation falls to 1/e; NaN where it does not.",
    ),
)
_DISTANCES = (
    (
        "histogram_l1",
        (),
        "L1 distance of histograms",
        "Sum of the absolute differences of shares, between 0 and 2.",
    ),
    (
        "histogram_w1",
        (),
        "Wasserstein distance of histograms",
        "Integral of the absolute difference of cumulative distributions, in units of the state.",
    ),
    (
        "slope_histogram_l1",
        (),
        "L1 distance of slopes",
        "Sum of the absolute differences of shares, between 0 and 2.",
    ),
    (
        "slope_histogram_w1",
        (),
        "Wasserstein distance of slopes",
        "Integral of the absolute difference of cumulative distributions, in units of the slope.",
    ),
    ("spectrum_error", ("wavenumber",), "relative error of the power", "|P / P_reference - 1|."),
    (
        "spectrum_log_error",
        ("wavenumber",),
        "logarithmic error of the power",
        "|ln(P / P_reference)|.",
    ),
    ("mean_error", (), "error of the mean", "Absolute difference of the means."),
    ("variance_error", (), "relative error of the variance", "|variance / reference - 1|."),
    (
        "autocorrelation_time_error",
        (),
        "relative error of the autocorrelation time",
        "|time / reference - 1|.",
    ),
)


def _declared() -> Iterator[Variable]:
    for name, dims, long_name, description in _STATISTICS:
        yield _float(name, ("seed", "channel", *dims), long_name, description)
        yield _float(
            f"reference_{name}",
            ("channel", *dims),
            f"{long_name}, reference",
            f"{description} Of the first run of the solver.",
        )
    for name, dims, long_name, description in _DISTANCES:
        yield _float(name, ("seed", "channel", *dims), long_name, description)
        yield _float(
            f"{name}_noise",
            ("channel", *dims),
            f"{long_name}, noise floor",
            f"{description} Of two independent runs of the solver.",
        )
    for name, what in (("bin_center", "the states"), ("slope_bin_center", "their slopes")):
        yield _float(name, ("channel", "bin"), "bin", f"Middle of a bin of {what}.")
    yield _float("bounded", ("seed",), "share of bounded runs", "Runs that stay within the bounds.")
    yield Variable(
        name="bounded_until",
        dims=("seed", "test_sample"),
        kind="int",
        long_name="steps within the bounds",
        description="Steps, those of the spin-up not counted, before a run leaves the bounds.",
    )


CLIMATE: Mapping[str, Variable] = table(*_declared())
"""The variables of a comparison of long rollouts."""
