"""Cells so far outside the rest of their column that they can only be mistakes.

One rain of 9,831 mm among 48,204 hours of less than 56 ruins every linear fit that sees it.
Long tails (incomes, sizes of files) are no mistakes, so a cell must stand apart on two
scales: by more than three times the range of all others as they are, and by more than half of
it on a logarithmic scale around their median, where the tails of lognormal and Pareto columns are
closely filled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: how many ranges of the others lie between them and a far cell
_RANGES = 3.0
#: the same on the logarithmic scale, and how much more it takes in a column of few rows, where
#: an honest tail has gaps (twice as much in 20)
_LOG_RANGES = 0.5
_FEW_ROWS = 20
#: far cells are few, the others many and various
_SHARE = 0.001
_OTHERS_DISTINCT = 10


@dataclass(frozen=True)
class Bounds:
    """Where the cells of a column lie.

    Attributes
    ----------
    low, high : float
        The least and the greatest of the training cells that are not far outside.
    """

    low: float
    high: float

    @property
    def lowest(self) -> float:
        """What lower cells are impossible."""
        # in halves: the range of ±1e308 is infinite, three times that of a quarter is not
        return self.low - _RANGES * (self.high / 2 - self.low / 2) * 2

    @property
    def highest(self) -> float:
        """What higher cells are impossible."""
        return self.high + _RANGES * (self.high / 2 - self.low / 2) * 2

    def clip(self, values: Floats) -> Floats:
        """Bring impossible cells to the edge of the others; NaN stays.

        Not to the bounds: a mistake there would still outweigh all other rows of a small table.

        Parameters
        ----------
        values : array

        Returns
        -------
        array of the same shape
        """
        values = np.where(values > self.highest, self.high, values)
        return np.where(values < self.lowest, self.low, values)


def find_bounds(values: Floats) -> tuple[Bounds, Floats]:
    """Find the range of a column without its impossible cells.

    Parameters
    ----------
    values : array of shape (n,), all finite, n at least 1

    Returns
    -------
    Bounds
    array
        The far cells.

    Examples
    --------
    >>> bounds, far = find_bounds(np.array([*range(20), 1000.0]))
    >>> far.tolist(), bounds.highest
    ([1000.0], 76.0)
    """
    ordered = np.sort(values)
    most = min(max(1, int(_SHARE * len(ordered))), (len(ordered) - 1) // 2)
    low_cut, high_cut = _cuts(ordered, most)
    for start, stop in ((low_cut, high_cut), (low_cut, 0), (0, high_cut)):
        if (start or stop) and _stand_apart(ordered, start, stop):
            core = ordered[start : len(ordered) - stop]
            far = np.concatenate([ordered[:start], ordered[len(ordered) - stop :]])
            return Bounds(float(core[0]), float(core[-1])), far
    return Bounds(float(ordered[0]), float(ordered[-1])), np.empty(0)


def _cuts(ordered: Floats, most: int) -> tuple[int, int]:
    """How many cells at either end lie beyond the widest gap near that end."""
    if most < 1:
        return 0, 0
    low_gaps = np.diff(ordered[: most + 1])
    high_gaps = np.diff(ordered[len(ordered) - most - 1 :])
    return int(np.argmax(low_gaps)) + 1, most - int(np.argmax(high_gaps))


def _stand_apart(ordered: Floats, start: int, stop: int) -> bool:
    core = ordered[start : len(ordered) - stop]
    reach = _RANGES * (core[-1] - core[0])
    low_gap = core[0] - ordered[start - 1] if start else np.inf
    high_gap = ordered[len(ordered) - stop] - core[-1] if stop else np.inf
    if not min(low_gap, high_gap) > reach > 0 or len(np.unique(core)) < _OTHERS_DISTINCT:
        return False
    logs = _log_scale(ordered, core)
    core_logs = logs[start : len(ordered) - stop]
    reach = _LOG_RANGES * (1 + _FEW_ROWS / len(core)) * (core_logs[-1] - core_logs[0])
    low_gap = core_logs[0] - logs[start - 1] if start else np.inf
    high_gap = logs[len(ordered) - stop] - core_logs[-1] if stop else np.inf
    return bool(min(low_gap, high_gap) > reach)


def _log_scale(ordered: Floats, core: Floats) -> Floats:
    """Distances from the median, logarithmic beyond the typical one, with their sign."""
    distance = ordered - np.median(core)
    apart = np.abs(core - np.median(core))
    typical = np.median(apart[apart > 0])
    return np.asarray(np.sign(distance) * np.log1p(np.abs(distance) / typical))
