"""Ridge regression from the triangular factor.

The singular values of R are those of the centred table, so every penalty costs O(p²) after one
decomposition, whatever the number of rows.

References
----------
Hastie, Tibshirani, Friedman (2009), *The Elements of Statistical Learning*, §3.4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from abline.errors import ParameterError
from abline.linear.factor import RFactor, System
from abline.linear.least_squares import least_squares
from abline.linear.linear_model import LinearModel
from abline.linear.singular import svd
from abline.linear.threads import one_blas_thread
from abline.tables.arrays import check_training

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spectrum:
    """A table in the coordinates where every penalty is one division.

    Attributes
    ----------
    singular : array of shape (r,)
        Singular values of the (centred, weighted) X, zeros left out.
    right : array of shape (r, p)
        Its right singular vectors.
    projected : array of shape (r, t)
        y along its left singular vectors.
    """

    singular: Array
    right: Array
    projected: Array

    def coef(self, alphas: Array) -> Array:
        """Minimise |y - X b|² + alpha |b|² for each target.

        Parameters
        ----------
        alphas : array of shape (t,), in squared units of X
            None negative.

        Returns
        -------
        array of shape (p, t), in units of y per unit of X
        """
        s = self.singular[:, None]
        with np.errstate(over="ignore"), one_blas_thread():
            # 1 / (s + alpha / s) is s / (s² + alpha) with fewer overflows
            answer: Array = self.right.T @ (self.projected / (s + alphas / s))
        return answer


def decompose(X: Array, y: Array, rank: int | None = None) -> tuple[Spectrum, Array]:
    """Find the singular vectors of a table, or of its triangle, which has the same right ones.

    Parameters
    ----------
    X : array of shape (k, p)
    y : array of shape (k, t)
    rank : int, optional
        Number of singular values to keep, the largest; all above zero by default.

    Returns
    -------
    Spectrum
    left : array of shape (k, r)
        The left singular vectors.
    """
    with one_blas_thread():
        left, singular, right = svd(X)
        rank = min(len(singular) if rank is None else rank, int(np.count_nonzero(singular)))
        left = left[:, :rank]
        return Spectrum(singular[:rank], right[:rank], left.T @ y), left


def ridge(system: System, alphas: Array) -> Array:
    """Solve a ridge regression from the triangular factor.

    Parameters
    ----------
    system : System
        With p features and t targets.
    alphas : array of shape (t,), in squared units of X
        None negative; zero gives least squares.

    Returns
    -------
    array of shape (p, t), in units of y per unit of X

    Examples
    --------
    >>> factor = RFactor.from_arrays(np.array([[0.0], [2.0]]), np.array([[0.0], [4.0]]))
    >>> ridge(factor.system(fit_intercept=True), np.array([2.0])).round(6)
    array([[1.]])
    """
    coef = np.empty((system.R.shape[1], len(alphas)))
    free = alphas == 0
    if free.any():
        coef[:, free] = least_squares(system).coef[:, free]
    if not free.all():
        spectrum, _ = decompose(system.R, system.z[:, ~free])
        coef[:, ~free] = spectrum.coef(alphas[~free])
    return coef


class Ridge(LinearModel):
    """Linear regression with a penalty on the sum of the squared coefficients.

    The penalty keeps the coefficients of nearly dependent features small. The intercept is not
    penalised. It is solved in float64 whatever precision X has.

    Parameters
    ----------
    alpha : float, or array of shape (t,), default=1.0
        Penalty, in squared units of X, for all targets or each; none negative. Zero is least
        squares.
    fit_intercept : bool, default=True
        Whether the line may pass beside the origin.

    Attributes
    ----------
    coef_ : array of shape (p,), or (t, p) where y came as (n, t); y per unit of X
    intercept_ : float, or array of shape (t,); in units of y
        0.0 without an intercept.
    n_features_in_ : int
    feature_names_in_ : array of str
        Only where X was a dataframe.

    Examples
    --------
    >>> Ridge(alpha=2.0).fit([[0.0], [2.0]], [0.0, 4.0]).predict([[1.0], [2.0]]).round(6)
    array([2., 3.])
    """

    def __init__(self, alpha: Any = 1.0, *, fit_intercept: bool = True) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the line.

        Parameters
        ----------
        X : array, tensor or dataframe of shape (n, p)
        y : array, tensor, series or dataframe of shape (n,) or (n, t)
        sample_weight : array of shape (n,), optional
            A row of weight 2 counts as two rows, one of weight 0 as none.

        Returns
        -------
        Ridge
            This very object.

        Raises
        ------
        DataError
            If X, y or the weights cannot be used.
        ParameterError
            If a penalty is negative or not finite, or their number is not that of the targets.
        """
        fit_intercept = self._check_intercept()
        penalties = check_penalties(self.alpha, "alpha")
        data = check_training(self, X, y, sample_weight)
        n_targets = data.y.shape[1]
        if len(penalties) not in (1, n_targets):
            raise ParameterError(
                f"alpha has {len(penalties)} penalties, but the number of targets is {n_targets}: "
                "give one penalty, or one per target"
            )
        factor = RFactor.from_arrays(data.X, data.y, data.sample_weight)
        system = factor.system(fit_intercept=fit_intercept)
        coef = ridge(system, np.broadcast_to(penalties, (n_targets,)))
        self._keep(coef, system, data)
        return self


def check_penalties(value: Any, name: str, *, zero_ok: bool = True) -> Array:
    """Check one penalty or several.

    Parameters
    ----------
    value : float, or array of shape (k,)
    name : str
        Of the parameter, for the message.
    zero_ok : bool, default=True

    Returns
    -------
    array of shape (k,), k at least 1

    Raises
    ------
    ParameterError
        If one is negative, not finite or no number, or there is none.

    Examples
    --------
    >>> check_penalties(1, "alpha")
    array([1.])
    """
    least = "zero or more" if zero_ok else "above zero"
    try:
        penalties = np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        raise ParameterError(f"{name} is {value!r}: give a number {least}, or several") from None
    if penalties.ndim != 1 or len(penalties) == 0:
        raise ParameterError(
            f"{name} has the shape {penalties.shape}: give one penalty, or a list of them"
        )
    wrong = ~np.isfinite(penalties) | (penalties < 0 if zero_ok else penalties <= 0)
    if wrong.any():
        raise ParameterError(
            f"{name} has a penalty of {penalties[wrong][0]:g}: penalties must be finite and {least}"
        )
    return penalties
