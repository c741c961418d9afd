"""Correct a solution by its own residual until no digit of it changes.

An approximate factor of a matrix solves a system to some digits. The residual, taken from the
problem itself and not from that factor, has the digits that are missing; a solve with it adds
them. Each step gains as many digits as the first solve had.

References
----------
Björck (1987), "Stability analysis of the method of seminormal equations for linear least squares
problems", *Linear Algebra Appl.* 88-89; Higham (2002), *Accuracy and Stability of Numerical
Algorithms*, chapter 12.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]

#: a factor that needs more steps has hardly a digit
_MOST_STEPS = 4


def corrected(
    solve: Callable[[Array], Array],
    residual: Callable[[Array], Array],
    first: Array,
    units: Array,
) -> Array | None:
    """Add corrections to a solution until the next would not be seen.

    Parameters
    ----------
    solve : callable
        From right-hand sides of shape (p, t) to solutions, approximately.
    residual : callable
        From solutions to what they leave of the right-hand sides.
    first : array of shape (p, t)
        Solutions to start from.
    units : array of shape (p,)
        What one unit of each unknown counts for where changes are compared.

    Returns
    -------
    array of shape (p, t), or None
        None where the corrections do not die out, or are not finite.

    Examples
    --------
    >>> half = corrected(lambda b: b / 2.001, lambda x: 1 - 2 * x, np.zeros((1, 1)), np.ones(1))
    >>> half.round(12)
    array([[0.5]])
    """
    solution = first
    for _ in range(_MOST_STEPS):
        change = solve(residual(solution))
        solution = solution + change
        size = (units[:, None] * np.abs(solution)).max(axis=0)
        step = (units[:, None] * np.abs(change)).max(axis=0)
        if not np.isfinite(step).all():
            return None
        # the next change would be smaller by the same ratio once more
        if np.all(np.square(step) <= sys.float_info.epsilon * np.square(size)):
            return solution
    return None
