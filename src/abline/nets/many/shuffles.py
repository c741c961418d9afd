"""Shuffles that trainings of one seed and number of rows have in common, drawn once.

Restarts begin from the same seeds in all settings, so most trainings of a search shuffle alike.
Drawing is a tenth of a training in kernels, and keeps Python from other threads meanwhile.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: bytes that one search keeps of shuffles
ROOM = 2**26


class ShuffleBook:
    """The shuffles of a search.

    Parameters
    ----------
    room : int, default=2**26
        Bytes; beyond them trainings draw for themselves.
    """

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self.lock = threading.Lock()
        self._pages: dict[Any, _Page] = {}

    def reader(self, rng: np.random.RandomState, n_rows: int) -> np.random.RandomState:
        """Give a generator that shuffles ``n_rows`` as another would, without drawing anew.

        Parameters
        ----------
        rng : RandomState
        n_rows : int

        Returns
        -------
        RandomState
            Only good for shuffling.
        """
        _, words, place, *_ = rng.get_state(legacy=True)
        with self.lock:
            page = self._pages.setdefault(
                (np.asarray(words).tobytes(), place, n_rows), _Page(self, rng)
            )
        return _Reader(page)


class _Page:
    """The shuffles of one seed and number of rows."""

    def __init__(self, book: ShuffleBook, rng: np.random.RandomState) -> None:
        self._book = book
        self._state = rng.get_state()
        self._rng: np.random.RandomState | None = None
        self._drawn: list[NDArray[np.int32]] = []

    def shuffle(self, number: int, n_rows: int) -> NDArray[np.int32] | None:
        """Give the shuffle of an epoch, or None if there is no room for it."""
        if number < len(self._drawn):
            return self._drawn[number]
        with self._book.lock:
            if number == len(self._drawn):  # no other thread has just drawn it
                if self._book.room < 4 * n_rows:
                    return None
                self._book.room -= 4 * n_rows
                if self._rng is None:
                    self._rng = self.generator()
                places = np.arange(n_rows)
                self._rng.shuffle(places)
                self._drawn.append(places.astype(np.int32))
            return self._drawn[number]

    def generator(self) -> np.random.RandomState:
        """Give a generator that stands behind all that was drawn here."""
        rng = np.random.RandomState(0)
        rng.set_state(self._state if self._rng is None else self._rng.get_state())
        return rng


class _Reader(np.random.RandomState):
    """A generator that reads a page."""

    def __init__(self, page: _Page) -> None:
        super().__init__(0)
        self._page = page
        self._read = 0
        self._own: np.random.RandomState | None = None

    def shuffle(self, x: Any) -> None:
        """Shuffle ``arange(len(x))`` in place."""
        if self._own is None:
            drawn = self._page.shuffle(self._read, len(x))
            if drawn is not None:
                self._read += 1
                x[:] = drawn
                return
            self._own = self._page.generator()
        self._own.shuffle(x)
