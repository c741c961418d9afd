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
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from abline.linear.factor import RFactor, System
from abline.linear.linear_model import LinearModel
from abline.linear.singular import equilibrate, surely_independent
from abline.linear.threads import one_blas_thread
from abline.tables.arrays import check_training

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LeastSquares:
    """The answer to a least-squares problem.

    Attributes
    ----------
    coef : array of shape (p, t)
    rank : int
        Number of independent columns.
    singular : array of shape (min(n, p),)
        Singular values of the centred, weighted X, the largest first.
    """

    coef: Array
    rank: int
    singular: Array


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
    >>> X = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])  # the second is twice the first
    >>> factor = RFactor.from_arrays(X, np.array([[5.0], [10.0], [15.0]]))
    >>> answer = least_squares(factor.system(fit_intercept=True))
    >>> answer.rank, answer.coef.ravel().round(6)
    (1, array([1., 2.]))
    """
    p = system.R.shape[1]
    with one_blas_thread():
        scaled, exponents = equilibrate(system.R)
        # without an intercept the triangle of a wide table has one row more than the table
        singular = np.asarray(np.linalg.svd(system.R, compute_uv=False))[: system.n_rows]
        if surely_independent(scaled, system.tolerance):
            return LeastSquares(_triangular(scaled, system.z, exponents), p, singular)
        left, values, right = np.linalg.svd(scaled, full_matrices=False)
        rank = int((values > system.tolerance * values[0]).sum())
        if rank == p:
            return LeastSquares(_triangular(scaled, system.z, exponents), p, singular)
        fixed = (left[:, :rank].T @ system.z) / values[:rank, None]
        return LeastSquares(_shortest(right[:rank], fixed, exponents), rank, singular)


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
        scaled, _ = equilibrate(system.R)
        if surely_independent(scaled, system.tolerance):
            return int(scaled.shape[1])
        values = np.linalg.svd(scaled, compute_uv=False)
        return int((values > system.tolerance * values[0]).sum())


class LinearRegression(LinearModel):
    """Ordinary least squares: the line that leaves the smallest sum of squared residuals.

    It is solved in float64 whatever precision X has. Where features depend on each other, the
    coefficients are those of least norm; `rank_` then is below the number of features.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether the line may pass beside the origin.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) where y came as (n, t); y per unit of X
    intercept_ : float, or array of shape (t,); in units of y
        0.0 without an intercept.
    rank_ : int
        Number of independent features (centred, where there is an intercept).
    singular_ : array of shape (min(n, p),)
        Singular values of the (centred) X, rows multiplied by roots of weights.
    n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    Examples
    --------
    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(6), round(float(model.intercept_), 6)
    (array([2.]), 1.0)
    """

    rank_: int
    singular_: Array

    def __init__(self, *, fit_intercept: bool = True) -> None:
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the line.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            A row of weight 2 counts as two rows, one of weight 0 as none.

        Returns
        -------
        LinearRegression
            This very object.

        Raises
        ------
        DataError
            If X, y or the weights cannot be used.
        ParameterError
            If ``fit_intercept`` is neither True nor False.
        """
        fit_intercept = self._check_intercept()
        data = check_training(self, X, y, sample_weight)
        factor = RFactor.from_arrays(data.X, data.y, data.sample_weight)
        system = factor.system(fit_intercept=fit_intercept)
        answer = least_squares(system)
        self.rank_ = answer.rank
        self.singular_ = answer.singular.astype(np.result_type(data.X.dtype, np.float32))
        self._keep(answer.coef, system, data)
        return self


def _triangular(R: Array, z: Array, exponents: NDArray[np.int_]) -> Array:
    with np.errstate(over="ignore"):  # infinite coefficients are refused where they are kept
        answer: Array = np.ldexp(solve_triangular(R, z, check_finite=False), -exponents[:, None])
    return answer


def _shortest(right: Array, fixed: Array, exponents: NDArray[np.int_]) -> Array:
    """Give the coefficients b of least norm, in their own units, with V' D b = fixed.

    D holds the powers of two; the shortest b lies in the span of D V.
    """
    span, triangle = np.linalg.qr(np.ldexp(right.T, exponents[:, None]))
    answer: Array = span @ solve_triangular(triangle, fixed, trans="T", check_finite=False)
    return answer
