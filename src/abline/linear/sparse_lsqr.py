"""Least squares on a wide sparse table, by iteration: its Gram matrix would not fit in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.tables.arrays import check_finite

if TYPE_CHECKING:
    from abline.tables.arrays import TrainingArrays

Array = NDArray[np.float64]


def sparse_least_squares(
    data: TrainingArrays, *, tol: float, fit_intercept: bool
) -> tuple[Array, Array, Array]:
    """Fit a line without ever centring the cells, so that zeros stay zeros.

    Parameters
    ----------
    data : TrainingArrays
        With a sparse X.
    tol : float
        ``atol`` and ``btol`` of SciPy's ``lsqr``.
    fit_intercept : bool

    Returns
    -------
    coef : array of shape (p, t)
    intercept : array of shape (t,)
    rss : array of shape (t,)

    References
    ----------
    Paige, Saunders (1982), "LSQR: an algorithm for sparse linear equations and sparse least
    squares", *ACM Trans. Math. Softw.* 8(1).
    """
    from scipy.sparse.linalg import LinearOperator, lsqr

    check_finite(data.X)
    X, y = data.X.astype(np.float64, copy=False), data.y.astype(np.float64)
    weights = np.ones(len(y)) if data.sample_weight is None else data.sample_weight
    roots = np.sqrt(weights)
    x_mean, y_mean = np.zeros(X.shape[1]), np.zeros(y.shape[1])
    if fit_intercept:
        x_mean, y_mean = (X.T @ weights) / weights.sum(), np.average(y, axis=0, weights=weights)
    centred = LinearOperator(
        X.shape,
        matvec=lambda b: roots * (X @ b - x_mean @ b),
        rmatvec=lambda r: X.T @ (roots * r) - x_mean * (roots @ r),
        dtype=np.float64,
    )
    right = roots[:, None] * (y - y_mean)
    columns = [lsqr(centred, column, atol=tol, btol=tol) for column in right.T]
    coef = np.column_stack([column[0] for column in columns])
    rss = np.array([np.square(column[3]) for column in columns])
    return coef, y_mean - x_mean @ coef, rss
