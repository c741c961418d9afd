"""One factor a fold, and from them the factor of all rows but those of a fold.

Merging what comes before a fold with what comes after it gives the training rows of each fold
for two merges a fold; the rows themselves are read once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError
from abline.linear.factor import RFactor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abline.tables.conversion import Floats

Indices = NDArray[np.int_]


@dataclass(frozen=True)
class Fold:
    """The factors of a fold's training and test rows."""

    train: RFactor
    test: RFactor


def fold_factors(
    X: Any,
    y: Floats,
    sample_weight: Floats | None,
    splits: Sequence[tuple[Indices, Indices]],
) -> list[Fold]:
    """Factor the training and test rows of each fold.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, p)
    y : array of shape (n, t)
    sample_weight : array of shape (n,), optional
    splits : sequence of (train, test)
        Indices of rows, as `row_indices` gives them.

    Returns
    -------
    list of Fold

    Raises
    ------
    DataError
        If no training row of a fold has a weight.

    Examples
    --------
    >>> X, y = np.arange(6.0)[:, None], np.arange(6.0)[:, None]
    >>> rows = np.arange(6)
    >>> folds = fold_factors(X, y, None, [(rows[2:], rows[:2]), (rows[:2], rows[2:])])
    >>> [(fold.train.n_rows, fold.test.n_rows) for fold in folds]
    [(4, 2), (2, 4)]
    """
    table = _Table(X.tocsr() if hasattr(X, "tocsr") else X, y, sample_weight)
    tests = [table.factor(test) for _, test in splits]
    if _is_partition(len(y), splits):
        trains = _all_but_one(tests, table.empty())
    else:
        trains = [table.factor(train) for train, _ in splits]
    for number, train in enumerate(trains):
        if train.n_rows == 0:
            raise DataError(
                f"no training row of fold {number} has a weight above zero: use fewer folds, or "
                "shuffle the rows"
            )
    return [Fold(train, test) for train, test in zip(trains, tests, strict=True)]


def whole_factor(
    folds: Sequence[Fold], splits: Sequence[tuple[Indices, Indices]], n: int
) -> RFactor | None:
    """Give the factor of all rows, where the first fold's two parts are these.

    Parameters
    ----------
    folds : sequence of Fold
    splits : sequence of (train, test)
        What the folds were made of.
    n : int
        All rows.

    Returns
    -------
    RFactor or None
    """
    once = bool(np.all(np.bincount(np.concatenate(splits[0]), minlength=n) == 1))
    return folds[0].test.merge(folds[0].train) if once else None


def row_indices(rows: Any) -> Indices:
    """Give the indices of rows that are named by indices or by a truth value each."""
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


@dataclass(frozen=True)
class _Table:
    X: Any
    y: Floats
    weights: Floats | None

    def empty(self) -> RFactor:
        return RFactor.empty(self.X.shape[1], self.y.shape[1])

    def factor(self, index: Indices) -> RFactor:
        rows: Any = index
        if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
            rows = slice(rows[0], rows[0] + len(rows))  # a view, where a list would copy
        weights = None if self.weights is None else self.weights[rows]
        if self.y[rows].shape[0] == 0 or (weights is not None and not weights.any()):
            return self.empty()
        return RFactor.from_arrays(self.X[rows], self.y[rows], weights)


def _is_partition(n: int, splits: Sequence[tuple[Indices, Indices]]) -> bool:
    """Say whether each row is tested once, and trains every other fold."""
    tests = np.concatenate([test for _, test in splits])
    if len(tests) != n or not (np.bincount(tests, minlength=n) == 1).all():
        return False
    for train, test in splits:
        if len(train) + len(test) != n:
            return False
        seen = np.zeros(n, dtype=bool)
        seen[train] = True
        if seen[test].any() or np.count_nonzero(seen) != len(train):
            return False
    return True


def _all_but_one(parts: list[RFactor], none: RFactor) -> list[RFactor]:
    before, after = [none], [none]
    for part in parts[:-1]:
        before.append(before[-1].merge(part))
    for part in parts[:0:-1]:
        after.append(part.merge(after[-1]))
    return [left.merge(right) for left, right in zip(before, reversed(after), strict=True)]
