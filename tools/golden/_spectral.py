"""The tools of the peer's solver library for single fields."""

import itertools
from pathlib import Path
from typing import Any

import exponax
import numpy as np

from golden._files import write_archive

POINTS = {1: (16, 15), 2: (8, 7), 3: (6, 5)}
NEW_POINTS = (4, 5, 8, 9, 16, 17)
NUM_CHANNELS = 2
EXTENT = 3.0
ORDERS = (1, 2, 3)
MODES = ("norm_compensation", "reconstruction", "coef_extraction")


def write_spectral(folder: Path) -> None:
    """Write ``spectral.npz``."""
    arrays: dict[str, Any] = {}
    for dims, sizes in POINTS.items():
        for num_points in sizes:
            shape = (NUM_CHANNELS, *[num_points] * dims)
            noise = np.random.default_rng(shape).standard_normal(shape, np.float32)
            answers = {"noise": noise, **_of_noise(noise), **_of_smooth(_smooth(shape))}
            label = f"{dims}d_c{NUM_CHANNELS}_n{num_points}"
            arrays |= {f"{label}/{name}": values for name, values in answers.items()}
    write_archive(folder / "spectral.npz", arrays, {"domain_extent": EXTENT})


def _of_noise(noise: np.ndarray) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "amplitude": exponax.get_spectrum(noise, power=False),
        "power": exponax.get_spectrum(noise, power=True),
        "wrapped": exponax.wrap_bc(noise),
    }
    for points in NEW_POINTS:
        answers[f"resampled/{points}"] = exponax.map_between_resolutions(noise, points)
    for order in ORDERS:
        answers[f"derivative/{order}"] = exponax.derivative(noise, EXTENT, order=order)
    for mode in MODES:
        coefficients = exponax.spectral.get_fourier_coefficients(
            noise, scaling_compensation_mode=mode, round=None
        )
        answers[f"coefficients/{mode}"] = np.stack([coefficients.real, coefficients.imag])
    return answers


def _of_smooth(smooth: np.ndarray) -> dict[str, Any]:
    """Return values between the points; of Nyquist waves, the peer's are not symmetric."""
    places = np.random.default_rng(0).uniform(0, EXTENT, (smooth.ndim - 1, 5)).astype(np.float32)
    interpolator = exponax.FourierInterpolator(smooth, domain_extent=EXTENT)
    values = np.stack([interpolator(place) for place in places.T], axis=-1)
    return {"smooth": smooth, "places": places, "interpolated": values}


def _smooth(shape: tuple[int, ...]) -> np.ndarray:
    """Return fields of the waves up to 2."""
    channels, num_points, dims = shape[0], shape[-1], len(shape) - 1
    axis = 2 * np.pi * np.arange(num_points) / num_points
    x = np.stack(np.meshgrid(*[axis] * dims, indexing="ij"))
    generator, field = np.random.default_rng(shape), np.zeros(shape)
    for wave in itertools.product(range(-2, 3), repeat=dims):
        amplitude, phase = generator.uniform(size=(2, channels, *[1] * dims))
        field += amplitude * np.cos(np.tensordot(wave, x, 1) + 2 * np.pi * phase)
    return field.astype(np.float32)
