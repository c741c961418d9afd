"""What a least-squares fit says before any assumption on its errors: estimates, sums of squares.

Everything here comes from the factor, whatever the number of rows.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from abline.errors import DataError, ParameterError
from abline.linear.dependence import dependent_columns
from abline.linear.inference.design_root import DesignRoot, design_root
from abline.linear.least_squares import independent_columns, least_squares
from abline.linear.singular import equilibrate
from abline.linear.threads import one_blas_thread
from abline.linear.triangular import solve_upper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abline.linear.system import System

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

INTERCEPT = "Intercept"

#: spreads of columns whose fourth powers are still numbers
_SMALLEST, _LARGEST = 1e-75, 1e75


@dataclass(frozen=True)
class Centre:
    """The point of means, to twice the precision: each number is the sum of two.

    Attributes
    ----------
    x : array of shape (p,), or None without an intercept
    x_rest : array of shape (k,), or None where it is below all digits
        Of the features kept.
    y, y_rest : float
    """

    x: Array | None
    x_rest: Array | None
    y: float
    y_rest: float


@dataclass(frozen=True)
class Estimates:
    """A fitted line in float64, reduced to terms that can be estimated.

    Attributes
    ----------
    features : tuple of str of length p
    target : int
        Which of the model's targets.
    kept : array of shape (k,), int
        The features that can be estimated, in their order.
    coef : array of shape (k,)
        Theirs, in units of y per unit of X.
    intercept : float
        0 without one.
    centre : Centre
        What the line passes through: it is ``level + (x - mean)' coef``.
    root : DesignRoot
        Of the features kept.
    n_rows : int
        With a weight above zero.
    residual_squares, total_squares : float, in squared units of y
        The second about the mean where the design spans a constant, about zero else.
    constant : int or None
        The term that is constant: 0 for the intercept, a column of X without one; -1 where
        only a combination of columns is (levels of a category, say); None if there is none.
    log_weight : float
        Sum of the logarithms of the weights.
    combinations : array of shape (k, p - k)
        Each dropped feature as a combination of those kept (all centred with an intercept).
    """

    features: tuple[str, ...]
    target: int
    kept: Indices
    coef: Array
    intercept: float
    centre: Centre
    root: DesignRoot
    n_rows: int
    residual_squares: float
    total_squares: float
    constant: int | None
    log_weight: float
    combinations: Array

    @property
    def fit_intercept(self) -> bool:
        """Whether there is an intercept."""
        return self.root.fit_intercept

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of all terms, the intercept first."""
        return (INTERCEPT, *self.features) if self.fit_intercept else self.features

    @property
    def places(self) -> Indices:
        """Places among the terms of those that can be estimated."""
        if not self.fit_intercept:
            return self.kept
        return np.concatenate([[0], self.kept + 1]).astype(np.intp)

    @property
    def dropped(self) -> Indices:
        """Features that cannot be estimated."""
        return np.setdiff1d(np.arange(len(self.features)), self.kept)

    @property
    def estimated(self) -> Array:
        """Estimates of the terms at `places`."""
        return np.append(self.intercept, self.coef) if self.fit_intercept else self.coef

    @property
    def rank(self) -> int:
        """Number of estimated terms, the intercept included."""
        return len(self.kept) + self.fit_intercept

    @property
    def df_resid(self) -> int:
        """Rows less estimated terms."""
        return self.n_rows - self.rank

    @property
    def df_model(self) -> int:
        """Estimated terms less the constant."""
        return self.rank - (self.constant is not None)

    @property
    def scale(self) -> float:
        """The residuals' variance, NaN where as many terms as rows leave none."""
        return self.residual_squares / self.df_resid if self.df_resid > 0 else float("nan")

    def spread(self, values: Array) -> Array:
        """Put numbers of the estimated terms in their places among all, with NaN elsewhere."""
        answer = np.full((len(self.terms), *values.shape[1:]), np.nan)
        answer[self.places] = values
        return answer


def estimate(model: Any, *, target: int | None, features: Sequence[str] | None = None) -> Estimates:
    """Read a fitted model.

    Parameters
    ----------
    model : LinearRegression
    target : int, optional
        Which one, where there are several.
    features : sequence of str of length p, optional
        Names, where the model has none; x0, x1, … by default.

    Returns
    -------
    Estimates

    Raises
    ------
    ParameterError
        If the model has several targets and none is chosen, is constrained to coefficients that
        are not negative, or keeps no factor.
    DataError
        If squares of the target or of a feature are beyond the range of double precision, or a
        feature has the name of the constant term.
    """
    check_is_fitted(model)
    factor = _factor(model)
    chosen = _target(target, factor.n_targets)
    fit_intercept = bool(model.fit_intercept)
    p = factor.n_features
    _check_range(factor, chosen)
    system = factor.system(fit_intercept=fit_intercept)
    kept = _kept(model, system)
    root = design_root(factor, fit_intercept=fit_intercept, kept=kept)
    solved = _solve(model, system, kept, chosen)
    if len(kept) == p and fit_intercept and _is_double(model):
        intercept = float(np.atleast_1d(model.intercept_)[chosen])
    else:
        intercept = float(system.y_mean[chosen] - root.mean @ solved.coef)
    constant = _constant(factor, kept, fit_intercept=fit_intercept)
    return Estimates(
        features=_names(model, features, p),
        target=chosen,
        kept=kept,
        coef=solved.coef,
        intercept=intercept if fit_intercept else 0.0,
        centre=_centre(factor, root, kept, chosen),
        root=root,
        n_rows=int(system.n_rows),
        residual_squares=solved.residual_squares,
        total_squares=_total_squares(factor, chosen, centred=constant is not None),
        constant=constant,
        log_weight=float(factor.log_weight),
        combinations=solved.combinations,
    )


def _factor(model: Any) -> Any:
    if getattr(model, "positive", False):
        raise ParameterError(
            "the model was fitted with positive=True, and standard errors of least squares do not "
            "hold for coefficients held at zero: fit LinearRegression without it"
        )
    factor = getattr(model, "factor_", None)
    if factor is None:
        raise ParameterError(
            "the model keeps no factor of its table, because it has too many columns for one: fit "
            "fewer features to get standard errors"
        )
    return factor


def _check_range(factor: Any, target: int) -> None:
    p = factor.n_features
    largest = np.abs(factor.upper).max(axis=0, initial=0.0)
    beyond = (largest > 0) & ~((largest > _SMALLEST) & (largest < _LARGEST))
    if beyond[p + target]:
        raise DataError("squares of the target leave double precision: divide it by a power of ten")
    if beyond[:p].any():
        raise DataError(
            f"squares of feature {int(np.flatnonzero(beyond)[0])} leave double precision: divide "
            "it by a power of ten"
        )


def _kept(model: Any, system: System) -> Indices:
    """Choose the features that can be estimated: in their order, as R's ``lm`` does."""
    p = system.R.shape[1]
    if model.rank_ == p:
        return np.arange(p)
    dependent = dependent_columns(system.R, system.tolerance * len(system.R) ** 0.5)
    return np.setdiff1d(np.arange(p), list(dependent)).astype(np.intp)


def _target(target: int | None, n_targets: int) -> int:
    if target is None and n_targets == 1:
        return 0
    if target is None:
        raise ParameterError(
            f"the model has {n_targets} targets: say which one with target=0 to {n_targets - 1}"
        )
    if not isinstance(target, int | np.integer) or not 0 <= target < n_targets:
        raise ParameterError(f"target is {target!r}: give a number from 0 to {n_targets - 1}")
    return int(target)


def _names(model: Any, features: Sequence[str] | None, p: int) -> tuple[str, ...]:
    if features is None:
        features = getattr(model, "feature_names_in_", None)
    names = tuple(f"x{j}" for j in range(p)) if features is None else tuple(map(str, features))
    if model.fit_intercept and INTERCEPT in names:
        raise DataError(
            f"a feature is called {INTERCEPT!r}, the name of the constant term: rename it"
        )
    return names


def _is_double(model: Any) -> bool:
    return bool(model.coef_.dtype == np.float64)


@dataclass(frozen=True)
class _Solved:
    coef: Array
    combinations: Array
    residual_squares: float


def _solve(model: Any, system: System, kept: Indices, target: int) -> _Solved:
    """Give the coefficients of the features kept, and the others as combinations of them."""
    k, p = len(kept), system.R.shape[1]
    if k == p:
        # where X is of lower precision, the model rounded its own to that
        coef = model.coef_ if _is_double(model) else least_squares(system).coef.T
        squares = float(model.rss_[target])
        return _Solved(np.atleast_2d(coef)[target], np.zeros((k, 0)), squares)
    columns = [system.R[:, kept], np.delete(system.R, kept, axis=1), system.z[:, [target]]]
    with one_blas_thread():
        triangle = np.asarray(np.linalg.qr(np.hstack(columns), mode="r"))
        found = triangle[:k, k:]
        if k:
            scaled, exponents = equilibrate(triangle[:k, :k])
            found = np.ldexp(solve_upper(scaled, found), -exponents[:, None])
    left = float(np.square(triangle[k:, -1]).sum() + system.unexplained[target])
    return _Solved(found[:, -1], found[:, :-1], left)


def _constant(factor: Any, kept: Indices, *, fit_intercept: bool) -> int | None:
    """Find the constant of a design, which decides what R² compares with."""
    if fit_intercept:
        return 0
    centred = factor.system(fit_intercept=True)
    if independent_columns(centred) == len(kept):
        return None
    columns = np.intersect1d(np.flatnonzero(~centred.R.any(axis=0)), kept)
    return int(columns[0]) if len(columns) else -1


def _centre(factor: Any, root: DesignRoot, kept: Indices, target: int) -> Centre:
    if not root.fit_intercept:
        return Centre(None, None, 0.0, 0.0)
    p, column = factor.n_features, factor.n_features + target
    rest = factor.mean_error[:p][kept]
    spread = np.linalg.norm(root.triangle, axis=0) / np.sqrt(root.weight)
    needed = bool(np.any(np.abs(rest) > sys.float_info.epsilon * spread))
    return Centre(
        factor.mean[:p],
        rest if needed else None,
        float(factor.mean[column]),
        float(factor.mean_error[column]),
    )


def _total_squares(factor: Any, target: int, *, centred: bool) -> float:
    column = factor.n_features + target
    with np.errstate(over="ignore"):
        squares = float(np.square(factor.upper[:, column]).sum())
        mean = float(factor.mean[column] + factor.mean_error[column])
        return squares if centred else squares + factor.weight * mean**2
