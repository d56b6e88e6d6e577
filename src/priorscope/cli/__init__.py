"""The command line: one file a command. Imports of torch wait until a command needs it."""

import io
import signal
import sys
import threading
import warnings
from collections.abc import Sequence

import typer

from priorscope.cli.bench import bench
from priorscope.cli.check import check
from priorscope.cli.data import data_app
from priorscope.cli.export_probe import export_probe
from priorscope.cli.list import list_components
from priorscope.cli.profile import profile
from priorscope.cli.report import report
from priorscope.cli.run import run
from priorscope.cli.score import score
from priorscope.errors import NO_ROOM, PriorscopeError, PriorscopeWarning, StorageFailed

app = typer.Typer(
    name="priorscope",
    help="Measure the inductive biases of vision architectures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(run)
app.command()(check)
app.command()(bench)
app.command()(report)
app.command()(profile)
app.command()(score)
app.command(name="list")(list_components)
app.add_typer(data_app, name="data")
app.command(name="export-probe")(export_probe)

INTERRUPTED = 130
_FORMAT = warnings.formatwarning


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 2 bad input, 3 a run failed, 130 interrupted.

    A scheduler's SIGTERM ends any command, at any time, as Ctrl-C does: with a word, and ready to
    continue.
    """
    asked = threading.Event()

    def on_sigterm(*_: object) -> None:
        asked.set()
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_sigterm)
    warnings.formatwarning = _say  # type: ignore[assignment]
    for stream in (sys.stdout, sys.stderr):  # no command ends for a sign that a terminal lacks
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = run_command(sys.argv[1:] if arguments is None else arguments)
    except BaseException as error:  # an import that is cut in two may raise anything
        if not (asked.is_set() or isinstance(error, KeyboardInterrupt)):
            raise
        code = _interrupted()
    sys.exit(code)


def _say(message: Warning | str, category: type[Warning], *where: object) -> str:
    """Write our own warnings as a sentence to the user, others as Python does."""
    if issubclass(category, PriorscopeWarning):
        return f"warning: {message}\n"
    return _FORMAT(message, category, *where)  # type: ignore[arg-type]


def run_command(arguments: Sequence[str]) -> int:
    """Run a command and give its exit code; what the user did wrong is said without traceback."""
    try:
        app(arguments, obj=[*arguments])  # a command may have to start itself again
    except PriorscopeError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        failed = StorageFailed(error) if error.errno in NO_ROOM else None
        print(f"error: {failed or error}", file=sys.stderr)
        return failed.exit_code if failed else 2
    except SystemExit as done:  # Typer's own end: usage errors have said what is wrong
        code = done.code if isinstance(done.code, int) else 0
    # While Ray connects, SIGTERM ends the process with the signal's number.
    return _interrupted() if code in (INTERRUPTED, signal.SIGTERM) else code


def _interrupted() -> int:
    print("interrupted: what has finished is kept; the same command continues", file=sys.stderr)
    return INTERRUPTED
