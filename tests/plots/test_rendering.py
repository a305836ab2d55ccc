"""Every plot is drawn by both backends: names with units, legends, nothing that fails."""

import pytest
from _results import study

from apexr import plots
from apexr.plots._save import picture
from apexr.testing import mock_experiment

hv = pytest.importorskip("holoviews")
pytest.importorskip("matplotlib")

ONE = {"num_samples": 2, "diverged": [1]}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    found = {
        dims: mock_experiment(num_spatial_dims=dims, num_points=points, **ONE)
        for dims, points in ((1, 16), (2, 8), (3, 8))
    }
    return {**found, "study": study(tmp_path_factory.mktemp("study"), {0: [1], 2: [0, 1, 2]})}


CASES = {
    "loss": ("study", lambda ds: plots.loss(ds, by="net"), ["update step", "training loss [–]"]),
    "metric": ("study", lambda ds: plots.metric(ds, by="net"), ["time step", "mean nRMSE [–]"]),
    "overview": (1, plots.overview, ["time step", "x [–]"]),
    "spacetime 1": (1, plots.spacetime, ["time step", "x [–]"]),
    "spacetime 2": (2, lambda ds: plots.spacetime(ds, times=[3]), ["x [–]", "y [–]"]),
    "state 1": (1, plots.state, ["x [–]", "u [–]"]),
    "state 2": (2, lambda ds: plots.state(ds, times=[3]), ["x [–]", "y [–]"]),
    "state 3": (3, lambda ds: plots.state(ds, times=[3]), ["x [–]", "y [–]", "z [–]"]),
    "volume": (3, lambda ds: plots.state(ds, times=[3], view="volume"), []),
    "compare 1": (1, lambda ds: plots.compare(ds, seed=1), ["x [–]", "u [–]"]),
    "compare 2": (2, plots.compare, ["x [–]", "y [–]"]),
    "facets": (1, lambda ds: plots.facets(ds, "seed"), ["time step", "x [–]"]),
    "spectra": (2, plots.spectra, ["wavenumber", "power spectrum [–]"]),
    "error_spectrum": (1, plots.error_spectrum, ["time step", "wavenumber"]),
    "heatmap": ("study", plots.heatmap, ["scenario", "network"]),
    "pareto": ("study", plots.pareto, ["number of parameters", "mean nRMSE [–]"]),
    "sizes": ("study", plots.sizes, ["number of parameters", "receptive field in grid points [–]"]),
}


def drawn(case, data):
    key, function, names = CASES[case]
    return function(data[key]), names


@pytest.mark.parametrize("case", CASES)
def test_matplotlib(case, data):
    import matplotlib.pyplot as plt

    plot, names = drawn(case, data)
    figure = hv.renderer("matplotlib").get_plot(plot).state
    try:
        figure.canvas.draw()
        axes = figure.axes
        shown = {name for one in axes for name in (one.get_xlabel(), one.get_ylabel())}
        assert set(names) <= shown
        within = figure.get_tightbbox()
        assert within.width < 30
        assert within.height < 30
    finally:
        plt.close(figure)


@pytest.mark.parametrize("case", CASES)
def test_bokeh(case, data):
    from bokeh.models import Axis

    plot, names = drawn(case, data)
    figure = hv.renderer("bokeh").get_plot(plot).state
    shown = {axis.axis_label for axis in figure.select({"type": Axis})}
    assert set(names) <= shown


def test_legends_count_seeds_and_name_the_statistic(data):
    import matplotlib.pyplot as plt

    figure = hv.renderer("matplotlib").get_plot(plots.metric(data["study"], by="net")).state
    legend = figure.axes[0].get_legend()
    plt.close(figure)
    assert legend.get_title().get_text() == "median, min–max over seeds"
    assert legend.get_texts()[0].get_text() == "Conv;26;10;relu (3 seeds, 1 diverged)"


@pytest.mark.parametrize("width", [None, 3.4])
@pytest.mark.parametrize(("key", "below"), [("study", True), (1, False)])
def test_a_large_legend_stands_right_below_the_axes(data, key, below, width):
    import matplotlib.pyplot as plt

    figure = picture(plots.loss(data[key]), width)
    axes = figure.axes[0]
    box = axes.get_legend().get_window_extent()
    gap = axes.xaxis.get_tightbbox().y0 - box.y1
    plt.close(figure)
    assert 0 < gap < 0.5 * box.height if below else gap < 0


def test_colors_have_equal_limits_in_what_is_drawn(data):
    import matplotlib.pyplot as plt

    figure = hv.renderer("matplotlib").get_plot(plots.compare(data[2])).state
    limits = {image.get_clim() for axes in figure.axes for image in axes.images}
    plt.close(figure)
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high
