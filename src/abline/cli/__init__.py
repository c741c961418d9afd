"""The command line: arguments in, text out, and nothing computed here."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130


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
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller; to stay open until the process ends
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    try:
        from abline.cli.main import main as run

        run(argv)
    except KeyboardInterrupt:  # while the libraries were still loading
        print("abline: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
