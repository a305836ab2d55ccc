"""A saved page without addresses: style sheets that it would fetch are put into it."""

import html
import json
import re
from pathlib import Path
from typing import Any

_MODELS = re.compile(r'(<script type="application/json"[^>]*>)(.*?)(</script>)', re.DOTALL)
_LINKS = re.compile(r"<link [^>]*>")
_DIST = re.compile(r"https?://[^?]*?/dist/([^?]*)")
_UNUSED = "font-awesome"
"""Icons that no page has; their style sheet would fetch fonts."""


def self_contained(page: str) -> str:
    """Return the HTML of a page that Bokeh or Panel has saved, with all its style sheets in it.

    Once Panel has loaded an extension, Bokeh links its style sheets in every page.
    """
    return _LINKS.sub("", _MODELS.sub(_with_styles, page))


def _with_styles(found: re.Match[str]) -> str:
    start, models, end = found.groups()
    inside = json.loads(html.unescape(models))
    _replace(inside)
    text = json.dumps(inside, separators=(",", ":"))
    return f"{start}{html.escape(text, quote=False)}{end}"


def _replace(node: Any) -> None:
    """Turn all style sheets of a tree of models that have an address into text."""
    if isinstance(node, dict):
        if node.get("name") == "ImportedStyleSheet":
            node["name"] = "InlineStyleSheet"
            node["attributes"] = {"css": _css(node["attributes"]["url"])}
        for value in node.values():
            _replace(value)
    elif isinstance(node, list):
        for value in node:
            _replace(value)


def _css(url: str) -> str:
    """Return the style sheet of an address from the files of Panel."""
    import panel

    place = _DIST.match(url)
    if place is None or _UNUSED in url:
        return ""
    return (Path(panel.__file__).parent / "dist" / place[1]).read_text(encoding="utf-8")
