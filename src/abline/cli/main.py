"""Run a command and turn what goes wrong into one sentence and an exit code.

Exit codes: 0 done, 1 a defect of abline, 2 wrong input, 130 interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from typing import TextIO

import typer
from typer.exceptions import TyperException

from abline.errors import AblineError, DataWarning

DEFECT, WRONG_INPUT, INTERRUPTED = 1, 2, 130


def main(argv: list[str] | None = None) -> None:
    """Run ``abline`` with these arguments (those of the process by default) and exit.

    Parameters
    ----------
    argv : list of str, optional

    Raises
    ------
    SystemExit
        Always, with the exit code.
    """
    arguments = sys.argv[1:] if argv is None else argv
    debug = "--debug" in arguments
    _keep_dependencies_quiet(debug=debug)
    sys.exit(run(arguments, debug=debug))


def run(arguments: list[str], *, debug: bool = False) -> int:
    """Run ``abline`` with these arguments.

    Parameters
    ----------
    arguments : list of str
    debug : bool, default=False
        Whether to print tracebacks.

    Returns
    -------
    int
        The exit code.
    """
    from abline.cli.app import app

    command = typer.main.get_command(app)
    try:
        with command.make_context("abline", arguments or ["--help"]) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as stop:
        return stop.exit_code
    except BrokenPipeError:
        _leave_streams()
        return 0
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED, debug=debug)
    except TyperException as error:
        return _fail(_usage_sentence(error, arguments), WRONG_INPUT, debug=debug)
    except AblineError as error:
        return _fail(str(error), WRONG_INPUT, debug=debug)
    except OSError as error:
        # a full disk, a closed stream: not ours to mend; what is saved is whole all the same
        what = error.filename or "standard output"
        sentence = f"cannot read or write {what}: {error.strerror or error}, so look there first"
        code = _fail(sentence, WRONG_INPUT, debug=debug)
        _leave_streams()
        return code
    except Exception as error:
        # the one place where anything may arrive: a person gets a sentence, not a traceback
        sentence = (
            f"this is a defect of abline ({type(error).__name__}: {error}): "
            "run it again with --debug and report what it prints"
        )
        return _fail(sentence, DEFECT, debug=debug)
    return 0


def _usage_sentence(error: TyperException, arguments: list[str]) -> str:
    said = error.format_message() if hasattr(error, "format_message") else str(error)
    said = said.rstrip(".").replace(". Did you mean", ", did you mean").rstrip("?")
    known = ("fit", "compare", "predict", "score", "show", "demo", "warmup")
    command = f"{arguments[0]} " if arguments[0] in known else ""
    return f"{said[:1].lower()}{said[1:]}: see abline {command}--help"


def _fail(sentence: str, code: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    try:
        print(f"abline: {' '.join(sentence.split())}", file=sys.stderr)
    except OSError:
        _leave_streams()
    return code


def _leave_streams() -> None:
    """Point the streams elsewhere, or the interpreter complains about them on its way out."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(devnull, stream.fileno())


def _keep_dependencies_quiet(*, debug: bool) -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without ² or ± still gets the rest
    if debug:
        logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
        return
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    warnings.simplefilter("default", DataWarning)
    warnings.showwarning = _show_warning


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    del category, filename, lineno, file, line
    print(f"note: {message}", file=sys.stderr)
