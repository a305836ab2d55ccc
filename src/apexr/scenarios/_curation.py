"""The configurations whose data the published benchmark distributes."""

from typing import Any

Configuration = dict[str, Any]

_LINEAR = ("diff_adv", "diff_diff", "diff_adv_diff", "diff_disp", "diff_hyp_diff")
_MATRIX_3D = ((0.001, 0.0005, 0.0003), (0.0005, 0.002, 0.0002), (0.0003, 0.0002, 0.0004))


def _in_1d() -> list[Configuration]:
    nonlinear = ("diff_burgers", "diff_kdv", "diff_ks", "diff_ks_cons", "diff_fisher")
    return [{"scenario": key, "num_spatial_dims": 1} for key in (*_LINEAR, *nonlinear)]


def _in_2d() -> list[Configuration]:
    special: list[Configuration] = [
        {"scenario": "phy_unbal_adv", "advection_coef_vector": (0.01, -0.04)},
        *({"scenario": key} for key in ("phy_diag_diff", "phy_aniso_diff")),
        *({"scenario": key} for key in ("phy_mix_disp", "phy_mix_hyp")),
    ]
    nonlinear = (
        *("diff_burgers", "diff_burgers_sc", "diff_kdv", "diff_ks", "phy_decay_turb"),
        *("phy_kolm_flow", "diff_fisher", "phy_gs_type", "phy_sh"),
    )
    named: list[Configuration] = [{"scenario": key} for key in _LINEAR]
    every = [*named, *special, *({"scenario": key} for key in nonlinear)]
    return [{**config, "num_spatial_dims": 2} for config in every]


def _in_3d() -> list[Configuration]:
    special: list[Configuration] = [
        {"scenario": "phy_unbal_adv"},
        {"scenario": "phy_diag_diff", "diffusion_coef_vector": (0.001, 0.002, 0.0004)},
        {"scenario": "phy_aniso_diff", "diffusion_coef_matrix": _MATRIX_3D},
        *({"scenario": key} for key in ("phy_mix_disp", "phy_mix_hyp")),
    ]
    nonlinear = (
        *("diff_burgers", "diff_burgers_sc", "diff_kdv", "diff_ks", "diff_fisher"),
        *("phy_gs_type", "phy_sh"),
    )
    named: list[Configuration] = [{"scenario": key} for key in _LINEAR]
    every = [*named, *special, *({"scenario": key} for key in nonlinear)]
    sizes = {"num_spatial_dims": 3, "num_points": 32, "num_test_samples": 10}
    return [{**config, **sizes} for config in every]


CURATION: tuple[Configuration, ...] = (*_in_1d(), *_in_2d(), *_in_3d())
"""Keywords of :func:`apexr.scraper.scrape_data_and_metadata`: 10 in 1D, 19 in 2D, 17 in 3D."""
