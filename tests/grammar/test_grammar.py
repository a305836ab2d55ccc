"""Config strings of a toy kind: what they parse to, and how specs print."""

import dataclasses
from typing import Annotated

import pytest

from apexr._grammar import (
    Count,
    Finite,
    Kind,
    Nested,
    NonNegativeFloat,
    OneOf,
    PositiveFloat,
    PositiveInt,
    Range,
)
from apexr._registry import Registry

COLORS = Registry("color", "apexr.none")
COLORS.register("red")("#f00")
COLORS.register("Green")("#0f0")

SHAPES = Kind("shape", "apexr.none")


class Shape:
    pass


@SHAPES.register("Dot")
class Dot(Shape):
    """Dot - nothing to say of it."""


@SHAPES.register("Box", aliases=("cuboid",))
class Box(Shape):
    """Box;WIDTH;HEIGHT;FILLED;COLOR - four sides."""

    width: PositiveInt
    height: float
    filled: bool = False
    color: Annotated[str, OneOf(COLORS)] = "red"


@SHAPES.register("Text")
class Text(Shape):
    """Text;WORD - letters."""

    word: str


@SHAPES.register("Frame")
class Frame(Shape):
    """Frame;MARGIN;INNER - another shape with a margin."""

    margin: Annotated[float, Range(minimum=0.0, maximum=1.0)]
    inner: Annotated[Shape, Nested(SHAPES)]


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("Dot", Dot()),
        ("Box;3;1.5", Box(3, 1.5)),
        ("Box;3;1.5;true", Box(3, 1.5, True)),
        ("Box;3;1.5;false;green", Box(3, 1.5, False, "green")),
        ("Text;hello world", Text("hello world")),
        ("Frame;0.5;Dot", Frame(0.5, Dot())),
        ("Frame;0.5;Frame;1.0;Box;1;2.0;true", Frame(0.5, Frame(1.0, Box(1, 2.0, True)))),
    ],
)
def test_parsing_and_printing_are_inverse(text, spec):
    assert SHAPES.parse(text) == spec
    assert str(spec) == text
    assert SHAPES.parse(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("box;3;2", "Box;3;2.0"),
        ("BOX;3;2;TRUE", "Box;3;2.0;true"),
        ("cuboid;3;2", "Box;3;2.0"),
        ("Box;1_000;1e-3", "Box;1000;0.001"),
        ("Box;+3;.5", "Box;3;0.5"),
        ("Box;3;2;false;RED", "Box;3;2.0"),
        ("Box;3;2;False;Green", "Box;3;2.0;false;green"),
        ("frame;1;dot", "Frame;1.0;Dot"),
    ],
)
def test_several_spellings_are_one_spec(text, canonical):
    assert str(SHAPES.parse(text)) == canonical
    assert SHAPES.parse(text) == SHAPES.parse(canonical)
    assert hash(SHAPES.parse(text)) == hash(SHAPES.parse(canonical))


def test_specs_are_frozen_dataclasses():
    box = SHAPES.parse("Box;3;1.5")
    with pytest.raises(dataclasses.FrozenInstanceError):
        box.width = 4
    assert dataclasses.replace(box, width=4) == Box(4, 1.5)
    assert isinstance(box, Shape)


def test_a_spec_may_extend_another():
    @SHAPES.register("Tower")
    class Tower(Box):
        """Tower;…;FLOORS - boxes on each other."""

        floors: PositiveInt = 1

    try:
        assert SHAPES.parse("Tower;3;1.5;true;red;7") == Tower(3, 1.5, True, "red", 7)
        assert SHAPES.usage("Tower") == "Tower;WIDTH;HEIGHT[;FILLED][;COLOR][;FLOORS]"
        assert str(Tower(3, 1.5, floors=2)) == "Tower;3;1.5;false;red;2"
        assert str(Box(3, 1.5)) == "Box;3;1.5"
    finally:
        SHAPES.registry.unregister("Tower")


def test_usage_names_and_descriptions_come_from_the_class():
    assert SHAPES.names() == ("Box", "Dot", "Frame", "Text")
    assert SHAPES.usage("box") == "Box;WIDTH;HEIGHT[;FILLED][;COLOR]"
    assert SHAPES.usage("Frame") == "Frame;MARGIN;INNER"
    assert SHAPES.describe("Dot") == "Dot - nothing to say of it."


@pytest.mark.parametrize(
    ("hint", "inside", "outside"),
    [
        (PositiveInt, (1, 10**9), (0, -1)),
        (Count, (0, 3), (-1,)),
        (PositiveFloat, (1e-30, 1e30), (0.0, -1.0)),
        (NonNegativeFloat, (0.0, 1.0), (-1e-9,)),
        (Finite, (-1e300, 0.0), (float("inf"), float("nan"))),
    ],
)
def test_named_ranges(hint, inside, outside):
    (bounds,) = hint.__metadata__
    assert all(value in bounds for value in inside)
    kind = Kind("number", "apexr.none")

    @kind.register("n")
    class Number:
        value: hint

    assert [kind.parse(f"n;{value!r}").value for value in inside] == list(inside)
    for value in outside:
        with pytest.raises(ValueError, match="VALUE must be"):
            kind.parse(f"n;{value!r}")


def test_ranges_say_what_they_allow():
    assert str(Range(minimum=1, maximum=3)) == "at least 1 and at most 3"
    assert str(Range(minimum=0, exclusive=True)) == "above 0"
    assert str(Range(maximum=2, exclusive=True)) == "below 2"
    assert str(Range()) == "finite"


def test_names_can_be_case_sensitive():
    kind = Kind("metric", "apexr.none", case_sensitive=True)

    @kind.register("aB")
    class Mixed:
        pass

    assert kind.parse("aB") == Mixed()
    with pytest.raises(LookupError, match="did you mean 'aB'"):
        kind.parse("ab")
