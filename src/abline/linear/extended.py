"""Least squares to the last digit: sums of products in twice the precision.

Coefficients lose digits to nearly dependent columns and to large residuals, however carefully
they are computed in double precision. The Gram matrix in twice the precision holds them all: its
error is that of double precision squared, which pays for the square of the condition number. The
answer from the triangular factor is then improved by what it leaves of the normal equations, until
nothing changes.

Products come out exact at the speed of BLAS by slicing: each column is cut into a head of so few
bits that no sum of products of heads is ever rounded, a middle of as many, and the rest. Shifts
by the means are exact too.

References
----------
Björck (1967), "Iterative refinement of linear least squares solutions I", *BIT* 7; Ozaki, Ogita,
Oishi, Rump (2012), "Error-free transformations of matrix multiplication by using fast routines of
matrix multiplication and its applications", *Numerical Algorithms* 59; Dekker (1971), "A
floating-point technique for extending the available precision", *Numerische Mathematik* 18.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.linear.gram import two_sum
from abline.linear.threads import in_order, one_blas_thread
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from collections.abc import Callable

    from abline.linear.rows import Rows

Array = NDArray[np.float64]

#: cells of a block, and its fewest and most rows: more rows leave fewer bits to a head
_CELLS, _FEWEST_ROWS, _MOST_ROWS = 2**17, 1024, 8192

#: bits of a double's significand
_BITS = 53

_MAX_STEPS = 12

#: an error this small, against the answer, changes nothing in double precision
_CONVERGED = 2.0**-60

#: and this one is small enough to trust an answer that gets no better
_SETTLED = 2.0**-40


@dataclass(frozen=True)
class Twofold:
    """Numbers in about twice the precision of a double: the sum of two.

    Attributes
    ----------
    high, low : arrays of one shape
        ``low`` is less than a unit in the last place of ``high``.
    """

    high: Array
    low: Array

    def plus(self, other: Array) -> Twofold:
        """Add doubles."""
        high, error = two_sum(self.high, other)
        return Twofold(*two_sum(high, error + self.low))


@dataclass(frozen=True)
class ExtendedGram:
    """Sums of products of ``[1, X - shift, y - shift]`` in twice the precision.

    Attributes
    ----------
    shift : array of shape (p + t,)
        The means, rounded, or zeros for a fit without an intercept.
    products : Twofold, arrays of shape (1 + p + t, 1 + p + t)
        Weighted.
    n_features : int
        p.
    """

    shift: Array
    products: Twofold
    n_features: int

    @classmethod
    def of(cls, rows: Rows, shift: Array) -> ExtendedGram:
        """Go over a table once.

        Parameters
        ----------
        rows : Rows
            Of finite cells, none beyond 1e150.
        shift : array of shape (p + t,)

        Returns
        -------
        ExtendedGram
        """

        def products(part: slice) -> Twofold:
            return _products(rows, part, shift)

        size = min(_MOST_ROWS, max(_FEWEST_ROWS, _CELLS // (1 + rows.width)))
        total: Twofold | None = None
        for part in in_order(products, rows.slices(size)):
            total = part if total is None else total.plus(part.high).plus(part.low)
        assert total is not None  # a table has a row
        return cls(shift, total, rows.X.shape[1])

    def solve(
        self,
        right: Twofold,
        start: Array,
        precondition: Callable[[Array], Array],
        *,
        rate: float,
        ones: bool,
    ) -> Twofold | None:
        """Solve the normal equations G b = right, by refinement.

        Parameters
        ----------
        right : Twofold, arrays of shape (m, k)
            m = 1 + p with the column of ones, p without.
        start : array of shape (m, k)
            A first answer.
        precondition : callable
            Solves the same equations in double precision.
        rate : float
            What part of an error it leaves, at most.
        ones : bool
            Whether the column of ones is part of the model.

        Returns
        -------
        Twofold or None
            None where refinement does not converge: the columns are dependent in double precision.
        """
        first = 0 if ones else 1
        model = slice(first, 1 + self.n_features)
        G = Twofold(self.products.high[model, model], self.products.low[model, model])
        # in units of y, what a coefficient weighs in predictions
        scale = np.sqrt(np.diagonal(G.high))[:, None]
        answer = Twofold(start, np.zeros_like(start))
        last = math.inf
        for _ in range(_MAX_STEPS):
            step = precondition(_residual(G, answer, right))
            answer = answer.plus(step)
            change = _change(step * scale, answer.high * scale)
            if change * min(1.0, rate) <= _CONVERGED:
                return answer
            if not change < last:
                break
            last = change
        # the last steps may only shuffle digits beyond those of a double
        return answer if last <= _SETTLED else None

    def rss(self, answer: Twofold, *, ones: bool) -> Array:
        """Sum the weighted squares of the residuals that a solution leaves.

        Parameters
        ----------
        answer : Twofold, arrays of shape (m, t)
            From `solve` for the targets.
        ones : bool

        Returns
        -------
        array of shape (t,)
            Its error is that of twice the precision against the squares of y.
        """
        right = self.against_targets(ones=ones)
        products, errors = two_product(answer.high, right.high)
        small = answer.low * right.high + answer.high * right.low
        squares = self.target_squares()
        terms = np.vstack([squares.high, squares.low, -products, -errors, -small])
        return np.array([math.fsum(column) for column in terms.T.tolist()])

    def target_squares(self) -> Twofold:
        """Give the sums of squares of y - shift, of shape (t,)."""
        first = 1 + self.n_features
        diagonal = (np.diagonal(part)[first:] for part in (self.products.high, self.products.low))
        return Twofold(*diagonal)

    def to_state(self) -> dict[str, Any]:
        """Give plain values and arrays, for a file."""
        high, low = self.products.high, self.products.low
        return {"shift": self.shift, "high": high, "low": low, "n_features": self.n_features}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ExtendedGram:
        """Make it anew of what `to_state` gave."""
        return cls(state["shift"], Twofold(state["high"], state["low"]), state["n_features"])

    def against_targets(self, *, ones: bool) -> Twofold:
        """Give the right-hand sides of the normal equations: the products with y."""
        first, p = (0 if ones else 1), self.n_features
        part = (slice(first, 1 + p), slice(1 + p, None))
        return Twofold(self.products.high[part], self.products.low[part])


def residual_squares(rows: Rows, shift: Array, coef: Twofold, constant: Twofold | None) -> Array:
    """Sum the weighted squares of the residuals, each to the last digit.

    Parameters
    ----------
    rows : Rows
    shift : array of shape (p + t,)
    coef : Twofold, arrays of shape (p, t)
    constant : Twofold, arrays of shape (t,), or None
        The intercept of the shifted table, where there is one.

    Returns
    -------
    array of shape (t,)
    """
    p, t = coef.high.shape

    bits = (_BITS - math.ceil(math.log2(p + 1))) // 2

    def squares(part: slice) -> Array:
        table = np.empty((part.stop - part.start, 1 + rows.width), order="F")
        low = _shift_into(table, rows, part, shift)
        X, y = table[:, 1 : 1 + p], table[:, 1 + p :]
        x_head, x_rest = np.empty_like(X), np.empty_like(X)
        exponents = _cut(X, bits, x_head, x_rest)[:, None]
        # in units of what each column adds to predictions, heads of coefficients share a grid
        # too: the first product is exact, and the others too small for their rounding to matter
        scaled = np.ldexp(coef.high, exponents)
        b_head = np.empty_like(scaled)
        _cut(scaled, bits, b_head, scaled)
        b_head = np.ldexp(b_head, -exponents)
        small_coef = np.ldexp(scaled, -exponents) + coef.low
        high, error = two_sum(y, -(x_head @ b_head))
        small = x_head @ small_coef + x_rest @ coef.high
        rest = error - small
        if constant is not None:
            high, error = two_sum(high, -constant.high)
            rest += error - constant.low
        if low is not None:
            rest += low[:, 1 + p :] - low[:, 1 : 1 + p] @ coef.high
        residual = high + rest
        roots = rows.roots(part)
        if roots is not None:
            residual *= roots[:, None]
        answer: Array = np.square(residual).sum(axis=0)
        return answer

    total = np.zeros(t)
    with one_blas_thread():
        for part in in_order(squares, rows.slices()):
            total += part
    return total


def _products(rows: Rows, part: slice, shift: Array) -> Twofold:
    q = 1 + rows.width
    n = part.stop - part.start
    bits = (_BITS - math.ceil(math.log2(n + 1))) // 2
    slices = np.empty((n, 3 * q), order="F")
    head, middle, rest = slices[:, :q], slices[:, q : 2 * q], slices[:, 2 * q :]
    low = _shift_into(rest, rows, part, shift)
    roots = rows.roots(part)
    if roots is not None:
        rest[:], error = two_product(rest, roots[:, None])
        low = error if low is None else low * roots[:, None] + error
    _cut(rest, bits, head, rest)
    _cut(rest, bits, middle, rest)
    if low is not None:
        rest += low
    every = slices.T @ slices
    across = every[:q, q : 2 * q]
    small = every[:q, 2 * q :] + every[q : 2 * q, 2 * q :]
    small = small + small.T + every[q : 2 * q, q : 2 * q] + every[2 * q :, 2 * q :]
    across, lost = two_sum(across, across.T)
    high, error = two_sum(every[:q, :q], across)
    return Twofold(*two_sum(high, error + (lost + small)))


def _shift_into(table: Array, rows: Rows, part: slice, shift: Array) -> Array | None:
    """Write a block ``[1, X - shift, y - shift]``; give what rounding left out of it, if any."""
    p = rows.X.shape[1]
    X = rows.X[part]
    table[:, 0] = 1.0
    table[:, 1 : 1 + p] = X.toarray() if is_sparse(X) else X
    table[:, 1 + p :] = rows.y[part]
    if not shift.any():
        return None
    low = np.zeros_like(table)
    table[:, 1:], low[:, 1:] = two_sum(table[:, 1:], -shift)
    return low


def _cut(table: Array, bits: int, head: Array, rest: Array) -> NDArray[np.int_]:
    """Cut the leading bits off each column, on a grid that its cells share; rest may be table.

    Returns the exponents of the largest cells.
    """
    largest = np.maximum(table.max(axis=0), -table.min(axis=0))
    exponents: NDArray[np.int_] = np.frexp(largest)[1]
    # a sum with this number rounds a cell to so many bits of the largest
    grid = np.ldexp(1.5, exponents + (_BITS - 1 - bits))
    np.add(table, grid, out=head)
    np.subtract(head, grid, out=head)
    np.subtract(table, head, out=rest)
    return exponents


def _change(step: Array, answer: Array) -> float:
    """Give the largest relative step; answers that are zero beside the others are left out."""
    size, step = np.abs(answer), np.abs(step)
    step = np.where(step > 2.0**-90 * size.max(axis=0), step, 0.0)
    return float((step / (size + sys.float_info.min)).max())


def _residual(G: Twofold, b: Twofold, right: Twofold) -> Array:
    """Compute right - G b, rounded once."""
    m, k = b.high.shape
    answer = np.empty((m, k))
    for column in range(k):
        high, low = b.high[:, column], b.low[:, column]
        products, errors = two_product(G.high, high)
        small = G.high * low + G.low * high
        terms = np.hstack(
            [
                -products,
                -errors,
                -small,
                right.high[:, column : column + 1],
                right.low[:, column : column + 1],
            ]
        )
        answer[:, column] = [math.fsum(row) for row in terms.tolist()]
    return answer


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Multiply; give the rounded product and what rounding left out (Dekker, Veltkamp)."""
    product = a * b
    a_head, a_tail = _halves(a)
    b_head, b_tail = _halves(b)
    error = a_tail * b_tail - (((product - a_head * b_head) - a_tail * b_head) - a_head * b_tail)
    return product, error


def _halves(a: Array) -> tuple[Array, Array]:
    big = 134217729.0 * a  # 2^27 + 1
    head = big - (big - a)
    return head, a - head
