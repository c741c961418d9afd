"""Where a command's text goes: results to standard output, all else to standard error."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rich.console import RenderableType

#: columns of text where there is no terminal to ask
PLAIN_WIDTH = 120


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # main ends quietly; rich would exit with 1


@dataclass
class Output:
    """A command's manners.

    Attributes
    ----------
    json : bool
        Print one JSON object on standard output, people's text on standard error.
    quiet : bool
        No notes and no progress.
    no_color : bool
    data : bool
        Standard output carries the data (``-o -``), so people's text goes to standard error.
    """

    json: bool = False
    quiet: bool = False
    no_color: bool = False
    data: bool = False

    def __post_init__(self) -> None:
        self.people = self._console(stderr=self.json or self.data)
        self.errors = self._console(stderr=True)

    def _console(self, *, stderr: bool) -> Console:
        stream = sys.stderr if stderr else sys.stdout
        plain = self.no_color or bool(os.environ.get("NO_COLOR"))
        return _Console(
            stderr=stderr,
            color_system=None if plain else "auto",
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=False,
            width=None if stream.isatty() else PLAIN_WIDTH,
        )

    def show(self, *parts: RenderableType) -> None:
        """Print a result for people."""
        if self.json and self.quiet:
            return  # the object says it all
        for part in parts:
            self.people.print(part)

    def say(self, *parts: RenderableType) -> None:
        """Print what is good to know; nothing when quiet."""
        if not self.quiet:
            self.show(*parts)

    def notes(self, sentences: Iterable[str]) -> None:
        """Print sentences on what was found and decided; nothing when quiet."""
        if not self.quiet:
            for sentence in sentences:
                self.people.print(f"note: {sentence}", soft_wrap=True)

    def emit(self, schema: str, content: Mapping[str, Any]) -> None:
        """Print the one JSON object."""
        whole = {"schema": schema, **content}
        sys.stdout.write(json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=2) + "\n")

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[str, int], None]]:
        """Show a bar on standard error while the block runs; silent without a terminal.

        Yields a function that takes a text and the number of steps done so far.
        """
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=self.errors,
            transient=True,
            disable=self.quiet or not self.errors.is_terminal,
        )
        with bar:
            task = bar.add_task("", total=total)

            def update(text: str, done: int) -> None:
                bar.update(task, description=text, completed=done)

            yield update
