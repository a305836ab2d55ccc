"""Below the title of each page with cells: how to get it as a notebook, without its outputs.

A notebook is written from the page's own text, so that it is there whether or not cells are
executed, and holds nothing that a reader cannot run: cells that the page hides (they prepare the
folder of the build) are left out.
"""

import os
from pathlib import Path
from typing import Any

FOLDER = "_notebooks"
HIDDEN = "remove-cell"
SCRIPTS = ("plot_gallery", "foreign_models")
"""Scripts next to the pages, which some pages import."""


def is_notebook(text: str) -> bool:
    """Tell whether a page has cells that need no other file of the repository."""
    alone = not any(f"import {name}" in text or f"from {name}" in text for name in SCRIPTS)
    return text.startswith("---\njupytext:") and alone


def notebook(text: str) -> Any:
    """Return a page as a notebook of nbformat."""
    import nbformat
    from myst_nb.core.read import read_myst_markdown_notebook
    from myst_parser.config.main import MdParserConfig

    held = read_myst_markdown_notebook(text, MdParserConfig(enable_extensions={"colon_fence"}))
    held.cells = [cell for cell in held.cells if HIDDEN not in cell.metadata.get("tags", [])]
    for place, cell in enumerate(held.cells):
        cell.id = f"cell-{place}"
    held.nbformat, held.nbformat_minor = nbformat.v4.nbformat, nbformat.v4.nbformat_minor
    return held


def setup(app: Any) -> dict[str, bool]:
    """Write the notebooks before the links of the built pages are looked at."""
    app.connect("html-page-context", _link)
    app.connect("build-finished", _write, priority=100)
    return {"parallel_read_safe": True}


def _source(app: Any, name: str) -> str:
    if name not in app.env.found_docs:  # a page without a source, such as the index
        return ""
    return Path(app.env.doc2path(name)).read_text(encoding="utf-8")


def _link(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put the link below the title."""
    body = context.get("body")
    if body and is_notebook(_source(app, name)):
        up = "../" * name.count("/")
        stem = os.path.basename(name)
        link = f'<a href="{up}{FOLDER}/{name}.ipynb" download="{stem}.ipynb">'
        said = f'<p class="notebook-link">{link}Download this page as a notebook</a></p>'
        context["body"] = body.replace("</h1>", f"</h1>\n{said}", 1)


def _write(app: Any, exception: Exception | None) -> None:
    import nbformat

    if exception is not None or app.builder.format != "html":
        return
    for name in sorted(app.env.found_docs):
        text = _source(app, name)
        if is_notebook(text):
            path = Path(app.outdir) / FOLDER / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook(text), path)
