"""Refuse a release whose places disagree: ``python tools/check_release.py v1.2.3``.

The tag, ``pyproject.toml``, ``CITATION.cff``, the recipe for conda and the newest dated section of
the changelog must name the same version. Without a tag the first four are compared.
"""

import re
import sys
import tomllib
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECTION = re.compile(r"^## (\d\S*) - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)


def main(*tags: str) -> None:
    wrong = disagreements(*tags)
    if wrong:
        sys.exit("\n".join(wrong))


def disagreements(tag: str | None = None) -> list[str]:
    """Return a complaint for each place that names another version than ``pyproject.toml``."""
    version = tomllib.loads(_text("pyproject.toml"))["project"]["version"]
    named = {
        "CITATION.cff": re.findall(r"^version: (.+)$", _text("CITATION.cff"), re.MULTILINE),
        "conda/recipe.yaml": re.findall(r'^  version: "(.+)"$', _text("conda/recipe.yaml"), re.M),
    }
    sections = SECTION.findall(_text("CHANGELOG.md"))
    for _, day in sections:
        date.fromisoformat(day)
    if tag is not None:
        named["the tag"] = [tag.removeprefix("v")]
        named["the newest dated section of CHANGELOG.md"] = [name for name, _ in sections[:1]]
    return [
        f"{place} says {' '.join(found) or 'nothing'}, pyproject.toml {version}"
        for place, found in named.items()
        if found != [version]
    ]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
