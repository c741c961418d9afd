"""Checks of parameters that many estimators have."""

from __future__ import annotations

from typing import Any

import numpy as np

from abline.errors import ParameterError


def check_flag(name: str, value: Any) -> bool:
    """Check a parameter that is either True or False.

    Parameters
    ----------
    name : str
        Of the parameter, for the message.
    value : object

    Returns
    -------
    bool

    Raises
    ------
    ParameterError
        If it is neither.

    Examples
    --------
    >>> check_flag("positive", True)
    True
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ParameterError(f"{name} is {value!r}: give True or False")
