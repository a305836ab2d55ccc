"""A page in one file: it needs no server, no Python and no network."""

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from apexr.dashboard import _curves, _rollouts, _table
from apexr.dashboard._document import TEMPLATE
from apexr.dashboard._drawing import Side, sized, title_of
from apexr.dashboard._elements import WARNING, card, heading, label, panel, told
from apexr.dashboard._records import Records, counted, finished
from apexr.errors import SpecError, suggest
from apexr.plots._offline import self_contained

WIDTH = 846
SHOWN = 3
"""Experiments that are shown unless some are named."""
FRAMES = 26
"""Times that the slider has, at most."""
BUDGET = 24 * 2**20
"""Bytes of states that a page may hold; there are fewer times where it would be more."""


def export(
    path: str | os.PathLike[str],
    file: str | os.PathLike[str],
    experiments: Sequence[str] | None = None,
) -> Path:
    """Write a study as a page that needs no server and no network, and return its path.

    The table of all experiments, with filters; losses and metrics of the chosen ones, whose curves
    a click in the legend mutes; their rollouts with a slider through time.

    Parameters
    ----------
    path
        The study.
    file
        The page; its suffix is ``.html``.
    experiments
        Ids of experiments, or their beginnings; by default the first three that are finished.

    Raises
    ------
    StoreError
        If ``path`` is not a study.
    SpecError
        If an experiment has no results, or the suffix is another.
    """
    target = Path(file)
    if target.suffix.lower() not in (".html", ".htm"):
        raise SpecError(f"cannot write {target.name!r}: a page ends in .html")
    records = Records(path)
    parts = records.open(_chosen(records, experiments))
    page, slider = _page(records, parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    from bokeh.resources import INLINE

    states = {slider: slider.values} if slider is not None else {}
    page.save(
        saved := io.StringIO(),
        title=Path(str(path)).name,
        resources=INLINE,
        template=TEMPLATE,
        embed=True,
        embed_states=states,
        max_states=len(slider.values) if slider is not None else 1,
        max_opts=FRAMES,
        progress=False,
    )
    target.write_text(self_contained(saved.getvalue()), encoding="utf-8")
    return target


def _chosen(records: Records, experiments: Sequence[str] | None) -> list[str]:
    there = finished(records.table)["id"].tolist()
    if experiments is None:
        return there[:SHOWN]
    experiments = [_completed(name, there) for name in experiments]
    for name in experiments:
        if name not in there:
            near = suggest(name, there)
            raise SpecError(f"no finished experiment {name!r} in {records.path}{near}")
    return list(dict.fromkeys(experiments))


def _completed(name: str, ids: Sequence[str]) -> str:
    """Return the one id that begins so; the text itself where there is not one."""
    found = [one for one in ids if name and one.startswith(name)]
    return found[0] if len(found) == 1 else name


def _page(records: Records, parts: Mapping[str, xr.Dataset]) -> tuple[Any, Any]:
    """Return the page and its slider, if there is one."""
    pn = panel()
    words = pn.pane.HTML(told(counted(records.table)), styles={"color": "white"}, margin=(11, 10))
    bar = heading(Path(str(records.path)).name, words)
    table = _table.widget(records.table, choosing=False)
    failed = records.table[records.table["state"].isin(["failed", "damaged"])]
    notes = "\n".join(
        f"{row.state}: {row.scenario} {row.net} {row.train}: {row.error}"
        for row in failed.itertuples()
    )
    left: list[Any] = [table]
    if notes:
        left.append(pn.pane.HTML(told(notes), styles=WARNING, sizing_mode="stretch_width"))
    now = _curves.Now()
    right: list[Any] = [card(_curve_panes(parts, now))] if parts else []
    rolled = {name: ds for name, ds in parts.items() if _rollouts.has_rollout(ds)}
    slider = None
    if rolled:
        slider, rows = _rollout_panes(rolled, now)
        right.append(card(slider, *rows))
    body = pn.Row(
        card(*left, width=_table.WIDTH), pn.Column(*right, margin=0, width=WIDTH), margin=0
    )
    return pn.Column(bar, body, sizing_mode="stretch_width", margin=0), slider


def _curve_panes(parts: Mapping[str, xr.Dataset], now: _curves.Now) -> Any:
    pn = panel()
    plain = {"backend": "bokeh", "linked_axes": False, "margin": 0}
    side = Side("", parts, None)
    losses = _curves.loss_call("range", {})(side.only("train_loss"))
    first = pn.pane.HoloViews(sized(losses), **plain)
    tabs = []
    for name in _curves.metric_names(parts):
        drawn = _curves.metric_call(name, "range", False, {})(side.only(name))
        view = sized(drawn, hooks=[now.draw])
        tabs.append((name, pn.pane.HoloViews(view, **plain)))
    second = tabs[0][1] if len(tabs) == 1 else pn.Tabs(*tabs)
    return pn.Row(first, second, margin=0)


def _rollout_panes(parts: Mapping[str, xr.Dataset], now: _curves.Now) -> tuple[Any, list[Any]]:
    pn = panel()
    times = frames(parts)
    slider = pn.widgets.DiscreteSlider(
        **label("time step"), options=times, value=times[0], width=400
    )
    follower = _rollouts.Follower({"time": slider.value})

    def move(event: Any) -> None:
        now.move(event.new)
        follower.move({"time": event.new}, now.document)

    now.move(slider.value)
    slider.param.watch(move, "value")
    rows: list[Any] = []
    for ds in parts.values():
        rows.append(pn.pane.HTML(told(title_of(ds), "b"), margin=(4, 5, 0, 5)))
        panes = [pn.pane.HoloViews(one, backend="bokeh", margin=0) for one in follower.row(ds)]
        rows.append(pn.Row(*panes, margin=0))
    return slider, rows


def frames(parts: Mapping[str, xr.Dataset]) -> list[int]:
    """Return the time steps that a page shows: as many as it has room for."""
    times = [int(step) for step in _rollouts.labels(parts, "time")]  # type: ignore[call-overload]
    state = sum(_state_bytes(ds) for ds in parts.values())
    count = max(2, min(FRAMES, len(times), BUDGET // max(1, 3 * state)))
    every = np.unique(np.linspace(0, len(times) - 1, count).round().astype(int))
    return [times[place] for place in every]


def _state_bytes(ds: xr.Dataset) -> int:
    sizes = [ds.sizes[dim] for dim in ("x", "y") if dim in ds.sizes]
    return 4 * int(np.prod(sizes))
