"""What the grammar says of a wrong string: where, what was expected, what it may have meant."""

import pytest
from test_grammar import SHAPES

from apexr._grammar import Kind
from apexr.errors import SpecError, UnknownNameError


def message(text, kind=SHAPES):
    with pytest.raises(SpecError) as caught:
        kind.parse(text)
    return str(caught.value)


def marked(text, kind=SHAPES):
    """Return what the caret line stands under."""
    lines = message(text, kind).splitlines()
    place = next(n for n, line in enumerate(lines) if line.strip() and set(line.strip()) == {"^"})
    carets = lines[place]
    start, end = carets.index("^"), carets.rindex("^") + 1
    assert lines[place - 1] == f"  {text}"
    return lines[place - 1][start:end]


@pytest.mark.parametrize(
    ("text", "under", "said"),
    [
        ("Bix;3;1.5", "Bix", "unknown shape 'Bix'; did you mean 'Box'?"),
        ("zzzzzz", "zzzzzz", "(known: Box, Dot, Frame, Text)"),
        (" Box;3;1.5", " Box", "unknown shape ' Box'; did you mean 'Box'?"),
        ("Box ;3;1.5", "Box ", "did you mean 'Box'?"),
        ("Box;x;1.5", "x", "WIDTH must be int, got 'x'"),
        ("Box;3.0;1.5", "3.0", "WIDTH must be int, got '3.0'"),
        ("Box;1e3;1.5", "1e3", "WIDTH must be int, got '1e3'"),
        ("Box; 3;1.5", " 3", "WIDTH must be int, got ' 3'"),
        ("Box;0;1.5", "0", "WIDTH must be at least 1, got 0"),
        ("Box;3;tall", "tall", "HEIGHT must be a number, got 'tall'"),
        ("Box;3;1.5 ", "1.5 ", "HEIGHT must be a number, got '1.5 '"),
        ("Box;3;1.5;yes", "yes", "FILLED must be true or false, got 'yes'"),
        ("Box;3;1.5;1", "1", "FILLED must be true or false, got '1'"),
        ("Box;3;1.5; true", " true", "FILLED must be true or false"),
        ("Box;3;1.5;true;rad", "rad", "COLOR: unknown color 'rad'; did you mean 'red'?"),
        ("Box;3;1.5;true;red;more;still", "more", "got 'more;still'"),
        ("Dot;1", "1", "nothing is expected after the last field, got '1'"),
        ("Frame;2;Dot", "2", "MARGIN must be at least 0 and at most 1, got 2"),
        ("Frame;nan;Dot", "nan", "MARGIN must be at least 0 and at most 1, got nan"),
        ("Frame;0.5;Dat", "Dat", "unknown shape 'Dat'; did you mean 'Dot'?"),
        ("Frame;0.5;Box;3;wide", "wide", "HEIGHT must be a number, got 'wide'"),
        ("Frame;0.5;Frame;0.25;Box;3;1.5;no", "no", "FILLED must be true or false"),
        ("Frame;0.5;Dot;1", "1", "nothing is expected after the last field"),
    ],
)
def test_the_caret_stands_under_the_field_at_fault(text, under, said):
    assert marked(text) == under
    assert said in message(text)


@pytest.mark.parametrize(
    ("text", "field"),
    [("Box", "WIDTH"), ("Box;3", "HEIGHT"), ("Frame;0.5", "INNER"), ("Frame;1;Box;3", "HEIGHT")],
)
def test_a_missing_field_is_named_and_the_caret_stands_after_the_end(text, field):
    said = message(text).splitlines()
    assert f"{field} is missing" in said[0]
    assert said[1] == f"  {text}"
    assert said[2] == " " * (len(text) + 3) + "^"


@pytest.mark.parametrize(
    ("text", "field"), [("Box;;1.5", "WIDTH"), ("Box;3;", "HEIGHT"), ("Text;", "WORD")]
)
def test_an_empty_field_is_refused(text, field):
    assert f"{field} must" in message(text)


def test_the_usage_is_shown_also_of_what_is_nested():
    assert "usage: Box;WIDTH;HEIGHT[;FILLED][;COLOR]" in message("Box;3")
    said = message("Frame;0.5;Box;3")
    assert "usage: Frame;MARGIN;INNER" in said
    assert "Box;WIDTH;HEIGHT[;FILLED][;COLOR]" in said
    assert "usage" not in message("Bix;3")


def test_unknown_names_are_lookup_errors_too():
    for text in ("Bix;3;1.5", "Frame;0.5;Dat", "Box;3;1.5;true;rad"):
        with pytest.raises(UnknownNameError) as caught:
            SHAPES.parse(text)
        assert isinstance(caught.value, LookupError)
        assert isinstance(caught.value, ValueError)
    with pytest.raises(SpecError) as caught:
        SHAPES.parse("Box;x;1")
    assert not isinstance(caught.value, LookupError)


@pytest.mark.parametrize("given", [None, 5, ["Box", 3], b"Box;3;1.5", object()])
def test_only_strings_are_config_strings(given):
    with pytest.raises(SpecError, match="shape config must be a string"):
        SHAPES.parse(given)


@pytest.mark.parametrize("text", ["", ";", ";;;", "\0", "Box\n;3;1.5", "Böx;3;1.5"])
def test_strange_text_is_refused(text):
    assert "unknown shape" in message(text)


@pytest.mark.parametrize("number", ["9" * 11, "9" * 400, "9" * 5000, "-" + "9" * 400])
def test_numbers_of_absurd_length_are_refused(number):
    with pytest.raises(SpecError, match="WIDTH must be int"):
        SHAPES.parse(f"Box;{number};1.5")
    with pytest.raises(SpecError, match="MARGIN must be"):
        SHAPES.parse(f"Frame;{number};Dot")


def test_cross_field_checks_are_part_of_parsing():
    kind = Kind("pair", "apexr.none")

    @kind.register("pair")
    class Pair:
        low: float
        high: float

        def __post_init__(self):
            if not self.low < self.high:
                raise SpecError(f"LOW must be below HIGH, got {self.low} and {self.high}")

    assert str(kind.parse("pair;0;1")) == "pair;0.0;1.0"
    said = message("pair;1;0", kind)
    assert "LOW must be below HIGH, got 1.0 and 0.0" in said
    assert "usage: pair;LOW;HIGH" in said
