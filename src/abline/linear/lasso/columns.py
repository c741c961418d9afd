"""The columns of a table, centred and weighted on the fly, so that X need not be copied.

With the roots of the weights r, the matrix at work is ``A = r (X - 1 shift')``. Dense and sparse X
answer the same few questions about it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from abline.linear.threads import in_order
from abline.linear.triangle import constant_columns
from abline.tables.conversion import is_sparse

Array = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.int64]

#: cells of X that one thread reads at a time
_CELLS = 2**19

#: cells of X up to which one thread is done before a second one has started
_SMALL = 2**24

#: means beyond this many standard deviations make the centring lose digits: X is then copied
_FAR = 1e4


class Columns(ABC):
    """The columns of A, never formed as a whole.

    Attributes
    ----------
    roots : array of shape (n,)
        Square roots of the rows' weights.
    mean : array of shape (p,)
        Weighted means; zero without an intercept.
    shift : array of shape (p,)
        What is subtracted on the fly: the means, or nothing where X is a centred copy.
    squares : array of shape (p,)
        Sums of squares of the columns of A; zero where a column is constant.
    """

    X: Any
    roots: Array
    mean: Array
    shift: Array
    squares: Array

    def correlate(self, residuals: Array) -> Array:
        """Give the products of residuals of shape (t, n) with all columns, of shape (t, p)."""
        answer = self._products(residuals) - np.outer(residuals @ self.roots, self.shift)
        answer[:, self.squares == 0] = 0.0
        return answer

    @abstractmethod
    def only(self, chosen: Indices) -> Self:
        """Give some of the columns, in memory of their own."""

    @abstractmethod
    def products(self, left: Indices, right: Indices) -> Array:
        """Give the products of some columns with others."""

    @abstractmethod
    def combine(self, chosen: Indices, coef: Array) -> Array:
        """Add up some columns, with coefficients of shape (t, k); gives shape (t, n)."""

    @abstractmethod
    def _products(self, residuals: Array) -> Array:
        """Give the products with the columns of X, weighted but not centred."""


class DenseColumns(Columns):
    """Columns of an array."""

    def __init__(self, X: Array, roots: Array, mean: Array, shift: Array, squares: Array) -> None:
        self.X, self.roots, self.mean, self.shift, self.squares = X, roots, mean, shift, squares

    @classmethod
    def of(cls, X: Array, roots: Array, *, centred: bool) -> Self:
        """Look over an array once."""
        weights = np.square(roots)
        weight = weights.sum()

        def look(part: slice) -> tuple[Array, Array, Array]:
            block = X[:, part]
            mean = weights @ block / weight if centred else np.zeros(block.shape[1])
            apart = block - mean
            squares = weights @ np.square(apart)
            # the mean of what is left is the rounding error of the mean
            rest = weights @ apart / weight if centred else mean
            return mean, rest, squares - weight * np.square(rest)

        parts = list(in_order(look, _column_blocks(X)))
        mean, rest, squares = (np.concatenate(part) for part in zip(*parts, strict=True))
        squares = _without_constants(np.maximum(squares, 0.0), mean, weight)
        exact = mean + rest
        far = (weight * np.square(mean) > _FAR**2 * squares) & (squares > 0)
        if centred and far.any():
            return cls((X - mean) - rest, roots, exact, np.zeros_like(exact), squares)
        return cls(X, roots, exact, exact, squares)

    def only(self, chosen: Indices) -> Self:
        """Give some of the columns, in memory of their own."""
        X = self.X.T[chosen].T
        parts = (part[chosen] for part in (self.mean, self.shift, self.squares))
        return type(self)(X, self.roots, *parts)

    def products(self, left: Indices, right: Indices) -> Array:
        """Give the products of some columns with others."""
        answer: Array = self._take(left) @ self._take(right).T
        return answer

    def combine(self, chosen: Indices, coef: Array) -> Array:
        """Add up some columns, with coefficients of shape (t, k); gives shape (t, n)."""
        answer: Array = coef @ self._take(chosen)
        return answer

    def _take(self, chosen: Indices) -> Array:
        taken: Array = (self.X.T[chosen] - self.shift[chosen, None]) * self.roots
        return taken

    def _products(self, residuals: Array) -> Array:
        weighted = residuals * self.roots
        if self.X.size <= _SMALL:
            return _correlate(weighted, self.X)
        parts = in_order(lambda part: _correlate(weighted, self.X[:, part]), _column_blocks(self.X))
        return np.concatenate(list(parts), axis=1)


class SparseColumns(Columns):
    """Columns of a sparse matrix; zeros cost nothing."""

    def __init__(self, X: Any, roots: Array, mean: Array, squares: Array) -> None:
        self.X, self.roots, self.mean, self.shift, self.squares = X, roots, mean, mean, squares

    @classmethod
    def of(cls, X: Any, roots: Array, *, centred: bool) -> Self:
        """Look over a matrix once."""
        from scipy.sparse import csc_array

        X = csc_array(X, dtype=np.float64)
        if not np.all(roots == 1.0):
            X = csc_array((X.data * roots[X.indices], X.indices, X.indptr), shape=X.shape)
        weight = float(np.square(roots).sum())
        squares = np.asarray(X.power(2).sum(axis=0)).ravel()
        mean = np.zeros(X.shape[1])
        if centred:
            mean = X.T @ roots / weight
            squares = np.maximum(squares - weight * np.square(mean), 0.0)
        return cls(X, roots, mean, _without_constants(squares, mean, weight))

    def only(self, chosen: Indices) -> Self:
        """Give some of the columns, in memory of their own."""
        return type(self)(self.X[:, chosen], self.roots, self.mean[chosen], self.squares[chosen])

    def products(self, left: Indices, right: Indices) -> Array:
        """Give the products of some columns with others."""
        plain = (self.X[:, left].T @ self.X[:, right]).toarray()
        weight = np.square(self.roots).sum()
        answer: Array = plain - weight * np.outer(self.shift[left], self.shift[right])
        return answer

    def combine(self, chosen: Indices, coef: Array) -> Array:
        """Add up some columns, with coefficients of shape (t, k); gives shape (t, n)."""
        plain: Array = (self.X[:, chosen] @ coef.T).T
        return plain - np.outer(coef @ self.shift[chosen], self.roots)

    def _products(self, residuals: Array) -> Array:
        answer: Array = (self.X.T @ residuals.T).T
        return answer


def columns_of(X: Any, weights: Floats | None, *, centred: bool) -> Columns:
    """Look over a table once.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, p), any float
    weights : array of shape (n,), optional
    centred : bool
        Whether there is an intercept.

    Returns
    -------
    Columns

    Examples
    --------
    >>> columns = columns_of(np.array([[1.0, 5.0], [3.0, 5.0]]), None, centred=True)
    >>> columns.mean, columns.squares, columns.correlate(np.array([[-1.0, 1.0]]))
    (array([2., 5.]), array([2., 0.]), array([[2., 0.]]))
    """
    n = X.shape[0]
    roots = np.ones(n) if weights is None else np.sqrt(weights, dtype=np.float64)
    if is_sparse(X):
        return SparseColumns.of(X, roots, centred=centred)
    dense = X if X.dtype == np.float64 else np.asfortranarray(X, dtype=np.float64)
    return DenseColumns.of(dense, roots, centred=centred)


def _correlate(residuals: Array, X: Array) -> Array:
    if not (X.flags.f_contiguous and X.flags.writeable and X.flags.aligned):
        answer: Array = residuals @ X
        return answer
    from abline.linear.lasso.kernels import correlate

    return correlate(residuals, X.T)


def _column_blocks(X: Array) -> list[slice]:
    n, p = X.shape
    size = max(16, _CELLS // max(1, n))
    return [slice(start, min(start + size, p)) for start in range(0, p, size)]


def _without_constants(squares: Array, mean: Array, weight: float) -> Array:
    return np.where(constant_columns(np.sqrt(squares), mean, weight), 0.0, squares)
