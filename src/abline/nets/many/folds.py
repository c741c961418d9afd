"""The rows of each fold, copied at most once for all trainings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from abline.errors import DataError
from abline.linear.ridge.k_fold import splits_of
from abline.tables.arrays import TrainingArrays
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Indices = NDArray[np.int_]
    Split = tuple[Indices, Indices]


@dataclass(frozen=True)
class Part:
    """Rows of a table that some trainings see.

    Attributes
    ----------
    rows : array of shape (m,)
    table : TrainingArrays
        As `by_rows` gives it.
    all_rows : bool, default=False
        Whether they are the table's, in its order.
    """

    rows: Indices
    table: TrainingArrays
    all_rows: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def arrays(self) -> TrainingArrays:
        """The rows themselves, copied when first asked for and kept."""
        return self.table if self.all_rows else take(self.table, self.rows)

    def numbered(self) -> TrainingArrays:
        """Give the rows' targets and weights, and their numbers in the place of their features."""
        table = self.table
        weights = None if table.sample_weight is None else table.sample_weight[self.rows]
        return TrainingArrays(self.rows, table.y[self.rows], weights, table.y_ndim)


def cut(cv: Any, data: TrainingArrays, groups: Any, *, least_test_rows: int) -> list[Split]:
    """Cut the rows into training and test rows, fold by fold, and see that they can be used.

    Parameters
    ----------
    cv : int, splitter of scikit-learn's, or iterable of (train, test)
    data : TrainingArrays
    groups : array of shape (n,) or None
        For the splitter.
    least_test_rows : int
        That the score needs.

    Returns
    -------
    list of (train, test), indices of rows

    Raises
    ------
    DataError
        If the rows cannot be cut so, or a fold has too few of them.
    """
    splits = splits_of(cv, data, {} if groups is None else {"groups": groups})
    if not splits:
        raise DataError("cv gives no folds: pass a number of folds or (train, test) pairs")
    n = len(data.y)
    for fold, split in enumerate(splits):
        for what, rows, least in zip(
            ("training", "test"), split, (1, least_test_rows), strict=True
        ):
            if len(rows) < least:
                raise DataError(
                    f"fold {fold} has {len(rows)} {what} rows of {n} and needs {least}: use fewer "
                    "folds, or pass more rows"
                )
            if rows.min() < -n or rows.max() >= n:
                raise DataError(
                    f"fold {fold} has the {what} row {int(rows.max())}, and X has {n} rows: pass "
                    "(train, test) pairs of row numbers from 0"
                )
            if data.sample_weight is not None and not data.sample_weight[rows].any():
                raise DataError(
                    f"no {what} row of fold {fold} has a weight above zero: use fewer folds, or "
                    "shuffle the rows"
                )
    return [(train % n, test % n) for train, test in splits]


def whole(table: TrainingArrays) -> Part:
    """Give all rows as one part."""
    return Part(np.arange(len(table.y)), table, all_rows=True)


def take(data: TrainingArrays, index: Indices) -> TrainingArrays:
    """Give some rows of a table, in this order; dense ones row by row in memory."""
    X = data.X[index]
    weights = None if data.sample_weight is None else data.sample_weight[index]
    return TrainingArrays(X, data.y[index], weights, data.y_ndim)


def by_rows(data: TrainingArrays) -> TrainingArrays:
    """Give a table in the layout and precision of trainings, copied only if it is in another."""
    if is_sparse(data.X):
        X = data.X.tocsr()
    else:
        dtype = np.float32 if data.X.dtype == np.float32 else np.float64
        X = np.require(data.X, dtype=dtype, requirements=["C", "W"])
    return TrainingArrays(X, data.y, data.sample_weight, data.y_ndim)
