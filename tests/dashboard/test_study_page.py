import pytest
from _studies import CONFIG, name, publish
from bokeh.models.annotations import Span

from _tiny import loaded_after, python
from apexr import dashboard, list_experiments, store
from apexr.dashboard import _curves, _export, _rollouts
from apexr.dashboard._records import Records, choices, counted, filtered
from apexr.dashboard._study import MOST, StudyPage
from apexr.errors import SpecError, StoreError
from apexr.store.unit import _zarr
from apexr.testing import mock_experiment


@pytest.fixture
def page(study):
    return StudyPage(Records(study))


@pytest.fixture
def reads(monkeypatch):
    """Chunks that are read, without the metadata and the coordinates."""
    seen = []
    read = _zarr.CheckedStore.content

    def content(self, key):
        if "/c" in key and key.split("/")[0] not in COORDINATES:
            seen.append(key)
        return read(self, key)

    monkeypatch.setattr(_zarr.CheckedStore, "content", content)
    return seen


def titled(pane):
    """Return the title of what a pane of a rollout shows."""
    return str(pane.object[()].opts.get("plot", backend="bokeh").kwargs["title"])


def rollouts(page):
    """Return the rows of rollouts, each with three panes."""
    return [figure.pane for figure in page.views.curves.rollouts.figures]


COORDINATES = ("seed", "update_step", "time", "time_value", "x", "channel", "sample", "test_sample")


def test_tables_are_filtered_by_any_columns(study):
    table = list_experiments(study)
    assert len(filtered(table, {})) == len(filtered(table, {"net": []})) == 6
    assert set(filtered(table, {"state": ["failed"]})["id"]) == {name(4)}
    chosen = filtered(table, {"scenario": ["1d_a"], "net": ["Conv;26;10;relu", "Res;16;4;relu"]})
    assert chosen["id"].tolist() == [name(0), name(2)]
    assert choices(table)["scenario"] == ["1d_a", "1d_b"]
    with pytest.raises(SpecError, match="got 'nett'; did you mean 'net'"):
        filtered(table, {"nett": ["x"]})


def test_the_summary_counts_states_and_diverged_seeds(study):
    words = counted(list_experiments(study))
    assert words == "6 experiments · 5 published · 1 failed · 1 seed diverged in 1 experiment"


def test_a_filter_changes_the_table_and_what_is_shown(page):
    assert len(page.table.value) == 6
    page.filters["scenario"].value = ["1d_b"]
    assert page.table.value["scenario"].tolist() == ["1d_b"] * 3
    assert [*page.views.parts] == [name(3), name(5)]
    assert "3 filtered out" in page.summary.object
    page.filters["net"].value = ["Res;16;4;relu"]
    assert [*page.views.parts] == [name(5)]


def test_choosing_rows_changes_what_is_shown(page):
    assert [*page.views.parts] == [name(0), name(1), name(2)]
    assert page.table.selection == [0, 1, 2]
    page.table.selection = [1, 5]
    assert [*page.views.parts] == [name(1), name(5)]
    labels = [curve.label for curve in page.views.curves.error[0].pane.object]
    assert any("1 diverged" in label for label in labels)
    page.table.selection = [4]
    assert page.views.parts == {}
    assert len(page.views.curves.grid) == 0
    assert "No experiment with results" in page.views.curves.problem.object


def test_failures_are_told_as_they_are(page):
    assert "out of &lt;b&gt;memory" in page.notes.object
    assert page.notes.visible
    page.filters["state"].value = ["published"]
    assert not page.notes.visible


def test_only_what_is_shown_is_read_one_chunk_a_view(study, reads):
    page = StudyPage(Records(study))
    assert sorted({key.split("/")[0] for key in reads}) == ["mean_nRMSE", "train_loss"]
    assert len(reads) == 2 * 3  # of three experiments
    rollouts(page)[0][0].get_root()
    assert {key.split("/")[0] for key in reads[6:]} == {"initial_state", "sample_reference"}


def test_a_step_of_the_slider_reads_the_state_alone(page, reads):
    for row in rollouts(page):
        for pane in row:
            pane.get_root()
    reads.clear()
    page.views.time.value = 7
    assert {key.split("/")[0] for key in reads} == {"sample_reference", "sample_rollout"}
    assert len(reads) == 2 * (1 + 1 + 2)  # reference, prediction, and both for their difference


def test_the_slider_moves_rollouts_and_the_line(page):
    view = rollouts(page)[0][1].object
    page.views.curves.error[0].pane.get_root()
    before = view[()].Curve.I.dimension_values("u").copy()
    page.views.time.value = 8
    assert {span.location for span in page.views.now.spans} == {8}
    assert abs(view[()].Curve.I.dimension_values("u") - before).max() > 0.1
    page.views.places["seed"].value = 1
    assert "seed 1" in titled(rollouts(page)[0][1])


def test_metric_band_and_scale_are_chosen(page):
    assert page.views.metric.options == ["mean_nRMSE", "mean_correlation"]
    page.views.metric.value = "mean_correlation"
    assert page.views.curves.error[0].pane.object.get_dimension("mean_correlation") is not None
    page.views.band.value = "none"
    assert len(page.views.curves.loss[0].pane.object) == 3


def test_a_refresh_shows_what_has_come_since(study, page):
    parts = [*page.views.parts]
    publish(study, 4, scenario="1d_b", net="FNO;12;8;4;gelu")
    store.Study.at(study).notes.forget_failure(name(4))
    publish(study, 7, scenario="2d_new", num_spatial_dims=2)
    with store.Study.at(study).notes.claim(name(8)):
        store.Study.at(study).notes.record_failure(name(8), ValueError("x"), CONFIG)
        page.look()
    assert page.filters["scenario"].options == ["1d_a", "1d_b", "2d_new"]
    assert len(page.table.value) == 8
    assert "1 running" in page.summary.object
    assert [*page.views.parts] == parts  # the choice stays
    page.watching.value = False
    publish(study, 9)
    page.look()
    assert len(page.table.value) == 8
    page.refresh()
    assert len(page.table.value) == 9


def test_experiments_that_are_not_touched_are_not_drawn_again(study, page):
    drawn = page.views.curves.loss[0].pane.object
    publish(study, 9)
    page.refresh()
    assert page.views.curves.loss[0].pane.object is drawn


def test_experiments_of_different_grids_are_shown_together(study):
    publish(study, 7, scenario="2d_new", num_spatial_dims=2, num_times=12)
    page = StudyPage(Records(study))
    page.table.selection = [0, 6]
    assert [*page.views.parts] == [name(0), name(7)]
    assert page.views.time.options[-1] == 12
    page.views.time.value = 12  # the first one ends at 8 and stays there
    titles = [titled(row[0]) for row in rollouts(page)]
    assert [title.split()[-1] for title in titles] == ["8", "12"]


def test_many_chosen_experiments_are_drawn_in_part(tmp_path):
    path = tmp_path / "many.zarr"
    store.create_study(path)
    for number in range(MOST + 2):
        publish(
            path, number, net=f"Conv;{number + 1};1;relu", seeds=(0,), num_times=2, num_points=4
        )
    page = StudyPage(Records(path))
    page.table.selection = list(range(MOST + 2))
    assert len(page.views.parts) == MOST
    assert f"{MOST + 2} experiments are chosen; the first {MOST} are drawn" in page.notes.object


def test_a_study_without_results_is_shown(tmp_path):
    store.create_study(tmp_path / "new.zarr")
    page = StudyPage(Records(tmp_path / "new.zarr"))
    assert "no experiment yet" in page.summary.object
    assert len(page.table.value) == 0
    publish(tmp_path / "new.zarr", 1)
    page.refresh()
    assert [*page.views.parts] == [name(1)]


def test_a_damaged_experiment_is_told_and_the_others_shown(study):
    chunk = study / "experiments" / name(0) / "data.zarr" / "train_loss" / "c.0.0"
    chunk.unlink()
    page = StudyPage(Records(study))
    assert "train_loss" in page.notes.object + page.views.curves.loss[0].problem.object
    page.table.selection = [2]
    assert [*page.views.parts] == [name(2)]
    assert page.views.curves.loss[0].pane.object is not None


def test_what_is_no_study_is_refused(tmp_path):
    for show in (dashboard.study_page, dashboard.show_study):
        with pytest.raises(StoreError, match=r"not an apexr study \(no study.json\)"):
            show(tmp_path)
    with pytest.raises(StoreError, match="not an apexr study"):
        dashboard.export(tmp_path / "nothing", tmp_path / "page.html")


@pytest.mark.parametrize(
    ("file", "experiments", "words"),
    [
        ("page.png", None, "a page ends in .html"),
        ("page.html", [name(4)], "no finished experiment"),
    ],
)
def test_what_cannot_be_exported_is_refused(study, tmp_path, file, experiments, words):
    with pytest.raises(SpecError, match=words):
        dashboard.export(study, tmp_path / file, experiments)


def test_ports_that_cannot_be_had_are_refused(study):
    with pytest.raises(SpecError, match="a port is a number"):
        dashboard.show_study(study, port=70_000, show=False)


def test_the_page_of_a_study_needs_no_jax(study):
    code = f"import apexr; apexr.dashboard.study_page({str(study)!r})"
    assert loaded_after(code, "jax", "equinox", "apexr.scenarios", "panel") == ["panel"]


BARE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("hvplot", "matplotlib", "seaborn", "tabulate"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
from apexr import dashboard
dashboard.study_page("study.zarr")
dashboard.export("study.zarr", "page.html")
"""


@pytest.mark.quick
def test_the_pages_need_no_extra(study):
    python(BARE, cwd=study.parent)
    assert "Bokeh" in (study.parent / "page.html").read_text()


@pytest.mark.parametrize(("extent", "ratio"), [((2.0, 1.0), 2.0), ((1.0, 2.0), 0.5)])
def test_rollouts_have_the_shape_of_their_domain(extent, ratio):
    ds = mock_experiment(num_spatial_dims=2, num_points=(6, 8), domain_extent=extent)
    for view in _rollouts.Follower({"time": 0}).row(ds):
        (image,) = view[()].traverse(lambda one: one, ["Image"])
        size = image.opts.get("plot", "bokeh").kwargs
        beside, above = _rollouts._AROUND
        assert (size["width"] - beside) / (size["height"] - above) == pytest.approx(ratio, rel=0.02)
        assert size["width"] <= _rollouts.WIDTH
        assert size["height"] <= _rollouts.HEIGHT


def test_the_line_of_every_metric_follows_the_slider(study):
    now = _curves.Now()
    panes = _export._curve_panes(Records(study).open([name(0), name(1)]), now)
    spans = list(panes.get_root().select({"type": Span}))
    assert len(spans) == 2  # of two metrics
    now.move(7)
    assert [span.location for span in spans] == [7, 7]
