"""Where the error of rollouts comes from, over the steps."""

from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from apexr.errors import MissingVariableError, SpecError
from apexr.plots._bands import curves
from apexr.plots._fields import caption
from apexr.plots._horizons import marked
from apexr.plots._panels import panels
from apexr.plots._style import style

Split = Literal["emulator", "own_state", "both"]
_PARTS = {
    "emulator": ("error", "one_step", "propagated"),
    "own_state": ("error", "own_state_error", "dynamics"),
}
_TITLES = {"emulator": "split by the emulator", "own_state": "split by the dynamics"}


def decomposition(
    ds: xr.Dataset, split: str = "both", band: str = "range", logy: bool = True
) -> Any:
    """Return the parts of a rollout's error over the time steps, as HoloViews curves.

    Curves are medians over seeds of means over test samples, with a band over seeds.

    Parameters
    ----------
    ds
        The result of :func:`apexr.decompose` for one experiment; of a study, choose one first:
        ``ds.sel(experiment=…)``.
    split
        ``"emulator"``: one-step and propagated error. ``"own_state"``: error on the emulator's
        own states and what the dynamics make of the error before. ``"both"``: two panels.
    band
        ``"range"``, ``"quartiles"`` or ``"none"``, as in :func:`apexr.plots.metric`.
    logy
        Whether the error axis is logarithmic.

    Raises
    ------
    MissingVariableError
        If the Dataset is no decomposition.
    SpecError
        If it holds several experiments, or ``split`` is none of the three.
    """
    if split not in get_args(Split):
        raise SpecError(f"split must be one of {', '.join(get_args(Split))}, got {split!r}")
    wanted = list(_PARTS) if split == "both" else [split]
    lacking = [name for part in wanted for name in _PARTS[part] if name not in ds]
    if lacking:
        raise MissingVariableError(
            f"the Dataset has no {', '.join(lacking)}; draw what apexr.decompose returns"
        )
    if "experiment" in ds.dims:
        if ds.sizes["experiment"] > 1:
            raise SpecError(
                f"the decomposition holds {ds.sizes['experiment']} experiments; choose one with"
                " ds.isel(experiment=0) or ds.sel(experiment=ID)"
            )
        ds = ds.isel(experiment=0)
    drawn = [_split(ds, _PARTS[part], band, logy) for part in wanted]
    said = caption(ds)
    if len(drawn) == 1:
        return style(drawn[0], "Overlay", both={"title": f"{said}\n{_TITLES[split]}".strip()})
    side_by_side = panels(drawn, titles=[_TITLES[part] for part in wanted])
    return style(side_by_side, "Layout", both={"title": said} if said else {})


def _split(ds: xr.Dataset, parts: tuple[str, ...], band: str, logy: bool) -> Any:
    """Return the curves of the error and of its two parts."""
    means = [ds[name].mean("test_sample", skipna=False, keep_attrs=True) for name in parts]
    labels = [str(ds[name].attrs.get("long_name", name)) for name in parts]
    stacked = xr.concat(
        [mean.rename("part of the error") for mean in means],
        xr.Variable("experiment", list(parts)),
        combine_attrs="drop",
    ).assign_coords(net=("experiment", np.array(labels, dtype=object)))
    stacked.attrs = {"long_name": "relative error", "units": "1"}
    drawn = curves(stacked, "time", by="net", band=band, logy=logy, corner="top_left", order=labels)
    drawn = marked(_telling_apart(drawn), ds, stacked)
    return _from_smallest(drawn, stacked) if logy else drawn


def _telling_apart(drawn: Any) -> Any:
    """Return curves of which none hides another: the error is wide, its parts are dashed above it.

    The propagated part is soon nearly all of the error.
    """
    curves = [element for element in drawn if type(element).__name__ == "Curve"]
    wide, light = 5.0, {"alpha": 0.45}
    looks: list[dict[str, dict[str, Any]]] = [
        {"both": light, "matplotlib": {"linewidth": wide}, "bokeh": {"line_width": wide}},
        {"matplotlib": {"linestyle": "dashed"}, "bokeh": {"line_dash": "dashed"}},
        {"matplotlib": {"linestyle": "dashdot"}, "bokeh": {"line_dash": "dashdot"}},
    ]
    told = {
        id(curve): style(curve, "Curve", **look) for curve, look in zip(curves, looks, strict=True)
    }
    return drawn.clone([told.get(id(element), element) for element in drawn])


def _from_smallest(drawn: Any, parts: xr.DataArray) -> Any:
    """Return curves on a logarithmic axis that begins at the smallest part which is not zero.

    At step 1 nothing is propagated yet; HoloViews would begin such an axis at 0.01.
    """
    shown = parts.values[np.isfinite(parts.values) & (parts.values > 0)]
    if not shown.size:
        return drawn
    return style(drawn, "Overlay", both={"ylim": (float(shown.min()) / 2, float(shown.max()) * 2)})
