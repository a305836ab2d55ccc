"""The pages hang together: names, links, pictures, the table of contents; nothing is built."""

import http.server
import importlib
import re
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import apexr

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GENERATED = ("api/", "scenarios/")
PAGES = sorted(DOCS.glob("*.md"))
TEXTS = [*sorted(ROOT.glob("*.md")), *PAGES]

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^(`{3,}).*?^\1", re.MULTILINE | re.DOTALL)
IMAGE = re.compile(r"\{image\}\s+(\S+)")


@pytest.fixture(scope="module")
def api():
    return extension("api_pages")


@pytest.fixture(scope="module")
def scenarios():
    return extension("scenario_pages")


def extension(name):
    """Return an extension of the documentation, which needs no Sphinx to be imported."""
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def links(path):
    text = path.read_text(encoding="utf-8")
    return LINK.findall(BLOCK.sub("", text)) + IMAGE.findall(text)


def test_every_public_name_has_a_docstring(api):
    assert api.undocumented() == []


def test_every_public_name_is_on_a_page(api):
    pages = api.pages()
    for name in set(apexr.__all__):
        value = getattr(apexr, name)
        assert name in pages["apexr"] or getattr(value, "__name__", "") in pages, name
    for module in api.public_modules():
        words = set(re.findall(r"[\w.]+", pages[module]))
        for name in api.public_names(module):
            assert {name, f"{module}.{name}"} & words, f"{module}.{name}"


def test_a_name_that_is_offered_twice_is_documented_once(api):
    page = api.pages()["apexr.analysis"]
    assert "The same as :func:`apexr.to_long`" in page
    assert ".. autofunction:: apexr.to_long" in api.pages()["apexr"]


def test_a_name_without_a_docstring_is_noticed(api, monkeypatch):
    monkeypatch.setattr(apexr.plot.metric, "__doc__", None)
    assert "apexr.plots.metric" in api.undocumented()


def test_attributes_that_share_a_description_are_parted(api):
    lines = ["Attributes", "----------", "a, b", "    Both.", "c", "    Other.", ""]
    api._part_attributes(None, "class", "", None, None, lines)
    wanted = ["a", "    Both.", "b", "    Both.", "c", "    Other."]
    assert [line for line in lines[2:] if line] == wanted


def test_every_scenario_is_on_a_page(scenarios):
    pages = dict(scenarios.texts())
    for key in apexr.scenarios.scenario_dict:
        if apexr.scenarios.scenario_dict[key].__module__.startswith("apexr."):
            assert sum(f"## `{key}`" in page for page in pages.values()) == 1, key
    assert len(scenarios.keys()) == 60
    assert "| `advection_gamma` | `-4.0` |" in pages["advection"]
    assert "linear, order 1         -0.025        -0.025            -4" in pages["advection"]


def test_a_scenario_of_no_family_gets_a_page_of_its_own(scenarios, monkeypatch):
    monkeypatch.delitem(scenarios.FAMILIES, "poisson")
    assert scenarios.families()["poisson"].stems == ("poisson",)


def test_every_page_is_in_the_table_of_contents():
    blocks = re.findall(
        r"```\{toctree\}(.*?)```", (DOCS / "index.md").read_text(encoding="utf-8"), re.DOTALL
    )
    entries = [line for block in blocks for line in block.split("\n") if line and line[0] != ":"]
    names = {path.stem for path in PAGES} - {"index", "networks_table"}
    missing = {name for name in names if not any(Path(name).match(entry) for entry in entries)}
    assert missing == set()
    plain = [entry for entry in entries if not set(entry) & set("*[")]
    assert [e for e in plain if e not in names and not e.startswith(GENERATED)] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_local_links_and_pictures_are_there(path):
    for target in links(path):
        parts = urlsplit(target)
        if parts.scheme or target.startswith("#") or parts.path.startswith(GENERATED):
            continue
        assert (path.parent / unquote(parts.path)).exists(), f"{path.name}: {target}"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_external_links_are_well_formed(path):
    form = extension("link_form")
    assert [form.complaint(target) for target in links(path) if form.complaint(target)] == []


@pytest.mark.parametrize("target", ["http://a.org", "https://nowhere", "htps://a.org", "https://"])
def test_what_is_no_link_is_noticed(target):
    assert extension("link_form").complaint(target)


def test_dead_links_of_built_pages_are_found(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.png").write_bytes(b"")
    good = '<a href="sub/b.html#here"></a><img src="a.png"><a href="https://a.org/x">'
    bad = '<a href="c.html"></a><a href="sub/b.html#there"></a><a href="../outside"><a href="#no">'
    (tmp_path / "a.html").write_text(good + bad)
    (tmp_path / "sub" / "b.html").write_text(
        '<p id="here"><a href="../a.html#"></a><a href="#here">'
    )
    dead = ["#no", "../outside", "c.html", "sub/b.html#there"]
    assert extension("built_links").dead_links(tmp_path) == [f"a.html: {link}" for link in dead]


def test_only_inventories_that_answer_are_linked_to():
    """Without a network a build neither waits nor warns."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(200 if self.path == "/there/objects.inv" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        root = f"http://127.0.0.1:{server.server_port}"
        sites = {"there": f"{root}/there/", "gone": f"{root}/gone/", "none": "http://127.0.0.1:1/"}
        assert extension("inventories").reached(sites) == {"there": (sites["there"], None)}
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_rows_of_tables_have_as_many_cells_as_their_heads(path):
    """A stroke within a cell ends it, also within code, unless a backslash stands before it."""
    text = BLOCK.sub("", path.read_text(encoding="utf-8"))
    width = 0
    for line in text.split("\n"):
        cells = len(re.split(r"(?<!\\)\|", line.strip())) if line.startswith("|") else 0
        assert not width or cells in (0, width), f"{path.name}: {line}"
        width = cells


def test_notebooks_say_that_they_are():
    """A page with code to execute has the header that makes Sphinx execute it."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        assert ("{code-cell}" in text) == text.startswith("---\njupytext:"), path.name
