"""A table in the coordinates of its singular vectors, where every penalty is one division.

The singular values of the triangular factor are those of the centred table, so every penalty
costs O(p²) after one decomposition, whatever the number of rows. Of a table wider than long the
products of its rows have them too.

References
----------
Hastie, Tibshirani, Friedman (2009), *The Elements of Statistical Learning*, §3.4.1.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.least_squares import independent_columns
from abline.linear.singular import svd
from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from abline.linear.ridge.design import Design
    from abline.linear.system import System

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spectrum:
    """Singular values and vectors, and y along them.

    Attributes
    ----------
    singular : array of shape (r,)
        Singular values of the (centred, weighted) X, zeros left out.
    projected : array of shape (r, t)
        y along the left singular vectors.
    combine : callable
        From an array of shape (r, m) to the combinations of the right singular vectors with
        these coefficients, of shape (p, m).
    engine : {"svd", "kernel"}
        Whether it was decomposed itself, or the products of its rows.
    """

    singular: Array
    projected: Array
    combine: Callable[[Array], Array]
    engine: str

    @classmethod
    def of_system(cls, system: System) -> Spectrum:
        """Decompose a triangle, without the directions in which its columns do not vary.

        Parameters
        ----------
        system : System

        Returns
        -------
        Spectrum
        """
        return decompose(system.R, system.z, independent_columns(system))[0]

    def coef(self, alphas: Array) -> Array:
        """Minimise |y - X b|² + alpha |b|² for each target.

        Parameters
        ----------
        alphas : array of shape (t,), in squared units of X
            None negative; zero gives the least squares of smallest norm.

        Returns
        -------
        array of shape (p, t), in units of y per unit of X
        """
        with np.errstate(over="ignore"), one_blas_thread():
            return self.combine(self.projected * self._shrink(alphas))

    def path(self, alphas: Array) -> Array:
        """Give the coefficients of all targets for each penalty.

        Parameters
        ----------
        alphas : array of shape (k,), in squared units of X

        Returns
        -------
        array of shape (p, t, k)
        """
        t, k = self.projected.shape[1], len(alphas)
        with np.errstate(over="ignore"), one_blas_thread():
            parts = self.projected[:, :, None] * self._shrink(alphas)[:, None, :]
            answer = self.combine(parts.reshape(-1, t * k))
        return answer.reshape(len(answer), t, k)

    def _shrink(self, alphas: Array) -> Array:
        # 1 / (s + alpha / s) is s / (s² + alpha) with fewer overflows
        s = self.singular[:, None]
        answer: Array = 1.0 / (s + alphas / s)
        return answer


def decompose(X: Array, y: Array, rank: int | None = None) -> tuple[Spectrum, Array]:
    """Find the singular vectors of a table, or of its triangle, which has the same right ones.

    Parameters
    ----------
    X : array of shape (k, p)
    y : array of shape (k, t)
    rank : int, optional
        Number of singular values to keep, the largest; all above zero by default.

    Returns
    -------
    Spectrum
    left : array of shape (k, r)
        The left singular vectors.
    """
    with one_blas_thread():
        left, singular, right = svd(X)
        rank = min(len(singular) if rank is None else rank, int(np.count_nonzero(singular)))
        left, right = left[:, :rank], right[:rank]
        return Spectrum(singular[:rank], left.T @ y, right.T.__matmul__, "svd"), left


def decompose_kernel(design: Design) -> tuple[Spectrum, Array]:
    """Find the singular vectors of a table wider than long from the products of its rows.

    Their eigenvalues are the squares of the singular values, so that those below about a hundred
    millionth of the largest are lost; no penalty worth trying is as small.

    Parameters
    ----------
    design : Design
        Of n rows.

    Returns
    -------
    Spectrum
    left : array of shape (n, r)
        The left singular vectors.
    """
    with one_blas_thread():
        squares, left = np.linalg.eigh(design.kernel())
        kept = squares > len(squares) * sys.float_info.epsilon * max(squares[-1], 0.0)
        singular, left = np.sqrt(squares[kept]), left[:, kept]

    def combine(parts: Array) -> Array:
        return design.transposed(left @ (parts / singular[:, None]))

    return Spectrum(singular, left.T @ design.y, combine, "kernel"), left
