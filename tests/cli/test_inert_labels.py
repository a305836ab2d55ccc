"""Labels are data of any stranger: no terminal, spreadsheet or page runs them."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

import apexr
from apexr import store
from apexr._inert import inert
from apexr.analysis import to_long
from apexr.testing import mock_experiment

HOSTILE = {
    "net": "=cmd|'/c calc'!A1",
    "task": "@SUM(1)",
    "train": "\x1b[2J\x1b]0;title\x07\u202e",
    "scenario_kwargs": "<img src=x onerror=alert(1)>",
}


LABELS = {
    "a page": "<img src=x onerror=alert(1)><script>alert(2)</script>&lt;b&gt;",
    "a link": "[x](javascript:alert(1)) ![y](http://e/x.png) ![z][w] [w]: http://e",
    "a formula": r"$$\href{javascript:alert(1)}{x}$$ \(x\) $\frac$ x_{",
    "a program of TeX": r"\input{/etc/passwd} \write18{id} & % # ~ ^^5cinput ^",
    "an end of the line": "a\n\n# head\r\n<b>\n| x | y |\n\u2028\u0085z",
    "a terminal": "\x1b[2J\x1b]0;title\x07\x9b31m\u202eevil",
    "code": "`` `a` ``` *b* _c_ **d** ~~e~~ | f",
    "a cell": '=HYPERLINK("http://e","x")',
    "at": "@SUM(1)",
    "plus": "+1+cmd|'/c calc'!A1",
    "minus": "-1",
    "a tab": "\t=1",
}


def hostile_study(folder, labels=None):
    path = folder / "study.zarr"
    store.create_study(path)
    for number, label in enumerate(labels or [None] * 2):
        told = HOSTILE if label is None else {**HOSTILE, "net": label, "task": label}
        ds = mock_experiment(**told, random_seed=number)
        store.publish_experiment(ds, {}, store.unit_path(path, f"{number:032x}"))
    return path


def test_no_terminal_obeys_a_label(tmp_path, apexr_command):
    path = hostile_study(tmp_path)
    for target in (path, path / "experiments" / f"{0:032x}"):
        said = apexr_command("show", str(target)).out
        assert "\x1b" not in said
        assert "\u202e" not in said
        assert r"\x1b[2J" in said
    assert inert("a\nb\x9b", lines=False) == r"a\nb\x9b"


def test_no_spreadsheet_runs_a_label(tmp_path):
    study = apexr.open_study(hostile_study(tmp_path)).isel(experiment=[0])
    to_long(study, "mean_nRMSE", tmp_path / "long.csv")
    apexr.table(study, steps=[1]).to_csv(tmp_path / "table.csv")
    for name in ("long.csv", "table.csv"):
        with (tmp_path / name).open(newline="") as file:
            cells = {cell for row in csv.reader(file) for cell in row}
        assert f"'{HOSTILE['net']}" in cells
        assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "\t"))]


@pytest.fixture(scope="module")
def labeled(tmp_path_factory):
    """Return a study whose networks are called whatever a stranger likes."""
    return hostile_study(tmp_path_factory.mktemp("labelled"), LABELS.values())


@pytest.fixture(scope="module")
def table(labeled):
    return apexr.table(apexr.open_study(labeled), rows=("net", "task"), steps=[1])


def test_cells_of_every_csv_are_no_formulas(labeled, table, tmp_path, apexr_command):
    texts = [table.to_csv()]
    for kind in ("csv", "wide"):
        path = tmp_path / f"{kind}.csv"
        assert apexr_command("export", labeled, "--format", kind, "--output", path).code == 0
        texts.append(path.read_bytes().decode())
    for text in texts:
        rows = list(csv.reader(io.StringIO(text, newline="")))
        cells = {cell for row in rows for cell in row}
        assert len({len(row) for row in rows}) == 1
        runs = [cell for cell in cells if cell.startswith(("=", "@", "+", "\t", "\r"))]
        assert not runs
        assert not [cell for cell in cells if cell.startswith("-") and not is_number(cell)]
        assert "'-1" in cells


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("command", ["show", "verify"])
def test_no_terminal_obeys_a_name_or_an_error(tmp_path, apexr_command, command):
    path = tmp_path / "\x1b[2J<b>.zarr"
    hostile_study(tmp_path).rename(path)
    store.Study.at(path).notes.record_failure(
        "f" * 32, ValueError(LABELS["a terminal"]), {"net": "\x1b[1m"}
    )
    (path / "experiments" / f"{0:032x}" / "data.zarr" / "\x1b[3m").write_text("x")
    done = apexr_command(command, path)
    assert all(sign.isprintable() or sign == "\n" for sign in done.out + done.err)
    assert r"\x1b" in done.out + done.err


class Page(HTMLParser):
    """What a browser makes of a text: elements, attributes that run something, and cells."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.cells = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


def shown(label):
    """Return a label as it may be shown: line ends are a space, the unprintable is escaped."""
    signs = [" " if sign in "\t\n\r\u2028\x85" else sign for sign in label]
    return inert(re.sub(" +", " ", "".join(signs)), lines=False).strip()


TABLE = {"table", "caption", "thead", "tbody", "tr", "th", "td"}


def test_tables_of_html_hold_labels_as_text(table):
    page = Page(table.to_html())
    assert page.elements <= {*TABLE, "strong", "sup"}
    assert page.attributes <= {"scope", "colspan"}
    cells = {cell.strip() for cell in page.cells}
    assert {shown(label) for label in LABELS.values()} <= cells
    assert page.cells == Page(table._repr_html_()).cells


def test_tables_of_markdown_hold_labels_as_text(table):
    """As a parser of CommonMark reads them that lets any HTML through."""
    text = table.to_markdown()
    made = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    page = Page(made)
    assert page.elements <= {*TABLE, "p", "strong"}
    assert page.attributes <= {"style"}
    cells = {" ".join(cell.split()) for cell in page.cells}
    assert {" ".join(shown(label).split()) for label in LABELS.values()} <= cells
    assert len(text.strip().splitlines()) == len(LABELS) + 4  # head, rule, rows, blank, note


WRITTEN = {"begin", "end", "centering", "caption", "toprule", "midrule", "bottomrule", "times"}
WRITTEN |= {"textbf", "textbackslash", "textasciitilde", "textasciicircum", "textless"}
WRITTEN |= {"textgreater", "textbar", "dots", "infty", *"&%$#_{}\\"}


def test_tables_of_latex_hold_labels_as_text(table):
    text = table.to_latex()
    assert {*re.findall(r"\\([a-zA-Z]+|.)", text)} <= WRITTEN
    bare = re.sub(r"\\([a-zA-Z]+|.)", "", text)
    assert not {*"%#~^$"} & {*bare}
    assert bare.count("&") == (len(LABELS) + 1) * 2  # three columns
    assert bare.count("{") == bare.count("}")
    assert not [line for line in text.splitlines() if not line.strip()]


def test_texts_of_tables_obey_no_terminal(table):
    frame = table.to_frame()
    for text in (str(table), repr(table.to_frame().index.tolist()), frame.to_string()):
        assert all(sign.isprintable() or sign == "\n" for sign in text)


def test_exported_pages_hold_labels_as_text(labeled, tmp_path):
    from apexr import dashboard

    named = labeled.rename(labeled.with_name("<img src=x onerror=alert(3)>.zarr"))
    try:
        file = dashboard.export(named, tmp_path / "page.html", [f"{n:032x}" for n in range(3)])
    finally:
        named.rename(labeled)
    page = Page(file.read_text())
    assert "img" not in page.elements
    assert not {name for name in page.attributes if name.startswith("on")}
    assert page.elements & {"script"}  # those of the page itself, which hold labels as JSON
    assert "<script>alert" not in file.read_text()


@pytest.mark.parametrize("name", ["metric", "loss", "pareto"])
@pytest.mark.parametrize("suffix", ["png", "html"])
def test_pictures_hold_labels_as_text(labeled, tmp_path, name, suffix):
    study = apexr.open_study(labeled)
    options = {"by": "net"} if name != "pareto" else {}
    drawn = getattr(apexr.plot, name)(study, **options)
    path = tmp_path / f"picture.{suffix}"
    apexr.plot.save(drawn, path)
    if suffix == "html":
        page = Page(path.read_text())
        assert "img" not in page.elements
        assert not {attribute for attribute in page.attributes if attribute.startswith("on")}
        assert "<script>alert" not in path.read_text()
