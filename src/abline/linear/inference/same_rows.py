"""Whether rows are those that a model was fitted on, by sums that its factor knows.

The means of the columns and the residuals' sum of squares must be the factor's, and one
combination of the features, chosen by chance and scaled by the factor to a sum of squares of one,
must have that and be unrelated to the residuals. Other rows pass with probability zero.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError
from abline.tables.arrays import check_finite

if TYPE_CHECKING:
    from abline.linear.inference.estimates import Estimates
    from abline.tables.conversion import Floats

Array = NDArray[np.float64]

#: relative difference of sums up to which rows count as those fitted
_SAME = 1e-9

#: units in the last place that a sum may be off by
_ROUNDING = 64 * sys.float_info.epsilon


@dataclass(frozen=True)
class Sums:
    """What some rows add up to, weighted.

    Attributes
    ----------
    features : array of shape (k,)
        Minus their means.
    shadow, errors, both : float
        Squares of the combination, of the residuals, and the product of the two.
    """

    features: Array
    shadow: float
    errors: float
    both: float

    @classmethod
    def of(cls, features: Array, errors: Array, shadow: Array, weights: Floats | None) -> Sums:
        """Add up a block of rows.

        Parameters
        ----------
        features : array of shape (b, k)
            Minus their means.
        errors : array of shape (b,)
            Residuals.
        shadow : array of shape (b,)
            The `combination` of the features.
        weights : array of shape (b,) or None

        Returns
        -------
        Sums
        """
        if weights is None:
            ones = np.ones(len(errors))
            return cls(
                ones @ features,
                float(shadow @ shadow),
                float(errors @ errors),
                float(shadow @ errors),
            )
        w = weights.astype(np.float64)
        return cls(
            w @ features,
            float(w @ np.square(shadow)),
            float(w @ np.square(errors)),
            float(w @ (shadow * errors)),
        )

    def plus(self, other: Sums) -> Sums:
        """Add those of further rows."""
        return Sums(
            self.features + other.features,
            self.shadow + other.shadow,
            self.errors + other.errors,
            self.both + other.both,
        )

    def check(self, estimates: Estimates, X: Any, weights: Floats | None) -> None:
        """Refuse rows that are not those of the fit.

        Parameters
        ----------
        estimates : Estimates
        X : array or sparse matrix of shape (n, p)
        weights : array of shape (n,) or None

        Raises
        ------
        DataError
            If they are not; the message says what differs.
        """
        _check_number(estimates, X, weights)
        if not np.isfinite(self.features).all():
            check_finite(X, estimates.features)
        root = estimates.root
        size = np.linalg.norm(root.triangle, axis=0) / np.sqrt(root.weight)
        if root.fit_intercept:
            off = self.features / root.weight
            wrong = np.abs(off) > _SAME * size + _ROUNDING * np.abs(root.mean)
            if wrong.any():
                j = int(np.flatnonzero(wrong)[0])
                name, mean = estimates.features[estimates.kept[j]], float(root.mean[j])
                _refuse(f"{name!r} has mean {mean + off[j]:.10g} and had {mean:.10g}")
        reach = np.sqrt(root.weight) * size
        # what rounding may have done to the combination, and to residuals of all rows
        blur = _ROUNDING * float(reach @ np.abs(combination(estimates)))
        if len(size) and abs(self.shadow - 1.0) > _SAME + 2.0 * blur + blur**2:
            _refuse("the squares and products of X's columns add up to other numbers")
        total, left = estimates.total_squares, estimates.residual_squares
        level = abs(estimates.centre.y) * np.sqrt(root.weight)
        noise = _ROUNDING * (float(reach @ np.abs(estimates.coef)) + np.sqrt(total) + level)
        off_squares = abs(self.errors - left) - 2.0 * np.sqrt(left) * noise - noise**2
        off_product = abs(self.both) - noise - blur * np.sqrt(left)
        if off_squares > _SAME * total or off_product > _SAME * np.sqrt(total):
            _refuse("y is another, or stands in another order than X")


def _check_number(estimates: Estimates, X: Any, weights: Floats | None) -> None:
    n = X.shape[0] if weights is None else int(np.count_nonzero(weights))
    if n != estimates.n_rows:
        _refuse(f"{n:,} have a weight, and the model was fitted on {estimates.n_rows:,}")
    total, fitted = float(n) if weights is None else float(weights.sum()), estimates.root.weight
    if abs(total - fitted) > _SAME * fitted:
        _refuse(f"their weights add up to {total:.10g}, and those fitted to {fitted:.10g}")


def combination(estimates: Estimates) -> Array:
    """Give a combination of features with a sum of squares of one; the same at each call.

    Parameters
    ----------
    estimates : Estimates

    Returns
    -------
    array of shape (k,)
    """
    k = len(estimates.kept)
    # no table was made to be orthogonal to it
    direction = np.random.default_rng(k).standard_normal(k)
    found: Array = estimates.root.inverse @ (direction / np.linalg.norm(direction))
    return found


def _refuse(difference: str) -> None:
    raise DataError(
        f"the rows are not those that the model was fitted on ({difference}): pass the same X, y "
        "and sample_weight as to fit"
    )
