"""Interactive figures at the widths of a paper, as a browser lays them out."""

import importlib.util
from pathlib import Path

import pytest

from apexr import plots
from apexr.plots._paper import WIDTHS

pytest.importorskip("playwright")

HERE = Path(__file__).parent
BROWSER, SHEET = HERE.parent / "dashboard" / "_browser.py", HERE.parents[1] / "tools"


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sheet = loaded(SHEET / "contact_sheet.py")
NAMES = ("metric", "decomposition", "overview", "compare, 2D")
MEASURE = """() => {
  const told = []
  const rect = (box) => [box.left, box.top, box.left + box.width, box.top + box.height]
  const views = (type) => [...Bokeh.index.query((view) => view.model.type.endsWith(type))]
  for (const plot of views("Figure")) {
    const whole = rect(plot.el.getBoundingClientRect())
    const frame = plot.frame.bbox
    const inner = [whole[0] + frame.left, whole[1] + frame.top,
                   whole[0] + frame.right, whole[1] + frame.bottom]
    const title = plot.model.title
    const pen = document.createElement("canvas").getContext("2d")
    pen.font = `${title.text_font_style} ${title.text_font_size} ${title.text_font}`
    const lines = (title.text ?? "").split("\\n").map((line) => pen.measureText(line).width)
    const own = views("Legend").filter((view) => view.plot_view === plot)
    const legends = own.map((view) => rect(view.el.getBoundingClientRect()))
    told.push({whole, inner, title: Math.max(0, ...lines), legends})
  }
  return told
}"""


@pytest.fixture(scope="module")
def page():
    where = loaded(BROWSER).chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=where, args=["--no-sandbox"])
        yield one.new_page(viewport={"width": 1000, "height": 1400})
        one.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_legends_and_titles_have_their_room(page, tmp_path, name, width):
    file = plots.save(sheet.cases()[name](), tmp_path / "page.html", width=width)
    page.goto(file.as_uri())
    page.locator(".bk-Figure").first.wait_for(state="attached")
    page.wait_for_function("() => Bokeh.index.roots.every((view) => view.has_finished())")
    found = page.evaluate(MEASURE)
    assert found
    pixels = 96 * WIDTHS[width]
    assert max(one["whole"][2] for one in found) <= pixels + 40  # with the toolbar of a grid
    for one in found:
        left, top, right, bottom = one["whole"]
        assert one["inner"][2] - one["inner"][0] > 40
        assert one["inner"][3] - one["inner"][1] > 40
        assert one["title"] <= right - one["inner"][0] + 1
        for legend in one["legends"]:
            assert left - 1 <= legend[0] < legend[2] <= right + 1
            assert top - 1 <= legend[1] < legend[3] <= bottom + 1
            assert all(apart(legend, other["whole"]) for other in found if other is not one)
            assert not (legend[1] < one["inner"][3] - 1 and legend[3] > one["inner"][1] + 1)
    boxes = [one["whole"] for one in found]
    for place, one in enumerate(boxes):
        assert all(apart(one, other) for other in boxes[:place])


def apart(one, other):
    """Tell whether two boxes (left, top, right, bottom) cover nothing of each other."""
    beside = one[2] <= other[0] + 1 or other[2] <= one[0] + 1
    return beside or one[3] <= other[1] + 1 or other[3] <= one[1] + 1
