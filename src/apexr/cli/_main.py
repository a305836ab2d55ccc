"""The entry point: exit codes and errors without a traceback."""

import sys
import warnings

from apexr.cli._app import app
from apexr.errors import ApexrError, DivergenceError, WorkerDiedError


def main() -> None:
    """Run the command line; errors of apexr are printed without a traceback.

    The exit code is 0 for success, 2 for what cannot be meant, read or written, 1 for a run that
    failed on its way, 130 after Ctrl-C.
    """
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"
    try:
        app(prog_name="apexr")
    except SystemExit as stop:
        _say_what_was_interrupted(stop)
        raise
    except ApexrError as error:
        print(f"error: {error}", file=sys.stderr)
        failed = isinstance(error, DivergenceError | WorkerDiedError)
        raise SystemExit(1 if failed else 2) from None


def _say_what_was_interrupted(error: BaseException | None) -> None:
    """Print the message of the interruption that made typer exit, if there is one."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    if error is not None:
        print(f"interrupted: {error}" if str(error) else "interrupted", file=sys.stderr)
