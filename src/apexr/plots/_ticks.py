"""Ticks of drawn axes: names of rows and columns, and numbers that do not touch."""

from collections.abc import Sequence
from typing import Any, Literal

Which = Literal["x", "y"]
Names = list[tuple[float, str]]
_COUNTS = ("time step", "update step", "wavenumber")
"""Names of axes that count: half a step is no place on them."""
_FEWEST = 2
"""Numbers that an axis shows at least."""
_APART = 2.0
"""Pixels between two numbers, at least."""


def names_of_ticks(axes: Any, which: Which) -> Names:
    """Return places and names of an axis whose ticks are names; none where they are numbers."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter

    side = axes.xaxis if which == "x" else axes.yaxis
    named = isinstance(side.get_major_formatter(), FixedFormatter | FuncFormatter)
    if not named or not isinstance(side.get_major_locator(), FixedLocator):
        return []
    places = side.get_major_locator()()
    return [(float(at), side.get_major_formatter()(at, n)) for n, at in enumerate(places)]


def set_names(axes: Any, which: Which, names: Names, *, upright: bool = True) -> None:
    """Give an axis names at places; those of columns that are not ``upright`` stand on end."""
    places, texts = ([one[end] for one in names] for end in (0, 1))
    side = axes.xaxis if which == "x" else axes.yaxis
    side.set_ticks(places, labels=texts)
    if which == "x":
        axes.tick_params(axis="x", rotation=0 if upright else 90)


def thin_ticks(axes: Any, ruler: Any) -> None:
    """Leave out numbers until none touches another."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    sides: tuple[tuple[Which, Any], ...] = (("x", axes.xaxis), ("y", axes.yaxis))
    for which, side in sides:
        if names_of_ticks(axes, which):
            continue
        counts = side.get_scale() == "linear" and side.get_label_text().startswith(_COUNTS)
        if counts and not _are_whole(side):
            side.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
        within = side.get_scale() != "linear" and _within_a_decade(side)
        if _touching(side, ruler) and not within:
            side.set_minor_formatter(NullFormatter())
        for most in (5, 4, 3, 2, 1):
            if not _touching(side, ruler):
                break
            if within:
                _few_of_a_decade(side, most)
            elif isinstance(side.get_major_locator(), LogLocator):
                side.get_major_locator().set_params(numticks=most)
            else:
                whole = _are_whole(side)
                side.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10], integer=whole))
        if side.get_scale() == "log" and len(_shown(_labels(side), side)) < _FEWEST:
            _more_of_a_decade(side)
            if _touching(side, ruler):
                _few_of_a_decade(side, _FEWEST)


def _are_whole(side: Any) -> bool:
    return all(float(at).is_integer() for at in side.get_majorticklocs())


def _within_a_decade(side: Any) -> bool:
    low, high = sorted(side.get_view_interval())
    return bool(low > 0 and high < 10 * low)


def _more_of_a_decade(side: Any) -> None:
    """Label 1, 2 and 5 of each decade: a single number does not say how far an axis goes."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    side.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    side.set_minor_formatter(NullFormatter())


def _few_of_a_decade(side: Any, most: int) -> None:
    """Label an axis that shows less than a decade as a linear one."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    side.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
    side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    side.set_minor_formatter(NullFormatter())


def _touching(side: Any, ruler: Any) -> bool:
    """Tell whether two numbers of an axis touch each other."""
    return touching([one.get_window_extent(ruler.renderer) for one in _shown(_labels(side), side)])


def _labels(side: Any) -> list[Any]:
    return [*side.get_majorticklabels(), *side.get_minorticklabels()]


def _shown(labels: Sequence[Any], side: Any) -> list[Any]:
    """Return the labels that stand at the axis, not beyond its ends."""
    move, end = side.get_transform().transform, 0 if side.axis_name == "x" else 1
    low, high = sorted(move(side.get_view_interval()))
    reach = 1e-6 * (high - low)
    told = [one for one in labels if one.get_visible() and one.get_text()]
    places = move([one.get_position()[end] for one in told]) if told else []
    pairs = zip(told, places, strict=True)
    return [one for one, place in pairs if low - reach <= place <= high + reach]


def touching(boxes: Sequence[Any]) -> bool:
    """Tell whether any two boxes are closer than a moment."""
    return any(
        one.padded(_APART / 2).overlaps(other.padded(_APART / 2))
        for place, one in enumerate(boxes)
        for other in boxes[:place]
    )
