"""Random trigonometric polynomials, evaluated term by term."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

few = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
seeds = st.integers(0, 2**31)


# few, for each shape is compiled again
SIZES = {1: (2, 3, 8, 13), 2: (2, 5, 8), 3: (3, 4)}


def sizes(dims, minimum=2):
    return st.sampled_from([size for size in SIZES[dims] if size >= minimum])


def noise(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


class Polynomial:
    """A sum of ``a cos(2π k · x / L) + b sin(2π k · x / L)`` with ``|k_d| <= cutoff``."""

    def __init__(self, seed, dims, cutoff, extent=1.0, terms=6):
        rng = np.random.default_rng(seed)
        self.waves = rng.integers(-cutoff, cutoff + 1, size=(terms, dims))
        self.waves[0] = cutoff
        self.amplitudes = rng.normal(size=(2, terms))
        self.extent = extent

    def __call__(self, points):
        angles = 2 * np.pi / self.extent * np.tensordot(self.waves, points, 1)
        waves = np.stack([np.cos(angles), np.sin(angles)])
        return np.tensordot(self.amplitudes, waves, 2)[None]

    def slope(self, points):
        angles = 2 * np.pi / self.extent * np.tensordot(self.waves, points, 1)
        waves = np.stack([-np.sin(angles), np.cos(angles)])
        factors = 2 * np.pi / self.extent * self.waves
        return np.einsum("st,td,st...->d...", self.amplitudes, factors, waves)
