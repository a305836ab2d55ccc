"""Refuse words that readers of the field would stumble over; part of ``make check``.

``python tools/check_words.py [FILE ...]`` looks at the named files, or else at the code, the pages
and the texts of the project. In Python files it reads comments, strings of several words and names;
in Markdown the text outside of code. It prints each place with a better word, and fails if there
is one.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WHERE = ("src/**/*.py", "src/**/*.pyi", "docs/*.md", "docs/*.py", "docs/_ext/*.py", "tools/*.py")
TEXTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")

PHRASES = {
    r"anew": "again",
    r"beside": "next to, or besides",
    r"(?<!look )(?<!looks )alike": "in the same way, or equal",
    r"(is|are|was|were) told(?! apart)": "say who says it, to whom",
    r"cannot be meant": "is invalid",
    r"seen from aside": "from the side",
    r"died writers": "writers that died",
    r"held against": "compared with",
}
"""Phrases of no English that is spoken in the field, and what to write instead."""

BRITISH = {
    r"(\w*[a-z])is(e|ed|es|er|ers|ing|ation|ations)": r"\1iz\2",
    r"(\w*)(colo|behavio|neighbo|favo|flavo|hono)ur(\w*)": r"\1\2r\3",
    r"(label|model|cancel|travel|signal|channel)l(ed|ing)": r"\1\2",
    r"centre(s|d)?": r"center\1",
    r"gre(y)(s?)": r"gra\1\2",
    r"analys(e|ed|ing)": r"analyz\1",
    r"(to|back|for|after)wards": r"\1ward",
    r"(catalog|dialog)ue(s?)": r"\1\2",
    r"(mis)?spelt": r"\1spelled",
    r"learnt": "learned",
    r"artefact(s?)": r"artifact\1",
    r"licence(s?)": r"license\1",
    r"judgement(s?)": r"judgment\1",
}
"""British spellings, and the American ones. Verbs in -ise are the roots of :data:`VERBS`."""

VERBS = {
    *(
        "character",
        "custom",
        "categor",
        "capital",
        "discret",
        "emphas",
        "equal",
        "factor",
        "final",
        "general",
        "initial",
        "linear",
        "local",
        "maxim",
        "memor",
        "minim",
        "modern",
        "neutral",
        "normal",
        "optim",
        "organ",
        "parametr",
        "parameter",
        "penal",
        "polar",
        "quant",
        "random",
        "real",
        "recogn",
        "regular",
        "serial",
        "special",
        "stabil",
        "standard",
        "summar",
        "synchron",
        "util",
        "vector",
        "visual",
    )
}
"""Roots of verbs in -ize, with and without re-, de-, un-, pre- and non-."""

NAMES = {
    "Parametrisations",  # published, as are the next three
    "labelled_reference",
    "recognises",
    "spelt_as_stored",
    "summarise_comparison",
    "tree_serialise_leaves",  # of Equinox
    "tree_deserialise_leaves",
    "_parametrisations",
}
"""Names that stay as they are."""

_PHRASES = {re.compile(rf"\b{bad}\b", re.IGNORECASE): good for bad, good in PHRASES.items()}
_BRITISH = {re.compile(rf"(?<![A-Za-z]){bad}(?![A-Za-z])"): good for bad, good in BRITISH.items()}
_WHAT = re.compile(r"(?:^|[.:;!?] |\n) *(?:#+ |- |\| )?(What [^.?!|]*)(\?)?")


def main(*named: str) -> None:
    files = [Path(name) for name in named] or [
        path for pattern in (*WHERE, *TEXTS) for path in sorted(ROOT.glob(pattern))
    ]
    found = [
        f"{path}:{line}: {complaint}" for path in files for line, complaint in complaints(path)
    ]
    if found:
        sys.exit("\n".join([*found, f"{len(found)} places; see tools/check_words.py"]))


def complaints(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the complaint of each place."""
    if path.resolve() == Path(__file__).resolve():
        return
    text = path.read_text(encoding="utf-8")
    pieces = python_pieces(text) if path.suffix in (".py", ".pyi") else markdown_pieces(text)
    for line, piece, is_prose in pieces:
        for start, complaint in [*british(piece), *(phrases(piece) if is_prose else ())]:
            yield line + piece.count("\n", 0, start), complaint


def python_pieces(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield the line, the text, and whether it is prose, of comments, strings and names."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# "), True
        elif token.type == tokenize.NAME and token.string not in NAMES:
            yield token.start[0], token.string.lower(), False
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value, True


def markdown_pieces(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield the text with blanks for code, so that its lines keep their numbers."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0])

    text = re.sub(r"^(`{3,}|~{3,}).*?^\1", blank, text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^---\n.*?^---\n", blank, text, count=1, flags=re.MULTILINE | re.DOTALL)
    yield 1, re.sub(r"`[^`\n]+`|\]\([^)]*\)", blank, text), True


def british(piece: str) -> Iterator[tuple[int, str]]:
    """Yield the place of each British spelling, with the American one."""
    for name in NAMES:
        piece = piece.replace(name, " " * len(name))
    for pattern, good in _BRITISH.items():
        for match in pattern.finditer(piece):
            word, root = match[0], match[1] if match.re.groups else ""
            verb = r"\1iz\2" in good
            if verb and (root.lower().rpartition("_")[2] not in _roots()):
                continue
            yield match.start(), f"{word!r} is {match.expand(good)!r} here"


def _roots() -> set[str]:
    return {prefix + root for root in VERBS for prefix in ("", "re", "de", "un", "pre", "non")}


def phrases(piece: str) -> Iterator[tuple[int, str]]:
    """Yield the place of each phrase that says nothing plain, with advice."""
    for pattern, good in _PHRASES.items():
        for match in pattern.finditer(re.sub(r"`[^`\n]+`", lambda m: " " * len(m[0]), piece)):
            if re.search(rf"^ *{match[0]}$", piece, re.MULTILINE):  # a parameter of this name
                continue
            yield match.start(), f"{match[0]!r}: write {good}"
    for match in _WHAT.finditer(piece):
        if not match[2]:
            start = " ".join(match[1].split()[:4])
            yield match.start(1), f"{start!r} …: name the thing instead of a clause with 'what'"


if __name__ == "__main__":
    main(*sys.argv[1:])
