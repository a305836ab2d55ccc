import pytest

from apexr import plots
from apexr.errors import SpecError
from apexr.testing import mock_experiment

hv = pytest.importorskip("holoviews")
pytest.importorskip("matplotlib")


def options(panel, backend="matplotlib"):
    return hv.Store.lookup_options(backend, panel, "plot").kwargs


@pytest.fixture
def alike():
    return [plots.metric(mock_experiment(random_seed=seed), logy=True) for seed in range(4)]


def test_one_legend_stands_beside_the_first_row(alike):
    for columns, place in ((3, 2), (9, 3), (1, 0)):
        shown = [options(panel)["show_legend"] for panel in plots.panels(alike, columns)]
        assert [i for i, flag in enumerate(shown) if flag] == [place]


def test_legends_that_differ_are_all_shown(alike):
    lost = plots.metric(mock_experiment(diverged=[1]))
    assert all("show_legend" not in options(panel) for panel in plots.panels([*alike, lost]))


def test_titles_and_other_looks(alike):
    before = options(alike[0])
    made = list(plots.panels(alike, titles=["a", "b", "c", "d"]))
    for backend in ("matplotlib", "bokeh"):
        assert [options(panel, backend)["title"] for panel in made] == ["a", "b", "c", "d"]
        assert all(options(panel, backend)["logy"] for panel in made)
    assert len(options(made[0])["hooks"]) == len(before["hooks"]) + 1
    assert options(alike[0]) == before  # the plots that were given stay as they are


@pytest.mark.parametrize("suffix", [".png", ".html"])
def test_panels_are_saved(tmp_path, alike, suffix):
    assert plots.save(plots.panels(alike, 2), tmp_path / f"a{suffix}").stat().st_size > 5000


def test_wrong_counts_are_refused(alike):
    with pytest.raises(SpecError, match="4 titles, one for each plot, got 1"):
        plots.panels(alike, titles=["a"])
    with pytest.raises(SpecError, match="at least one plot"):
        plots.panels([])
    with pytest.raises(SpecError, match="at least one plot and one column, got 4 and 0"):
        plots.panels(alike, columns=0)


def test_the_axis_of_the_overview_belongs_to_its_curves():
    """Legends stand below, or where they cover nothing: see the tests of overlaps."""
    result = mock_experiment()
    assert "ylim" not in options(list(plots.overview(result))[2])


@pytest.mark.parametrize("suffix", [".png", ".html"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_what_has_no_logarithm_is_drawn_without(tmp_path, value, suffix):
    result = mock_experiment()
    result["mean_nRMSE"] = result.mean_nRMSE * 0 + value
    result["train_loss"] = result.train_loss * 0 + value
    assert plots.save(plots.overview(result), tmp_path / f"a{suffix}").stat().st_size > 5000
