"""Planes that show a state: itself in 2D, slices or a look through the volume in 3D."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import xarray as xr

from apexr.plots._fields import check_choice

VIEWS = ("slices", "volume")
"""How three dimensions are shown: three planes through the middle, or what one sees from aside."""

_AZIMUTH, _ELEVATION = np.deg2rad(35.0), np.deg2rad(25.0)
_LONGEST = 4.0
"""How many times as long as wide a picture of a plane is at most."""
_PIXELS = 180
_FINE = 64
_OPACITY = 9.0
_REACH = 1.55
"""Half the width of what is seen of a cube whose half side is 1."""

NAMED_EDGES = {"x": (0.0, -1.0, -1.0), "y": (1.0, 0.0, -1.0), "z": (-1.0, -1.0, 0.0)}
"""The middle of the edge of a box at which each axis is named, for half sides of 1."""


def planes(state: xr.DataArray, view: str = "slices") -> list[xr.DataArray]:
    """Return arrays ``(row, column)`` to be drawn, each with a ``place`` that its title names.

    Parameters
    ----------
    state
        A field ``(x, y)`` or ``(x, y, z)`` in memory.
    view
        One of :data:`VIEWS`, for three dimensions.

    Raises
    ------
    SpecError
        If there is no such view.
    """
    check_choice("view", view, VIEWS)
    if "z" not in state.dims:
        return [state.transpose("y", "x").assign_attrs(place="")]
    if view == "volume":
        return [volume(state)]
    return [_middle(state, dim) for dim in ("z", "y", "x")]


def aspect(plane: xr.DataArray) -> float:
    """Return the width of a plane in space over its height, between a quarter and four."""
    up, right = plane.dims
    ratio = plane[right].attrs.get("extent", 1.0) / plane[up].attrs.get("extent", 1.0)
    return float(min(max(ratio, 1 / _LONGEST), _LONGEST))


def _middle(state: xr.DataArray, dim: str) -> xr.DataArray:
    """Return the plane through the middle of ``dim``, the first of the other axes to the right."""
    plane = state.isel({dim: state.sizes[dim] // 2})
    right, up = plane.dims
    return plane.transpose(up, right).assign_attrs(place=f"{dim} = {plane[dim].item():.3g}")


# --- a look through a volume -----------------------------------------------------------------


def volume(state: xr.DataArray, limit: float | None = None) -> xr.DataArray:
    r"""Return what one sees of a box from aside, ``(up, right)``, in the field's own unit.

    Along every ray from front to back, ``Σ T α u``, where ``α = 1 − exp(−k (u/limit)² Δs)`` is how
    opaque a piece of the ray is and ``T = Π (1 − α)`` how much is seen through what lies in front
    of it. Nothing there is 0, the white of a diverging map; a strong field close to the viewer
    has its own color. A ray that meets NaN is NaN.

    Parameters
    ----------
    state
        A field ``(x, y, z)`` in memory. The attributes ``extent`` of its axes are the sides of the
        box; without them it is a cube.
    limit
        The magnitude that is opaque; by default the largest one.

    References
    ----------
    Levoy (1988), "Display of surfaces from volume data", IEEE Computer Graphics and Applications
    8(3), 29-37: compositing along rays.
    """
    values = _refined(state.transpose("x", "y", "z").values.astype(np.float32))
    scale = limit or float(np.nanmax(np.abs(values), initial=0)) or 1.0
    half = half_sides(state)
    layers = _rays(values.shape, half)
    opaque = -np.expm1(-_OPACITY * np.sqrt(3) / len(layers) * (values / scale) ** 2).ravel()
    light = (opaque * values.ravel()).astype(np.float32)
    seen, through = np.zeros(_PIXELS**2, np.float32), np.ones(_PIXELS**2, np.float32)
    for pixels, cells in layers:
        seen[pixels] += through[pixels] * light[cells]
        through[pixels] *= 1 - opaque[cells]
    place = np.linspace(-1, 1, _PIXELS)
    attrs = {**state.attrs, "place": "seen from the side", "half_sides": half}
    coords = {"up": place, "right": place}
    return xr.DataArray(seen.reshape(_PIXELS, -1), coords, ("up", "right"), state.name, attrs)


def half_sides(state: xr.DataArray) -> tuple[float, float, float]:
    """Return half the sides of the box of a field, the longest being 1."""
    sides = [float(state[dim].attrs.get("extent", 1.0)) for dim in ("x", "y", "z")]
    x, y, z = (side / max(sides) for side in sides)
    return x, y, z


def project(points: np.ndarray) -> np.ndarray:
    """Return where points ``(..., 3)`` of the cube [-1, 1]³ are seen: right and up."""
    return points @ _axes()[:2].T / _REACH


@lru_cache(maxsize=1)
def _axes() -> np.ndarray:
    """Return what points right, up and toward the viewer, as rows."""
    sin_a, cos_a = np.sin(_AZIMUTH), np.cos(_AZIMUTH)
    sin_e, cos_e = np.sin(_ELEVATION), np.cos(_ELEVATION)
    return np.array(
        [
            [cos_a, sin_a, 0],
            [-sin_e * sin_a, sin_e * cos_a, cos_e],
            [cos_e * sin_a, -cos_e * cos_a, sin_e],
        ]
    )


def edges(half: Sequence[float] = (1.0, 1.0, 1.0)) -> Iterator[np.ndarray]:
    """Yield the nine edges of a box that are not behind it, each ``(end, 3)``."""
    hidden = -np.sign(_axes()[2])
    corners = [(a, b) for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
    for axis in range(3):
        for corner in corners:
            edge = np.array([np.insert(corner, axis, end) for end in (-1.0, 1.0)])
            if not (edge == hidden).all(axis=1).any():
                yield edge * np.array(half)


def _refined(values: np.ndarray) -> np.ndarray:
    """Return a periodic field with values interpolated between its points, until it is fine."""
    for axis in range(3):
        while values.shape[axis] < _FINE:
            between = (values + np.roll(values, -1, axis)) / 2
            values = np.stack([values, between], axis + 1).reshape(
                [size * (1 + (place == axis)) for place, size in enumerate(values.shape)]
            )
    return values


@lru_cache(maxsize=4)
def _rays(shape: tuple[int, ...], half: tuple[float, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return, from front to back, which pixels look into the box there, and at which points."""
    reach = _REACH * np.linspace(-1, 1, _PIXELS)
    right, up, toward = _axes()
    spot = (reach[None, :, None] * right + reach[:, None, None] * up).reshape(-1, 3)
    depth = np.sqrt(3) * np.linspace(1, -1, int(np.sqrt(3) * max(shape)))
    return [_layer((spot + there * toward) / np.array(half), shape) for there in depth]


def _layer(spot: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels whose spot ``(pixel, 3)`` is in [-1, 1]³, and the points there."""
    pixels = np.flatnonzero((np.abs(spot) <= 1).all(axis=1))
    points = np.array(shape)
    cell = np.clip(np.floor((spot[pixels] + 1) / 2 * points), 0, points - 1).astype(np.intp)
    return pixels, np.ravel_multi_index(tuple(cell.T), shape)
