"""The command line: arguments in, text out, and nothing computed here."""

from abline.cli.main import main

__all__ = ["main"]
