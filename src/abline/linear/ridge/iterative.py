"""Ridge regression of sparse tables with too many rows and columns for any matrix of products.

LSQR needs nothing of the table but its products with vectors.

References
----------
Paige, Saunders (1982), "LSQR: an algorithm for sparse linear equations and sparse least squares",
*ACM Trans. Math. Softw.* 8(1).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.ridge.answer import Answer
from abline.linear.ridge.design import centred
from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from abline.linear.rows import Rows

Array = NDArray[np.float64]

#: why SciPy's LSQR stopped: it had no more iterations
_OUT_OF_ITERATIONS = 7


def solve_lsqr(
    rows: Rows,
    penalties: Array,
    *,
    fit_intercept: bool,
    tolerance: float,
    max_iter: int | None = None,
) -> Answer:
    """Solve a ridge regression by iterations, to the least norm where coefficients are free.

    Parameters
    ----------
    rows : Rows
        Of n rows, p features and t targets.
    penalties : array of shape (t,), in squared units of X
        None negative; zero gives least squares.
    fit_intercept : bool
    tolerance : float
        What residuals are brought below, as a part of y.
    max_iter : int, optional
        Four times the lesser of rows and features by default.

    Returns
    -------
    Answer

    Warns
    -----
    ConvergenceWarning
        If ``max_iter`` iterations did not bring it to the tolerance.
    """
    from scipy.sparse.linalg import LinearOperator, lsqr

    n, p = rows.X.shape
    means, design = centred(rows, fit_intercept=fit_intercept)
    operator = LinearOperator(
        (n, p), matvec=design.times, rmatvec=design.transposed, dtype=np.float64
    )
    coef, n_iter = np.empty((p, len(penalties))), np.empty(len(penalties), dtype=np.int32)
    with one_blas_thread():
        for target, penalty in enumerate(penalties):
            coef[:, target], stopped, n_iter[target], *_ = lsqr(
                operator,
                design.y[:, target],
                damp=np.sqrt(penalty),
                atol=tolerance,
                btol=tolerance,
                conlim=0,
                iter_lim=max_iter or 4 * min(n, p),
            )
            if stopped == _OUT_OF_ITERATIONS:
                _warn(int(n_iter[target]), tolerance)
    return Answer(coef, means.intercept(coef), "lsqr", n_iter)


def _warn(n_iter: int, tolerance: float) -> None:
    from sklearn.exceptions import ConvergenceWarning

    warnings.warn(
        f"lsqr did not converge after {n_iter} iterations to a tolerance of {tolerance:g}: "
        "increase max_iter, or scale the features to a like size",
        ConvergenceWarning,
        stacklevel=5,
    )
