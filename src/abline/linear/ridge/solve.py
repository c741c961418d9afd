"""Which way a ridge regression is solved.

Long tables go by the normal equations, wide ones by the products of their rows, both where that
loses no digit; all others by the triangular factor. Sparse tables that are huge both ways
are left to iterations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.linear.factor import RFactor
from abline.linear.gram import WIDEST_SPARSE
from abline.linear.ridge.iterative import solve_lsqr
from abline.linear.ridge.kernel import solve_kernel
from abline.linear.ridge.normal import solve_normal
from abline.linear.ridge.positive import solve_positive_rows, solve_positive_triangle
from abline.linear.ridge.triangle import solve_triangle
from abline.tables.arrays import check_finite
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from abline.linear.ridge.answer import Answer
    from abline.linear.ridge.options import RidgeOptions
    from abline.linear.rows import Rows

Array = NDArray[np.float64]

#: iterations bring residuals below this part of y, or below ``tol`` where that is less
_TOLERANCE = 1e-12


def solve(rows: Rows, penalties: Array, options: RidgeOptions, names: Any = None) -> Answer:
    """Solve a ridge regression by the best way for its table.

    Parameters
    ----------
    rows : Rows
        Of n rows, p features and t targets; cells of X need not have been checked.
    penalties : array of shape (t,), in squared units of X
        None negative.
    options : RidgeOptions
    names : array of str of shape (p,), optional
        The features', for messages.

    Returns
    -------
    Answer

    Raises
    ------
    DataError
        If a cell of X is missing or infinite, or products of cells overflow.
    """
    n, p = rows.X.shape
    exact = (penalties > 0).all() and not options.positive
    if exact and n > p and (p <= WIDEST_SPARSE or not is_sparse(rows.X)):
        answer = solve_normal(rows, penalties, fit_intercept=options.fit_intercept)
        if answer is not None:
            return answer
    check_finite(rows.X, names)
    if exact and n <= p and (n <= WIDEST_SPARSE or not is_sparse(rows.X)):
        answer = solve_kernel(rows, penalties, fit_intercept=options.fit_intercept)
        if answer is not None:
            return answer
    if is_sparse(rows.X) and p > WIDEST_SPARSE:
        if options.positive:
            return solve_positive_rows(rows, penalties, options)
        return solve_lsqr(
            rows,
            penalties,
            fit_intercept=options.fit_intercept,
            tolerance=min(options.tol, _TOLERANCE),
            max_iter=options.max_iter,
        )
    factor = RFactor.from_arrays(rows.X, rows.y, rows.weights)
    system = factor.system(fit_intercept=options.fit_intercept)
    if options.positive:
        return solve_positive_triangle(system, penalties)
    return solve_triangle(system, penalties)
