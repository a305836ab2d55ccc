"""Declarations of the results of comparisons of emulators with solvers; see the package."""

from collections.abc import Mapping
from dataclasses import replace

from apexr.schema._declared import mean_metric, trajectory_metric
from apexr.schema._variable import Variable, table

_STEPS = ("seed", "test_sample", "time")


def _score(name: str, dims: tuple[str, ...], long_name: str, description: str) -> Variable:
    return Variable(
        name=name, dims=dims, kind="float", long_name=long_name, description=description
    )


def _share(name: str, long_name: str, description: str) -> Variable:
    return _score(name, _STEPS, long_name, description)


DECOMPOSITION: Mapping[str, Variable] = table(
    _share("error", "error", "||û - u|| / ||u||, of the prediction û and the truth u."),
    _share(
        "one_step",
        "one-step error",
        "||f(u') - u|| / ||u||: what the emulator f gets wrong on the true state u' before.",
    ),
    _share(
        "propagated",
        "propagated error",
        "||f(û') - f(u')|| / ||u||: what the emulator makes of the error that it already had.",
    ),
    _share(
        "own_state_error",
        "error on own states",
        "||f(û') - P(û')|| / ||u||: what the emulator gets wrong on its own state û' before.",
    ),
    _share(
        "dynamics",
        "error carried by the dynamics",
        "||P(û') - P(u')|| / ||u||: what the solver P makes of the error that was there.",
    ),
    _share(
        "amplification",
        "amplification by the emulator",
        "||f(û') - f(u')|| / ||û' - u'||; NaN where there is no error yet.",
    ),
    _share(
        "true_amplification",
        "amplification by the dynamics",
        "||P(û') - P(u')|| / ||û' - u'||; NaN where there is no error yet.",
    ),
    _share(
        "excess_amplification",
        "excess amplification",
        "Amplification by the emulator over that by the dynamics; above 1 it adds instability.",
    ),
    _share(
        "distribution_shift",
        "distribution shift",
        "||f(û') - P(û')|| / ||f(u') - P(u')||: fresh error on own states over that on true ones.",
    ),
    _share(
        "alignment",
        "alignment",
        "Cosine between one-step and propagated error: 1 where they add up, -1 where they cancel.",
    ),
)
"""The variables of a decomposition; a mark ' means one step before."""

MEMBER_RANK = Variable(
    name="member_rank",
    dims=("member_rank",),
    kind="int",
    first=0,
    long_name="rank of the truth",
    description="How many members are below the truth.",
)
"""The dimension of rank histograms."""

INTERVAL = Variable(
    name="interval",
    dims=("interval",),
    kind="int",
    first=1,
    long_name="interval",
    description="From the k-th smallest to the k-th largest member.",
)
"""The dimension of the intervals between order statistics of an ensemble."""


ENSEMBLE: Mapping[str, Variable] = table(
    _score("crps", _STEPS[1:], "fair CRPS", "Mean over channels and space; see analysis.crps."),
    _score("energy_score", _STEPS[1:], "fair energy score", "See analysis.energy_score."),
    _score(
        "mean_error",
        _STEPS[1:],
        "error of the mean",
        "Root mean square over channels and space of the error of the members' mean.",
    ),
    _score("spread", ("time",), "spread", "Root of the mean variance of the members."),
    _score(
        "skill",
        ("time",),
        "unbiased error of the mean",
        "Root of the mean of squared errors less the members' variance over their number.",
    ),
    _score(
        "spread_skill",
        ("time",),
        "spread over error",
        "1 for a calibrated ensemble, below 1 for an overconfident one.",
    ),
    Variable(
        name="num_diverged",
        dims=("time",),
        kind="int",
        long_name="diverged members",
        description="Members with a NaN or infinite number in any sample.",
    ),
    Variable(
        name="rank_histogram",
        dims=("time", "member_rank"),
        kind="int",
        long_name="times that the truth has the rank",
        description="Over samples, channels and space; flat for a calibrated ensemble.",
    ),
    _score(
        "coverage",
        ("time", "interval"),
        "coverage",
        "Share of truths from the k-th smallest to the k-th largest member.",
    ),
    _score("level", ("interval",), "level", "The coverage of a calibrated ensemble."),
)
"""The variables of an ensemble's scores."""

RANK = Variable(
    name="rank",
    dims=("rank",),
    kind="int",
    first=1,
    long_name="rank of the exponent",
    description="1 is the largest Lyapunov exponent.",
)
"""The dimension along which Lyapunov exponents are ordered."""

LYAPUNOV: Mapping[str, Variable] = table(
    Variable(
        name="exponent",
        dims=("rank",),
        kind="float",
        long_name="Lyapunov exponent",
        description="Mean growth rate of a perturbation, per unit of time.",
    ),
    Variable(
        name="standard_error",
        dims=("rank",),
        kind="float",
        long_name="standard error of the exponent",
        description="From the spread of means over blocks of time and over samples.",
    ),
    Variable(
        name="kaplan_yorke",
        dims=(),
        kind="float",
        long_name="Kaplan-Yorke dimension",
        description="j + sum of the first j exponents / |exponent j + 1|, j the largest number"
        " of leading exponents whose sum is not negative; NaN where too few were computed.",
    ),
    Variable(
        name="kaplan_yorke_standard_error",
        dims=(),
        kind="float",
        long_name="standard error of the Kaplan-Yorke dimension",
        description="By leaving out one block after another (jackknife).",
    ),
    Variable(
        name="exponent_of_sample",
        dims=("sample", "rank"),
        kind="float",
        long_name="Lyapunov exponent",
        description="The exponent along the trajectory from each initial state.",
    ),
)
"""The variables of a Lyapunov spectrum."""

RUNG = Variable(
    name="rung",
    dims=("rung",),
    kind="int",
    first=0,
    long_name="rung",
    description="A solver, with a number of points and of substeps.",
)
"""The dimension of a ladder of solvers."""


def _cost(name: str, dims: tuple[str, ...], units: str, long_name: str, text: str) -> Variable:
    return Variable(
        name=name, dims=dims, kind="float", units=units, long_name=long_name, description=text
    )


LADDER: Mapping[str, Variable] = table(
    _cost("latency", ("rung",), "s", "latency", "Time of a trajectory, one at a time."),
    _cost("throughput", ("rung",), "1/s", "throughput", "Trajectories a second, all test samples."),
    _cost("compile_seconds", ("rung",), "s", "compile time", "Of the programs of both clocks."),
    _score(
        "relative_error",
        ("rung", "time"),
        "relative error",
        "Norm of the difference to the truth over the norm of that, mean over the samples.",
    ),
    _score(
        "truth_error",
        ("time",),
        "relative error of the truth",
        "The same of the truth, against a solution with half its substeps.",
    ),
    _score(
        "reference_error",
        ("time",),
        "relative error of the test data",
        "The same of the scenario's test data, against which emulators are judged.",
    ),
    _cost(
        "data_seconds",
        (),
        "s",
        "time of the training data",
        "Of the scenario's own solver for the training trajectories, at its throughput.",
    ),
)
"""The variables of a ladder besides the metrics, whose errors are those of each rung."""

CLOCK: Mapping[str, Variable] = table(
    _cost("latency", (), "s", "latency", "Time of a trajectory, one at a time."),
    _cost("throughput", (), "1/s", "throughput", "Trajectories a second, all test samples."),
    _cost("compile_seconds", (), "s", "compile time", "Of the programs of both clocks."),
)
"""The variables of an emulator's clock."""


def ladder_metrics(config: str, names: tuple[str, str]) -> dict[str, Variable]:
    """Return the declarations of a metric's errors on a ladder: the mean, and of each sample.

    Parameters
    ----------
    config
        The metric's config string.
    names
        Of the mean and of its twin, as results have them.
    """
    mean, twin = mean_metric(config), trajectory_metric(config, names[1])
    said = "Error of the solver against the truth."
    return table(
        replace(mean, dims=("rung", *mean.dims[1:]), description=said),
        replace(twin, dims=("rung", *twin.dims[1:]), description=said),
    )


REFERENCE_ERROR: Mapping[str, Variable] = table(
    Variable(
        name="mean_nRMSE",
        dims=("time",),
        kind="float",
        long_name="mean error of the reference data",
        description="Mean of nRMSE over the samples.",
    ),
    Variable(
        name="nRMSE",
        dims=("test_sample", "time"),
        kind="float",
        long_name="error of the reference data",
        description=(
            "Norm of the difference to a converged solution of the same equation over the norm of"
            " that; infinite where the data diverge, NaN where the solution has not converged."
        ),
    ),
    Variable(
        name="tail_energy",
        dims=("time",),
        kind="float",
        long_name="energy in the last tenth of the spectrum",
        description=(
            "Part of the energy in the last tenth of the waves that nonlinear products are made"
            " of, or of all in linear equations; mean over the samples."
        ),
    ),
    Variable(
        name="agreement",
        dims=("time",),
        kind="float",
        long_name="distance of the two finest solutions",
        description="Relative difference of the two finest solutions; mean over the samples.",
    ),
    Variable(
        name="num_substeps",
        dims=(),
        kind="int",
        long_name="substeps of the converged solution",
        description="Substeps, of order 4, in a step of the converged solution.",
    ),
)
"""Declarations of what :meth:`apexr.BaseScenario.reference_error` returns."""
