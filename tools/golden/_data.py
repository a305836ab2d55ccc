"""Train and test trajectories of the difficulty scenarios, reference and coarse."""

from pathlib import Path
from typing import Any

import numpy as np

from golden._files import write_archive
from golden._scenario import build, describe, free_compiled

Case = tuple[str, dict[str, Any]]

KEYS = (
    "diff_lin",
    "diff_lin_simple",
    "diff_adv",
    "diff_diff",
    "diff_adv_diff",
    "diff_disp",
    "diff_hyp_diff",
    "diff_four",
    "diff_conv",
    "diff_burgers",
    "diff_kdv",
    "diff_ks_cons",
    "diff_ks",
    "diff_nonlin",
    "diff_burgers_sc",
    "diff_fisher",
)
ONLY_1D = {"diff_ks_cons"}
COUNTS = {"num_test_samples": 1, "num_warmup_steps": 0}
# points, train samples, train horizon, test horizon: fewer in 3D, where a frame is large
SIZES = {1: (160, 2, 4, 3), 2: (24, 2, 3, 2), 3: (12, 1, 2, 1)}
SIZE_FIELDS = (
    "num_points",
    "num_train_samples",
    "train_temporal_horizon",
    "test_temporal_horizon",
)
ALL_LINEAR = (0.01, -1.0, 2.0, 3.0, -4.0)
ALL_NONLINEAR = {"gammas": (0.02, -1.0, 2.0), "deltas": (-0.02, -1.5, -2.0)}
VARIANTS: dict[int, list[Case]] = {
    1: [
        *((key, {"num_warmup_steps": 5, "num_points": 160}) for key in ("diff_ks_cons", "diff_ks")),
        *(
            (key, change)
            for key in ("diff_burgers", "diff_kdv", "diff_ks")
            for change in ({"num_substeps": 3}, {"order": 1}, {"order": 3}, {"order": 4})
        ),
        ("diff_burgers", {"order": 0}),
        ("diff_burgers", {"conservative": False}),
        ("diff_burgers", {"coarse_proportion": 0.25}),
        ("diff_burgers", {"dealiasing_fraction": 0.5}),
        ("diff_kdv", {"num_circle_points": 32, "circle_radius": 0.5}),
        ("diff_lin_simple", {"linear_gamma": 2.0, "linear_term_order": 3}),
        ("diff_lin", {"gammas": ALL_LINEAR}),
        ("diff_nonlin", ALL_NONLINEAR),
        *((key, {"num_points": 31}) for key in ("diff_adv", "diff_burgers", "diff_kdv", "diff_ks")),
    ],
    2: [
        ("diff_burgers", {"conservative": False}),
        ("diff_lin", {"gammas": ALL_LINEAR}),
        ("diff_nonlin", ALL_NONLINEAR),
        ("diff_adv", {"num_points": 15}),
        ("diff_burgers", {"num_points": 15}),
        ("diff_ks", {"num_points": 15, "num_substeps": 3, "order": 3}),
    ],
    3: [
        ("diff_burgers", {"num_points": 8, "conservative": False}),
        ("diff_lin", {"gammas": ALL_LINEAR}),
        ("diff_nonlin", ALL_NONLINEAR),
        ("diff_burgers_sc", {"num_points": 9}),
    ],
}
SMALL = {1: 64, 2: 16, 3: 8}
GETTERS = {
    "train": "get_train_data",
    "train_coarse": "get_train_data_coarse",
    "test": "get_test_data",
    "test_coarse": "get_test_data_coarse",
}


def write_data(folder: Path) -> None:
    """Write ``data_1d.npz``, ``data_2d.npz`` and ``data_3d.npz``."""
    for dims in SIZES:
        arrays, cases = {}, {}
        for label, key, kwargs in _cases(dims):
            scenario = build(key, **kwargs)
            cases[label] = describe(key, scenario, kwargs)
            for name, getter in GETTERS.items():
                arrays[f"{label}/{name}"] = np.asarray(getattr(scenario, getter)())
            free_compiled()
        write_archive(folder / f"data_{dims}d.npz", arrays, {"cases": cases})


def _cases(dims: int) -> list[tuple[str, str, dict[str, Any]]]:
    base = {"num_spatial_dims": dims, **COUNTS, **_sizes(dims)}
    plain = [(key, key, base) for key in KEYS if dims == 1 or key not in ONLY_1D]
    small = {**base, "num_points": SMALL[dims], "ic_config": f"fourier;{_cutoff(dims)};true;true"}
    return plain + [
        (case_label(key, change), key, {**small, **change}) for key, change in VARIANTS[dims]
    ]


def _sizes(dims: int) -> dict[str, int]:
    return dict(zip(SIZE_FIELDS, SIZES[dims], strict=True))


def _cutoff(dims: int) -> int:
    return 5 if dims == 1 else 3


def case_label(key: str, change: dict[str, Any]) -> str:
    """Return the name of a case, ``key[field=value,…]``."""
    return f"{key}[{','.join(f'{name}={value}' for name, value in change.items())}]"
