"""The triangular factor of a centred table, by the fastest way that keeps the digits of QR.

- ``gram``: the Cholesky factor of the Gram matrix. It loses the square of the condition number
  where QR loses the number itself, so it is taken only where that is about one.
- ``refined``: a second pass multiplies the rows by the inverse of the first factor, which makes
  them all but orthonormal, and corrects it (Cholesky QR, twice). As good as QR, at the speed of
  matrix products, up to a condition number of ten million.
- ``qr``: Householder's QR of each block of rows and of the triangles stacked; any table.

Condition numbers are those of columns scaled to unit norm, so units do not matter.

References
----------
Yamamoto, Nakatsukasa, Yanagisawa, Fukaya (2015), "Roundoff error analysis of the CholeskyQR2
algorithm", *ETNA* 44; Demmel, Grigori, Hoemmen, Langou (2012), "Communication-optimal parallel
and sequential QR and LU factorizations", *SIAM J. Sci. Comput.* 34(1).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from abline.errors import DataError
from abline.linear.gram import centre, gram, sum_products
from abline.linear.rows import block_rows
from abline.linear.singular import condition_number
from abline.linear.threads import in_order
from abline.linear.triangular import solve_upper
from abline.tables.arrays import check_finite
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abline.linear.gram import Gram
    from abline.linear.rows import Rows

Array = NDArray[np.float64]

#: the ways, from the fastest to the safest
METHODS = ("gram", "refined", "qr")

#: condition numbers up to which the Gram matrix is as good as QR, and two passes of it are
_GRAM, _REFINED = 30.0, 1e7

#: condition number up to which rows count as orthonormal
_ORTHONORMAL = 6.0

#: share of y's sum of squares that least squares must leave for a difference of sums to show it
_LEFT = 1e-4

#: a column that varies by fewer units in the last place of its mean holds rounding errors only
_CONSTANT_ULPS = 2

#: sums of squares beyond these have lost digits to underflow or overflow
_SMALLEST, _LARGEST = 1e-250, 1e250

#: a column about a mean beyond this, whose squares all underflow, is constant
_TINY = 1e-130


@dataclass(frozen=True)
class Triangle:
    """A table's factor, and how it was made.

    Attributes
    ----------
    weight : float
    mean, mean_error : arrays of shape (q,)
    upper : array of shape (k, q)
        Upper triangle with the Gram matrix of the centred table, its diagonal not negative.
    method : {"gram", "refined", "qr"}
    """

    weight: float
    mean: Array
    mean_error: Array
    upper: Array
    method: str


def triangle(rows: Rows) -> Triangle:
    """Factor a table.

    Parameters
    ----------
    rows : Rows
        At least one has a weight.

    Returns
    -------
    Triangle

    Raises
    ------
    DataError
        If a cell is missing or infinite.
    """
    p, q = rows.X.shape[1], rows.width
    sums = gram(rows)
    squares = np.diagonal(sums.products)
    if not np.isfinite(squares).all():
        check_finite(rows.X)
    constant = constant_columns(np.sqrt(np.abs(squares)), sums.mean + sums.mean_error, sums.weight)
    varying = squares[~constant]
    in_range = bool(np.all((varying > _SMALLEST) & (varying < _LARGEST)))
    suspect = (squares == 0) & (np.abs(sums.mean) < _TINY)
    in_range &= not (suspect.any() and _underflown(rows, suspect))
    if in_range and rows.X.shape[0] > p:
        first = _cholesky(sums.products, constant, p)
        if first is not None and first.condition <= _GRAM and not first.cancelled:
            return Triangle(sums.weight, sums.mean, sums.mean_error, first.upper(), "gram")
        if first is not None and first.condition <= _REFINED:
            second = _refine(rows, sums, first, constant)
            if second is not None:
                return second
    return _householder(rows, sums, q)


def _underflown(rows: Rows, suspect: NDArray[np.bool_]) -> bool:
    """Say whether a column of tiny cells looks like one of zeros."""
    p = rows.X.shape[1]
    cells = rows.X[:, np.flatnonzero(suspect[:p])]
    if is_sparse(cells):
        cells = cells.data
    return bool(np.any(cells)) or bool(np.any(rows.y[:, suspect[p:]]))


def constant_columns(norms: Array, mean: Array, weight: float) -> NDArray[np.bool_]:
    """Say which columns are constant, but for rounding errors.

    Parameters
    ----------
    norms : array of shape (q,)
        Roots of their sums of squares about the mean, or their largest cells in a triangle.
    mean : array of shape (q,)
    weight : float
        Sum of the weights.

    Returns
    -------
    array of bool of shape (q,)
    """
    noise = _CONSTANT_ULPS * sys.float_info.epsilon * np.sqrt(weight) * np.abs(mean)
    answer: NDArray[np.bool_] = norms <= noise
    return answer


def stack(uppers: Iterable[Array]) -> Array:
    """Give the triangle of several tables' triangles, one above another."""
    upper = np.asarray(np.linalg.qr(np.vstack(list(uppers)), mode="r"))
    # a diagonal that is not negative makes the triangle unique
    upper *= np.where(np.diagonal(upper) < 0, -1.0, 1.0)[:, None]
    return upper


@dataclass(frozen=True)
class _Cholesky:
    """R of X, z = Q'y and the triangle of what is left of y.

    Attributes
    ----------
    R : array of shape (p, p)
        With ones on the diagonal where a column is constant.
    z : array of shape (p, t)
    left : array of shape (t, t)
    constant : array of bool of shape (p,)
    condition : float
        Of R with columns of about unit norm.
    cancelled : bool
        Whether what is left of y is a difference of two large numbers.
    """

    R: Array
    z: Array
    left: Array
    constant: NDArray[np.bool_]
    condition: float
    cancelled: bool

    def upper(self) -> Array:
        p, t = self.z.shape
        answer = np.zeros((p + t, p + t))
        answer[:p, :p], answer[:p, p:], answer[p:, p:] = self.R, self.z, self.left
        answer[:p][self.constant] = 0.0
        return answer


def _cholesky(products: Array, constant: NDArray[np.bool_], p: int) -> _Cholesky | None:
    fixed = constant[:p]
    A, cross = products[:p, :p], products[:p, p:]
    if fixed.any():
        A = np.where(fixed | fixed[:, None], np.diag(fixed.astype(float)), A)
        cross = np.where(fixed[:, None], 0.0, cross)
    # powers of two: columns of any unit come to norms of about one, and no digit changes
    exponents = np.frexp(np.sqrt(np.diagonal(A)))[1]
    scaled = np.ldexp(np.ldexp(A, -exponents), -exponents[:, None])
    R, info = lapack.dpotrf(scaled, clean=1)
    if info != 0:
        return None
    z = solve_upper(R, np.ldexp(cross, -exponents[:, None]), transposed=True)
    total = products[p:, p:]
    rest = total - z.T @ z
    left = np.diagonal(rest)
    return _Cholesky(
        np.ldexp(R, exponents),
        z,
        _root(rest),
        fixed,
        condition_number(R),
        bool(np.any(left < _LEFT * np.diagonal(total))),
    )


def _root(products: Array) -> Array:
    """Give a triangle whose Gram matrix this is, the nearest if it is none by rounding errors."""
    if len(products) == 1:
        return np.sqrt(np.maximum(products, 0.0))
    values, vectors = np.linalg.eigh(products)
    return stack([np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T])


def _refine(
    rows: Rows, sums: Gram, first: _Cholesky, constant: NDArray[np.bool_]
) -> Triangle | None:
    p, t = first.z.shape
    q = p + t
    inverse = solve_upper(first.R, np.eye(p))
    inverse[:, first.constant] = 0.0
    b = solve_upper(first.R, first.z)
    b[first.constant] = 0.0
    change = np.eye(q + 1)
    change[:p, :p], change[:p, p:q] = inverse, -b
    again = centre(sum_products(rows, sums.mean, change), np.zeros(q))
    second = _cholesky(again.products, constant, p)
    # powers of two may differ by one where norms are about one
    if second is None or second.condition > _ORTHONORMAL:
        return None  # the first factor had no digit left
    upper = second.upper()
    upper[:p, p:] += second.R @ first.z
    upper[:p, :p] = np.triu(second.R @ first.R)
    upper[:p][first.constant] = 0.0
    # the means that are left, brought back to the units of the columns
    found = again.mean + again.mean_error
    mean_error = np.concatenate([found[:p] @ first.R, found[p:] + (found[:p] @ first.R) @ b])
    mean_error[:p][first.constant] = sums.mean_error[:p][first.constant]
    return Triangle(sums.weight, sums.mean, mean_error, upper, "refined")


def _householder(rows: Rows, sums: Gram, q: int) -> Triangle:
    """Factor blocks of ones beside the table moved to its means, and stack their triangles.

    Below the first row, which belongs to the ones, stands the factor of the centred table.
    """
    finite = np.isfinite(sums.mean)
    shift = np.where(finite, sums.mean, 0.0)

    def factor(part: slice) -> Array:
        block = rows.load(part, shift, ones=True)
        return stack([np.column_stack([block[:, q], block[:, :q]])])

    # four times as long as wide: merging costs a quarter more than one decomposition of all
    size = max(block_rows(q), 4 * q)
    upper: Array | None = None
    for part in in_order(factor, rows.slices(size)):
        upper = part if upper is None else stack([upper, part])
    if upper is None or not np.isfinite(upper).all():
        raise DataError(
            "X or y has cells so large that their products overflow: divide those columns by a "
            "power of ten"
        )
    apart = upper[0, 1:] / upper[0, 0]
    below = upper[1:, 1:] if len(upper) > 1 else np.zeros((1, q))  # of one row nothing is left
    return Triangle(sums.weight, shift, apart, below, "qr")
