"""Singular values and vectors with all their digits, whatever the units of the columns.

The usual algorithm is exact to rounding errors of the largest column: next to a column of
timestamps in nanoseconds nothing remains of one of order one. Where columns differ much, the
preconditioned Jacobi algorithm keeps the digits of each, at two to three times the cost.

References
----------
Drmač, Veselić (2008), "New fast and accurate Jacobi SVD algorithm", *SIAM J. Matrix Anal.
Appl.* 29(4); Demmel et al. (1999), "Computing the singular value decomposition with high relative
accuracy", *Linear Algebra Appl.* 299.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from abline.linear.triangular import solve_upper

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]

#: ratio of column norms, as a power of two, up to which the usual algorithm loses three digits
_EVEN = 10

#: columns up to which an estimate in the 1-norm will do
_FEW = 40

#: steps of power iteration; each adds the square of the ratio to the next singular value
_POWER_STEPS = 8

#: LAPACK's JOBA = "F": high relative accuracy for rows and columns of any scale
_RELATIVE = 2


def svd(X: Array) -> tuple[Array, Array, Array]:
    """Decompose X = U S V'.

    Parameters
    ----------
    X : array of shape (k, p)

    Returns
    -------
    left : array of shape (k, min(k, p))
    singular : array of shape (min(k, p),), the largest first
    right : array of shape (min(k, p), p)

    Examples
    --------
    >>> svd(np.array([[3e20, 0.0], [0.0, 2.0]]))[1]
    array([3.e+20, 2.e+00])
    """
    exponents = np.frexp(np.abs(X).max(axis=0))[1][X.any(axis=0)]
    if exponents.size == 0 or np.ptp(exponents) <= _EVEN:
        left, singular, right = np.linalg.svd(X, full_matrices=False)
        return left, singular, right
    if X.shape[0] < X.shape[1]:
        left, singular, right = _jacobi(X.T)
        return right.T, singular, left.T
    return _jacobi(X)


def equilibrate(R: Array) -> tuple[Array, NDArray[np.int_]]:
    """Scale columns by powers of two to norms between 1/2 and 1; columns of zeros stay.

    Parameters
    ----------
    R : array of shape (k, p)

    Returns
    -------
    scaled : array of shape (k, p)
        Without any rounding: ``R == np.ldexp(scaled, exponents)``.
    exponents : array of shape (p,)

    Examples
    --------
    >>> equilibrate(np.array([[3.0, 0.0]]))
    (array([[0.75, 0.  ]]), array([2, 0]))
    """
    first = np.frexp(np.abs(R).max(axis=0))[1]  # squares of huge cells would overflow
    scaled = np.ldexp(R, -first)
    second = np.frexp(np.linalg.norm(scaled, axis=0))[1]
    return np.ldexp(scaled, -second), (first + second).astype(np.int_)


def condition_number(R: Array) -> float:
    """Estimate the ratio of the largest to the smallest singular value of a triangle.

    LAPACK's estimate, in the 1-norm, may be p times too large. Where p is large, some steps of
    power iteration on R and on its inverse tell more, for p² operations each; what they miss, a
    factor of two is to cover.

    Parameters
    ----------
    R : array of shape (p, p)
        Upper triangle, its columns scaled (by `equilibrate`, for one).

    Returns
    -------
    float
        Infinite where a singular value is zero.

    References
    ----------
    Higham (2002), *Accuracy and Stability of Numerical Algorithms*, 2nd edition, §15.2.

    Examples
    --------
    >>> condition_number(np.diag([1.0, 0.5]))
    2.0
    """
    if len(R) <= _FEW:
        rcond, _ = lapack.dtrcon(R) if len(R) else (1.0, 0)
        return 1.0 / rcond if rcond > 0 else np.inf
    if not np.diagonal(R).all():
        return np.inf
    # the signs make a start that no singular vector of a common table is orthogonal to
    start = np.where(np.arange(len(R)) % 3 == 1, -1.0, 1.0)[:, None] + 1.0 / len(R)
    with np.errstate(over="ignore", invalid="ignore"):
        largest = _norm(lambda v: R.T @ (R @ v), start)
        inverse = _norm(lambda v: solve_upper(R, solve_upper(R, v, transposed=True)), start)
    answer = 2.0 * largest * inverse
    return answer if math.isfinite(answer) else math.inf


def _norm(square: Callable[[Array], Array], vector: Array) -> float:
    """Estimate the norm of a matrix A from what A'A does to a vector."""
    size = 0.0
    for _ in range(_POWER_STEPS):
        vector = vector / np.linalg.norm(vector)
        vector = square(vector)
        size = float(np.linalg.norm(vector))
        if size == 0.0 or not math.isfinite(size):
            break
    return math.sqrt(size)


def _jacobi(X: Array) -> tuple[Array, Array, Array]:
    singular, left, right, scale, _, info = lapack.dgejsv(X, joba=_RELATIVE, jobr=0)
    if info != 0:
        raise np.linalg.LinAlgError("the Jacobi singular value decomposition did not converge")
    return left, singular * (scale[0] / scale[1]), right.T
