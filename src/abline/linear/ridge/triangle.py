"""Ridge regression from the triangular factor.

The penalty stands below the factor as rows of its own: least squares on ``[R; sqrt(alpha) I]``.
Both are triangles, so one structured QR decomposition costs no more than a Cholesky
decomposition, with the condition number where that has its square. Its factor T then solves
``T'T b = R'z`` with one correction by the residual (the corrected semi-normal equations), which
has the digits of QR and, unlike it, keeps them where the penalty is far larger than the table.

References
----------
Björck (1987), "Stability analysis of the method of seminormal equations for linear least squares
problems", *Linear Algebra Appl.* 88-89; Hastie, Tibshirani, Friedman (2009), *The Elements of
Statistical Learning*, §3.4.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from abline.linear.dependence import dependent_features
from abline.linear.least_squares import least_squares
from abline.linear.ridge.answer import Answer
from abline.linear.ridge.correct import corrected
from abline.linear.ridge.spectrum import Spectrum
from abline.linear.singular import equilibrate
from abline.linear.threads import one_blas_thread
from abline.linear.triangular import solve_upper

if TYPE_CHECKING:
    from abline.linear.system import System

Array = NDArray[np.float64]

#: penalties beyond this number are solved faster all at once, from the singular values
_FEW = 15

#: reciprocal condition numbers from which on corrections gain digits; below, directions in which
#: the table does not vary must be told from others by the singular values
_RCOND = 1e-6

#: columns that LAPACK's structured QR works on at once
_PANEL = 32


def solve_triangle(system: System, penalties: Array) -> Answer:
    """Solve a ridge regression from the triangular factor.

    Parameters
    ----------
    system : System
        With p features and t targets.
    penalties : array of shape (t,), in squared units of X
        None negative; zero gives least squares.

    Returns
    -------
    Answer

    Examples
    --------
    >>> from abline.linear.factor import RFactor
    >>> factor = RFactor.from_arrays(np.array([[0.0], [2.0]]), np.array([[0.0], [4.0]]))
    >>> solve_triangle(factor.system(fit_intercept=True), np.array([2.0])).coef.round(6)
    array([[1.]])
    """
    p = system.R.shape[1]
    free = penalties == 0
    coef = np.empty((p, len(penalties)))
    engine, dependent = "qr", dict[int, list[int]]()
    if free.any():
        plain = least_squares(system)
        coef[:, free] = plain.coef[:, free]
        if plain.rank < p:
            engine, dependent = "svd", dependent_features(system)
    if not free.all():
        found = _few_penalties(system, penalties[~free], system.z[:, ~free])
        if found is None:
            found, engine = Spectrum.of_system(system).coef(penalties)[:, ~free], "svd"
        coef[:, ~free] = found
    return replace(Answer.of_system(coef, system, engine), dependent=dependent)


def penalised_factor(R: Array, penalty: float) -> Array:
    """Give the triangular factor of ``[R; sqrt(penalty) I]``.

    Parameters
    ----------
    R : array of shape (k, p)
        Upper triangle or, with k < p, trapezoid.
    penalty : float

    Returns
    -------
    array of shape (p, p)

    Examples
    --------
    >>> np.abs(penalised_factor(np.array([[3.0]]), 16.0))
    array([[5.]])
    """
    k, p = R.shape
    square = np.zeros((p, p), order="F")
    square[:k] = R
    below = np.zeros((p, p), order="F")
    np.fill_diagonal(below, np.sqrt(penalty))
    upper: Array = lapack.dtpqrt(p, min(_PANEL, p), square, below, overwrite_a=1, overwrite_b=1)[0]
    return upper


def _few_penalties(system: System, penalties: Array, z: Array) -> Array | None:
    different = np.unique(penalties)
    if len(different) > _FEW or system.R.shape[0] < system.R.shape[1]:
        return None
    coef = np.empty((system.R.shape[1], len(penalties)))
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        for penalty in different:
            found = _one_penalty(system.R, float(penalty), z[:, penalties == penalty])
            if found is None:
                return None
            coef[:, penalties == penalty] = found
    return coef


def _one_penalty(R: Array, penalty: float, z: Array) -> Array | None:
    upper = penalised_factor(R, penalty)
    rcond, _ = lapack.dtrcon(equilibrate(upper)[0])
    if rcond < _RCOND:
        return None

    def solve(right: Array) -> Array:
        return solve_upper(upper, solve_upper(upper, right, transposed=True))

    def residual(coef: Array) -> Array:
        return R.T @ (z - R @ coef) - penalty * coef

    units = np.linalg.norm(upper, axis=0)
    return corrected(solve, residual, solve(R.T @ z), units)
