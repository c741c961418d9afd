"""What ridge regression predicts for each row when fitted to all others, without refitting.

With U the left singular vectors of the centred, weighted table and s its singular values, leaving
row i out turns its residual e into e / (1 - h), h being its leverage. Both are sums over the
singular vectors with the factors a / (s² + a), so all penalties a share one decomposition. With
l a row of U over the root of the row's weight w:

    e = (y - l U'y) + sum over j of l_j  a / (s_j² + a)  (U'y)_j
    1 - h = (1 - w / sum of w - w |l|²) + w sum over j of l_j²  a / (s_j² + a)

Written so, no term is a small difference of large ones. The brackets are exactly zero where
the table has as many independent columns as rows.

References
----------
Golub, Heath, Wahba (1979), "Generalized cross-validation as a method for choosing a good ridge
parameter", *Technometrics* 21(2); Rifkin, Lippert (2007), "Notes on regularized least squares".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.linear.factor import RFactor
from abline.linear.ridge.design import Means, centred, centred_dense
from abline.linear.ridge.spectrum import Spectrum, decompose, decompose_kernel
from abline.linear.rows import block_rows
from abline.linear.threads import in_order, one_blas_thread
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from abline.linear.rows import Rows

Array = NDArray[np.float64]

#: singular values above this part of the largest give singular vectors all their digits
_EVEN = 1e-4


@dataclass(frozen=True)
class LeaveOneOut:
    """The errors that rows make in fits to all others, for any penalty.

    Attributes
    ----------
    rows : Rows
        The table.
    weights : array of shape (n,)
    means : Means
    spectrum : Spectrum
        It gives the coefficients of the fit to all rows.
    left : array of shape (n, r), or None
        Rows along the singular vectors, over the roots of their weights; None where they are
        found block by block.
    own : float
        A row's leverage by the intercept, over its weight.
    """

    rows: Rows
    weights: Array
    means: Means
    spectrum: Spectrum
    left: Array | None
    own: float

    @classmethod
    def of(cls, rows: Rows, *, fit_intercept: bool) -> LeaveOneOut:
        """Decompose a table.

        Parameters
        ----------
        rows : Rows
            At least two with a weight above zero.
        fit_intercept : bool

        Returns
        -------
        LeaveOneOut
        """
        n = rows.X.shape[0]
        weights = np.ones(n) if rows.weights is None else rows.weights.astype(np.float64)
        means, spectrum, left = _decomposed(rows, fit_intercept=fit_intercept)
        own = 1.0 / float(weights.sum()) if fit_intercept else 0.0
        made = cls(rows, weights, means, spectrum, None, own)
        return made if left is None else replace(made, left=made._without_weights(left))

    @property
    def saturated(self) -> bool:
        """Whether there are as many independent columns as rows, so that all is explained."""
        independent = len(self.spectrum.singular) + (self.own > 0)
        return bool(independent == np.count_nonzero(self.weights))

    def squares(self, alphas: Array) -> Array:
        """Sum the weighted squared errors of left-out rows.

        Parameters
        ----------
        alphas : array of shape (k,), in squared units of X
            All above zero.

        Returns
        -------
        array of shape (t, k), in squared units of y
        """

        def of_part(part: slice) -> Array:
            errors = self._errors(part, alphas)
            weights = self.weights[part, None, None]
            answer: Array = (weights * np.square(errors)).sum(axis=0)
            return answer

        total = np.zeros((self.rows.y.shape[1], len(alphas)))
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            for part in in_order(of_part, self._slices(len(alphas))):
                total += part
        return total

    def errors(self, alphas: Array) -> Array:
        """Give what each row's target is above its prediction by the fit to all others.

        Parameters
        ----------
        alphas : array of shape (k,), in squared units of X
            All above zero.

        Returns
        -------
        array of shape (n, t, k), in units of y
        """
        with one_blas_thread():
            parts = list(
                in_order(lambda part: self._errors(part, alphas), self._slices(len(alphas)))
            )
        return np.concatenate(parts)

    def _slices(self, n_alphas: int) -> list[slice]:
        # the errors of a block for all penalties take their part of the cache too
        return self.rows.slices(block_rows(self.rows.width + self.rows.y.shape[1] * n_alphas))

    @cached_property
    def _basis(self) -> Array:
        with one_blas_thread():
            return self.spectrum.combine(np.diag(1.0 / self.spectrum.singular))

    def _along(self, X: Any) -> Array:
        """Give rows of X along the singular vectors."""
        basis = self._basis
        p = len(basis)
        mean, error = self.means.mean[:p], self.means.error[:p]
        if is_sparse(X):
            answer: Array = X @ basis - (mean + error) @ basis
        else:
            answer = np.subtract(X, mean, dtype=np.float64) @ basis - error @ basis
        return answer

    def _without_weights(self, left: Array) -> Array:
        absent = self.weights == 0
        answer = left / np.sqrt(np.where(absent, 1.0, self.weights))[:, None]
        if absent.any():
            answer[absent] = self._along(self.rows.X[absent])
        return answer

    def _errors(self, part: slice, alphas: Array) -> Array:
        singular, projected = self.spectrum.singular, self.spectrum.projected
        (r, t), k, p = projected.shape, len(alphas), self.rows.X.shape[1]
        left = self._along(self.rows.X[part]) if self.left is None else self.left[part]
        y = np.subtract(self.rows.y[part], self.means.mean[p:], dtype=np.float64)
        y -= self.means.error[p:]
        weights = self.weights[part]
        with np.errstate(over="ignore"):
            kept = 1.0 / (1.0 + np.square(singular[:, None] / np.sqrt(alphas)))  # a / (s² + a)
        parts = (projected[:, :, None] * kept[:, None, :]).reshape(r, t * k)
        errors = (left @ parts).reshape(-1, t, k)
        squares = np.square(left)
        free = weights[:, None] * (squares @ kept)
        # where all is explained, the brackets are zero for all rows but those without a weight
        bracketed = np.array(not self.saturated) | (weights == 0)
        errors += np.where(bracketed[:, None], y - left @ projected, 0.0)[:, :, None]
        outside = 1.0 - weights * (self.own + squares.sum(axis=1))
        free += np.where(bracketed, np.maximum(0.0, outside), 0.0)[:, None]
        # a row that alone decides its own prediction says nothing about others
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            answer: Array = np.where(free[:, None, :] > 0, errors / free[:, None, :], np.inf)
        return answer


def _decomposed(rows: Rows, *, fit_intercept: bool) -> tuple[Means, Spectrum, Array | None]:
    """Give the means, the singular values and, where all rows are at hand, the rows along them."""
    n, p = rows.X.shape
    at_hand = n <= block_rows(rows.width)
    if n <= p and (is_sparse(rows.X) or not at_hand):
        means, design = centred(rows, fit_intercept=fit_intercept)
        return means, *decompose_kernel(design)
    factor = RFactor.from_arrays(rows.X, rows.y, rows.weights)
    system = factor.system(fit_intercept=fit_intercept)
    means = Means(factor.mean, factor.mean_error) if fit_intercept else Means.none(rows.width)
    spectrum = Spectrum.of_system(system)
    singular = spectrum.singular
    even = len(singular) == p and singular[-1] > _EVEN * singular[0]
    if even or not at_hand or is_sparse(rows.X):
        return means, spectrum, None
    # the rows' own singular vectors: those found through V lose digits to small singular values
    means, design = centred_dense(rows, fit_intercept=fit_intercept)
    return means, *decompose(design.X, design.y, len(singular))
