"""The views of a page: what they show is what their code makes, on both sides of a comparison."""

import ast
import html
import re

import numpy as np
import pytest
from _studies import NETS, name, publish
from bokeh.plotting import figure as bokeh_figure

import apexr
from _tiny import NET, SIZES, compiled_once
from apexr import store
from apexr.dashboard import _splits
from apexr.dashboard._drawing import Side
from apexr.dashboard._records import Records
from apexr.dashboard._study import StudyPage
from apexr.errors import SpecError
from apexr.plots._style import holoviews
from apexr.testing import mock_experiment


@pytest.fixture
def page(study):
    return StudyPage(Records(study))


@pytest.fixture
def two(study):
    """A page with two experiments on each side."""
    return StudyPage(Records(study), f"?a={name(0)},{name(1)}&b={name(3)},{name(0)}")


def value_of(code):
    """Run lines of Python and return the value of the last one.

    They are the code that the page shows for a study which this file made: what is tested is that
    a reader who runs it gets the numbers of the page. apexr itself evaluates no text.
    """
    lines = ast.parse(code).body
    space = {}
    exec(compile(ast.Module(lines[:-1], []), "code", "exec"), space)
    return eval(compile(ast.Expression(lines[-1].value), "code", "eval"), space)


def numbers(drawn):
    """Return the names and numbers of all curves, points and images of a plot."""
    hv = holoviews()
    kinds = [hv.Curve, hv.Scatter, hv.Image]
    return drawn.traverse(lambda one: (one.label, *map(_column(one), one.dimensions())), kinds)


def _column(element):
    return lambda dim: element.dimension_values(dim).tolist()


def assert_same(one, other):
    assert len(one) == len(other) > 0
    for (label, *columns), (again, *others) in zip(one, other, strict=True):
        assert label == again
        for column, same in zip(columns, others, strict=True):
            np.testing.assert_array_equal(column, same)


@pytest.mark.parametrize("search", ["", f"?a={name(0)},{name(1)}&b={name(3)}&scale=log&band=none"])
def test_the_code_of_curves_makes_what_is_shown(study, search):
    page = StudyPage(Records(study), search)
    shown = [f for f in page.views.curves.loss + page.views.curves.error if f.drawing]
    assert len(shown) == (4 if "b=" in search else 2)
    for figure in shown:
        assert_same(numbers(value_of(figure.drawing.code)), numbers(figure.pane.object))


def test_the_code_of_rollouts_makes_what_is_shown(page):
    page.views.time.value = 6
    page.views.places["seed"].value = 2
    first, _ = page.views.curves.rollouts.figures
    made = value_of(first.drawing.code)
    hv = holoviews()
    for panel, pane in zip(made, first.pane, strict=True):
        curve = panel.traverse(lambda one: one, [hv.Curve])[-1]
        (shown,) = pane.object[()].traverse(lambda one: one, [hv.Curve])
        np.testing.assert_array_equal(curve.dimension_values(1), shown.dimension_values(1))
    assert "time=6" in first.drawing.code
    first.coded.value = True
    page.views.time.value = 7
    assert "time=7" in first.code.object


@pytest.mark.parametrize("ticked", [[0, 1, 2], [0, 1, 2, 3, 5]], ids=["problem", "problems"])
def test_the_code_of_a_front_makes_what_is_shown(page, ticked):
    page.table.selection = ticked
    page.views.open.value = "pareto"
    (figure, _) = page.views.pareto.figures
    assert_same(numbers(value_of(figure.drawing.code)), numbers(figure.pane.object))
    page.views.cost.value = "train_seconds"
    assert "train_seconds" in figure.drawing.code
    assert_same(numbers(value_of(figure.drawing.code)), numbers(figure.pane.object))


def test_a_study_called_like_code_stays_a_text(made, tmp_path):
    path = tmp_path / "a'); import os #.zarr"
    store.create_study(path)
    publish(path, 1)
    page = StudyPage(Records(path))
    figure = page.views.curves.loss[0]
    assert_same(numbers(value_of(figure.drawing.code)), numbers(figure.pane.object))


def limits(figures):
    """Return the limits of both axes of each figure, all of them drawn."""
    roots = [one.pane.get_root() for one in figures]
    found = [next(iter(root.select({"type": bokeh_figure}))) for root in roots]
    return [
        (one.x_range.start, one.x_range.end, one.y_range.start, one.y_range.end) for one in found
    ]


def colors(figure):
    """Return the color of each experiment that a figure shows."""
    hv = holoviews()
    curves = figure.pane.object.traverse(lambda one: one, [hv.Curve, hv.Scatter])
    style = [one.opts.get("style", "bokeh").kwargs for one in curves if one.label]
    names = [one.label.partition(" (")[0] for one in curves if one.label]
    return dict(zip(names, [one.get("color") for one in style], strict=True))


@pytest.mark.parametrize("view", ["curves", "pareto"])
def test_both_sides_have_the_same_axes_and_colors(two, view):
    two.views.open.value = view
    if view == "curves":
        pairs = [two.views.curves.loss, two.views.curves.error]
    else:
        pairs = [two.views.pareto.figures]
    for pair in pairs:
        first, second = limits(pair)
        assert first == second
        a, b = map(colors, pair)
        common = {*a} & {*b} - {"Pareto front"}
        assert common  # experiment 0 is on both sides
        assert all(a[one] == b[one] for one in common)
        apart = {**a, **b}
        apart.pop("Pareto front", None)
        assert len({*apart.values()}) == len(apart) == (3 if view == "curves" else 2)


def test_rollouts_of_the_first_of_each_side(two):
    titles = [one.heading.object for one in two.views.curves.rollouts.figures]
    assert len(titles) == 2
    assert "A: 1d_a" in titles[0]
    assert "B: 1d_b" in titles[1]


def test_ticks_are_those_of_one_selection(page):
    page.ticks.value = "b"
    assert page.table.selection == []
    assert [side.name for side in page.views.sides] == ["A", "B"]
    page.table.selection = [3, 5]
    page.filters["scenario"].value = ["1d_a"]
    assert page.table.selection == []
    assert [*page.views.sides[1].parts] == [name(3), name(5)]  # hidden in the table, still there
    page.table.selection = [1]
    assert [*page.views.sides[1].parts] == [name(1), name(3), name(5)]
    page.ticks.value = "a"
    assert page.table.selection == [0, 1, 2]
    page._close_b()
    assert [side.name for side in page.views.sides] == [""]
    assert not page.clear.visible


def test_only_the_view_that_is_open_is_computed(study, monkeypatch):
    drawn = []
    draw = Side.drawing
    monkeypatch.setattr(
        Side,
        "drawing",
        lambda self, call, *names: drawn.append(call.name) or draw(self, call, *names),
    )
    page = StudyPage(Records(study), "?view=pareto")
    assert drawn == ["plot.pareto"]
    page.views.open.value = "curves"
    page.views.open.value = "pareto"
    assert drawn == ["plot.pareto", "plot.loss", "plot.metric"]  # each once


@pytest.mark.parametrize(("num_seeds", "claimed"), [(8, True), (5, False)])
def test_statistics_claim_no_more_than_the_seeds_allow(tmp_path, num_seeds, claimed):
    """Half the error in all pairs of seeds: p = 2 / 2**n, which 6 pairs bring below 0.05."""
    path = tmp_path / "study.zarr"
    store.create_study(path)
    for number, net in enumerate(NETS[:2]):
        ds = mock_experiment(net=net, seeds=range(num_seeds), scenario="1d_a")
        ds["mean_nRMSE"] = ds["mean_nRMSE"].copy(data=ds["mean_nRMSE"] / (1 + number))
        store.publish_experiment(ds, {}, store.unit_path(path, name(number)))
    page = StudyPage(Records(path), "?view=statistics")
    assert page.views.by.value == "net"
    text = page.views.statistics.pane.object
    words = f"{NETS[1]} has a lower error than {NETS[0]} by a factor of 2"
    assert (words in text) == claimed
    assert ("support no difference" in text) != claimed
    tables = [value_of(code) for code in codes(text) if "apexr.table" in code]
    assert len(tables) == 2
    assert all(table.to_html() in text for table in tables)


def codes(text):
    """Return the code in a page of HTML."""
    return [html.unescape(one) for one in re.findall(r"<pre><code>(.*?)</code></pre>", text, re.S)]


def test_scores_are_not_compared_as_errors(page):
    page.views.metric.value = "mean_correlation"
    page.views.open.value = "statistics"
    assert "an error over time steps" in page.views.statistics.pane.object


def test_a_file_is_made_of_what_is_shown(page):
    figure = page.views.curves.loss[0]
    for ending, begin in ((".html", b"<!DOCTYPE html>"), (".svg", b"<?xml"), (".png", b"\x89PNG")):
        page.views.downloads.ending.value = ending
        file, data = figure.file()
        assert file == f"loss{ending}"
        assert data.lstrip().startswith(begin)


def test_errors_are_split_on_demand_by_the_command(tmp_path, monkeypatch):
    path = tmp_path / "study.zarr"
    given = {"scenario": "diff_adv", "task": "predict", "net": NET, "train": "one", **SIZES}
    apexr.run_study([given], path)
    splits = StudyPage(Records(path), "?view=decomposition").views.splits
    assert splits.figures == []
    assert "To be split: 1 experiment." in splits.words.object
    for name_, value in compiled_once().items():
        monkeypatch.setenv(name_, value)
    splits.start()
    assert splits.stop.visible
    assert "Splitting experiment 1 of 1" in splits.words.object
    splits.thread.join(300)
    (figure,) = splits.figures
    assert not splits.button.visible
    (id_,) = apexr.list_experiments(path)["id"]
    parts = figure.drawing.subject
    error, one_step = (parts[part].sel(time=1) for part in ("error", "one_step"))
    np.testing.assert_array_equal(error, one_step)  # nothing is propagated before
    known = {(str(path), id_): parts}
    monkeypatch.setattr(apexr, "decompose", lambda store, experiment: known[store, experiment])
    assert_same(numbers(value_of(figure.drawing.code)), numbers(figure.pane.object))
    again = StudyPage(Records(path), "?view=decomposition").views.splits
    assert len(again.figures) == 1  # kept


def test_reasons_against_a_split_are_told(page, monkeypatch):
    def refuse(job, name):
        raise SpecError(f"{name} has no <networks>")

    monkeypatch.setattr(_splits.Job, "split", refuse)
    page.views.open.value = "decomposition"
    page.views.splits.start()
    page.views.splits.thread.join(60)
    assert f"{name(0)} has no &lt;networks&gt;" in page.views.splits.problem.object
    assert page.views.splits.button.visible  # to try again
    assert _splits._reason("INFO a\nerror: no networks\n\n") == "error: no networks"


def test_a_split_can_be_stopped(page):
    job = _splits.Job(page.records.path)
    job.stop()
    with pytest.raises(SpecError, match="stopped"):
        job.split(name(0))
