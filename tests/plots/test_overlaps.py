"""Every plot at the width of a column and of a page: nothing covers anything else."""

import importlib.util
from pathlib import Path

import pytest
from _overlaps import overlaps, smallest_text

from apexr.plots._paper import SMALLEST, WIDTHS

pytest.importorskip("holoviews")
pytest.importorskip("matplotlib")

TOOL = Path(__file__).parents[2] / "tools" / "contact_sheet.py"
spec = importlib.util.spec_from_file_location("contact_sheet", TOOL)
sheet = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sheet)


@pytest.fixture(scope="module")
def drawn():
    """Return plots by name; each is made once for both widths."""
    made = {}
    return lambda name: made.setdefault(name, sheet.cases()[name]())


QUICK = (
    *("loss", "metric, one", "metric, physical time", "decomposition, one split", "pareto"),
    *("heatmap", "heatmap, wide", "interquartile_mean", "spacetime", "state, volume"),
    *("compare, one sign", "facets, channels", "spectra", "interquartile_mean, long names"),
)
"""Drawn in every run, the others with ``-m slow``."""
CASES = [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in sheet.cases()]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CASES)
def test_nothing_covers_anything(drawn, name, width):
    import matplotlib.pyplot as plt

    from apexr.plots._save import picture

    figure = picture(drawn(name), width)
    try:
        assert overlaps(figure) == []
        assert figure.get_size_inches()[0] == pytest.approx(WIDTHS[width], rel=0.01)
        assert smallest_text(figure) >= SMALLEST
    finally:
        plt.close(figure)


@pytest.mark.parametrize(
    ("factor", "offset", "ends"),
    [(1.0, 0.0, "neither"), (2.0, 0.0, "both"), (1.0, 1.0, "max"), (1.0, -1.0, "min")],
)
def test_a_bar_has_arrows_where_any_of_its_images_is_clipped(factor, offset, ends):
    """Limits are those of the reference; the bar stands beside the last image, the error."""
    import matplotlib.pyplot as plt

    from apexr import plots
    from apexr.plots._save import picture

    ds = sheet.flat().copy()
    ds["sample_rollout"] = factor * ds["sample_reference"] + offset
    ds["sample_rollout"] = ds["sample_rollout"].expand_dims(seed=ds["seed"])
    figure = picture(plots.compare(ds), "page")
    try:
        bars = [image.colorbar for axes in figure.axes for image in axes.images if image.colorbar]
        assert [bar.extend for bar in bars] == [ends]
        assert bars[0].ax.get_ylabel().startswith("u")
        assert overlaps(figure) == []
    finally:
        plt.close(figure)


@pytest.mark.parametrize("name", ["heatmap", "heatmap, wide"])
def test_texts_in_the_cells_of_a_narrow_page_do_not_overlap(drawn, name):
    import holoviews as hv
    import numpy as np
    from bokeh.models import Text

    from apexr.plots._arrange_page import _BAR, _beside, _Estimate, arrange_page
    from apexr.plots._paper import sizes_for

    plot = hv.render(drawn(name), backend="bokeh")
    arrange_page(plot, 3.4)
    columns = len(plot.xaxis[0].major_label_overrides)
    room = (plot.width - _beside(plot, sizes_for(3.4)) - _BAR) / columns
    row = plot.frame_height / len(plot.yaxis[0].major_label_overrides)
    written = [one for one in plot.renderers if isinstance(one.glyph, Text)]
    assert written
    for one in written:
        size = float(one.glyph.text_font_size.removesuffix("pt"))
        upright = not np.isclose(one.glyph.angle, np.pi / 2)
        for text in one.data_source.data[one.glyph.text]:
            long = _Estimate.width(text, size)
            high = 1.2 * (text.count("\n") + 1) * size * 96 / 72
            assert (long if upright else high) <= room
            assert (high if upright else long) <= row + 1


def test_the_sheet_has_every_public_plot():
    import apexr

    without = {"animate", "explore", "save", "pareto_front"}  # films, sliders, no pictures
    named = {name.split(",")[0] for name in sheet.cases()}
    assert named == set(apexr.plot.__all__) - without


def test_the_measure_finds_what_covers():
    """A text over another, a legend over a curve, and a text that is cut off are told."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(3, 2))
    axes.plot([0, 1], [0, 1], label="a curve")
    axes.legend(loc="center")
    axes.text(0.1, 0.8, "one text")
    axes.text(0.12, 0.8, "another text")
    figure.text(0.95, 0.99, "a text that leaves")
    found = "\n".join(overlaps(figure))
    plt.close(figure)
    assert "'another text' covers 'one text'" in found
    assert "legend of axes covers curve 0" in found
    assert "'a text that leaves' leaves the figure" in found


def test_an_axis_shows_more_than_one_number(drawn):
    import matplotlib.pyplot as plt

    from apexr.plots._save import picture

    figure = picture(drawn("interquartile_mean, long names"), "column")
    try:
        (axes,) = figure.axes
        low, high = axes.get_xlim()
        assert sum(low <= at <= high for at in axes.get_xticks()) > 1
    finally:
        plt.close(figure)


def test_axes_that_count_have_whole_numbers():
    import matplotlib.pyplot as plt

    import apexr
    from apexr.plots._save import picture
    from apexr.testing import mock_experiment

    ds = mock_experiment(num_times=15, num_points=32)
    for draw in (apexr.plot.metric, apexr.plot.spacetime, apexr.plot.error_spectrum):
        figure = picture(draw(ds), "column")
        try:
            sides = [side for axes in figure.axes for side in (axes.xaxis, axes.yaxis)]
            counted = [s for s in sides if s.get_label_text() in ("time step", "wavenumber")]
            assert counted
            assert all(
                float(at).is_integer() for side in counted for at in side.get_majorticklocs()
            )
        finally:
            plt.close(figure)
