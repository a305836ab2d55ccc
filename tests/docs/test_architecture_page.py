"""The map of the source that docs/architecture.md draws: its files are there, its answers short."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "apexr"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILE = re.compile(r"`([\w./]+\.py)`")


def section(title):
    """Return the text of a section of the page."""
    _, found, rest = PAGE.partition(f"\n## {title}\n")
    assert found, title
    return rest.partition("\n## ")[0]


def rows(title):
    """Return the cells of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_file_that_is_named_is_there():
    named = set(FILE.findall(PAGE))
    assert len(named) > 30
    assert sorted(name for name in named if not (SOURCE / name).exists()) == []


@pytest.mark.parametrize("name", ["net", "scenario"])
def test_a_walk_takes_ten_steps(name):
    steps = re.findall(r"^(\d+)\. ", section(f"The walk of `{name}`"), re.MULTILINE)
    assert steps == [str(number) for number in range(1, 11)]


def test_ten_questions_are_answered_by_three_files_at_most():
    questions = rows("Ten questions of a newcomer")
    assert len(questions) == 10
    for question, answer in questions:
        assert question.endswith("?")
        assert 1 <= len(FILE.findall(answer)) <= 3, question


def test_a_word_of_the_glossary_has_one_meaning():
    words = [word for word, _ in rows("Glossary")]
    assert len(words) > 25
    assert len(set(words)) == len(words)


def test_the_page_counts_the_floors_of_the_analysis_as_the_tool_does():
    grimp = pytest.importorskip("grimp")
    graph = grimp.build_graph("apexr", cache_dir=None)
    files = {
        one for one in graph.find_descendants("apexr.analysis") if not graph.find_children(one)
    }
    arrows = sum(len(graph.find_modules_directly_imported_by(one) & files) for one in files)
    assert f"{len(files)} files, {arrows} arrows" in " ".join(PAGE.split())
