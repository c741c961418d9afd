"""Coefficients of least squares to the last digit, from sums in twice the precision.

Small tables are always refined. Larger ones are where the bound on QR's own error, from the
condition number and the residual, leaves too few digits.

References
----------
Higham (2002), *Accuracy and Stability of Numerical Algorithms*, 2nd edition, chapter 20.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abline.linear.extended import ExtendedGram, Twofold, residual_squares, two_product
from abline.linear.threads import one_blas_thread
from abline.linear.triangular import solve_upper

if TYPE_CHECKING:
    from abline.linear.factor import RFactor
    from abline.linear.rows import Rows
    from abline.linear.system import System

Array = NDArray[np.float64]

#: cells of a table that is always refined
_SMALL = 1_000_000

#: relative error of coefficients above which a larger table is refined too
_ENOUGH = 1e-10

#: columns beyond which products in twice the precision take too long
_WIDEST = 1000


#: share of y's sum of squares whose residuals must be summed one by one, row by row
_LEFT = 1e-8

#: norms of columns whose sums of squares keep all digits of twice the precision
_SMALLEST, _LARGEST = 1e-100, 1e100

#: ratio of a column's mean to its spread from which it is moved: its square is lost to sums about
#: zero, and where columns are nearly dependent twice the precision has none to spare
_FAR = 3.0


@dataclass(frozen=True)
class Refined:
    """The answer to a least-squares problem, to the last digit.

    Attributes
    ----------
    coef : array of shape (p, t)
    intercept : array of shape (t,)
        Zero where there is none.
    rss : array of shape (t,), in squared units of y
        Sums of squared residuals.
    gram : ExtendedGram
    """

    coef: Array
    intercept: Array
    rss: Array
    gram: ExtendedGram


def worth_refining(system: System, coef: Array, n_cells: int) -> bool:
    """Say whether the coefficients of independent columns should be refined.

    Parameters
    ----------
    system : System
    coef : array of shape (p, t)
    n_cells : int
        Rows times features.

    Returns
    -------
    bool
    """
    if system.R.shape[1] > _WIDEST:
        return False
    return n_cells <= _SMALL or error_bound(system, coef) > _ENOUGH


def error_bound(system: System, coef: Array) -> float:
    """Bound the relative error of the coefficients that QR gives.

    Parameters
    ----------
    system : System
    coef : array of shape (p, t)

    Returns
    -------
    float
    """
    exponents, condition = system.scaled[1], system.condition
    size = np.linalg.norm(np.ldexp(coef, exponents[:, None]), axis=0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        residual = float(np.where(size > 0, np.sqrt(system.unexplained) / size, 0.0).max())
    return sys.float_info.epsilon * float(condition + condition**2 * residual)


def refine(
    rows: Rows, factor: RFactor, system: System, coef: Array, *, fit_intercept: bool
) -> Refined | None:
    """Improve the coefficients of independent columns until nothing changes.

    Parameters
    ----------
    rows : Rows
    factor : RFactor
        Of these rows.
    system : System
        Of this factor.
    coef : array of shape (p, t)
    fit_intercept : bool

    Returns
    -------
    Refined or None
        None where the columns are too dependent for it.
    """
    p = factor.n_features
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        spread = np.sqrt(np.einsum("ij,ij->j", factor.upper, factor.upper))
        far = np.sqrt(factor.weight) * np.abs(factor.mean)
        sizes = (spread + far)[spread + far != 0]
        if not (sizes.size and sizes.min() > _SMALLEST and sizes.max() < _LARGEST):
            return None  # heads and rests of their squares would underflow or overflow
        shift = np.zeros_like(factor.mean)
        apart = factor.mean
        moved = far > _FAR * spread
        if fit_intercept and moved.any():
            # columns so far from zero that they must be moved to keep their digits
            shift = np.where(moved, factor.mean, 0.0)
            apart = (factor.mean - shift) + factor.mean_error
        gram = ExtendedGram.of(rows, shift)
        equations = NormalEquations.of(factor, system, apart[:p] if fit_intercept else None)
        start = np.vstack([apart[p:] - apart[:p] @ coef, coef]) if fit_intercept else coef
        right = gram.against_targets(ones=fit_intercept)
        answer = gram.solve(right, start, equations.solve, rate=equations.rate, ones=fit_intercept)
        if answer is None:
            return None
        slopes, constant, intercept = answer, None, np.zeros(coef.shape[1])
        if fit_intercept:
            constant = Twofold(answer.high[0], answer.low[0])
            slopes = Twofold(answer.high[1:], answer.low[1:])
            intercept = _unshift(constant, slopes, shift, p)
        rss = gram.rss(answer, ones=fit_intercept)
        if np.any(rss < _LEFT * gram.target_squares().high):
            rss = residual_squares(rows, shift, slopes, constant)
    return Refined(slopes.high, intercept, rss, gram)


@dataclass(frozen=True)
class NormalEquations:
    """A solver of the normal equations in double precision, from the triangle.

    Attributes
    ----------
    R : array of shape (p, p)
        With columns scaled by powers of two.
    exponents : array of shape (p,)
    apart : array of shape (p,), or None
        Means of the table that the ones stand beside; None without ones.
    weight : float
        Sum of the weights.
    rate : float
        What part of an error a solution leaves, about.
    """

    R: Array
    exponents: NDArray[np.int_]
    apart: Array | None
    weight: float
    rate: float

    @classmethod
    def of(cls, factor: RFactor, system: System, apart: Array | None) -> NormalEquations:
        """Take a factor and its system, with or without ones."""
        scaled, exponents = system.scaled
        lost = system.condition ** (2 if factor.method == "gram" else 1)
        rate = 8.0 * sys.float_info.epsilon * lost
        return cls(scaled, exponents, apart, system.weight, rate)

    def solve(self, right: Array) -> Array:
        """Solve for right-hand sides of shape (m, k); m = 1 + p with ones, p without."""
        if self.apart is None:
            return self._slopes(right)
        slopes = self._slopes(right[1:] - self.apart[:, None] * right[:1])
        return np.vstack([right[:1] / self.weight - self.apart @ slopes, slopes])

    def _slopes(self, right: Array) -> Array:
        half = solve_upper(self.R, np.ldexp(right, -self.exponents[:, None]), transposed=True)
        answer: Array = np.ldexp(solve_upper(self.R, half), -self.exponents[:, None])
        return answer


def _unshift(constant: Twofold, slopes: Twofold, shift: Array, p: int) -> Array:
    """Give the intercept of the table before it was shifted, in twice the precision inside."""
    if not shift.any():
        return constant.high
    products, errors = two_product(slopes.high, shift[:p, None])
    small = slopes.low * shift[:p, None]
    columns = []
    for t in range(slopes.high.shape[1]):
        terms = [shift[p + t], constant.high[t], constant.low[t]]
        terms += [*(-products[:, t]), *(-errors[:, t]), *(-small[:, t])]
        columns.append(math.fsum(terms))
    return np.array(columns)
