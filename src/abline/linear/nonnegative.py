"""Least squares with coefficients that are not negative, from the triangular factor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from abline.linear.singular import equilibrate
from abline.linear.threads import one_blas_thread

Array = NDArray[np.float64]


def nonnegative(R: Array, z: Array) -> Array:
    """Minimise |z - R b|² over all b >= 0, by the active-set method.

    Parameters
    ----------
    R : array of shape (k, p)
    z : array of shape (k, t)

    Returns
    -------
    array of shape (p, t)

    References
    ----------
    Lawson, Hanson (1974), *Solving Least Squares Problems*, chapter 23.

    Examples
    --------
    >>> nonnegative(np.eye(2), np.array([[3.0], [-1.0]])).ravel()
    array([3., 0.])
    """
    # scaling by powers of two keeps both the digits and the constraint
    scaled, exponents = equilibrate(R)
    with one_blas_thread():
        columns = [nnls(scaled, z[:, target])[0] for target in range(z.shape[1])]
    answer: Array = np.ldexp(np.column_stack(columns), -exponents[:, None])
    return answer
