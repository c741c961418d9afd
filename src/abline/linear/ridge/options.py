"""The parameters of Ridge that name an algorithm of scikit-learn's, and the rules among them.

The answer is the same whatever is named, but code written for scikit-learn must find its names
accepted, its refusals and its reports.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from abline.errors import ParameterError, one_of
from abline.linear.parameters import check_flag

SOLVERS = ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs")

#: those that report a number of iterations in scikit-learn
COUNTED = ("lsqr", "sag", "saga")

#: those that fit an intercept beside a sparse X in scikit-learn
_SPARSE_WITH_INTERCEPT = ("auto", "lbfgs", "lsqr", "sag", "sparse_cg")


@dataclass(frozen=True)
class RidgeOptions:
    """Checked parameters.

    Attributes
    ----------
    fit_intercept, positive : bool
    solver : str
        One of `SOLVERS`.
    tol : float
    max_iter : int or None
    """

    fit_intercept: bool
    positive: bool = False
    solver: str = "auto"
    tol: float = 1e-4
    max_iter: int | None = None

    @classmethod
    def of(cls, estimator: Any) -> RidgeOptions:
        """Check the parameters of a Ridge.

        Parameters
        ----------
        estimator : Ridge

        Returns
        -------
        RidgeOptions

        Raises
        ------
        ParameterError
            If one has a value that it cannot take, alone or beside the others.
        """
        for name in ("fit_intercept", "copy_X", "positive"):
            check_flag(name, getattr(estimator, name))
        solver = one_of("solver", estimator.solver, SOLVERS)
        tol, max_iter, seed = estimator.tol, estimator.max_iter, estimator.random_state
        if not isinstance(tol, Real) or isinstance(tol, bool) or not 0 <= float(tol) < math.inf:
            raise ParameterError(f"tol is {tol!r}: give a finite number, zero or more")
        if max_iter is not None and not (_is_whole(max_iter) and max_iter >= 1):
            raise ParameterError(
                f"max_iter is {max_iter!r}: give a whole number above zero, or None"
            )
        if not (seed is None or _is_whole(seed) or isinstance(seed, np.random.RandomState)):
            raise ParameterError(f"random_state is {seed!r}: give a whole number or None")
        positive = bool(estimator.positive)
        if solver == "lbfgs" and not positive:
            raise ParameterError(
                "'lbfgs' solver can be used only when positive=True. Please use another solver."
            )
        if positive and solver not in ("auto", "lbfgs"):
            raise ParameterError(
                f"solver='{solver}' does not support positive fitting. Please set the solver to "
                "'auto' or 'lbfgs', or set `positive=False`"
            )
        return cls(bool(estimator.fit_intercept), positive, solver, float(tol), max_iter)

    def reported(self, *, sparse: bool) -> str:
        """Say which solver scikit-learn would report, or refuse what it refuses.

        Parameters
        ----------
        sparse : bool
            Whether X is.

        Returns
        -------
        str

        Raises
        ------
        ParameterError
            If scikit-learn's solver does not take a sparse X.
        """
        if sparse:
            self._check_sparse()
        if self.positive:
            return "lbfgs"
        if sparse and self.fit_intercept:
            sag = self.solver == "sag" and self._sag_is_slow
            return self.solver if self.solver == "lsqr" or sag else "sparse_cg"
        if self.solver == "auto":
            return "sparse_cg" if sparse else "cholesky"
        return self.solver

    @property
    def _sag_is_slow(self) -> bool:
        # with other settings scikit-learn silently takes sparse_cg
        return self.max_iter is None and self.tol > 1e-4

    def _check_sparse(self) -> None:
        if self.fit_intercept and not self.positive and self.solver not in _SPARSE_WITH_INTERCEPT:
            raise ParameterError(
                f"solver='{self.solver}' does not support fitting the intercept on sparse data. "
                "Please set the solver to 'auto' or 'lsqr', 'sparse_cg', 'sag', 'lbfgs' or set "
                "`fit_intercept=False`"
            )
        if self.solver == "svd":
            raise ParameterError(
                "SVD solver does not support sparse inputs currently: set the solver to 'auto'"
            )
        if self.solver == "sag" and self.fit_intercept and self._sag_is_slow:
            warnings.warn(
                '"sag" solver requires many iterations to fit an intercept with sparse inputs, so '
                'the exact answer was computed instead: set the solver to "auto" or "sparse_cg"',
                stacklevel=4,
            )


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
