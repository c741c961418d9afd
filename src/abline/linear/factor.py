"""The triangular factor of a table: all that a linear fit needs to know of its rows.

For a table ``[1 X y]`` whose rows are multiplied by the roots of their weights, `RFactor` holds
the upper triangle R of its QR decomposition. It has p + t + 1 columns however many rows there
are, is built a block of rows at a time, and two of them merge into that of both tables.

R's first row is the root of the total weight times ``[1, means]``, and what lies below it is the
factor of the centred table. The two are kept apart, the means with their rounding errors, so
that columns far from zero lose no digits.

References
----------
Chan, Golub, LeVeque (1983), "Algorithms for computing the sample variance", *The American
Statistician* 37(3); Demmel, Grigori, Hoemmen, Langou (2012), "Communication-optimal parallel and
sequential QR and LU factorizations", *SIAM J. Sci. Comput.* 34(1).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError
from abline.linear.threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]

#: a column that varies by fewer units in the last place of its mean holds rounding errors only
_CONSTANT_ULPS = 8


@dataclass(frozen=True)
class Block:
    """Some rows of a table, centred at their own means and multiplied by roots of weights.

    Attributes
    ----------
    rows : array of shape (b, p + t)
        ``[X y]``.
    roots : array of shape (b,)
        Square roots of the rows' weights.
    weight : float
        Sum of the weights.
    mean, mean_error : arrays of shape (p + t,)
        The means to twice the precision: the sum of the two.
    """

    rows: Array
    roots: Array
    weight: float
    mean: Array
    mean_error: Array


@dataclass(frozen=True)
class System:
    """A least-squares problem reduced to a triangle: R b = z, in as many unknowns as features.

    Attributes
    ----------
    R : array of shape (k, p), k = min(p, rows of the factor)
        Upper triangle (trapezoid if k < p) with the singular values of the table's X.
    z : array of shape (k, t)
    x_mean : array of shape (p,)
    y_mean : array of shape (t,)
        Both zero without an intercept.
    n_rows : int
    """

    R: Array
    z: Array
    x_mean: Array
    y_mean: Array
    n_rows: int

    @property
    def tolerance(self) -> float:
        """Singular values below this part of the largest count as zero, as in NumPy's lstsq."""
        return sys.float_info.epsilon * float(max(self.n_rows, self.R.shape[1]))


@dataclass(frozen=True)
class RFactor:
    """Triangular factor of ``[1 X y]`` with the weights folded in.

    Attributes
    ----------
    n_features, n_targets : int
        p and t.
    n_rows : int
        Rows with a weight above zero.
    weight : float
        Sum of the weights; the number of rows where there are none.
    mean, mean_error : arrays of shape (p + t,), in units of X and y
        Weighted means to twice the precision: the sum of the two.
    upper : array of shape (min(n, p + t), p + t)
        Factor of the centred table, its diagonal not negative.

    Examples
    --------
    >>> X, y = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [3.0], [7.0]])
    >>> whole = RFactor.from_arrays(X, y)
    >>> parts = RFactor.from_arrays(X[:2], y[:2]).merge(RFactor.from_arrays(X[2:], y[2:]))
    >>> bool(np.allclose(parts.upper, whole.upper)), parts.n_rows
    (True, 3)
    """

    n_features: int
    n_targets: int
    n_rows: int
    weight: float
    mean: Array
    mean_error: Array
    upper: Array

    @classmethod
    def from_arrays(cls, X: Floats, y: Floats, sample_weight: Floats | None = None) -> RFactor:
        """Factor a table.

        Parameters
        ----------
        X : array of shape (n, p)
        y : array of shape (n, t)
        sample_weight : array of shape (n,), optional
            None negative; rows of weight zero are left out.

        Returns
        -------
        RFactor

        Raises
        ------
        DataError
            If no row has a weight.
        """
        with one_blas_thread():
            parts = (
                cls(
                    X.shape[1],
                    y.shape[1],
                    len(block.rows),
                    block.weight,
                    block.mean,
                    block.mean_error,
                    _triangle(block.rows),
                )
                for block in blocks(X, y, sample_weight)
            )
            first = next(parts, None)
            if first is None:
                raise DataError("no row has a weight above zero: give at least one row a weight")
            return reduce(cls.merge, parts, first)

    def merge(self, other: RFactor) -> RFactor:
        """Give the factor of both tables' rows.

        Parameters
        ----------
        other : RFactor
            Of a table with the same columns.

        Returns
        -------
        RFactor
            A new one; the order of the two matters for rounding errors alone.

        Raises
        ------
        DataError
            If the columns differ in number.
        """
        if (self.n_features, self.n_targets) != (other.n_features, other.n_targets):
            raise DataError(
                f"a factor of {self.n_features} features and {self.n_targets} targets does not "
                f"merge with one of {other.n_features} and {other.n_targets}: factor the same "
                "columns"
            )
        weight = self.weight + other.weight
        apart = (other.mean - self.mean) + (other.mean_error - self.mean_error)
        between = np.sqrt(self.weight) * np.sqrt(other.weight / weight) * apart
        mean, mean_error = _two_sum(self.mean, apart * (other.weight / weight))
        with one_blas_thread():
            upper = _triangle(np.vstack([self.upper, other.upper, between]))
        return RFactor(
            self.n_features,
            self.n_targets,
            self.n_rows + other.n_rows,
            weight,
            mean,
            mean_error + self.mean_error,
            upper,
        )

    def system(self, *, fit_intercept: bool) -> System:
        """Reduce the least-squares problem to a triangle.

        Parameters
        ----------
        fit_intercept : bool
            With an intercept the columns are centred and those that are constant, but for
            rounding errors, are zero; without one they are taken as they are.

        Returns
        -------
        System
        """
        p, root = self.n_features, np.sqrt(self.weight)
        mean = self.mean + self.mean_error
        if fit_intercept:
            upper = self.upper.copy()
            noise = _CONSTANT_ULPS * sys.float_info.epsilon * root * np.abs(mean)
            upper[:, np.abs(upper).max(axis=0) <= noise] = 0.0
        else:
            with one_blas_thread():
                upper = _triangle(np.vstack([root * mean, self.upper]))
            mean = np.zeros_like(mean)
        return System(upper[:p, :p], upper[:p, p:], mean[:p], mean[p:], self.n_rows)


def block_rows(n_columns: int) -> int:
    """Say how many rows of a table are worked on at once.

    It depends on the width alone, never on threads or memory, so that sums are always split
    in the same places. Merging costs a quarter more than one decomposition of all rows.

    Examples
    --------
    >>> block_rows(10), block_rows(5_000)
    (4096, 20000)
    """
    return max(4096, 4 * n_columns)


def blocks(X: Floats, y: Floats, sample_weight: Floats | None = None) -> Iterator[Block]:
    """Cut a table into centred, weighted blocks of rows.

    Parameters
    ----------
    X : array of shape (n, p)
    y : array of shape (n, t)
    sample_weight : array of shape (n,), optional

    Yields
    ------
    Block
        In the order of the rows, in float64, without the rows of weight zero.
    """
    n, p = X.shape
    n_columns = p + y.shape[1]
    size = block_rows(n_columns)
    for start in range(0, n, size):
        stop = min(start + size, n)
        weights = None if sample_weight is None else sample_weight[start:stop]
        # column by column in memory: NumPy then adds the cells of a column pairwise
        rows = np.empty((stop - start, n_columns), order="F")
        rows[:, :p] = X[start:stop]
        rows[:, p:] = y[start:stop]
        if weights is not None and not weights.all():
            rows, weights = np.asfortranarray(rows[weights > 0]), weights[weights > 0]
        if len(rows):
            yield _centred(rows, weights)


def _centred(rows: Array, weights: Floats | None) -> Block:
    mean = np.average(rows, axis=0, weights=weights)
    rows -= mean
    # the mean of what is left is the rounding error of the mean
    mean_error = np.average(rows, axis=0, weights=weights)
    rows -= mean_error
    if weights is None:
        return Block(rows, np.ones(len(rows)), float(len(rows)), mean, mean_error)
    roots = np.sqrt(weights)
    rows *= roots[:, None]
    return Block(rows, roots, float(weights.sum()), mean, mean_error)


def _triangle(rows: Array) -> Array:
    upper: Array = np.asarray(np.linalg.qr(rows, mode="r"))
    # a diagonal that is not negative makes the triangle unique
    upper *= np.where(np.diagonal(upper) < 0, -1.0, 1.0)[:, None]
    return upper


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Add; give the rounded sum and what rounding left out (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)
