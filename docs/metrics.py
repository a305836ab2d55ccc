"""The table of all metrics: writes docs/metrics.md from what is registered."""

import math
from pathlib import Path

from apexr.metrics import METRICS

PAGE = Path(__file__).parent / "metrics.md"
INTRODUCTION = """\
# Metrics

<!-- made by docs/metrics.py from the registered metrics; edit the classes, not this page -->

`report_metrics` of a scenario takes config strings, separated by commas without blanks:
`report_metrics="mean_nRMSE,mean_fourier_nRMSE;0;5;0,mean_correlation"`. Each is computed for
every test sample and time step; a result holds that number (`nRMSE`) and its mean over the test
samples (`mean_nRMSE`). `apexr list metrics` prints the same list.

In the formulas u is the prediction, r the reference, c counts channels, ⟨·⟩ is the mean over the
points of the grid, ⟨·⟩_c that over points and channels. Fourier metrics
aggregate over a band of wavenumbers,

    F(s) = Σ_d (N⁻ᴰ Σ_k w_k (|2π k_d|^m |ŝ_k|)ᵖ / Nᴰ)^q        LOW <= max_d |k_d| <= HIGH

with the coefficients ŝ of the unscaled real transform (those below 10⁻⁵, of fields smaller than 1
below 10⁻⁵ of their size, count as zero as they are what rounding leaves), w = 2 for
entries that stand for two conjugate wavenumbers, else 1, and (p, q) = (1, 1) for MAE, (2, 1) for
MSE, (2, ½) for RMSE. The derivative of order m has D components, d = 1 … D; order 0 therefore
counts the field D times. F₀ and F₁ in the H1 metrics are the field (once) and its gradient. The
domain has the extent 1, whatever that of the scenario. Where its axes differ in length, the longest
has the extent 1, and wavenumbers are in units of 2π over the longest axis.

Integrals ∫ are over the scenario's domain. The energy of a scenario of vorticity is that of its
velocity; enstrophy and divergence are refused where there is no vorticity and no velocity.

"""
EDGES = """
## At the edges

- A rollout that diverged has NaN (or infinite) errors from there on, and so has their mean over
  the test samples. Nothing is raised and nothing is left out.
- A relative error is infinite where the reference is zero and NaN where both fields are.
- `mean_correlation` is NaN where a field is zero, `mean_pearson_correlation` where one is
  constant; `mean_VRMSE` is infinite where the reference is constant.
- Absolute and relative errors are summed over channels, as the published benchmark does; VRMSE
  and the correlations are averaged. The joint errors measure all channels in one norm: an error of
  a quarter in each of two channels is 0.25 there, and 0.5 in `mean_nRMSE`.
- Fields are scaled before they are squared: the size of fields and errors does not matter, from
  10⁻³⁵ to 10³⁵ in single precision.
- A metric of one's own returns one number, or one a channel with `dims = ("channel",)` in its
  class; anything else is refused before any work.

## How long a prediction is good for

`apexr.analysis` (and `ds.apexr`) derive one number a seed and test sample from these, lazily:

| function | what it returns |
|:---|:---|
| `correlation_time(ds, threshold=0.9)` | first step with a correlation below the threshold |
| `valid_prediction_time(ds, bound=0.4)` | first step with a relative error above the bound |
| `stability_horizon(ds, bound=10.0)` | steps for which the error is finite and within the bound |
| `spectra(ds)` | power spectra of the kept predictions and references over shells of wavenumbers |

NaN counts as lost. A rollout that is never lost has its last step as its value, a lower
bound, and is marked by the boolean coordinate `censored`. The relative error is `joint_nRMSE` where
the result holds it (`mean_joint_nRMSE` in `report_metrics`), else `nRMSE` divided by the number of
channels that it sums over. `variable=` names another metric.

## Each channel on its own

`per_channel;METRIC`, or `per_channel(METRIC)`, is any of these of every channel:
`report_metrics="mean_joint_nRMSE,per_channel(mean_nRMSE)"` gives `per_channel_mean_nRMSE` along
`channel`, and `per_channel_nRMSE` of every test sample.
"""


def render() -> str:
    """Return the page."""
    rows = [row(name, cls) for name, cls in METRICS.registry.loaded().items() if own(cls)]
    head = "| config string | what it is | formula | range | best |\n|:---|:---|:---|:---|---:|\n"
    return INTRODUCTION + head + "\n".join(rows) + "\n" + EDGES


def own(cls: type) -> bool:
    """Tell whether a metric is apexr's, not one of a plug-in."""
    return cls.__module__.startswith("apexr.")


def row(name: str, cls: type) -> str:
    """Return the line of one metric."""
    meaning = METRICS.describe(name).partition(" - ")[2].rstrip(".")
    formula = cls.formula.replace("|", "\\|")
    best = "that of r" if math.isnan(cls.best) else f"{cls.best:g}"
    return f"| `{METRICS.usage(name)}` | {meaning} | {formula} | {cls.span} | {best} |"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
