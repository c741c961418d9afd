"""The parameters that all lasso and elastic-net estimators share, checked at the border."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from abline.errors import ParameterError, one_of
from abline.linear.lasso.problem import Descent
from abline.linear.parameters import check_flag

_ORDERS = ("cyclic", "random")


def check_descent(
    *, tol: Any, max_iter: Any, positive: Any, selection: Any, random_state: Any
) -> Descent:
    """Check what says how far coordinate descent goes, and in which order.

    Parameters
    ----------
    tol : float
        Not negative.
    max_iter : int
        At least one.
    positive : bool
    selection : {"cyclic", "random"}
    random_state : int, RandomState or None
        None gives the same random order every time.

    Returns
    -------
    Descent

    Raises
    ------
    ParameterError
        If one cannot have its value.

    Examples
    --------
    >>> check_descent(tol=0, max_iter=5, positive=True, selection="cyclic", random_state=None)
    Descent(tol=0.0, max_iter=5, positive=True, seed=0)
    """
    seed = 0
    if one_of("selection", selection, _ORDERS) == "random":
        seed = (
            1 if random_state is None else int(check_random_state(random_state).randint(1, 2**31))
        )
    return Descent(
        check_number("tol", tol, 0.0),
        check_count("max_iter", max_iter),
        check_flag("positive", positive),
        seed,
    )


def check_number(name: str, value: Any, least: float, most: float = np.inf) -> float:
    """Check a number between two bounds, both allowed, and finite."""
    if isinstance(value, Real) and least <= float(value) <= most and np.isfinite(float(value)):
        return float(value)
    bounds = f"of {least:g} or more" if most == np.inf else f"from {least:g} to {most:g}"
    raise ParameterError(f"{name} is {value!r}: give a number {bounds}")


def check_count(name: str, value: Any) -> int:
    """Check a whole number of one or more."""
    if isinstance(value, Integral) and int(value) >= 1:
        return int(value)
    raise ParameterError(f"{name} is {value!r}: give a whole number of 1 or more")


def check_l1_ratio(name: str, value: Any) -> float:
    """Check the L1 part's share of a penalty."""
    return check_number(name, value, 0.0, 1.0)
