"""Triangular solves without the checks that small problems spend their time on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

Array = NDArray[np.float64]


def solve_upper(R: Array, b: Array, *, transposed: bool = False) -> Array:
    """Solve R x = b, or R' x = b.

    Parameters
    ----------
    R : array of shape (p, p)
        Upper triangle; what stands below the diagonal is not looked at.
    b : array of shape (p, k)
    transposed : bool, default=False

    Returns
    -------
    array of shape (p, k)

    Raises
    ------
    numpy.linalg.LinAlgError
        If the diagonal has a zero.

    Examples
    --------
    >>> solve_upper(np.array([[2.0, 1.0], [0.0, 4.0]]), np.array([[4.0], [8.0]])).ravel()
    array([1., 2.])
    """
    # by rows in memory, it is the lower triangle of its transpose by columns: no copy is made
    if R.flags.f_contiguous:
        x, info = lapack.dtrtrs(R, b, lower=0, trans=int(transposed))
    else:
        x, info = lapack.dtrtrs(R.T, b, lower=1, trans=int(not transposed))
    if info > 0:
        raise np.linalg.LinAlgError(f"the triangle has a zero in place {info - 1} of its diagonal")
    answer: Array = x
    return answer
