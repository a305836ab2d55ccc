"""Whether external links are well formed; that they are reachable is not asked."""

import re
from typing import Any
from urllib.parse import urlsplit


def complaint(target: str) -> str | None:
    """Return what is wrong with an external link, None where nothing is or it is a local one."""
    parts = urlsplit(target)
    if not parts.scheme:
        return None
    if parts.scheme != "https":
        return f"external links begin with https://, got {target!r}"
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc) or re.search(r"\s", target):
        return f"not the form of a link: {target!r}"
    return None


def setup(app: Any) -> dict[str, bool]:
    """Look at the links of each page when it has been read."""
    app.connect("doctree-read", _look)
    return {"parallel_read_safe": True}


def _look(app: Any, doctree: Any) -> None:
    from docutils import nodes
    from sphinx.util import logging

    logger = logging.getLogger(__name__)
    for reference in doctree.findall(nodes.reference):
        if wrong := complaint(reference.get("refuri", "")):
            logger.warning(wrong, location=reference)
