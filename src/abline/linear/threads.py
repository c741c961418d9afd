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
        self._before: list[int] = []

    @property
    def allowed(self) -> int:
        """Threads that BLAS had before it was kept at one, at most one a processor."""
        counts = self._before if self._inside else [lib.num_threads for lib in _blas_libraries()]
        return max(1, min(max(counts, default=1), len(os.sched_getaffinity(0))))

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                libraries = _blas_libraries()
                self._before = [library.num_threads for library in libraries]
                _set([1] * len(libraries))
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _set(self._before)


_LIMIT = _Limit()


@cache
def _blas_libraries() -> list[Any]:
    # finding the loaded libraries takes milliseconds, longer than a small fit
    controllers = ThreadpoolController().lib_controllers
    return [library for library in controllers if library.user_api == "blas"]


def _set(counts: list[int]) -> None:
    # newer threadpoolctl silently ignores all but the first thread that has set a number; here
    # the last fit out, whichever thread it runs in, must be heard
    clear = getattr(OpenBLASController, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)
    for library, count in zip(_blas_libraries(), counts, strict=True):
        library.set_num_threads(count)
    if clear is not None:
        clear(force=True)


class one_blas_thread:  # noqa: N801 - it is used as a function is
    """Keep NumPy's and SciPy's BLAS at one thread inside a ``with`` block.

    It may be nested, and entered from several threads at once.

    Examples
    --------
    >>> import numpy as np
    >>> with one_blas_thread():
    ...     float(np.ones(3) @ np.ones(3))
    3.0
    """

    def __enter__(self) -> None:
        _LIMIT.enter()

    def __exit__(self, *error: object) -> None:
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
