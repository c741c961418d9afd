"""Linear algebra on one thread, so that no digit depends on how many there are.

OpenBLAS splits sums between its threads, and a sum split elsewhere rounds elsewhere.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from threadpoolctl import OpenBLASController, ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Limit:
    """The limit that all fits of a process share.

    The number of threads belongs to the process, so of two fits at once the last one out
    restores it; if each restored what it had found, one thread might stay for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limiter: Any = None

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                _let_any_thread_set()
                self._limiter = _controller().limit(limits=1, user_api="blas")
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _let_any_thread_set()
                self._limiter.restore_original_limits()
                self._limiter = None
                _let_any_thread_set()


_LIMIT = _Limit()


@cache
def _controller() -> Any:
    # finding the loaded libraries takes milliseconds, longer than a small fit
    return ThreadpoolController()


def _let_any_thread_set() -> None:
    # newer threadpoolctl silently ignores all but the first thread that has set a number; here
    # the last fit out, whichever thread it runs in, must be heard
    clear = getattr(OpenBLASController, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep NumPy's and SciPy's BLAS at one thread inside a ``with`` block.

    It may be nested, and entered from several threads at once.

    Examples
    --------
    >>> import numpy as np
    >>> with one_blas_thread():
    ...     float(np.ones(3) @ np.ones(3))
    3.0
    """
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()
