"""A picture on a page with what a reader takes from it: a file, and the code that makes it."""

import base64
import json
import tempfile
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from apexr.dashboard._drawing import Drawing
from apexr.dashboard._elements import label, panel, told
from apexr.errors import ApexrError
from apexr.plots import save
from apexr.plots._style import backends, holoviews

_DOWNLOAD = """
const asked = carrier.value
if (asked) {
  const {name, data} = JSON.parse(asked)
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0))
  const link = document.createElement("a")
  link.href = URL.createObjectURL(new Blob([bytes]))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10000)
  setTimeout(() => { carrier.value = "" }, 0)
}
"""
"""Run by the browser when a file has come; the same file may be asked for again afterward."""
_COPY = """
<button type="button" style="float:right;font-size:12px" onclick="
  navigator.clipboard.writeText(this.nextElementSibling.textContent)
  this.textContent = 'Copied'">Copy</button>
"""
_HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"
"""For screen readers alone."""
_CODE = (
    "margin:0;padding:6px 8px;background:#f4f5f7;border:1px solid #d9dce1;font-size:12px;"
    "white-space:pre-wrap;overflow-wrap:anywhere"
)
_SMALL = {"font-size": "12px"}


class Downloads:
    """The way of files to the browser, and the kind of file that a reader wants.

    A script sends what comes to :attr:`carrier`, which is part of the page from the beginning:
    scripts of parts that come later are not run.
    """

    def __init__(self) -> None:
        widgets = panel().widgets
        # pages need no extra
        endings = [".svg", ".png", ".pdf", ".html"] if "matplotlib" in backends() else [".html"]
        self.ending = widgets.Select(
            **label("download as"), options=endings, width=110, margin=(0, 6)
        )
        self.carrier = widgets.TextInput(visible=False)
        self.carrier.jscallback(value=_DOWNLOAD, args={"carrier": self.carrier})

    def send(self, name: str, data: bytes) -> None:
        """Send a file."""
        self.carrier.value = json.dumps({"name": name, "data": base64.b64encode(data).decode()})


class Figure:
    """A picture with its heading, its buttons and its code.

    Parameters
    ----------
    stem
        Name of its files, without their ending.
    downloads
        Takes its files.
    pane
        Shows the picture; by default one that shows what HoloViews draws.
    width
        Of the figure in pixels; by default all that there is.
    """

    def __init__(
        self, stem: str, downloads: Downloads, pane: Any = None, width: int | None = None
    ) -> None:
        pn = panel()
        sizing = {"sizing_mode": "stretch_width"} if width is None else {"width": width}
        self._stem, self._downloads = stem, downloads
        self.drawing: Drawing | None = None
        shows = {"backend": "bokeh", "linked_axes": False, "margin": 0}
        self.pane = pn.pane.HoloViews(None, **shows) if pane is None else pane
        self.problem = pn.pane.HTML("", margin=(0, 5), visible=False)
        self.heading = pn.pane.HTML("", margin=(2, 5, 0, 5))
        small = {"margin": (0, 4), "height": 26, "styles": _SMALL}
        self.download = pn.widgets.Button(**label("Download"), width=80, **small)
        self.coded = pn.widgets.Toggle(**label("Code"), width=60, **small)
        self.code = pn.pane.HTML("", visible=False, sizing_mode="stretch_width", margin=(2, 5))
        self.download.on_click(lambda _: self._send())
        self.coded.param.watch(lambda _: self._tell_code(), "value")
        self.bar = pn.Row(self.download, self.coded, margin=(0, 2, 8, 2), visible=False)
        self.layout = pn.Column(
            *(self.heading, self.problem, self.pane, self.bar, self.code),
            margin=0,
            **sizing,
        )

    def show(self, title: str, drawing: Drawing | None, fit: Callable[[Any], Any]) -> None:
        """Show another plot, or none.

        Parameters
        ----------
        title
            The heading.
        drawing
            The plot, and its code.
        fit
            Takes the plot and returns it in the size of the page.
        """
        drawn, words = None, "" if drawing else "No experiment is chosen that has it."
        try:
            drawn = None if drawing is None else fit(drawing.draw())
        except ApexrError as error:
            words = str(error)
        self.pane.object = drawn
        self.complain(words)
        self.tell(title, drawing if drawn is not None else None, labels_of(drawn))

    def tell(self, title: str, drawing: Drawing | None, names: Sequence[str] = ()) -> None:
        """Take the heading of what is shown, the drawing that a file is made of, and its curves."""
        self.drawing = drawing
        if len(names) == 1 and names[0]:  # one curve alone has no legend
            title = f"{title}: {names[0]}"
        said = f"<p style='{_HIDDEN}'>Shown: {escape('; '.join(names))}.</p>" if names else ""
        head = f"<h2 style='margin:0;font-size:13px'>{escape(title)}</h2>" if title else ""
        self.heading.object = head + said
        self.bar.visible = drawing is not None
        self._tell_code()

    def retell(self, drawing: Drawing) -> None:
        """Take the drawing of what the picture shows by now."""
        self.drawing = drawing
        if self.coded.value:
            self._tell_code()

    def complain(self, words: str) -> None:
        """Say why there is no picture, or no file; nothing takes that away."""
        self.problem.param.update(object=told(words), visible=bool(words))

    def _tell_code(self) -> None:
        shown = self.coded.value and self.drawing is not None
        code = self.drawing.code if shown and self.drawing is not None else ""
        box = f"{_COPY.strip()}<pre tabindex='0' style='{_CODE}'>{escape(code)}</pre>"
        self.code.param.update(object=box if code else "", visible=bool(shown))

    def _send(self) -> None:
        """Send the figure to the browser, as a file."""
        try:
            self._downloads.send(*self.file())
        except ApexrError as error:
            self.complain(str(error))

    def file(self) -> tuple[str, bytes]:
        """Return the figure as a file: its name and its content."""
        assert self.drawing is not None  # the button is not shown without one
        name = f"{self._stem}{self._downloads.ending.value}"
        with tempfile.TemporaryDirectory() as folder:
            return name, save(self.drawing.draw(), Path(folder) / name).read_bytes()


def labels_of(drawn: Any) -> list[str]:
    """Return the names of the curves and points of a plot."""
    if drawn is None or not hasattr(drawn, "traverse"):
        return []
    hv = holoviews()
    found = drawn.traverse(lambda one: str(one.label), [hv.Curve, hv.Scatter])
    return list(dict.fromkeys(name for name in found if name))
