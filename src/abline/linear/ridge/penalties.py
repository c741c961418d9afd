"""Check penalties: one number, or one per target or per try."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abline.errors import ParameterError, ParameterTypeError
from abline.tables.conversion import from_tensor

Array = NDArray[np.float64]


def check_penalties(value: Any, name: str, *, zero_ok: bool = True) -> Array:
    """Check one penalty or several.

    Parameters
    ----------
    value : float, or array of shape (k,), in squared units of X
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
    # a list goes through item by item, before NumPy turns all of it to text because of one
    items = list(value) if isinstance(value, list | tuple) else np.asarray(from_tensor(value))
    if isinstance(items, np.ndarray):
        if items.ndim > 1:
            raise ParameterError(
                f"{name} has the shape {items.shape}: give one penalty, or a list of them"
            )
        items = np.atleast_1d(items).tolist()
    if len(items) == 0:
        raise ParameterError(f"{name} is empty: give one penalty, or a list of them")
    for number, item in enumerate(items):
        _check(item, name if len(items) == 1 else f"{name}[{number}]", zero_ok=zero_ok)
    return np.array(items, dtype=np.float64)


def one_per_target(penalties: Array, n_targets: int) -> Array:
    """Give each target its penalty.

    Parameters
    ----------
    penalties : array of shape (1,) or (t,)
    n_targets : int

    Returns
    -------
    array of shape (t,)

    Raises
    ------
    ParameterError
        If there are several, but not as many as targets.

    Examples
    --------
    >>> one_per_target(np.array([2.0]), 3)
    array([2., 2., 2.])
    """
    if len(penalties) not in (1, n_targets):
        raise ParameterError(
            "Number of targets and number of penalties do not correspond: "
            f"{len(penalties)} != {n_targets}, give one alpha for all targets or one for each"
        )
    return np.array(np.broadcast_to(penalties, (n_targets,)))


def _check(item: Any, where: str, *, zero_ok: bool) -> None:
    least = ">= 0.0" if zero_ok else "> 0.0"
    if not isinstance(item, Real) or isinstance(item, bool):
        raise ParameterTypeError(
            f"{where} must be an instance of float, not {type(item).__name__}: "
            f"give a finite penalty {least}"
        )
    if not math.isfinite(item) or item < 0 or (item == 0 and not zero_ok):
        raise ParameterError(f"{where} == {item}, must be {least}, and finite")
