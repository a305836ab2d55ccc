"""Panel, loaded when the first page is made."""

from typing import Any

from apexr.errors import MissingExtraError
from apexr.plots._style import holoviews


def panel() -> Any:
    """Return the module panel with what the pages need of it.

    Raises
    ------
    MissingExtraError
        If a package of the ``plot`` extra is not installed.
    """
    try:
        import panel as pn
        import panel.models.tabulator
    except ImportError as error:
        raise MissingExtraError(
            f'the dashboard needs the package {error.name}: pip install "apexr[plot]"'
        ) from error
    holoviews()
    return pn
