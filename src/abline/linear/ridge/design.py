"""A whole table as least squares sees it: rows times the roots of their weights, columns centred.

A dense table is copied, a sparse one stays sparse: what centring would subtract from its zeros is
kept aside as a product of two vectors.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from abline.linear.threads import in_order
from abline.linear.triangle import constant_columns
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from abline.linear.rows import Rows

Array = NDArray[np.float64]

#: columns whose products of rows are added up at once
_COLUMNS = 4096

#: errors of means that are less than this part of a column's size change no digit
_NO_ERROR = sys.float_info.epsilon


@dataclass(frozen=True)
class Means:
    """What is taken off the columns of X and y, to twice the precision.

    Attributes
    ----------
    mean, error : arrays of shape (p + t,)
        The weighted means are the sums of the two; without an intercept all are zero.
    """

    mean: Array
    error: Array

    @classmethod
    def none(cls, width: int) -> Means:
        """Give zeros."""
        return cls(np.zeros(width), np.zeros(width))

    def intercept(self, coef: Array) -> Array:
        """Give the intercepts, of shape (t,), that belong to coefficients of shape (p, t)."""
        p, whole = len(coef), self.mean + self.error
        answer: Array = whole[p:] - whole[:p] @ coef
        return answer


class Design(Protocol):
    """A centred, weighted table X with targets y, as iterations and kernels use it."""

    @property
    def y(self) -> Array:
        """The targets, of shape (n, t)."""

    def times(self, coef: Array) -> Array:
        """Give X b."""

    def transposed(self, right: Array) -> Array:
        """Give X' r."""

    def kernel(self) -> Array:
        """Give the products of all pairs of rows, X X'."""


def centred(rows: Rows, *, fit_intercept: bool) -> tuple[Means, Design]:
    """Centre and weight a whole table.

    Parameters
    ----------
    rows : Rows
        Of a table whose columns may be more than its rows.
    fit_intercept : bool
        Without an intercept the columns are taken as they are.

    Returns
    -------
    Means
    Design
    """
    if is_sparse(rows.X):
        return centred_sparse(rows, fit_intercept=fit_intercept)
    return centred_dense(rows, fit_intercept=fit_intercept)


def products_of_residuals(rows: Rows, means: Means, coef: Array) -> Array:
    """Give X'(y - X b) of the centred, weighted table in one pass over its rows.

    Parameters
    ----------
    rows : Rows
    means : Means
        Their errors are left out: they add to the residuals a constant, which the products
        with centred columns do not see.
    coef : array of shape (p, t)

    Returns
    -------
    array of shape (p, t)
    """
    p = len(coef)

    def product(part: slice) -> Array:
        if is_sparse(rows.X):
            return _sparse_product(rows, part, means, coef)
        block = rows.load(part, means.mean)
        answer: Array = block[:, :p].T @ (block[:, p:] - block[:, :p] @ coef)
        return answer

    total = np.zeros_like(coef)
    for part in in_order(product, rows.slices()):
        total += part
    return total


@dataclass(frozen=True)
class DenseDesign:
    """All of a table, centred and weighted.

    Attributes
    ----------
    X : array of shape (n, p)
    y : array of shape (n, t)
    """

    X: Array
    y: Array

    def times(self, coef: Array) -> Array:
        """Give X b."""
        answer: Array = self.X @ coef
        return answer

    def transposed(self, right: Array) -> Array:
        """Give X' r."""
        answer: Array = self.X.T @ right
        return answer

    def kernel(self) -> Array:
        """Give the products of all pairs of rows, X X'."""
        n, p = self.X.shape

        def product(start: int) -> Array:
            columns = self.X[:, start : start + _COLUMNS]
            answer: Array = columns @ columns.T
            return answer

        total = np.zeros((n, n))
        for part in in_order(product, range(0, p, _COLUMNS)):
            total += part
        return total


@dataclass(frozen=True)
class SparseDesign:
    """All of a sparse table, weighted, and what centring takes off.

    Attributes
    ----------
    X : sparse matrix of shape (n, p)
        Weighted; only columns without zeros are centred.
    y : array of shape (n, t)
        Weighted and centred.
    mean : array of shape (p,)
    roots : array of shape (n,)
    """

    X: Any
    y: Array
    mean: Array
    roots: Array

    def times(self, coef: Array) -> Array:
        """Give X b."""
        answer: Array = self.X @ coef - np.multiply.outer(self.roots, self.mean @ coef)
        return answer

    def transposed(self, right: Array) -> Array:
        """Give X' r."""
        answer: Array = self.X.T @ right - np.multiply.outer(self.mean, self.roots @ right)
        return answer

    def kernel(self) -> Array:
        """Give the products of all pairs of rows, X X'."""
        answer: Array = (self.X @ self.X.T).toarray()
        if self.mean.any():
            along = np.outer(self.X @ self.mean, self.roots)
            answer -= along
            answer -= along.T
            answer += (self.mean @ self.mean) * np.outer(self.roots, self.roots)
        return answer


def centred_dense(rows: Rows, *, fit_intercept: bool) -> tuple[Means, DenseDesign]:
    """Centre and weight a copy of a dense table, as `centred` does."""
    n, p = rows.X.shape
    everything = slice(0, n)
    if not fit_intercept:
        table = rows.load(everything)
        return Means.none(rows.width), DenseDesign(table[:, :p], table[:, p:])
    weights = np.ones(n) if rows.weights is None else rows.weights.astype(np.float64)
    # a mean in the table's own precision will do: what is left of it is found and taken off
    precision = np.result_type(rows.X.dtype, np.float32)
    shares, total = weights / weights.sum(), float(weights.sum())
    of_x = shares.astype(precision) @ rows.X.astype(precision, copy=False)
    mean = np.concatenate([of_x, shares @ rows.y]).astype(np.float64)
    table = rows.load(everything, mean)
    roots = np.ones(n) if rows.weights is None else np.sqrt(weights)
    error = roots @ table / total
    sizes = np.sqrt(np.einsum("ij,ij->j", table, table) / total)
    if np.any(np.abs(error) > _NO_ERROR * sizes):
        table -= error if rows.weights is None else np.outer(roots, error)
    constant = constant_columns(sizes * np.sqrt(total), mean, total)
    if constant.any():
        table[:, constant] = 0.0
    return Means(mean, error), DenseDesign(table[:, :p], table[:, p:])


def centred_sparse(rows: Rows, *, fit_intercept: bool) -> tuple[Means, SparseDesign]:
    """Centre and weight a sparse table, as `centred` does, and leave its zeros zeros."""
    n, p = rows.X.shape
    X, y = rows.X.astype(np.float64), rows.y.astype(np.float64)
    roots = np.ones(n) if rows.weights is None else np.sqrt(rows.weights, dtype=np.float64)
    means, aside = Means.none(rows.width), np.zeros(p)
    if fit_intercept:
        shares = np.square(roots) / np.square(roots).sum()
        mean = np.concatenate([X.T @ shares, shares @ y])
        error = np.zeros(rows.width)
        # a column without zeros is centred itself: one far from zero would lose its digits
        full = np.bincount(X.indices, minlength=p) == n
        if full.any():
            X.data -= np.where(full, mean[:p], 0.0)[X.indices]
            error[:p][full] = (X.T @ shares)[full]
        y -= mean[p:]
        error[p:] = shares @ y
        y -= error[p:]
        means, aside = Means(mean, error), np.where(full, error[:p], mean[:p])
    if rows.weights is not None:
        X.data *= np.repeat(roots, np.diff(X.indptr))
        y *= roots[:, None]
    return means, SparseDesign(X, y, aside, roots)


def _sparse_product(rows: Rows, part: slice, means: Means, coef: Array) -> Array:
    p = len(coef)
    X = rows.X[part].astype(np.float64, copy=False)
    errors = rows.y[part] - means.mean[p:] - (X @ coef - means.mean[:p] @ coef)
    if rows.weights is not None:
        errors *= rows.weights[part, None]
    answer: Array = X.T @ errors - np.outer(means.mean[:p], errors.sum(axis=0))
    return answer
