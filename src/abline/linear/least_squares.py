"""Ordinary least squares from the triangular factor.

Columns are first scaled by powers of two, which changes no digit of an answer but lets columns
of very different units be told from dependent ones. Where columns are independent, one triangular
solve gives the coefficients with the digits of Householder's QR. Where they are not, the
coefficients of smallest norm are given, those of NumPy's ``lstsq`` on the centred table.

References
----------
Golub, Van Loan (2013), *Matrix Computations*, 4th edition, §5.3 and §5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.threads import one_blas_thread
from abline.linear.triangular import solve_upper

if TYPE_CHECKING:
    from abline.linear.system import System

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LeastSquares:
    """The answer to a least-squares problem.

    Attributes
    ----------
    coef : array of shape (p, t)
    rank : int
        Number of independent columns.
    """

    coef: Array
    rank: int


def least_squares(system: System) -> LeastSquares:
    """Solve R b = z in the least-squares sense, with b of least norm where it is free.

    Parameters
    ----------
    system : System

    Returns
    -------
    LeastSquares

    Examples
    --------
    >>> from abline.linear.factor import RFactor
    >>> X = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])  # the second is twice the first
    >>> factor = RFactor.from_arrays(X, np.array([[5.0], [10.0], [15.0]]))
    >>> answer = least_squares(factor.system(fit_intercept=True))
    >>> answer.rank, answer.coef.ravel().round(6)
    (1, array([1., 2.]))
    """
    p = system.R.shape[1]
    with one_blas_thread():
        scaled, exponents = system.scaled
        if _surely_independent(system):
            return LeastSquares(_triangular(scaled, system.z, exponents), p)
        left, values, right = np.linalg.svd(scaled, full_matrices=False)
        rank = int((values > system.tolerance * values[0]).sum())
        if rank == p:
            return LeastSquares(_triangular(scaled, system.z, exponents), p)
        if rank == 0:
            return LeastSquares(np.zeros((p, system.z.shape[1])), 0)
        fixed = (left[:, :rank].T @ system.z) / values[:rank, None]
        return LeastSquares(_shortest(right[:rank], fixed, exponents), rank)


def independent_columns(system: System) -> int:
    """Count the independent columns of a system, whatever their units.

    Parameters
    ----------
    system : System

    Returns
    -------
    int
    """
    with one_blas_thread():
        if _surely_independent(system):
            return int(system.R.shape[1])
        values = np.linalg.svd(system.scaled[0], compute_uv=False)
        return int((values > system.tolerance * values[0]).sum())


def _surely_independent(system: System) -> bool:
    # in the 1-norm, as it is where columns are few, the estimate may be p times too large; else
    # it may be too small, but not by that much
    return bool(system.condition * system.R.shape[1] * system.tolerance < 1.0)


def _triangular(R: Array, z: Array, exponents: NDArray[np.int_]) -> Array:
    with np.errstate(over="ignore"):  # infinite coefficients are refused where they are kept
        answer: Array = np.ldexp(solve_upper(R, z), -exponents[:, None])
    return answer


def _shortest(right: Array, fixed: Array, exponents: NDArray[np.int_]) -> Array:
    """Give the coefficients b of least norm, in their own units, with V' D b = fixed.

    D holds the powers of two; the shortest b lies in the span of D V.
    """
    span, triangle = np.linalg.qr(np.ldexp(right.T, exponents[:, None]))
    answer: Array = span @ solve_upper(triangle, fixed, transposed=True)
    return answer
