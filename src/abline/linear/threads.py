"""Linear algebra whose digits do not depend on how many threads there are.

OpenBLAS splits sums between its threads, and a sum split elsewhere rounds elsewhere. So it is kept
at one thread, and what is worth several runs in Python threads over blocks of rows, which are
always the same and whose results are added in their order.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from threadpoolctl import OpenBLASController, ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Part = TypeVar("Part")
Result = TypeVar("Result")


class _Limit:
    """The limit that all fits of a process share.

    The number of threads belongs to the process, so of two fits at once the last one out
    restores it; if each restored what it had found, one thread might stay for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limiter: Any = None
        self._allowed = 1

    @property
    def allowed(self) -> int:
        """Threads that BLAS had before it was kept at one, at most one a processor."""
        return self._allowed if self._inside else _blas_threads()

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._allowed = _blas_threads()
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


def _blas_threads() -> int:
    counts = [lib.num_threads for lib in _controller().lib_controllers if lib.user_api == "blas"]
    return max(1, min(max(counts, default=1), len(os.sched_getaffinity(0))))


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


def in_order(function: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
    """Call a function for each part, in as many threads as BLAS may have; give results in order.

    Few results wait at any time, however many parts there are.

    Parameters
    ----------
    function : callable
        What it does must not depend on the other parts. It spends its time outside of Python.
    parts : sequence

    Yields
    ------
    object
        What the function returned, in the order of the parts.

    Examples
    --------
    >>> list(in_order(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    n_threads = min(_LIMIT.allowed, len(parts)) if len(parts) > 1 else 1
    if n_threads == 1:
        yield from map(function, parts)
        return
    with one_blas_thread(), ThreadPoolExecutor(n_threads) as pool:
        waiting = deque(pool.submit(function, part) for part in parts[: 2 * n_threads])
        for part in parts[2 * n_threads :]:
            yield waiting.popleft().result()
            waiting.append(pool.submit(function, part))
        while waiting:
            yield waiting.popleft().result()
