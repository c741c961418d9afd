"""Ridge regression by the normal equations, corrected by the rows.

One pass gives the Gram matrix; the penalty on its diagonal makes it well conditioned, so that
its Cholesky decomposition seldom loses more than a few digits. Those come back from the
residuals of the rows themselves, which cost no more than reading the table once again. Where the
penalty is too small for that, the triangular factor is to be asked.

References
----------
Higham (2002), *Accuracy and Stability of Numerical Algorithms*, 2nd edition, §12.1 and §20.6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.gram import gram
from abline.linear.ridge.answer import Answer
from abline.linear.ridge.cholesky import CLEAR, Cholesky
from abline.linear.ridge.correct import corrected
from abline.linear.ridge.design import Means, products_of_residuals
from abline.linear.threads import one_blas_thread
from abline.linear.triangle import constant_columns

if TYPE_CHECKING:
    from abline.linear.rows import Rows

Array = NDArray[np.float64]

#: with more penalties than this, the passes of correction cost more than a factor
_FEW = 2

#: sums of squares beyond these have lost digits to underflow or overflow
_SMALLEST, _LARGEST = 1e-250, 1e250


@dataclass(frozen=True)
class _Equations:
    """G b = c, with the means taken off the columns.

    Attributes
    ----------
    G : array of shape (p, p)
    c : array of shape (p, t)
    means : Means
    constant : array of bool of shape (p,)
        Columns that are the same in all rows.
    """

    G: Array
    c: Array
    means: Means
    constant: NDArray[np.bool_]


def solve_normal(rows: Rows, penalties: Array, *, fit_intercept: bool) -> Answer | None:
    """Solve a ridge regression of a table that is longer than wide.

    Parameters
    ----------
    rows : Rows
        Of n rows, p features and t targets.
    penalties : array of shape (t,), in squared units of X
        All above zero.
    fit_intercept : bool

    Returns
    -------
    Answer, or None
        None where the normal equations would lose digits, or a cell is not finite.
    """
    p = rows.X.shape[1]
    different = np.unique(penalties)
    if len(different) > _FEW:
        return None
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        equations = _equations(rows, fit_intercept=fit_intercept)
        if equations is None:
            return None
        coef, engine = np.empty((p, len(penalties))), "gram"
        for penalty in different:
            which = penalties == penalty
            factor = Cholesky.of(equations.G, float(penalty))
            found = None if factor is None else factor.solve(equations.c[:, which])
            if found is not None and factor is not None and factor.condition > CLEAR:
                found = _refined(rows, equations, factor, found, which, float(penalty))
                engine = "refined"
            if found is None:
                return None
            coef[:, which] = found
        return Answer(coef, equations.means.intercept(coef), engine)


def _equations(rows: Rows, *, fit_intercept: bool) -> _Equations | None:
    p = rows.X.shape[1]
    sums = gram(rows)
    products, means = sums.products, Means(sums.mean, sums.mean_error)
    if not fit_intercept:
        whole = sums.mean + sums.mean_error
        products = products + sums.weight * np.outer(whole, whole)
        means = Means.none(len(whole))
    squares = np.diagonal(products)
    constant = constant_columns(np.sqrt(np.abs(squares)), means.mean, sums.weight)
    varying = squares[~constant]
    if not np.all((varying > _SMALLEST) & (varying < _LARGEST)):
        return None
    G, c, constant = products[:p, :p], products[:p, p:], constant[:p]
    if constant.any():
        G, c = G.copy(), c.copy()
        G[constant], G[:, constant], c[constant] = 0.0, 0.0, 0.0
    return _Equations(G, c, means, constant)


def _refined(
    rows: Rows,
    equations: _Equations,
    factor: Cholesky,
    first: Array,
    which: NDArray[np.bool_],
    penalty: float,
) -> Array | None:
    p = len(first)
    part = rows if which.all() else replace(rows, y=rows.y[:, which])
    columns = np.concatenate([np.ones(p, dtype=bool), which])
    means = Means(equations.means.mean[columns], equations.means.error[columns])

    def residual(coef: Array) -> Array:
        left = products_of_residuals(part, means, coef) - penalty * coef
        left[equations.constant] = 0.0
        return left

    return corrected(factor.solve, residual, first, factor.units)
