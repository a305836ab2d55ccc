"""What equations keep: the mean, the energy, the divergence; and what may only decrease."""

import jax
import numpy as np
import pytest
from _programs import advance_many
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apexr.spectral import Grid, fft, ifft, project_incompressible, resample, spectrum
from apexr.steppers import (
    Advection,
    AdvectionDiffusion,
    Burgers,
    CahnHilliard,
    Convection,
    Diffusion,
    Dispersion,
    ETDRKStepper,
    HyperDiffusion,
    KortewegDeVries,
    KuramotoSivashinsky,
    KuramotoSivashinskyConservative,
    NavierStokesVelocity,
    NavierStokesVorticity,
)

STEPS = 20
SIZES = {1: 16, 2: 12, 3: 8}

few = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
seeds = st.integers(0, 2**31)


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def solver(equation, dims):
    return ETDRKStepper(equation, Grid(dims, SIZES[dims], 2 * np.pi), 0.01)


def smooth(stepper, seed):
    """Return noise of the waves up to 2, which the grid resolves."""
    rng, grid = np.random.default_rng(seed), stepper.grid
    coarse = rng.uniform(-1, 1, (stepper.num_channels, *(5,) * grid.num_spatial_dims))
    return resample(coarse, grid.num_points)


def advance(stepper, state, count=STEPS):
    dims = stepper.grid.num_spatial_dims
    return ifft(advance_many(stepper.kernel, fft(state, dims), count), stepper.grid)


def mean(state):
    return np.mean(state, axis=tuple(range(1, state.ndim)))


def energy(state):
    return float(np.sum(spectrum(state).values))


CONSERVATIVE = {
    "Advection": Advection(),
    "Diffusion": Diffusion(),
    "Dispersion": Dispersion(),
    "HyperDiffusion": HyperDiffusion(),
    "Burgers": Burgers(conservative=True),
    "Burgers, single": Burgers(conservative=True, single_channel=True),
    "Burgers, 1D": Burgers(),
    "KortewegDeVries": KortewegDeVries(conservative=True),
    "KuramotoSivashinsky": KuramotoSivashinsky(),
    "KuramotoSivashinskyConservative": KuramotoSivashinskyConservative(),
    "CahnHilliard": CahnHilliard(),
    "NavierStokesVorticity": NavierStokesVorticity(),
    "NavierStokesVelocity": NavierStokesVelocity(),
}
ONLY_IN = {
    "Burgers, 1D": (1,),  # u u_x is (u²/2)_x in one dimension
    "KuramotoSivashinskyConservative": (1,),
    "NavierStokesVorticity": (2,),
    "NavierStokesVelocity": (3,),
}


@pytest.mark.parametrize(
    ("name", "dims"),
    [(name, d) for name in CONSERVATIVE for d in ONLY_IN.get(name, (1, 2, 3))],
    ids=str,
)
def test_the_mean_is_kept(name, dims):
    stepper = solver(CONSERVATIVE[name], dims)

    @few
    @given(seeds)
    def check(seed):
        state = smooth(stepper, seed)
        if name == "NavierStokesVelocity":
            state = project_incompressible(state)
        last = advance(stepper, state)
        assert np.max(np.abs(last - state)) > 1e-6
        np.testing.assert_allclose(mean(last), mean(state), atol=1e-12)

    check()


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("equation", [Advection(0.7), Dispersion(0.2), Dispersion(0.2, True)])
def test_transport_and_dispersion_keep_the_energy(equation, dims):
    stepper = solver(equation, dims)
    state = smooth(stepper, 0)
    np.testing.assert_allclose(energy(advance(stepper, state)), energy(state), rtol=1e-12)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(
    "equation", [Diffusion(), AdvectionDiffusion(), HyperDiffusion(), HyperDiffusion(1e-3, True)]
)
def test_diffusion_takes_energy_at_every_wavenumber(equation, dims):
    stepper = solver(equation, dims)
    state = np.random.default_rng(0).normal(size=(1, *stepper.grid.shape))
    before, after = spectrum(state).values[0], spectrum(advance(stepper, state)).values[0]
    np.testing.assert_allclose(after[0], before[0])
    assert np.all(after[1:] < before[1:])


@pytest.mark.parametrize("size", [16, 21])
def test_truncated_burgers_without_diffusion_keeps_its_energy(size):
    # ∫ u (u²)_x = 0 holds for the resolved waves, as the 2/3 rule keeps aliases off them
    stepper = ETDRKStepper(
        Convection((0.0,), 1.0, conservative=True), Grid(1, size, 2 * np.pi), 0.002, 4
    )
    resolved = int(2 / 3 * (size // 2) - 1) + 1
    state = smooth(stepper, 1)
    last = advance(stepper, state)
    before, after = (float(np.sum(spectrum(u).values[0, :resolved])) for u in (state, last))
    assert np.max(np.abs(last - state)) > 1e-3
    np.testing.assert_allclose(after, before, rtol=1e-10)
