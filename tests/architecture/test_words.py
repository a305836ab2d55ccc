"""The check of words: it finds what it lists, leaves the rest alone, and the project passes it."""

import importlib.util
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("check_words", PROJECT / "tools/check_words.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.py", '"""Return it."""\n\n# drawn anew\n', 3),
        ("a.py", '"""What is drawn."""\n', 1),
        ("a.py", '"""Return it.\n\n    plots\n        What is drawn.\n"""\n', 4),
        ("a.py", 'raise ValueError(f"{1} stands beside it")\n', 1),
        ("a.py", "def byte_colours(): ...\n", 1),
        ("a.py", "# re-initialised, if need be\n", 1),
        ("a.md", "Text.\n\nSeen so, both are alike.\n", 3),
        ("a.md", "A user is told. Then it ends.\n", 1),
        ("a.md", "# What there is\n", 1),
        ("a.md", "It is optimised and labelled.\n", 1),
    ],
)
def test_each_kind_is_found_with_its_line(check, tmp_path, name, text, line):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert line in [place for place, _ in check.complaints(path)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", '"""What is drawn? See Hesterberg (2015), "What teachers should know"."""\n'),
        ("a.py", 'layout = "labelled"  # the name of a layout, as users write it\n'),
        ("a.py", "eqx.tree_serialise_leaves(path, model)\n"),
        ("a.py", '"""Precise: raised, exercised, otherwise, noise, comprises; told apart."""\n'),
        ("a.md", "```\nprinted anew\n```\n\nAnd `beside` is a parameter.\n"),
        ("a.md", "Both look alike.\n"),
    ],
)
def test_names_questions_titles_and_output_are_left_alone(check, tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert list(check.complaints(path)) == []
