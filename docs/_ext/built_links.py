"""Whether the links of the built pages lead somewhere: files, and places within pages."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """The links of a page, and the places within it that a link can lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places = {"", "top"}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.add(value)
            elif value and (name == "id" or (tag == "a" and name == "name")):
                self.places.add(value)


def dead_links(root: Path) -> list[str]:
    """Return ``page: link`` for each local link of the HTML files below a folder that is dead."""
    root = root.resolve()
    pages = {path: _read(path) for path in sorted(root.rglob("*.html"))}
    return [
        f"{path.relative_to(root)}: {link}"
        for path, page in pages.items()
        for link in sorted(page.links)
        if _is_dead(link, path, pages, root)
    ]


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _is_dead(link: str, source: Path, pages: dict[Path, _Page], root: Path) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    target = (source.parent / unquote(parts.path)).resolve() if parts.path else source
    target = target / "index.html" if target.is_dir() else target
    if not target.is_relative_to(root) or not target.exists():
        return True
    return target in pages and unquote(parts.fragment) not in pages[target].places


def setup(app: Any) -> dict[str, bool]:
    """Look at the site when it has been built."""
    app.connect("build-finished", _look)
    return {"parallel_read_safe": True}


def _look(app: Any, exception: Exception | None) -> None:
    from sphinx.util import logging

    if exception is None and app.builder.format == "html":
        for dead in dead_links(Path(app.outdir)):
            logging.getLogger(__name__).warning("a link that leads nowhere: %s", dead)
