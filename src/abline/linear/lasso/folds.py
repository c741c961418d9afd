"""The problems of cross-validation: one without each fold's rows, and the errors on these.

With more rows than features the rows are read once: each fold is a factor, those of all rows but
a fold's come from merging, and the errors on a fold's rows from its own. Wide tables are fitted
with weights of zero for the rows of a fold, so that no fold copies the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError
from abline.linear.factor import RFactor
from abline.linear.folds import fold_factors, row_indices, whole_factor
from abline.linear.lasso.gram import GramProblem
from abline.linear.lasso.working_set import WideProblem
from abline.linear.threads import one_blas_thread
from abline.tables.arrays import check_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abline.linear.folds import Fold
    from abline.linear.lasso.problem import Problem
    from abline.tables.arrays import TrainingArrays

Array = NDArray[np.float64]
Indices = NDArray[np.int_]


class FoldProblem(Protocol):
    """What one fold is good for."""

    def pose(self) -> Problem:
        """Pose the problem of the rows outside of the fold."""
        ...

    def errors(self, coef: Array, intercept: Array) -> Array:
        """Give the weighted mean squared error of k lines on the fold's rows.

        Parameters
        ----------
        coef : array of shape (p, k)
        intercept : array of shape (k,)

        Returns
        -------
        array of shape (k,), in squared units of y
        """
        ...


def pose_folds(
    data: TrainingArrays,
    splits: Sequence[tuple[Any, Any]],
    *,
    fit_intercept: bool,
    gram: bool,
    names: Any = None,
) -> tuple[Problem, list[FoldProblem]]:
    """Pose the problem of a table of one target, and those of its folds.

    Parameters
    ----------
    data : TrainingArrays
        The cells of X need not have been looked at.
    splits : sequence of (train, test)
        Indices of rows, or truth values for all rows.
    fit_intercept : bool
    gram : bool
        Whether from factors.
    names : array of str of shape (p,), optional
        The features', for messages.

    Returns
    -------
    whole : Problem
    folds : list of FoldProblem

    Raises
    ------
    DataError
        If a cell is missing or infinite, or a fold has no row with a weight, or all of them.
    """
    n = len(data.y)
    parts = [(row_indices(train), row_indices(test)) for train, test in splits]
    for number, rows in enumerate(zip(*parts, strict=True)):
        what = ("training", "test")[number]
        for fold, index in enumerate(rows):
            if _weight(index, data.sample_weight) == 0:
                raise DataError(
                    f"no {what} row of fold {fold} has a weight above zero: use fewer folds, or "
                    "shuffle the rows"
                )
    if not gram:
        check_finite(data.X, names)
        weights = np.ones(n)
        if data.sample_weight is not None:
            weights = data.sample_weight.astype(np.float64)
        whole = WideProblem(data.X, data.y, data.sample_weight, fit_intercept=fit_intercept)
        return whole, [
            _MaskedFold(
                data, weights * np.bincount(train, minlength=n), test, weights, fit_intercept
            )
            for train, test in parts
        ]
    try:
        factors = fold_factors(data.X, data.y, data.sample_weight, parts)
        factor = whole_factor(factors, parts, n)
        if factor is None:
            factor = RFactor.from_arrays(data.X, data.y, data.sample_weight)
    except DataError:
        check_finite(data.X, names)
        raise
    problem = GramProblem.of(factor.system(fit_intercept=fit_intercept))
    return problem, [_FactorFold(fold, fit_intercept) for fold in factors]


@dataclass(frozen=True)
class _FactorFold:
    factors: Fold
    fit_intercept: bool

    def pose(self) -> Problem:
        return GramProblem.of(self.factors.train.system(fit_intercept=self.fit_intercept))

    def errors(self, coef: Array, intercept: Array) -> Array:
        return self.factors.test.squared_errors(coef, intercept) / self.factors.test.weight


@dataclass(frozen=True)
class _MaskedFold:
    data: TrainingArrays
    train_weights: Array
    test: Indices
    weights: Array
    fit_intercept: bool

    def pose(self) -> Problem:
        return WideProblem(
            self.data.X, self.data.y, self.train_weights, fit_intercept=self.fit_intercept
        )

    def errors(self, coef: Array, intercept: Array) -> Array:
        used = np.flatnonzero(coef.any(axis=1))
        with one_blas_thread():
            fitted = (self.data.X[:, used] @ coef[used])[self.test] + intercept
        left = self.data.y[self.test] - fitted
        weights = self.weights[self.test]
        answer: Array = weights @ np.square(left) / weights.sum()
        return answer


def _weight(rows: Indices, weights: Any) -> float:
    return float(len(rows) if weights is None else weights[rows].sum())
