"""What works where the packages of the plot and movie extras are not installed."""

from pathlib import Path

from _tiny import python

BLOCK = """
import sys
from pathlib import Path

BLOCKED = ("hvplot", "imageio_ffmpeg", "matplotlib", "seaborn", "tabulate")

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
import apexr
from apexr import analysis, errors, plots
from apexr.testing import mock_experiment
"""

ANALYSIS = """
ds = mock_experiment(seeds=range(8), diverged=[1])
other = mock_experiment(seeds=range(8), random_seed=1)
table = apexr.table(ds)
for text in (table.to_markdown(), table.to_latex(), table.to_html(), table.to_csv(), str(table)):
    assert "nRMSE" in text
assert "In short" in apexr.summarise_comparison(ds, other=other)
for compare in (analysis.paired_difference, analysis.paired_ratio, analysis.probability_better):
    compare(ds, other=other, diverged="worst")
analysis.bootstrap_band(ds), analysis.band(ds.mean_nRMSE), analysis.finite_fraction(ds)
analysis.geometric_mean(ds), analysis.count_diverged(ds, "mean_nRMSE"), analysis.spectra(ds)
analysis.to_long(ds, "mean_nRMSE"), analysis.to_wide(ds), analysis.melt_loss(ds)
assert not {"jax", "holoviews"} & set(sys.modules)
"""

PLOTS = """
import holoviews as hv
import pytest
import xarray as xr

pytestmark = pytest.mark.quick
folder = Path(FOLDER)
line, plane = (mock_experiment(num_spatial_dims=dims, num_points=6) for dims in (1, 2))
space = mock_experiment(num_spatial_dims=3, num_points=6)
study = xr.concat(
    [mock_experiment(net=net, random_seed=i) for i, net in enumerate(("Conv;8;2;relu", "Pure;3"))],
    "experiment", coords="all", compat="equals", combine_attrs="drop_conflicts",
)
drawn = {
    "loss": plots.loss(line), "metric": plots.metric(study, by="net"),
    "overview": plots.overview(line), "panels": plots.panels([plots.loss(study, by="net")] * 2),
    "spacetime": plots.spacetime(line), "state": plots.state(plane), "volume": plots.state(space),
    "compare": plots.compare(plane), "facets": plots.facets(line),
    "spectra": plots.spectra(line), "error_spectrum": plots.error_spectrum(line),
    "heatmap": plots.heatmap(study), "pareto": plots.pareto(study), "sizes": plots.sizes(study),
}
for name, plot in drawn.items():
    page = plots.save(plot, folder / f"{name}.html").read_text()
    assert "<!DOCTYPE html>" in page and "Bokeh" in page, name
assert hv.Store.current_backend == "bokeh"
assert "matplotlib" not in sys.modules
for write in (lambda: plots.save(drawn["loss"], folder / "a.png"),
              lambda: plots.animate(line, folder / "a.gif")):
    try:
        write()
    except errors.MissingExtraError as error:
        print(error)
"""


def test_all_analysis_works():
    python(BLOCK + ANALYSIS)


def test_every_plot_is_drawn_by_bokeh_and_what_is_not_says_what_to_install(tmp_path):
    said = python(BLOCK + PLOTS.replace("FOLDER", repr(str(tmp_path)))).splitlines()
    assert said[0].startswith("pictures to .png files need the package matplotlib: ")
    assert 'pip install "apexr[plot]"' in said[0]
    assert 'pip install ".[plot]"' in said[0]
    assert 'films need the package imageio_ffmpeg: pip install "apexr[movie]"' in said[1]
    assert {path.suffix for path in Path(tmp_path).iterdir()} == {".html"}
