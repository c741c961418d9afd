"""Checks of the network estimators' parameters, at the border where a person can reach."""

from __future__ import annotations

import math
import numbers
from typing import Any

from abline.errors import ParameterError


def check_count(name: str, value: Any, *, least: int = 1, none: str = "") -> None:
    """Check a parameter that counts something.

    Parameters
    ----------
    name : str
    value : object
    least : int, default=1
        The smallest count allowed.
    none : str, optional
        What None means; by default it is not allowed.

    Raises
    ------
    ParameterError
        If it is no whole number or too small.

    Examples
    --------
    >>> check_count("max_epochs", -3)
    Traceback (most recent call last):
    abline.errors.ParameterError: max_epochs is -3: give a whole number, 1 or more
    """
    if value is None and none:
        return
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < least:
        also = f", or None for {none}" if none else ""
        raise ParameterError(f"{name} is {value!r}: give a whole number, {least} or more{also}")


def check_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float = 0.0,
    below: float = math.inf,
) -> None:
    """Check a parameter that is a number within limits.

    Parameters
    ----------
    name : str
    value : object
    above : float, optional
        It must be greater than this.
    least : float, default=0
        Otherwise it must be at least this.
    below : float, default=inf
        It must be less than this.

    Raises
    ------
    ParameterError
        If it is no number or out of the limits.

    Examples
    --------
    >>> check_number("lr", 0.0, above=0.0)
    Traceback (most recent call last):
    abline.errors.ParameterError: lr is 0.0: give a number above 0
    """
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if number and value < below and (value >= least if above is None else value > above):
        return
    limits = f"above {above:g}" if above is not None else f"of {least:g} or more"
    upper = f" and below {below:g}" if below < math.inf else ""
    raise ParameterError(f"{name} is {value!r}: give a number {limits}{upper}")
