"""Train and test trajectories of the normalised and the physical scenarios."""

from pathlib import Path
from typing import Any

import numpy as np

from golden._data import COUNTS, GETTERS, Case, case_label
from golden._files import write_archive
from golden._scenario import build, describe, free_compiled

NORMALIZED = (
    *("norm_lin", "norm_lin_simple", "norm_adv", "norm_diff", "norm_adv_diff", "norm_disp"),
    *("norm_hypdiff", "norm_four", "norm_conv", "norm_burgers", "norm_ks_cons", "norm_nonlin"),
    *("norm_burgers_sc", "norm_kdv", "norm_ks", "norm_fisher"),
)
PHYSICAL = (
    *("phy_lin", "phy_lin_simple", "phy_adv", "phy_diff", "phy_adv_diff", "phy_disp"),
    *("phy_hyp_diff", "phy_four", "phy_conv", "phy_burgers", "phy_ks_cons", "phy_nonlin"),
    *("phy_burgers_sc", "phy_kdv", "phy_ks", "phy_poly", "phy_fisher"),
)
HORIZONS = {"num_train_samples": 2, "train_temporal_horizon": 3, "test_temporal_horizon": 3}
# The default coefficients belong to 160 points: every key in 1D, a few on small grids beyond.
POINTS = {1: 160, 2: 16, 3: 8}
CLAMPED = {"ic_config": "clamp;0.0;1.0;fourier;3;false;false"}
CHANGED: dict[int, list[Case]] = {
    1: [
        ("norm_burgers", {"num_substeps": 3, "coarse_proportion": 0.25}),
        ("norm_conv", {"conservative": False, "order": 3}),
        ("norm_ks_cons", {"convection_beta": -6e-3}),
        ("norm_nonlin", {"alphas": (0.01, -0.01, 1e-4), "betas": (-0.02, -0.01, -1e-4)}),
        ("phy_lin", {"a_coefs": (0.1, -0.5, 1e-3, 1e-5), "domain_extent": 3.0, "dt": 0.2}),
        ("phy_burgers", {"num_substeps": 3, "coarse_proportion": 0.25, "domain_extent": 2.0}),
        ("phy_nonlin", {"b_coefs": (-0.2, -0.1, -1e-2), "domain_extent": 2.0, "dt": 0.05}),
        ("phy_poly", {"poly_coefs": (0.1, -0.2, 0.3, -0.4), "dt": 0.1, "order": 4}),
    ],
    2: [
        ("norm_four", {}),
        ("norm_burgers", {}),
        ("norm_ks", {}),
        ("phy_lin", {"a_coefs": (0.1, -0.5, 1e-3), "domain_extent": 3.0}),
        ("phy_conv", {"num_substeps": 2}),
        ("phy_nonlin", {"b_coefs": (-0.2, -0.1, -1e-2)}),
        ("phy_fisher", CLAMPED),
    ],
    3: [("norm_kdv", {}), ("phy_burgers", {}), ("phy_poly", {})],
}


def write_data_other(folder: Path) -> None:
    """Write ``data_other.npz``; cases that are not finite are named in its ``meta``."""
    arrays: dict[str, np.ndarray] = {}
    cases: dict[str, Any] = {}
    skipped = []
    for label, key, kwargs in _cases():
        scenario = build(key, **kwargs)
        made = {name: np.asarray(getattr(scenario, get)()) for name, get in GETTERS.items()}
        if all(np.all(np.isfinite(values)) for values in made.values()):
            cases[label] = describe(key, scenario, kwargs)
            arrays |= {f"{label}/{name}": values for name, values in made.items()}
        else:
            skipped.append(label)
        free_compiled()
    write_archive(folder / "data_other.npz", arrays, {"cases": cases, "not_finite": skipped})


def _cases() -> list[tuple[str, str, dict[str, Any]]]:
    plain = [(key, key, _sizes(1)) for key in (*NORMALIZED, *PHYSICAL)]
    return plain + [
        (case_label(key, {"num_spatial_dims": dims, **change}), key, {**_sizes(dims), **change})
        for dims, changed in CHANGED.items()
        for key, change in changed
    ]


def _sizes(dims: int) -> dict[str, Any]:
    sizes = {"num_spatial_dims": dims, "num_points": POINTS[dims], **COUNTS, **HORIZONS}
    return sizes if dims == 1 else {**sizes, "ic_config": "fourier;3;true;true"}
