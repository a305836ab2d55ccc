import pytest

from apexr import dashboard
from apexr.dashboard import _data
from apexr.dashboard._explorer import Explorer
from apexr.errors import SpecError, UnknownNameError

KEYS = [key for group in _data.keys().values() for key in group]


@pytest.fixture(scope="module")
def page():
    return Explorer("diff_adv")


def test_all_scenarios_are_offered_in_their_dimensions():
    assert len(KEYS) == 60
    assert [*map(len, _data.keys().values())] == [16, 16, 28]
    assert _data.dimensions("diff_adv") == (1, 2, 3)


@pytest.mark.parametrize("key", KEYS)
def test_a_small_scenario_is_made_in_each_of_its_dimensions(key):
    for dims in _data.dimensions(key):
        scenario = _data.small_scenario(key, dims)
        assert scenario.num_points <= _data.SMALL[dims]["num_points"]
        assert scenario.test_temporal_horizon <= _data.SMALL[dims]["test_temporal_horizon"]
        assert _data.description(key)


def test_what_is_reduced_is_told():
    words = _data.reduced(_data.small_scenario("diff_adv", 2), "test")
    assert "64 points along an axis (its own default: 160)" in words
    assert "60 steps (its own default: 200)" in words


def test_split_solver_sample_and_time_change_the_picture(page):
    def shown():
        return page.state[0].object[()].Curve.I.dimension_values("u").copy()

    pictures = [shown()]
    for widget, value in (
        (page.time, 20),
        (page.sample, 3),
        (page.solver, "coarse"),
        (page.split, "train"),
    ):
        widget.value = value
        pictures.append(shown())
    assert all(abs(a - b).max() > 1e-3 for a, b in zip(pictures, pictures[1:], strict=False))
    assert page.time.options[-1] == 50  # of the training


def test_a_scenario_of_one_dimension_alone_is_shown_in_it(page):
    key = next(key for key in KEYS if _data.dimensions(key) == (2,))
    page.dims.value = 1
    page.scenario.value = key
    assert page.dims.value == 2
    assert page.dims.options == {"2D": 2}
    assert "There is none in 1D or 3D" in page.about.object
    assert len(page.state) == 1


def test_what_cannot_be_computed_is_told(page, monkeypatch):
    def refuse(*_):
        raise SpecError("this cannot be <meant>")

    monkeypatch.setattr(_data, "small_scenario", refuse)
    page.scenario.value = "diff_fisher"
    assert "cannot be &lt;meant&gt;" in page.problem.object
    assert page.problem.visible
    monkeypatch.undo()
    page.scenario.value = "diff_adv"
    assert not page.problem.visible


def test_unknown_scenarios_are_refused_with_the_nearest():
    for show in (dashboard.explorer, dashboard.show_explorer):
        with pytest.raises((SpecError, UnknownNameError), match="did you mean 'diff_adv'"):
            show("diff_ad")
