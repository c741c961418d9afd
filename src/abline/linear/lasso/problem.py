"""What a lasso or elastic-net problem is, whichever engine solves it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from abline.errors import ParameterError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Descent:
    """How far coordinate descent goes.

    Attributes
    ----------
    tol : float
        A duality gap of this part of y's sum of squares is good enough.
    max_iter : int
        Most sweeps over the features at work.
    positive : bool
        Whether coefficients must not be negative.
    seed : int
        Of the order of the features, which is another one each sweep; zero keeps them in order.
    """

    tol: float = 1e-4
    max_iter: int = 1000
    positive: bool = False
    seed: int = 0

    @property
    def aim(self) -> float:
        """Gap to go for, relative to y's sum of squares.

        Errors of the coefficients are of the order of its root, so that this gives them to
        the tolerance, where a gap of the tolerance itself would give half of its digits.
        """
        return self.tol * min(self.tol, 1.0)


@dataclass(frozen=True)
class Path:
    """Coefficients for each penalty, and how well they are known.

    Attributes
    ----------
    coef : array of shape (k, t, p), in units of y per unit of X
    gaps : array of shape (k,), in squared units of y times weight
        Each objective, as a sum over rows, is at most this above its minimum.
    sweeps : array of int of shape (k,)
        Sweeps of coordinate descent.
    """

    coef: Array
    gaps: Array
    sweeps: NDArray[np.int64]


class Problem(Protocol):
    """Minimise 1/2 |Y - X W'|² + l1 sum |W_j|₂ + l2/2 |W|², rows centred and weighted.

    Attributes
    ----------
    engine : {"gram", "working-set"}
    weight : float
        Sum of the rows' weights; scikit-learn's objective is this one divided by it.
    x_mean : array of shape (p,)
    y_mean : array of shape (t,)
        Both zero without an intercept.
    correlations : array of shape (t, p), in units of X times y times weight
        Products of the columns of y and X.
    total : array of shape (t,), in squared units of y times weight
        Sums of squares of y.
    """

    engine: str
    weight: float
    x_mean: Array
    y_mean: Array
    correlations: Array
    total: Array

    def solve(
        self, targets: slice, l1: Array, l2: Array, start: Array | None, descent: Descent
    ) -> Path:
        """Minimise for each pair of penalties in turn, each from the last one's answer.

        Parameters
        ----------
        targets : slice
            Which columns of y, all at once.
        l1, l2 : arrays of shape (k,)
        start : array of shape (t, p), optional
            Where to start from; zero otherwise.
        descent : Descent

        Returns
        -------
        Path
        """
        ...


def penalties(problem: Problem, alphas: Array, l1_ratio: float) -> tuple[Array, Array]:
    """Turn scikit-learn's penalties, which are per unit of weight, into the problem's."""
    scaled = np.ascontiguousarray(alphas, dtype=np.float64) * problem.weight
    return scaled * l1_ratio, scaled * (1.0 - l1_ratio)


def alpha_grid(
    problem: Problem, l1_ratio: float, eps: float, count: int, *, positive: bool
) -> Array:
    """Give penalties from the smallest that leaves no coefficient down to a part of it.

    Parameters
    ----------
    problem : Problem
    l1_ratio : float
        Share of the L1 part, above zero.
    eps : float
        The last penalty is this part of the first.
    count : int
    positive : bool
        Whether coefficients must not be negative.

    Returns
    -------
    array of shape (count,), evenly spaced on a logarithmic scale

    Raises
    ------
    ParameterError
        If the penalty has no L1 part.

    References
    ----------
    Friedman, Hastie, Tibshirani (2010), *J. Stat. Softw.* 33(1), §2.5.
    """
    if l1_ratio == 0:
        raise ParameterError(
            "Automatic alpha grid generation is not supported for l1_ratio=0. Please supply a grid "
            "by providing your estimator with the appropriate `alphas=` argument."
        )
    if positive:
        slope = float(problem.correlations.max(initial=0.0))
    else:
        slope = float(np.sqrt(np.square(problem.correlations).sum(axis=0).max(initial=0.0)))
    smallest = float(np.finfo(np.float64).resolution)
    largest = slope / (problem.weight * l1_ratio)
    if not largest > smallest:
        return np.full(count, smallest)
    return np.geomspace(largest, largest * eps, num=count)


def warn_unless_converged(gaps: Array, l1: Array, bound: float) -> None:
    """Warn, in scikit-learn's words, of the widest gap if it is above the bound.

    Parameters
    ----------
    gaps : array of shape (k,)
    l1 : array of shape (k,)
        L1 part of each penalty.
    bound : float
    """
    worst = int(np.argmax(gaps))
    if gaps[worst] <= bound:
        return
    message = (
        "Objective did not converge. You might want to increase the number of iterations, check "
        "the scale of the features or consider increasing regularisation. "
        f"Duality gap: {gaps[worst]:.6e}, tolerance: {bound:.3e}"
    )
    if l1[worst] < np.finfo(np.float64).eps:
        message += (
            "\nLinear regression models with a zero l1 penalization strength are more efficiently "
            "fitted using one of the solvers implemented in sklearn.linear_model.Ridge/RidgeCV "
            "instead."
        )
    warnings.warn(message, ConvergenceWarning, stacklevel=4)
