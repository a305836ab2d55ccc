"""Names to objects: duplicates, aliases, case."""

import pytest

from apexr._registry import Registry
from apexr.errors import SpecError, UnknownNameError, suggest


@pytest.fixture
def registry():
    made = Registry("fruit", "apexr.none")
    made.register("Apple", aliases=("pome",))("an apple")
    made.register("pear")("a pear")
    return made


def test_names_are_found_in_any_case(registry):
    assert registry.get("apple") == registry.get("APPLE") == "an apple"
    assert "aPPle" in registry
    assert registry.names() == ("Apple", "pear")


def test_aliases_are_found_but_not_listed(registry):
    assert registry.get("Pome") == "an apple"
    assert "pome" in registry
    assert "pome" not in registry.names()
    assert registry.loaded() == {"Apple": "an apple", "pear": "a pear"}


def test_names_can_be_case_sensitive():
    registry = Registry("unit", "apexr.none", case_sensitive=True)
    registry.register("s")("second")
    registry.register("S")("siemens")
    assert (registry.get("s"), registry.get("S")) == ("second", "siemens")
    assert registry.names() == ("s", "S")


def test_duplicates_are_refused_whole(registry):
    for name, aliases in [("APPLE", ()), ("quince", ("pome",)), ("pome", ())]:
        with pytest.raises(SpecError, match="is registered already: 'an apple'"):
            registry.register(name, aliases=aliases)("another")
    assert registry.get("apple") == "an apple"
    assert "quince" not in registry


def test_the_same_definition_may_be_registered_again():
    registry = Registry("class", "apexr.none")

    def define(number):
        class Thing:
            value = number

        return Thing

    registry.register("thing")(define(1))
    registry.register("thing")(define(2))
    assert registry.get("thing").value == 2


def test_the_decorator_gives_the_object_back(registry):
    assert registry.register("plum")("a plum") == "a plum"


def test_unregistering(registry):
    registry.unregister("Apple")
    assert "apple" not in registry
    assert registry.names() == ("pear",)
    registry.unregister("never there")
    registry.register("apple")("another")
    assert registry.get("Apple") == "another"


def test_unknown_names_come_with_the_nearest_and_all(registry):
    with pytest.raises(UnknownNameError) as caught:
        registry.get("appel")
    assert str(caught.value) == (
        "unknown fruit 'appel'; did you mean 'Apple'? (known: Apple, pear)"
    )
    with pytest.raises(UnknownNameError, match=r"unknown fruit 'xyz' \(known: Apple, pear\)"):
        registry.get("xyz")


@pytest.mark.parametrize("thing", [None, 3, ("apple",)])
def test_what_is_no_string_is_not_contained(registry, thing):
    assert thing not in registry


def test_suggestions():
    assert suggest("nRSME", ["mean_nRMSE", "nRMSE"]) == "; did you mean 'nRMSE'?"
    assert suggest("nRMSE", ["mean_RMSE", "mean_nRMSE"]) == "; did you mean 'mean_nRMSE'?"
    assert suggest("Burgers", ["burgers_sc", "diff", "burgers"]) == "; did you mean 'burgers'?"
    assert suggest("qqq", ["mean_nRMSE"]) == ""
    assert suggest("", ["a"]) == ""
    assert suggest("a", []) == ""
