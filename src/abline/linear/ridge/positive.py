"""Ridge regression with coefficients that may not be negative.

The penalty stands below the triangular factor as rows of its own, and non-negative least
squares of the two is exact: it ends after finitely many steps, each of which frees one feature
that would help or binds one that went below zero.

References
----------
Lawson, Hanson (1974), *Solving Least Squares Problems*, chapter 23; Byrd, Lu, Nocedal, Zhu (1995),
"A limited memory algorithm for bound constrained optimization", *SIAM J. Sci. Comput.* 16(5).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.nonnegative import nonnegative
from abline.linear.ridge.answer import Answer
from abline.linear.ridge.design import Design, centred
from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from abline.linear.ridge.options import RidgeOptions
    from abline.linear.rows import Rows
    from abline.linear.system import System

Array = NDArray[np.float64]

#: L-BFGS-B goes on until the loss changes by less than this part, or than ``tol`` if smaller
_TOLERANCE = 1e-14

_MAX_ITER = 15_000


def solve_positive_triangle(system: System, penalties: Array) -> Answer:
    """Solve from the triangular factor.

    Parameters
    ----------
    system : System
        With p features and t targets.
    penalties : array of shape (t,), in squared units of X
        None negative.

    Returns
    -------
    Answer
        No coefficient below zero.

    Examples
    --------
    >>> from abline.linear.factor import RFactor
    >>> factor = RFactor.from_arrays([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]], [0.0, 4.0, 2.0])
    >>> system = factor.system(fit_intercept=True)
    >>> solve_positive_triangle(system, np.zeros(1)).coef.round(6)
    array([[2.],
           [0.]])
    """
    p = system.R.shape[1]
    coef = np.empty((p, len(penalties)))
    with one_blas_thread():
        for penalty in np.unique(penalties):
            which = penalties == penalty
            matrix, right = system.R, system.z[:, which]
            if penalty > 0:
                matrix = np.vstack([matrix, np.sqrt(penalty) * np.eye(p)])
                right = np.vstack([right, np.zeros((p, right.shape[1]))])
            coef[:, which] = nonnegative(matrix, right)
    return Answer.of_system(coef, system, "nnls")


def solve_positive_rows(rows: Rows, penalties: Array, options: RidgeOptions) -> Answer:
    """Solve by iterations a table with too many columns for its factor.

    Parameters
    ----------
    rows : Rows
        Of n rows, p features and t targets.
    penalties : array of shape (t,), in squared units of X
        None negative.
    options : RidgeOptions
        Its ``tol`` and ``max_iter`` count.

    Returns
    -------
    Answer

    Warns
    -----
    ConvergenceWarning
        If ``max_iter`` iterations did not bring it to the tolerance.
    """
    p, t = rows.X.shape[1], len(penalties)
    means, design = centred(rows, fit_intercept=options.fit_intercept)
    coef, n_iter = np.empty((p, t)), np.empty(t, dtype=np.int32)
    with one_blas_thread():
        for target, penalty in enumerate(penalties):
            coef[:, target], n_iter[target] = _bounded(design, target, float(penalty), options)
    return Answer(coef, means.intercept(coef), "lbfgs", n_iter)


def _bounded(
    design: Design, target: int, penalty: float, options: RidgeOptions
) -> tuple[Array, int]:
    from scipy.optimize import minimize
    from sklearn.exceptions import ConvergenceWarning

    y = design.y[:, target]

    def loss(coef: Array) -> tuple[float, Array]:
        error = design.times(coef) - y
        value = 0.5 * float(error @ error) + 0.5 * penalty * float(coef @ coef)
        return value, design.transposed(error) + penalty * coef

    start = np.zeros(len(design.transposed(y)))
    found = minimize(
        loss,
        start,
        method="L-BFGS-B",
        jac=True,
        bounds=[(0.0, np.inf)] * len(start),
        tol=min(options.tol, _TOLERANCE),
        options={"maxiter": options.max_iter or _MAX_ITER, "maxfun": 10 * _MAX_ITER},
    )
    if not found.success:
        warnings.warn(
            "The lbfgs solver did not converge. Try increasing max_iter or tol. "
            f"Currently: max_iter={options.max_iter} and tol={options.tol}",
            ConvergenceWarning,
            stacklevel=5,
        )
    return found.x, int(found.nit)
