"""The inverse of a design's Gram matrix, by its root.

With a design D = [1 X] whose rows are multiplied by the roots of their weights, all of inference
needs (D'D)⁻¹. It is kept as A with (D'D)⁻¹ = A A', because D A has orthonormal columns: leverages
are sums of squares along its rows and squared standard errors sums of squares along A's, so none
of them is a small difference of large numbers.

    A = [ 1/√W  -m'U ]      W the sum of the weights, m the means of X,
        [  0      U  ]      U the inverse of the factor of the centred X

Where the fit kept sums of products in twice the precision, A'(D'D)A - I shows A's errors, and they
are taken off.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

from abline.linear.extended import ExtendedGram, Twofold, two_product
from abline.linear.singular import equilibrate
from abline.linear.threads import one_blas_thread
from abline.linear.triangular import solve_upper

if TYPE_CHECKING:
    from abline.linear.factor import RFactor

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

#: condition number (columns of about unit norm) up to which A's errors are those of its cells'
#: rounding, and squares of products keep eleven digits
_EVEN = 100.0

#: units in the last place, times the condition number, that rounding may have moved A'(D'D)A by
_ROUNDING = 64 * sys.float_info.epsilon

#: columns up to which products in twice the precision take milliseconds
_WIDEST = 128


@dataclass(frozen=True)
class DesignRoot:
    """A design of independent columns, by the triangle of its centred features and its inverse.

    Attributes
    ----------
    triangle : array of shape (k, k)
        R, with R'R the Gram matrix of the features, centred where there is an intercept.
    full_inverse : array of shape (c + k, c + k), c = 1 with an intercept, which comes first
        A.
    mean : array of shape (k,), in units of X
        The features' means; zero without an intercept.
    weight : float
        Sum of the weights.
    fit_intercept : bool
    """

    triangle: Array
    full_inverse: Array
    mean: Array
    weight: float
    fit_intercept: bool

    @property
    def inverse(self) -> Array:
        """U, of shape (k, k)."""
        return self.full_inverse[1:, 1:] if self.fit_intercept else self.full_inverse

    @property
    def full_triangle(self) -> Array:
        """The triangle of the whole design, of shape (c + k, c + k): the inverse of A."""
        if not self.fit_intercept:
            return self.triangle
        k, root = len(self.mean), np.sqrt(self.weight)
        full = np.zeros((k + 1, k + 1))
        full[0, 0], full[0, 1:], full[1:, 1:] = root, root * self.mean, self.triangle
        return full

    def orthonormalise(self, block: Array) -> None:
        """Multiply rows of the centred design by its root, in place.

        Parameters
        ----------
        block : array of shape (b, k + c)
            Features minus their means, then the column of ones, times the roots of the weights.
        """
        ordered = self._ones_last()
        if block.flags.f_contiguous:
            blas.dtrmm(1.0, ordered, block, side=1, overwrite_b=1)
        else:  # by rows in memory, it is its transpose by columns
            blas.dtrmm(1.0, ordered, block.T, trans_a=1, overwrite_b=1)

    def orthonormalise_products(self, products: Array) -> Array:
        """Give what products of rows of the centred design are once these are orthonormal.

        It loses the square of the condition number, so it is for designs that are `even`.

        Parameters
        ----------
        products : array of shape (k + c, k + c)

        Returns
        -------
        array of shape (k + c, k + c)
        """
        ordered = self._ones_last()
        return np.asarray(ordered.T @ products @ ordered)

    @cached_property
    def condition(self) -> float:
        """Condition number, in the 1-norm, of the features with columns of about unit norm."""
        if len(self.mean) == 0:
            return 1.0
        rcond, _ = lapack.dtrcon(equilibrate(self.triangle)[0])
        return 1.0 / max(float(rcond), sys.float_info.min)

    @property
    def even(self) -> bool:
        """Whether features are far from dependent, so that their products keep enough digits."""
        return self.condition <= _EVEN

    def _ones_last(self) -> Array:
        k = len(self.mean)
        width = k + self.fit_intercept
        ordered = np.zeros((width, width), order="F")
        ordered[:k, :k] = self.inverse
        if self.fit_intercept:
            ordered[k, k] = 1.0 / np.sqrt(self.weight)
        return ordered

    def first_the_constant(self, middle: Array) -> Array:
        """Bring a matrix over columns of an orthonormal block into the order of the terms.

        Parameters
        ----------
        middle : array of shape (k + c, k + c)

        Returns
        -------
        array of shape (c + k, c + k)
        """
        return np.roll(middle, 1, axis=(0, 1)) if self.fit_intercept else middle

    def last_the_constant(self, middle: Array) -> Array:
        """Undo `first_the_constant`."""
        return np.roll(middle, -1, axis=(0, 1)) if self.fit_intercept else middle


def design_root(factor: RFactor, *, fit_intercept: bool, kept: Indices) -> DesignRoot:
    """Invert the triangle of some features.

    Parameters
    ----------
    factor : RFactor
    fit_intercept : bool
    kept : array of shape (k,), int
        Features that are independent of each other (and of the intercept), in their order.

    Returns
    -------
    DesignRoot
    """
    system = factor.system(fit_intercept=fit_intercept)
    k, mean = len(kept), system.x_mean[kept]
    with one_blas_thread():
        if k == system.R.shape[1]:
            triangle = system.R
        else:
            triangle = np.asarray(np.linalg.qr(system.R[:, kept], mode="r"))
        inverse = triangle[:0]
        if k:
            # powers of two keep columns of any unit within range, and round nothing
            scaled, exponents = equilibrate(triangle)
            inverse = np.ldexp(solve_upper(scaled, np.eye(k)), -exponents[:, None])
        full = _with_ones(inverse, mean, system.weight) if fit_intercept else inverse
        root = DesignRoot(triangle, full, mean, system.weight, fit_intercept)
        exact = factor.extended
        if exact is None or not 0 < k <= _WIDEST or k < factor.n_features:
            return root
        return root if root.even else _sharpen(root, exact)


def inverse_gram(factor: RFactor, *, fit_intercept: bool) -> Array:
    """Give (D'D)⁻¹ of the weighted design D, the intercept first.

    Parameters
    ----------
    factor : RFactor
        Of independent features.
    fit_intercept : bool

    Returns
    -------
    array of shape (c + p, c + p), c = 1 with an intercept

    Examples
    --------
    >>> from abline.linear import RFactor
    >>> factor = RFactor.from_arrays([[1.0], [2.0], [3.0]], [0.0, 0.0, 0.0])
    >>> inverse_gram(factor, fit_intercept=True).round(6)
    array([[ 2.333333, -1.      ],
           [-1.      ,  0.5     ]])
    """
    every = np.arange(factor.n_features)
    root = design_root(factor, fit_intercept=fit_intercept, kept=every).full_inverse
    with one_blas_thread():
        return np.asarray(root @ root.T)


def _with_ones(inverse: Array, mean: Array, weight: float) -> Array:
    k = len(mean)
    full = np.zeros((k + 1, k + 1))
    full[0, 0] = 1.0 / np.sqrt(weight)
    full[0, 1:] = -mean @ inverse
    full[1:, 1:] = inverse
    return full


def _sharpen(root: DesignRoot, exact: ExtendedGram) -> DesignRoot:
    """Improve A by what it leaves of the identity: with A'GA = C'C, A C⁻¹ is the root sought."""
    p, ones = exact.n_features, int(root.fit_intercept)
    model, shift = slice(1 - ones, 1 + p), exact.shift[:p]
    G = Twofold(exact.products.high[model, model], exact.products.low[model, model])
    A = root.full_inverse.copy()
    if ones:  # the sums are about the shift, and so must be the first row
        A[0, 1:] = (shift - root.mean) @ root.inverse
    left = _product(A.T, _transposed(_product(A.T, G))).plus(-np.eye(len(A)))
    errors = 0.5 * (left.high + left.high.T)
    # larger ones than rounding can have made would be the sums' own
    plausible = min(0.1, _ROUNDING * root.condition)
    if not np.isfinite(errors).all() or np.abs(errors).max() > plausible:
        return root
    C, info = lapack.dpotrf(np.eye(len(A)) + errors, clean=1)
    if info != 0:
        return root
    # C is all but the identity, and only what it differs by is multiplied
    A = A - A @ solve_upper(C, C - np.eye(len(A)))
    if ones:
        A[0, 1:] -= shift @ A[1:, 1:]
    return replace(root, full_inverse=A)


def _product(left: Array, right: Twofold) -> Twofold:
    """Multiply doubles of shape (a, b) with numbers of twice the precision of shape (b, c)."""
    zeros = np.zeros((left.shape[0], right.high.shape[1]))
    total = Twofold(zeros, zeros)
    for column, high, low in zip(left.T, right.high, right.low, strict=True):
        products, errors = two_product(column[:, None], high[None, :])
        total = total.plus(products).plus(errors + column[:, None] * low[None, :])
    return total


def _transposed(matrix: Twofold) -> Twofold:
    return Twofold(matrix.high.T, matrix.low.T)
