"""A least-squares problem reduced to a triangle, which is all that the solvers see of a table."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from abline.linear.singular import condition_number, equilibrate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class System:
    """A least-squares problem reduced to a triangle: R b = z, in as many unknowns as features.

    The sum of squared residuals of any b is ``|z - R b|² + unexplained``.

    Attributes
    ----------
    R : array of shape (k, p), k = min(p, rows of the factor)
        Upper triangle (trapezoid if k < p) with the singular values of the table's X.
    z : array of shape (k, t)
    unexplained : array of shape (t,), in squared units of y
        What no b explains.
    x_mean : array of shape (p,)
    y_mean : array of shape (t,)
        Both zero without an intercept.
    n_rows : int
    weight : float
        Sum of the weights.
    """

    R: Array
    z: Array
    unexplained: Array
    x_mean: Array
    y_mean: Array
    n_rows: int
    weight: float

    @cached_property
    def scaled(self) -> tuple[Array, NDArray[np.int_]]:
        """R with columns scaled by powers of two, and their exponents (see `equilibrate`)."""
        return equilibrate(self.R)

    @cached_property
    def condition(self) -> float:
        """The condition number of R so scaled, about; infinite where k < p."""
        R = self.scaled[0]
        return condition_number(R) if R.shape[0] == R.shape[1] else np.inf

    @property
    def tolerance(self) -> float:
        """Singular values below this part of the largest count as zero, as in NumPy's lstsq."""
        return sys.float_info.epsilon * float(max(self.n_rows, self.R.shape[1]))
