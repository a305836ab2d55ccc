"""The command line: thin commands over the Python interface."""

# in the order of `apexr --help`
# isort: off
from apexr.cli import _run, _study, _list, _keep, _cache, _compare, _ladder, _transfer, _pages  # noqa: F401
# isort: on

from apexr.cli._app import app
from apexr.cli._main import main

__all__ = ["app", "main"]
