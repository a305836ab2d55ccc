"""Every scenario's numerics: the equation that is stated, and no growth that nothing holds.

Right-hand sides are written out here by hand, with finite differences of eighth order in space; the
rate of change is one of eighth order in time, of the steps that the scenario's solver makes.
"""

import warnings

import jax
import numpy as np
import pytest

from _tiny import tiny
from apexr.errors import ApexrWarning
from apexr.scenarios import scenario_dict
from apexr.spectral import dealiasing_mask, fft
from apexr.steppers import ETDRKStepper, RepeatedStepper
from apexr.steppers._growth import _said

KEYS = tuple(scenario_dict)
WEIGHTS = (4 / 5, -1 / 5, 4 / 105, -1 / 280)  # of central differences
EXTENT, STEP, FAST_STEP = 2.0, 0.5, 0.02  # the last for reactions at rates of order one
NAMES = {
    "diff": {"a": "gamma", "b": "delta", "all": ("gammas", "deltas")},
    "norm": {"a": "alpha", "b": "beta", "all": ("alphas", "betas")},
    "phy": {"a": "coef", "b": "coef", "all": ("a_coefs", "b_coefs")},
}
# by normalized coefficients: each term changes a long wave by some hundredths a step
LINEAR = {"drag": 0.02, "advection": -0.01, "diffusion": 1e-3, "dispersion": 1e-4}
LINEAR["hyp_diffusion"] = -1e-5
NONLINEAR = {"quadratic": -0.02, "convection": -0.01, "gradient_norm": -1e-3}
ORDERS = {name: order for order, name in enumerate(LINEAR)}


class Case:
    """A scenario with coefficients that are known here, and its right-hand side by hand."""

    def __init__(self, key, dims, numerics):
        self.interface, _, self.stem = key.partition("_")
        self.key, self.dims, self.points = key, dims, 48 if dims < 3 else 24
        self.extent, self.dt = (EXTENT, STEP) if self.interface == "phy" else (1.0, 1.0)
        given = getattr(self, f"of_{self.stem}")()
        fields = scenario_dict[key].parameters()
        sizes = {"num_spatial_dims": dims, "num_points": self.points, "numerics": numerics}
        sizes.update(
            {"domain_extent": self.extent, "dt": self.dt} if self.interface == "phy" else {}
        )
        sizes.update({"order": 4, "num_substeps": 2} if "order" in fields else {})
        self.scenario = scenario_dict[key](**{**sizes, **given})

    # parameters, from normalized coefficients

    def linear(self, name):
        """Return what the interface calls a linear coefficient, remembered by its order."""
        order, value = ORDERS[name], LINEAR[name]
        scale = self.points**order * 2.0 ** (order - 1) * self.dims if order else 1.0
        by = {"diff": scale, "norm": 1.0, "phy": self.extent**order / self.dt}
        return value * by[self.interface]

    def nonlinear(self, name):
        order, value = list(NONLINEAR).index(name), NONLINEAR[name]
        scale = self.points**order * self.dims if order else 1.0
        by = {"diff": scale, "norm": 1.0, "phy": self.extent**order / self.dt}
        return value * by[self.interface]

    def named(self, *linear, **nonlinear):
        names = NAMES[self.interface]
        given = {f"{name}_{names['a']}": self.linear(name) for name in linear}
        rest = {f"{k}_{names['b']}": self.nonlinear(v) for k, v in nonlinear.items()}
        return {**given, **rest}

    def all_linear(self):
        return {NAMES[self.interface]["all"][0]: tuple(map(self.linear, LINEAR))}

    # derivatives, by finite differences

    def d(self, field, axis, times=1):
        for _ in range(times):
            along = axis - self.dims
            steps = enumerate(WEIGHTS, 1)
            field = sum(
                w * (np.roll(field, -n, along) - np.roll(field, n, along)) for n, w in steps
            )
            field = field * self.points / self.extent
        return field

    def sum_d(self, field, times=1):
        return sum(self.d(field, axis, times) for axis in range(self.dims))

    def lin(self, u, *names):
        """Return the stated linear terms, in time and space units."""
        total = 0.0 * u
        for name in names:
            order = ORDERS[name]
            physical = LINEAR[name] * self.extent**order / self.dt
            total = total + physical * (self.sum_d(u, order) if order else u)
        return total

    def b(self, name):
        order = list(NONLINEAR).index(name)
        return NONLINEAR[name] * self.extent**order / self.dt

    # one equation after another: parameters, and the right-hand side as the documentation has it

    def of_lin(self):
        return self.all_linear()

    def rhs_lin(self, u):
        return self.lin(u, *LINEAR)

    def of_lin_simple(self):
        names = {"diff": "linear_gamma", "norm": "linear_alpha", "phy": "linear_coef"}
        return {names[self.interface]: self.linear("drag"), "linear_term_order": 0}

    def rhs_lin_simple(self, u):
        return self.lin(u, "drag")

    def of_adv(self):
        return self.named("advection")

    def rhs_adv(self, u):
        return self.lin(u, "advection")

    def of_diff(self):
        return self.named("diffusion")

    def rhs_diff(self, u):
        return self.lin(u, "diffusion")

    def of_adv_diff(self):
        return self.named("advection", "diffusion")

    def rhs_adv_diff(self, u):
        return self.lin(u, "advection", "diffusion")

    def of_disp(self):
        return self.named("dispersion")

    def rhs_disp(self, u):
        return self.lin(u, "dispersion")

    def of_hyp_diff(self):
        (value,) = self.named("hyp_diffusion").values()
        name = {"phy": "hyper_diffusion_coef"}.get(self.interface)
        return {name: value} if name else self.named("hyp_diffusion")

    def rhs_hyp_diff(self, u):
        return self.lin(u, "hyp_diffusion")

    of_hypdiff, rhs_hypdiff = of_hyp_diff, rhs_hyp_diff

    def of_four(self):
        return self.named("advection", "diffusion", "dispersion", "hyp_diffusion")

    def rhs_four(self, u):
        return self.lin(u, "advection", "diffusion", "dispersion", "hyp_diffusion")

    def flux(self, u):
        """Return ``b ½ ∇·(u ⊗ u)``, one channel a dimension."""
        parts = [sum(self.d(u[i] * u[j], j) for j in range(self.dims)) for i in range(self.dims)]
        return self.b("convection") * 0.5 * np.stack(parts)

    def of_conv(self):
        return {**self.all_linear(), **self.named(convection="convection")}

    def rhs_conv(self, u):
        return self.lin(u, *LINEAR) + self.flux(u)

    def of_burgers(self):
        return self.named("diffusion", convection="convection")

    def rhs_burgers(self, u):
        return self.lin(u, "diffusion") + self.flux(u)

    def of_ks_cons(self):
        return self.named("diffusion", "hyp_diffusion", convection="convection")

    def rhs_ks_cons(self, u):
        return self.lin(u, "diffusion", "hyp_diffusion") + self.flux(u)

    def quadratic(self, u, *names):
        gradient = sum(self.d(u, axis) ** 2 for axis in range(self.dims))
        every = {
            "quadratic": u**2,
            "convection": 0.5 * self.sum_d(u**2),
            "gradient_norm": 0.5 * (gradient - gradient.mean()),
        }
        return sum(self.b(name) * every[name] for name in names)

    def of_nonlin(self):
        name = NAMES[self.interface]["all"][1]
        return {**self.all_linear(), name: tuple(map(self.nonlinear, NONLINEAR))}

    def rhs_nonlin(self, u):
        return self.lin(u, *LINEAR) + self.quadratic(u, *NONLINEAR)

    def of_burgers_sc(self):
        return self.named("diffusion", convection_sc="convection")

    def rhs_burgers_sc(self, u):
        return self.lin(u, "diffusion") + self.quadratic(u, "convection")

    def of_kdv(self):
        return self.named("dispersion", "hyp_diffusion", convection_sc="convection")

    def rhs_kdv(self, u):
        return self.lin(u, "dispersion", "hyp_diffusion") + self.quadratic(u, "convection")

    def of_ks(self):
        return self.named("diffusion", "hyp_diffusion", gradient_norm="gradient_norm")

    def rhs_ks(self, u):
        return self.lin(u, "diffusion", "hyp_diffusion") + self.quadratic(u, "gradient_norm")

    def of_fisher(self):
        return self.named("drag", "diffusion", quadratic="quadratic")

    def rhs_fisher(self, u):
        return self.lin(u, "drag", "diffusion") + self.quadratic(u, "quadratic")

    def of_poly(self):
        return {**self.all_linear(), "poly_coefs": (0.01, 0.02, -0.03)}

    def rhs_poly(self, u):
        return self.lin(u, *LINEAR) + 0.01 + 0.02 * u - 0.03 * u**2

    def of_sh(self):
        self.dt, self.extent = FAST_STEP, 6 * EXTENT
        return {"reactivity": 0.02, "critical_number": 0.1}

    def rhs_sh(self, u):
        inner = 0.1 * u + self.sum_d(u, 2)
        return 0.02 * u - (0.1 * inner + self.sum_d(inner, 2)) + u**2 - u**3

    def of_gs(self):
        self.dt = FAST_STEP
        return {"diffusivity_1": 2e-3, "diffusivity_2": 1e-3, "feed_rate": 0.04, "kill_rate": 0.06}

    def rhs_gs(self, u):
        (u, v), (au, av) = u, self.sum_d(u, 2)
        reaction = u * v**2
        substrate = 2e-3 * au + 0.04 * (1 - u) - reaction
        return np.stack([substrate, 1e-3 * av - (0.04 + 0.06) * v + reaction])

    def of_gs_type(self):
        self.dt = FAST_STEP
        return {"diffusivity_1": 2e-3, "diffusivity_2": 1e-3, "pattern_type": "theta"}

    rhs_gs_type = rhs_gs

    def convected(self, w):
        """Return ``U ∂₀ω + V ∂₁ω`` of the flow with ``ω = ∂₀V - ∂₁U`` and no divergence."""
        k = 2 * np.pi / self.extent * np.fft.fftfreq(self.points, 1 / self.points)
        square = k[:, None] ** 2 + k**2
        square[0, 0] = 1
        stream = np.fft.ifft2(-np.fft.fft2(w) / square).real
        u, v = -self.d(stream, 1), self.d(stream, 0)
        np.testing.assert_allclose(self.d(v, 0) - self.d(u, 1), w - w.mean(), atol=1e-5)
        return u * self.d(w, 0) + v * self.d(w, 1)

    def of_decay_turb(self):
        return {"diffusivity": 1e-3}

    def rhs_decay_turb(self, w):
        return 1e-3 * self.sum_d(w, 2) - self.convected(w)

    def of_kolm_flow(self):
        return {"diffusivity": 1e-3, "drag": -0.2, "injection_mode": 2, "injection_scale": 0.1}

    def rhs_kolm_flow(self, w):
        x1 = self.scenario.grid.coordinates[1:]
        forcing = -2 * 0.1 * np.cos(2 * np.pi * 2 * x1 / self.extent)
        return 1e-3 * self.sum_d(w, 2) - self.convected(w) - 0.2 * w + forcing

    VECTOR = (0.02, -0.01, 0.03)

    def of_unbal_adv(self):
        return {"advection_coef_vector": self.VECTOR[: self.dims]}

    def rhs_unbal_adv(self, u):
        return -sum(self.VECTOR[axis] * self.d(u, axis) for axis in range(self.dims))

    def of_diag_diff(self):
        return {"diffusion_coef_vector": (0.002, 0.001, 0.003)[: self.dims]}

    def rhs_diag_diff(self, u):
        factors = (0.002, 0.001, 0.003)
        return sum(factors[axis] * self.d(u, axis, 2) for axis in range(self.dims))

    MATRIX = ((0.002, 0.0005), (0.0005, 0.001))

    def of_aniso_diff(self):
        return {"diffusion_coef_matrix": self.MATRIX}

    def rhs_aniso_diff(self, u):
        pairs = [(i, j) for i in range(2) for j in range(2)]
        return sum(self.MATRIX[i][j] * self.d(self.d(u, j), i) for i, j in pairs)

    def of_mix_disp(self):
        return {"dispersion_coef": 1e-3}

    def rhs_mix_disp(self, u):
        return 1e-3 * self.sum_d(self.sum_d(u, 2))

    def of_mix_hyp(self):
        return {"hyp_diffusion_coef": -1e-4}

    def rhs_mix_hyp(self, u):
        return -1e-4 * self.sum_d(self.sum_d(u, 2), 2)

    # what is compared

    def state(self):
        """Return long waves around positive means, other ones in each channel."""
        angles = 2 * np.pi / self.extent * self.scenario.grid.coordinates
        shifts = np.arange(self.scenario.num_channels).reshape(-1, *(1,) * self.dims)
        waves = sum(np.cos(angle + shifts + axis) for axis, angle in enumerate(angles))
        return 0.5 + 0.2 * waves + 0.1 * np.cos(sum(angles) - shifts)

    def residual(self):
        """Return the largest ``uₜ - rhs(u)`` over the largest ``rhs(u)``."""
        with jax.enable_x64(True):
            stepper, frames = self.scenario.get_ref_stepper(), [self.state()]
            for _ in range(8):
                frames.append(np.asarray(stepper(frames[-1])))
        pairs = zip(WEIGHTS, frames[5:], frames[3::-1], strict=True)
        rate = sum(w * (later - earlier) for w, later, earlier in pairs) / self.dt
        expected = getattr(self, f"rhs_{self.stem}")(frames[4])
        return np.abs(rate - expected).max() / np.abs(expected).max()


def dimensions(key):
    """Return the numbers of dimensions to look at: 2 where the equation exists there."""
    exists = scenario_dict[key].dimensions
    every = [2] if 2 in exists else list(exists)
    return every + [3] * (key in ("diff_fisher", "norm_burgers", "phy_unbal_adv", "phy_sh"))


CASES = [(key, dims) for key in KEYS for dims in dimensions(key) if key != "phy_poisson"]


@pytest.mark.parametrize(("key", "dims"), CASES)
def test_exact_numerics_solve_the_equation_that_is_stated(key, dims):
    assert Case(key, dims, "exact").residual() < 1e-4


@pytest.mark.parametrize(("key", "dims"), CASES)
def test_published_numerics_say_how_their_equation_differs(key, dims):
    case = Case(key, dims, "apebench")
    words = ("counts", "opposite sign", "drag", "first order in time")
    differs = any(word in said for said in case.scenario.deviations for word in words)
    assert (case.residual() > 1e-4) == differs
    assert Case(key, dims, "exact").scenario.deviations == ()


def test_poisson_solves_the_equation_that_is_stated():
    case = Case.__new__(Case)
    case.dims, case.points, case.extent = 2, 48, EXTENT
    case.scenario = scenario_dict["phy_poisson"](
        num_spatial_dims=2, num_points=48, domain_extent=EXTENT, numerics="exact"
    )
    with jax.enable_x64(True):
        f = case.state()
        u = np.asarray(case.scenario.get_ref_stepper()(f))
    np.testing.assert_allclose(-case.sum_d(u, 2), f - f.mean(), atol=1e-4)


@pytest.mark.parametrize("numerics", ["apebench", "exact"])
@pytest.mark.parametrize("key", KEYS)
def test_growth_outside_the_mask_is_said_or_does_not_exist(key, numerics):
    for dims in scenario_dict[key].dimensions:
        scenario = scenario_dict[key](**tiny(key, dims), numerics=numerics)
        _said.clear()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            stepper = scenario.get_ref_stepper()
        said = [one for one in caught if issubclass(one.category, ApexrWarning)]
        inner = stepper.stepper if isinstance(stepper, RepeatedStepper) else stepper
        nonlinear = isinstance(inner, ETDRKStepper) and hasattr(inner.kernel, "term")
        if not nonlinear:
            assert not said
            continue
        mask = dealiasing_mask(scenario.grid, scenario.dealiasing_fraction)[0]
        rates = np.broadcast_to(
            inner.equation.linear_symbol(scenario.grid).real, (scenario.num_channels, *mask.shape)
        )
        assert bool(said) == bool((rates[:, ~mask] > 1e-9).any())
        noise = np.random.default_rng(0).normal(size=(scenario.num_channels, *scenario.grid.shape))
        later = np.asarray(inner.kernel(fft(noise, dims)))
        assert bool(np.any(later[:, ~mask] != 0)) == (numerics == "apebench")
