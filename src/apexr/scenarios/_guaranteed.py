"""Scenarios whose data are finite for all default parameters, as the published benchmark states.

Others may diverge with defaults that are made for fewer dimensions.
"""

_DIFFICULTY = (
    *("diff_lin", "diff_lin_simple", "diff_adv", "diff_diff", "diff_adv_diff", "diff_disp"),
    *("diff_hyp_diff", "diff_four", "diff_conv", "diff_burgers", "diff_kdv", "diff_ks"),
    *("diff_nonlin", "diff_burgers_sc", "diff_fisher"),
)
_NORMALIZED = (
    *("norm_lin", "norm_lin_simple", "norm_adv", "norm_diff", "norm_adv_diff", "norm_disp"),
    *("norm_hypdiff", "norm_four", "norm_conv", "norm_burgers", "norm_ks_cons", "norm_nonlin"),
    *("norm_burgers_sc", "norm_kdv", "norm_ks", "norm_fisher"),
)
_PHYSICAL_1D = (
    *("phy_lin", "phy_lin_simple", "phy_adv", "phy_diff", "phy_adv_diff", "phy_disp"),
    *("phy_hyp_diff", "phy_four", "phy_nonlin", "phy_burgers_sc", "phy_kdv", "phy_ks"),
    *("phy_conv", "phy_burgers", "phy_ks_cons", "phy_poly", "phy_fisher", "phy_poisson"),
)
_PHYSICAL_2D = (
    *("phy_sh", "phy_gs", "phy_gs_type", "phy_decay_turb", "phy_kolm_flow"),
    *("phy_diag_diff", "phy_aniso_diff", "phy_mix_disp", "phy_mix_hyp"),
)

GUARANTEED_FINITE: tuple[tuple[str, int], ...] = (
    *((key, dims) for key in _DIFFICULTY for dims in (1, 2, 3)),
    ("diff_ks_cons", 1),
    *((key, 1) for key in (*_NORMALIZED, *_PHYSICAL_1D)),
    *((key, 2) for key in _PHYSICAL_2D),
    ("phy_unbal_adv", 3),
)
"""Scenario keys with the numbers of spatial dimensions."""
