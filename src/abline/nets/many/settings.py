"""The settings that a search tries, from lists of parameters."""

from __future__ import annotations

import numbers
from itertools import product
from typing import Any

from abline.errors import ParameterError
from abline.nets.mlp.options import hidden_sizes
from abline.nets.parameters import check_number

#: one value of each parameter that is searched
Setting = dict[str, Any]

#: in the order in which scikit-learn's ParameterGrid varies them, the last one fastest
SEARCHED = ("alpha", "hidden_layer_sizes", "learning_rate_init")


def settings_of(hidden_layer_sizes: Any, alpha: Any, learning_rate_init: Any) -> list[Setting]:
    """List the settings: each value of one parameter with each of the others.

    Parameters
    ----------
    hidden_layer_sizes : int, tuple of int, or list of these
        A tuple of whole numbers is one network of so many layers, as it is to `MLPRegressor`;
        anything else that has items holds one network in each.
    alpha, learning_rate_init : float or list of float

    Returns
    -------
    list of dict
        In the order of scikit-learn's ``ParameterGrid``.

    Raises
    ------
    ParameterError
        If a list is empty or a value cannot be used.

    Examples
    --------
    >>> settings_of([8, (16, 4)], 0.1, 0.01)
    [{'alpha': 0.1, 'hidden_layer_sizes': 8, 'learning_rate_init': 0.01},
     {'alpha': 0.1, 'hidden_layer_sizes': (16, 4), 'learning_rate_init': 0.01}]
    """
    alphas = _values("alpha", alpha)
    rates = _values("learning_rate_init", learning_rate_init)
    for value in alphas:
        check_number("alpha", value)
    for value in rates:
        check_number("learning_rate_init", value, above=0.0)
    found = product(map(float, alphas), _architectures(hidden_layer_sizes), map(float, rates))
    return [dict(zip(SEARCHED, values, strict=True)) for values in found]


def _architectures(sizes: Any) -> list[Any]:
    if _is_whole(sizes) or (isinstance(sizes, tuple) and all(map(_is_whole, sizes))):
        each = [sizes]
    else:
        each = _values("hidden_layer_sizes", sizes)
    return [hidden_sizes(one)[0] if _is_whole(one) else tuple(hidden_sizes(one)) for one in each]


def _values(name: str, value: Any) -> list[Any]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return [value]
    values = list(value)
    if not values:
        raise ParameterError(f"{name} is empty: give one value, or a list of those to try")
    return values


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
