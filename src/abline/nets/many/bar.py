"""A bar of the trainings that have ended, in a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def training_bar(total: int, *, wanted: bool) -> Iterator[Callable[[], None]]:
    """Show how many trainings have ended; silent on anything but a terminal.

    Parameters
    ----------
    total : int
    wanted : bool

    Yields
    ------
    callable
        To be called for each that ends.
    """
    if not wanted:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn("trainings"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as progress:
        task = progress.add_task("trainings", total=total)
        yield lambda: progress.advance(task)
