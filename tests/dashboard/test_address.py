"""What a reader has chosen goes into the address of the page, and comes back from it."""

import html

import pytest
from _studies import name
from hypothesis import given
from hypothesis import strategies as st

from apexr import store
from apexr.dashboard._address import Choices, from_query, to_query
from apexr.dashboard._records import FILTERS, Records
from apexr.dashboard._study import StudyPage

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
IDS = st.lists(st.text("0123456789abcdef", min_size=4), min_size=1, max_size=4, unique=True)
SINGLE = [n for n in Choices.__dataclass_fields__ if n not in ("filters", "a", "b")]


@given(
    filters=st.dictionaries(
        st.sampled_from(FILTERS), st.lists(TEXT, min_size=1, max_size=3, unique=True).map(tuple)
    ),
    a=st.none() | IDS.map(tuple) | st.just(()),
    b=st.just(()) | IDS.map(tuple),
    single=st.dictionaries(st.sampled_from(SINGLE), TEXT),
)
def test_choices_come_back_from_their_query(filters, a, b, single):
    choices = Choices(filters=filters, a=a, b=b, **single)
    assert from_query(to_query(choices)) == (choices, [])


@given(st.text(max_size=200) | TEXT.map(lambda text: f"?a={text}&b={text}&time={text}&{text}=1"))
def test_any_text_is_taken_for_a_query(search):
    choices, notes = from_query(search)
    assert all(isinstance(one, str) for one in notes)
    assert from_query(to_query(choices)) == (choices, [])


def test_nothing_chosen_is_no_query(study):
    assert to_query(Choices()) == ""
    assert StudyPage(Records(study)).address() == ""


def test_what_is_no_choice_is_told():
    choices, notes = from_query("?tim=3&view=pareto&<script>=1")
    assert choices == Choices(view="pareto")
    assert len(notes) == 2
    assert "'tim'" in notes[0]
    assert from_query("?time=" + "1" * 100_000)[0] == Choices()


ASKED = [
    "?scenario=1d_a&scenario=1d_b&net=Conv;26;10;relu&a=none",
    f"?scenario=1d_b&a={name(5)}&b={name(0)},{name(3)}&ticks=b&view=decomposition",
    "?view=pareto&metric=mean_correlation&cost=train_seconds",
    f"?a={name(0)},{name(1)},{name(3)}&view=statistics&by=scenario&band=none&scale=log&time=7&seed=2",
]


@pytest.mark.parametrize("search", ASKED)
def test_a_page_opens_as_it_was(study, search):
    page = StudyPage(Records(study), search)
    assert not page.ignored.visible
    assert from_query(page.address()) == from_query(search)
    choices, _ = from_query(search)
    shown = [tuple(side.parts) for side in page.views.sides]
    if choices.a is not None:
        assert shown == [choices.a, *([choices.b] if choices.b else [])]


def test_each_choice_is_in_the_address(study):
    page = StudyPage(Records(study))
    seen = []
    page.changed = lambda: seen.append(page.address())
    page.filters["scenario"].value = ["1d_b"]
    page.filters["scenario"].value = []
    page.table.selection = [1, 5]
    page.ticks.value = "b"
    page.table.selection = [0]
    page.views.metric.value = "mean_correlation"
    page.views.band.value = "none"
    page.views.logy.value = True
    page.views.time.value = 7
    page.views.places["seed"].value = 1
    page.views.open.value = "pareto"
    page.views.cost.value = "train_seconds"
    page.views.open.value = "statistics"
    page.views.by.value = "scenario"
    assert len(set(seen)) == len(seen) >= 13
    assert from_query(page.address())[0] == Choices(
        a=(name(1), name(5)),
        b=(name(0),),
        ticks="b",
        view="statistics",
        metric="mean_correlation",
        band="none",
        scale="log",
        cost="train_seconds",
        by="scenario",
        time="7",
        seed="1",
    )


STALE = {
    f"?a={'f' * 32},{name(1)}&metric=mean_nRMS&seed=17&time=-1&band=ring&scale=cubic": [
        "experiments that are not here: 'ffff",
        "the metric 'mean_nRMS', and there is none in these experiments",
        "the seed '17'",
        "the time '-1'",
        "the band 'ring'",
        "the scale 'cubic'",
    ],
    "?a=0&net=<img>&view=admin&q=%00%1b%5b2J": [  # 0 begins several
        "not here: '0'",
        "the net '<img>', and there is none",
        "the view 'admin'",
        "'q'",
    ],
    "?view=statistics&by=shoe": ["the by 'shoe'"],
}


@pytest.mark.parametrize("search", STALE, ids=["gone", "hostile", "label"])
def test_what_is_not_there_is_ignored_and_told(study, search):
    page = StudyPage(Records(study), search)
    assert page.ignored.visible
    assert "<img" not in page.ignored.object
    said = html.unescape(page.ignored.object)
    assert all(words in said for words in STALE[search])
    assert page.views.parts
    left = from_query(page.address())[0]
    assert left in (Choices(), Choices(a=(name(1),)), Choices(view="statistics"))
    page.views.time.value = page.views.time.options[0]
    assert not page.ignored.visible


def test_an_address_of_an_empty_study_waits_for_its_results(tmp_path):
    store.create_study(tmp_path / "new.zarr")
    page = StudyPage(Records(tmp_path / "new.zarr"), "?metric=mean_correlation&time=3")
    assert from_query(page.address())[0] == Choices(metric="mean_correlation", time="3")
