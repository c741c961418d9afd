"""The Gram matrix of a centred, weighted table in one pass over its rows.

A product of a block with itself runs at the full speed of the processor, ten times that of a QR
decomposition of the block. Cells are first moved by a provisional mean, from a sample of rows:
sums of squares then lose no digits to columns far from zero, and what is left of the means
is taken off the small matrix at the end.

References
----------
Chan, Golub, LeVeque (1983), "Algorithms for computing the sample variance", *The American
Statistician* 37(3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.linear.threads import in_order
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from abline.linear.rows import Rows

Array = NDArray[np.float64]

#: columns of a sparse table up to which a square matrix of them is made
WIDEST_SPARSE = 5_000

#: rows that the provisional mean is taken from, evenly spread over the table
_SAMPLE = 512


@dataclass(frozen=True)
class Gram:
    """Sums of squares and products about the mean.

    Attributes
    ----------
    weight : float
        Sum of the weights.
    mean, mean_error : arrays of shape (q,)
        The weighted means of the columns to twice the precision: the sum of the two.
    products : array of shape (q, q)
        Weighted products of the columns, each about its mean; not finite where a cell is not,
        or where squares overflow.
    """

    weight: float
    mean: Array
    mean_error: Array
    products: Array


def gram(rows: Rows) -> Gram:
    """Go over a table once.

    Parameters
    ----------
    rows : Rows
        Of q columns, X and y together; at least one row has a weight.

    Returns
    -------
    Gram

    Examples
    --------
    >>> from abline.linear.rows import Rows
    >>> X, y = np.array([[1.0], [2.0], [6.0]]), np.array([[0.0], [3.0], [3.0]])
    >>> g = gram(Rows.of(X, y))
    >>> g.mean, g.products
    (array([3., 2.]), array([[14.,  6.],
           [ 6.,  6.]]))
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        if is_sparse(rows.X):
            rows, shift = _near_zero(rows)
            total = _sparse_products(rows)
        else:
            shift = provisional_mean(rows)
            total = sum_products(rows, shift)
        return centre(total, shift)


def provisional_mean(rows: Rows) -> Array:
    """Give the means of some rows, evenly spread."""
    step = max(1, rows.X.shape[0] // _SAMPLE)
    sample: Any = slice(None, None, step)
    if rows.weights is not None and not rows.weights.all():
        counted = np.flatnonzero(rows.weights)  # a cell without weight has no say
        sample = counted[:: max(1, len(counted) // _SAMPLE)]
    shift = np.concatenate(
        [table[sample].mean(axis=0, dtype=np.float64) for table in (rows.X, rows.y)]
    )
    return shift if np.isfinite(shift.sum()) else np.where(np.isfinite(shift), shift, 0.0)


def sum_products(rows: Rows, shift: Array, change: Array | None = None) -> Array:
    """Add up the products of the columns of ``[X y] - shift`` and of ones, in blocks.

    Parameters
    ----------
    rows : Rows
    shift : array of shape (q,)
    change : array of shape (q + 1, q + 1), optional
        What each block is multiplied by first.

    Returns
    -------
    array of shape (q + 1, q + 1)
        The last row and column belong to the ones.
    """

    def products(part: slice) -> Array:
        block = rows.load(part, shift, ones=True)
        if change is not None:
            block = block @ change
        # a matrix times its own transpose: half the work, and exactly symmetric
        answer: Array = block.T @ block
        return answer

    total = np.zeros((rows.width + 1, rows.width + 1))
    for part in in_order(products, rows.slices()):
        total += part
    return total


def centre(total: Array, shift: Array) -> Gram:
    """Move sums of products to the means of the columns.

    Parameters
    ----------
    total : array of shape (q + 1, q + 1)
        From `sum_products`.
    shift : array of shape (q,)

    Returns
    -------
    Gram
    """
    weight = float(total[-1, -1])
    apart = total[-1, :-1] / weight
    mean, mean_error = two_sum(shift, apart)
    return Gram(weight, mean, mean_error, total[:-1, :-1] - weight * np.outer(apart, apart))


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Add; give the rounded sum and what rounding left out (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _near_zero(rows: Rows) -> tuple[Rows, Array]:
    """Move the columns of a sparse X that have no zeros, and y, to provisional means."""
    n, p = rows.X.shape
    full = np.bincount(rows.X.indices, minlength=p) == n
    shift = np.where(full, np.asarray(rows.X.sum(axis=0)).ravel() / n, 0.0)
    X = rows.X.astype(np.float64)  # a copy, also of cells in double precision
    X.data -= shift[X.indices]
    y_mean = rows.y.mean(axis=0, dtype=np.float64)
    y_mean = np.where(np.isfinite(y_mean), y_mean, 0.0)
    return replace(rows, X=X, y=rows.y - y_mean), np.concatenate([shift, y_mean])


def _sparse_products(rows: Rows) -> Array:
    """Add up the products of a sparse X; only cells that are not zero cost anything."""
    n, p = rows.X.shape
    total = np.zeros((rows.width + 1, rows.width + 1))
    weights = np.ones(n) if rows.weights is None else np.asarray(rows.weights, dtype=np.float64)
    X = rows.X
    weighted = X.T.multiply(weights).tocsr() if rows.weights is not None else X.T.tocsr()
    beside = np.column_stack([rows.y, np.ones(n)])
    total[:p, :p] = (weighted @ X).toarray()
    total[:p, p:] = weighted @ beside
    total[p:, :p] = total[:p, p:].T
    total[p:, p:] = (beside.T * weights) @ beside
    return total
