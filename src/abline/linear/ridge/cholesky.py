"""Cholesky decomposition of products with a penalty on their diagonal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

Array = NDArray[np.float64]

#: condition numbers up to which a solution needs no correction, and is worth one
CLEAR, WORTH = 1e3, 1e11


@dataclass(frozen=True)
class Cholesky:
    """A factor of ``G + penalty I``, its rows and columns scaled by powers of two.

    Attributes
    ----------
    upper : array of shape (m, m)
    exponents : array of shape (m,)
        The matrix was ``ldexp(scaled, exponents)`` by rows and by columns.
    condition : float
        Of the scaled matrix, in the 1-norm.
    """

    upper: Array
    exponents: NDArray[np.int_]
    condition: float

    @classmethod
    def of(cls, products: Array, penalty: float) -> Cholesky | None:
        """Decompose, or give None where the matrix is not positive definite to working precision.

        Parameters
        ----------
        products : array of shape (m, m)
            Symmetric, without negative eigenvalues.
        penalty : float

        Returns
        -------
        Cholesky or None

        Examples
        --------
        >>> Cholesky.of(np.array([[3.0]]), 1.0).solve(np.array([[8.0]]))
        array([[2.]])
        """
        matrix = products.copy()
        matrix.flat[:: len(matrix) + 1] += penalty
        exponents = np.frexp(np.sqrt(np.diagonal(matrix)))[1].astype(np.int_)
        scaled = np.ldexp(np.ldexp(matrix, -exponents), -exponents[:, None])
        if not np.isfinite(np.diagonal(scaled)).all():
            return None
        upper, info = lapack.dpotrf(scaled, clean=0)
        if info != 0:
            return None
        rcond, _ = lapack.dpocon(upper, np.abs(scaled).sum(axis=0).max())
        condition = 1.0 / rcond if rcond > 0 else np.inf
        return cls(upper, exponents, condition) if condition <= WORTH else None

    @property
    def units(self) -> Array:
        """Roots of the diagonal, to a power of two."""
        return np.ldexp(1.0, self.exponents)

    def solve(self, right: Array) -> Array:
        """Solve for one right-hand side per column.

        Parameters
        ----------
        right : array of shape (m, t)

        Returns
        -------
        array of shape (m, t)
        """
        scaled, _ = lapack.dpotrs(self.upper, np.ldexp(right, -self.exponents[:, None]))
        answer: Array = np.ldexp(scaled, -self.exponents[:, None])
        return answer
