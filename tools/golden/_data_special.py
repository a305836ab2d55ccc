"""Small data of every key in every dimension that has none elsewhere, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from golden._data import KEYS as DIFFICULTY
from golden._data import Case, case_label
from golden._data_other import NORMALIZED, PHYSICAL
from golden._files import write_archive
from golden._scenario import build, describe, free_compiled

SPECIAL = (
    *("phy_poisson", "phy_sh", "phy_gs", "phy_gs_type", "phy_decay_turb", "phy_kolm_flow"),
    *("phy_unbal_adv", "phy_diag_diff", "phy_aniso_diff", "phy_mix_disp", "phy_mix_hyp"),
)
COUNTS = {"num_train_samples": 1, "num_test_samples": 1, "num_warmup_steps": 0}
HORIZONS = {"train_temporal_horizon": 2, "test_temporal_horizon": 1}
POINTS = {1: 24, 2: 12, 3: 8}
SMOOTH = {1: "fourier;3;true;true", 2: "fourier;3;true;true", 3: "fourier;2;true;true"}
MATRIX = ((0.001, 0.0005, 0.0003), (0.0005, 0.002, 0.0002), (0.0003, 0.0002, 0.0004))
FITTING: dict[tuple[str, int], dict[str, Any]] = {
    ("phy_unbal_adv", 2): {"advection_coef_vector": (0.01, -0.04)},
    ("phy_diag_diff", 3): {"diffusion_coef_vector": (0.001, 0.002, 0.0004)},
    ("phy_aniso_diff", 3): {"diffusion_coef_matrix": MATRIX},
}
DIMENSIONS = {
    "phy_poisson": (1, 2, 3),
    "phy_decay_turb": (2,),
    "phy_kolm_flow": (2,),
    **dict.fromkeys(("norm_ks_cons", "phy_ks_cons"), ()),
}
VARIANTS: dict[int, list[Case]] = {
    1: [("phy_poisson", {"order": 4, "domain_extent": 3.0, "num_points": 31})],
    2: [
        ("phy_poisson", {"order": 4, "num_points": 15}),
        ("phy_sh", {"num_substeps": 2, "num_points": 24, "reactivity": 0.3}),
        ("phy_gs", {"num_substeps": 20, "num_points": 24, "feed_rate": 0.03, "kill_rate": 0.055}),
        ("phy_gs", {"num_points": 15, "domain_extent": 2.0}),
        ("phy_gs_type", {"pattern_type": "lambda", "num_substeps": 4}),
        ("phy_decay_turb", {"num_points": 24, "train_temporal_horizon": 4}),
        ("phy_decay_turb", {"num_points": 15, "order": 4, "num_substeps": 2}),
        ("phy_decay_turb", {"num_points": 16, "order": 1, "dealiasing_fraction": 0.5}),
        ("phy_kolm_flow", {"num_points": 24, "num_substeps": 2}),
        ("phy_kolm_flow", {"num_points": 15, "injection_mode": 2, "injection_scale": 0.3}),
        ("phy_kolm_flow", {"num_points": 16, "drag": -2.0, "diffusivity": 0.1, "order": 3}),
        ("phy_unbal_adv", {"advection_coef_vector": (-0.3, 0.7), "domain_extent": 2.0}),
        ("phy_mix_disp", {"num_points": 15, "dispersion_coef": -1e-4}),
    ],
    3: [
        ("phy_gs", {"num_points": 9, "num_substeps": 2}),
        ("phy_mix_hyp", {"num_points": 9, "domain_extent": 2.0}),
    ],
}
PATTERNS = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta"),
    *("eta", "theta", "iota", "kappa", "lambda", "mu"),
)

SINGLE_CANDIDATES: list[Case] = [
    ("phy_poisson", {"train_temporal_horizon": 5}),
    ("phy_poisson", {"test_temporal_horizon": 2}),
    ("phy_poisson", {"num_warmup_steps": 3}),
    ("phy_poisson", {"order": 3}),
    *(
        (key, {"num_spatial_dims": 2, "num_channels": channels})
        for key in ("phy_gs", "phy_gs_type")
        for channels in (1, 3)
    ),
    *(
        (key, {"num_spatial_dims": dims, "order": order})
        for key, dims in (
            ("diff_burgers", 1),
            ("norm_kdv", 1),
            ("phy_poly", 1),
            ("phy_kolm_flow", 2),
        )
        for order in (5, -1)
    ),
]


def write_data_special(folder: Path) -> None:
    """Write ``data_special.npz``: a few frames a case, and the list of what is refused."""
    arrays: dict[str, np.ndarray] = {}
    cases: dict[str, Any] = {}
    skipped = []
    for label, key, kwargs in _cases():
        scenario = build(key, **kwargs)
        made = _frames(scenario, coarse=key != "phy_poisson")
        if all(np.all(np.isfinite(values)) for values in made.values()):
            cases[label] = describe(key, scenario, kwargs)
            arrays |= {f"{label}/{name}": values for name, values in made.items()}
        else:
            skipped.append(label)
        free_compiled()
    meta = {"cases": cases, "not_finite": skipped, "refused": list(_refused())}
    write_archive(folder / "data_special.npz", arrays, meta)


def _frames(scenario: Any, *, coarse: bool) -> dict[str, np.ndarray]:
    """Return the training data, and the last frame of the coarse test data."""
    made = {"train": np.asarray(scenario.get_train_data())}
    if coarse:
        made["test_coarse_last"] = np.asarray(scenario.get_test_data_coarse())[:, -1]
    return made


def _cases() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for key in (*NORMALIZED, *PHYSICAL, *SPECIAL):
        for dims in DIMENSIONS.get(key, (2, 3)):
            yield f"{key}/{dims}d", key, _sizes(key, dims)
    for dims, changed in VARIANTS.items():
        for key, change in changed:
            label = case_label(f"{key}/{dims}d", change)
            yield label, key, {**_sizes(key, dims), **change}


def _sizes(key: str, dims: int) -> dict[str, Any]:
    sizes = {"num_spatial_dims": dims, "num_points": POINTS[dims], **COUNTS, **HORIZONS}
    if not key.startswith("phy_gs"):
        sizes["ic_config"] = SMOOTH[dims]
    if key.endswith("_fisher"):
        sizes["ic_config"] = "clamp;0.0;1.0;fourier;2;false;false"
    if key == "phy_poisson":
        sizes |= {"train_temporal_horizon": 1}
    return sizes | FITTING.get((key, dims), {})


# --- what is refused ---------------------------------------------------------------------------


def _refused() -> Iterator[dict[str, Any]]:
    """Yield what the peer refuses to build, with its error."""
    for key, kwargs in _candidates():
        try:
            scenario = build(key, num_points=16, **kwargs)
            if not kwargs.keys() <= {"num_spatial_dims"}:  # dimensions are checked at once
                scenario.get_ref_stepper()
        except Exception as error:
            facts = {"error": type(error).__name__, "message": str(error).split("\n")[0][:200]}
            yield {"scenario": key, "kwargs": kwargs, **facts}
    free_compiled()


def _candidates() -> Iterator[Case]:
    for key in (*DIFFICULTY, *NORMALIZED, *PHYSICAL, *SPECIAL):
        for dims in (1, 2, 3):
            yield key, {"num_spatial_dims": dims}
        yield key, {"num_spatial_dims": _fitting_dims(key), "unheard_of": 1}
    yield from _wrong_tensors()
    yield from _wrong_lengths()
    yield from SINGLE_CANDIDATES
    for pattern in (*PATTERNS, "nu", "Theta", ""):
        yield "phy_gs_type", {"num_spatial_dims": 2, "pattern_type": pattern}


def _wrong_tensors() -> Iterator[Case]:
    for key, kind in (("phy_unbal_adv", "advection"), ("phy_diag_diff", "diffusion")):
        for dims in (2, 3):
            for length in (1, 2, 3, 4):
                vector = (0.01,) * length
                yield key, {"num_spatial_dims": dims, f"{kind}_coef_vector": vector}
    for dims, rows in ((2, MATRIX), (2, ((1.0, 0.0), (0.0,))), (3, MATRIX[:2]), (3, ((1.0,),) * 3)):
        yield "phy_aniso_diff", {"num_spatial_dims": dims, "diffusion_coef_matrix": rows}


def _wrong_lengths() -> Iterator[Case]:
    for interface, field in (("diff", "deltas"), ("norm", "betas"), ("phy", "b_coefs")):
        for length in (1, 2, 4):
            yield f"{interface}_nonlin", {field: (0.0,) * length}


def _fitting_dims(key: str) -> int:
    return 3 if key == "phy_unbal_adv" else 2 if key in SPECIAL[1:] else 1
