"""Ridge regression of a table that is wider than long, by the products of its rows.

With K = X X' the coefficients are X'c, where ``(K + alpha I) c = y``: as many unknowns as rows,
however many features there are.

References
----------
Saunders, Gammerman, Vovk (1998), "Ridge regression learning algorithm in dual variables",
*ICML*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.ridge.answer import Answer
from abline.linear.ridge.cholesky import CLEAR, Cholesky
from abline.linear.ridge.correct import corrected
from abline.linear.ridge.design import Design, centred
from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from abline.linear.rows import Rows

Array = NDArray[np.float64]


def solve_kernel(rows: Rows, penalties: Array, *, fit_intercept: bool) -> Answer | None:
    """Solve a ridge regression in as many unknowns as rows.

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
        None where the products of rows would lose digits, or a cell is not finite.
    """
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        means, design = centred(rows, fit_intercept=fit_intercept)
        products = design.kernel()
        if fit_intercept:
            _fill_null(products, rows)
        dual = np.empty_like(design.y)
        for penalty in np.unique(penalties):
            which = penalties == penalty
            found = _dual(design, products, float(penalty), design.y[:, which])
            if found is None:
                return None
            dual[:, which] = found
        coef = design.transposed(dual)
        return Answer(coef, means.intercept(coef), "kernel")


def _fill_null(products: Array, rows: Rows) -> None:
    """Make the direction in which centred rows add up to nothing as large as the others.

    Neither y nor the answer has a part in it, but it would look like a bad condition.
    """
    n = len(products)
    weights = np.ones(n) if rows.weights is None else rows.weights
    along = np.sqrt(weights / weights.sum() * np.trace(products) / n)
    products += np.outer(along, along)


def _dual(design: Design, products: Array, penalty: float, y: Array) -> Array | None:
    factor = Cholesky.of(products, penalty)
    if factor is None:
        return None
    first = factor.solve(y)
    if factor.condition <= CLEAR:
        return first

    def residual(dual: Array) -> Array:
        return y - design.times(design.transposed(dual)) - penalty * dual

    return corrected(factor.solve, residual, first, factor.units)
