"""The entry point: exit codes and errors without a traceback."""

import sys
import warnings

from apexr._inert import inert
from apexr._signals import ending_on_sigterm
from apexr.cli._app import app
from apexr.errors import ApexrError, ClusterError, DivergenceError, Terminated, WorkerDiedError

_FAILED_ON_ITS_WAY = (DivergenceError, WorkerDiedError, ClusterError)


def main() -> None:
    """Run the command line; errors of apexr are printed without a traceback.

    The exit code is 0 for success, 2 for what is invalid or cannot be read or written, 1 for a run
    that failed on its way, 130 after Ctrl-C, 143 after SIGTERM.
    """
    warnings.formatwarning = lambda message, *_: f"warning: {inert(str(message))}\n"
    try:
        with ending_on_sigterm():
            app(prog_name="apexr")
    except SystemExit as stop:
        _say_what_was_interrupted(stop)
        raise
    except ApexrError as error:
        print(f"error: {inert(str(error))}", file=sys.stderr)
        raise SystemExit(1 if isinstance(error, _FAILED_ON_ITS_WAY) else 2) from None


def _say_what_was_interrupted(error: BaseException | None) -> None:
    """Print the message of the interruption that ended the command, if there is one."""
    while error is not None and not isinstance(error, KeyboardInterrupt | Terminated):
        error = error.__cause__ or error.__context__
    if error is not None:
        how = "terminated" if isinstance(error, Terminated) else "interrupted"
        print(f"{how}: {error}" if str(error) else how, file=sys.stderr)
