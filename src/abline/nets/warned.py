"""Warnings of a training, which those who run many at once gather instead.

Python's own ``catch_warnings`` changes filters that belong to the process, so two threads that
use it at once can leave them changed. What is gathered here belongs to the thread.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    Said = list[tuple[str, type[Warning]]]

_GATHERED: ContextVar[Said | None] = ContextVar("gathered", default=None)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of the line that called abline, unless this thread gathers warnings.

    Parameters
    ----------
    message : str
    category : class, default=UserWarning
    """
    gathered = _GATHERED.get()
    if gathered is None:
        warnings.warn(message, category, stacklevel=_levels_to_the_caller())
    else:
        gathered.append((message, category))


def _levels_to_the_caller() -> int:
    """Count the frames from `warn` to the first that is neither abline's nor of its helpers."""
    frame, levels = sys._getframe(1), 1
    while frame.f_back is not None and _is_inside(frame.f_globals.get("__name__", "")):
        frame, levels = frame.f_back, levels + 1
    return levels


def _is_inside(module: str) -> bool:
    return module.partition(".")[0] in ("abline", "contextlib")


@contextmanager
def gathered_warnings() -> Iterator[Said]:
    """Gather this thread's warnings of trainings in the body, in their order.

    Yields
    ------
    list of (message, category)

    Examples
    --------
    >>> with gathered_warnings() as said:
    ...     warn("the rate is high")
    >>> said
    [('the rate is high', <class 'UserWarning'>)]
    """
    said: Said = []
    token = _GATHERED.set(said)
    try:
        yield said
    finally:
        _GATHERED.reset(token)
