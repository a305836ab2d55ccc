"""All analysis works where the packages of the plot extra are not installed."""

from _tiny import python

BLOCKED = ("bokeh", "hvplot", "matplotlib", "panel", "seaborn", "tabulate", "imageio_ffmpeg")

CODE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
import apexr
from apexr import analysis, errors
from apexr.testing import mock_experiment
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
try:
    apexr.plot.metric(ds)
except errors.MissingExtraError as error:
    print(error)
"""


def test_analysis_works_and_a_plot_says_what_to_install():
    said = python(CODE.replace("BLOCKED", repr(BLOCKED)))
    assert 'pip install "apexr[plot]"' in said
