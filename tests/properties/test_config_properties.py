"""Config strings and keywords at random: parse and print are inverse, or a SpecError is raised."""

import dataclasses
import typing

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import apexr
from apexr._digest import digest
from apexr._grammar import Led, Nested, OneOf, Range, Skippable
from apexr.errors import SpecError
from apexr.scenarios import Request, scenario_dict, specification

pytestmark = pytest.mark.acceptance

KINDS = {
    "network": apexr.networks.NETWORKS,
    "objective": apexr.objectives.OBJECTIVES,
    "task": apexr.engine.TASKS,
    "optimizer": apexr.training.OPTIMIZERS,
    "schedule": apexr.training.SCHEDULES,
    "metric": apexr.metrics.METRICS,
    "initial condition": apexr.initial.INITIAL_CONDITIONS,
}

SEQUENCES = {tuple[int, ...]: int, tuple[float, ...]: float}

quick = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)


def extra(hint, kind):
    return next((e for e in getattr(hint, "__metadata__", ()) if isinstance(e, kind)), None)


def words(hint):
    """Return the strategy of texts that a field's annotation allows."""
    base = hint.__origin__ if hasattr(hint, "__metadata__") else hint
    bounds = extra(hint, Range) or Range()
    nested = extra(hint, Nested)
    if nested:
        one = configs(nested.kind, lists=not nested.many)
        return st.lists(one, min_size=1, max_size=2).map("|".join) if nested.many else one
    led = extra(hint, Led)
    if led:
        numbers = plain_words(float, Range(minimum=0.0, exclusive=True))
        numbered = (numbers.map(f"{word};{{}}".format) for word in led.words)
        return st.one_of(words(led.plain), *numbered)
    if extra(hint, Skippable):
        return plain_words(float, bounds)
    if extra(hint, OneOf):
        return st.sampled_from(extra(hint, OneOf).registry.names())
    if base in SEQUENCES:
        entries = plain_words(SEQUENCES[base], Range(minimum=0))
        return st.lists(entries, min_size=1, max_size=3).map(",".join)
    return plain_words(base, bounds)


def plain_words(base, bounds):
    if base is int:
        return st.integers(int(bounds.minimum), 10**6).map(str)
    if base is float:
        small = 0.0 if bounds.minimum == 0 else -1e6
        floats = st.floats(small, 1e6, exclude_min=bounds.exclusive)
        return floats.map(repr)
    if base is str:
        return st.sampled_from(("b1=0.5", "momentum=0.9,nesterov=true", "b1=x", "nothing"))
    assert base is bool
    return st.sampled_from(("true", "false"))


def is_list(cls):
    hints = typing.get_type_hints(cls, include_extras=True)
    return any(getattr(extra(hint, Nested), "many", False) for hint in hints.values())


@st.composite
def configs(draw, kind, *, lists=True):
    """Draw a config string of a kind, its trailing optional fields sometimes left out."""
    names = [name for name in kind.names() if lists or not is_list(kind.registry.get(name))]
    name = draw(st.sampled_from(names))
    cls = kind.registry.get(name)
    hints = typing.get_type_hints(cls, include_extras=True)
    parts = [name]
    for field in dataclasses.fields(cls):
        if field.default is not dataclasses.MISSING and draw(st.booleans()):
            break
        if extra(hints[field.name], Skippable) and draw(st.booleans()):
            continue
        parts.append(draw(words(hints[field.name])))
    return ";".join(parts)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_valid_strings_survive_a_round_trip(kind):
    @settings(quick, max_examples=60)
    @given(configs(kind))
    def check(text):
        try:
            spec = kind.parse(text)
        except SpecError as error:
            assert "must" in str(error)  # fields that do not go together
            assume(False)
        assert kind.parse(str(spec)) == spec
        assert str(kind.parse(str(spec))) == str(spec)
        assert kind.parse(text.swapcase() if not kind.registry.case_sensitive else text) == spec

    check()


def counts(few):
    """Run a test with few examples, and slowly with the 2,000 that are promised."""
    return pytest.mark.parametrize("count", [few, pytest.param(2000, marks=pytest.mark.slow)])


noise = st.text(
    st.sampled_from(";;;;,.+-_e01239 truefalsinx\0\n\u00e9\u0663"), max_size=24
) | st.text(max_size=12)


@counts(140)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_any_text_is_read_or_refused_with_a_spec_error(kind, count):
    @settings(quick, max_examples=count)
    @given(st.sampled_from(kind.names()), noise)
    @example("", "")
    def check(name, tail):
        for text in (tail, f"{name};{tail}", f"{name}{tail}"):
            try:
                spec = kind.parse(text)
            except SpecError:
                continue
            assert kind.parse(str(spec)) == spec

    check()


@counts(60)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_damaged_string_is_read_or_refused_with_a_spec_error(kind, count):
    @settings(quick, max_examples=count)
    @given(configs(kind), st.data())
    def check(text, data):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 4, len(text))))
        damaged = text[:start] + data.draw(noise) + text[end:]
        try:
            spec = kind.parse(damaged)
        except SpecError as error:
            assert damaged in str(error)
        else:
            assert kind.parse(str(spec)) == spec

    check()


@settings(quick, max_examples=150)
@given(noise | st.lists(st.sampled_from(KINDS["metric"].names()), max_size=4).map(",".join))
def test_metric_lists_are_read_or_refused(text):
    try:
        metrics = apexr.metrics.parse_metrics(text)
    except SpecError:
        return
    assert ",".join(metrics) == text


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.lists(st.floats(), max_size=6),
    st.just(object()),
    st.just({"a": 1}),
    st.just(np.arange(3.0)),
    st.sampled_from([np.int64(2), np.float32(0.5), np.bool_(True), np.str_("fourier;2;true;true")]),
)
all_names = {
    name
    for key in scenario_dict
    for name in (*vars(scenario_dict[key]()), *scenario_dict[key].renamed)
}
names = st.sampled_from(sorted(all_names)) | st.text(max_size=8)


@counts(300)
@pytest.mark.filterwarnings("ignore::apexr.errors.ApexrWarning")
def test_any_keywords_make_a_scenario_or_a_spec_error(count):
    @settings(quick, max_examples=count)
    @given(st.sampled_from(sorted(scenario_dict)), st.dictionaries(names, values, max_size=2))
    def check(key, keywords):
        try:
            scenario = scenario_dict[key](**keywords)
        except SpecError:
            return
        assert scenario == scenario_dict[key](**scenario.changed_parameters)
        assert len(digest(specification(scenario, Request()))) == 32

    check()


sections = st.sampled_from(["common", "experiments", "grid", "zip", "scenario", "net", "train"])
plain = values | noise | st.sampled_from(["diff_adv", "Conv;2;1;tanh", "one", "sup;2"])
trees = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(sections | names, inner, max_size=3)
    ),
    max_leaves=12,
)
SOUND = {"scenario": "diff_adv", "net": "Conv;2;1;tanh"}


@counts(100)
@pytest.mark.filterwarnings("ignore::apexr.errors.ApexrWarning")
def test_anything_is_a_study_or_a_spec_error(count):
    @settings(quick, max_examples=count)
    @given(trees, st.dictionaries(names | sections, plain, max_size=2))
    def check(tree, changes):
        for study in (tree, [tree], [{**SOUND, **changes}], {**SOUND, **changes}):
            try:
                planned = apexr.study.plan_study(study)
            except SpecError:
                continue
            assert all(len(one.id) == 32 for one in planned)

    check()
