"""Links to the documentation of other packages, where their inventories can be reached.

Without a network, or behind one that lets nothing through, the pages are built without these links,
at once and without a warning.
"""

import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

SITES = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "xarray": "https://docs.xarray.dev/en/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "jax": "https://docs.jax.dev/en/latest/",
}
SECONDS = 3.0


def answers(site: str) -> bool:
    """Tell whether a site gives its inventory soon."""
    request = urllib.request.Request(f"{site}objects.inv", method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:
            return bool(reply.status == 200)
    except (OSError, ValueError):
        return False


def reached(sites: dict[str, str]) -> dict[str, tuple[str, None]]:
    """Return those sites that answer, as Sphinx wants them, after a few seconds at most."""
    pool = ThreadPoolExecutor(len(sites))
    asked = {name: pool.submit(answers, site) for name, site in sites.items()}
    found = {}
    for name, answer in asked.items():
        try:
            if answer.result(SECONDS):
                found[name] = (sites[name], None)
        except TimeoutError:  # a name that takes long to be looked up
            continue
    pool.shutdown(wait=False, cancel_futures=True)
    return found


def setup(app: Any) -> dict[str, bool]:
    """Ask before the extension ``intersphinx`` loads."""
    app.connect("config-inited", _choose, priority=100)
    return {"parallel_read_safe": True}


def _choose(app: Any, config: Any) -> None:
    config.intersphinx_mapping = reached(SITES)
