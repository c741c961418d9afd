"""Checks of `MLPRegressor`'s parameters."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from abline.errors import ParameterError, one_of
from abline.nets.callbacks import LRScheduler, check_callbacks
from abline.nets.mlp.activations import ACTIVATIONS
from abline.nets.mlp.choose import ENGINES
from abline.nets.mlp.losses import make_loss
from abline.nets.parameters import check_count, check_number

if TYPE_CHECKING:
    from abline.nets.mlp.losses import OutputLoss
    from abline.nets.mlp.regressor import MLPRegressor

STOCHASTIC = ("sgd", "adam")
SOLVERS = ("lbfgs", "sgd", "adam", "lm")

_SWITCHES = ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping", "target_scaling")
_COUNTS = {"max_iter": 1, "max_fun": 1, "n_restarts": 0}
_NOT_NEGATIVE = ("alpha", "power_t", "tol")
_POSITIVE = ("learning_rate_init", "epsilon", "huber_delta")


def check_options(model: MLPRegressor) -> OutputLoss:
    """Check the parameters that can be checked before any data is seen.

    Parameters
    ----------
    model : MLPRegressor

    Returns
    -------
    OutputLoss
        The one that they name.

    Raises
    ------
    ParameterError
        If one cannot be used, or two of them cannot be used together.
    """
    one_of("activation", model.activation, ACTIVATIONS)
    one_of("solver", model.solver, SOLVERS)
    one_of("engine", model.engine, ENGINES)
    one_of("learning_rate", model.learning_rate, ("constant", "invscaling", "adaptive"))
    for name in _NOT_NEGATIVE:
        check_number(name, getattr(model, name))
    for name in _POSITIVE:
        check_number(name, getattr(model, name), above=0.0)
    for name, least in _COUNTS.items():
        check_count(name, getattr(model, name), least=least)
    for name in ("beta_1", "beta_2"):
        check_number(name, getattr(model, name), below=1.0)
    above = 0.0 if model.early_stopping else None
    check_number("validation_fraction", model.validation_fraction, above=above, below=1.0)
    for name in _SWITCHES:
        if not isinstance(getattr(model, name), bool | np.bool_):
            raise ParameterError(f"{name} is {getattr(model, name)!r}: give True or False")
    _check_momentum(model.momentum)
    if model.batch_size != "auto":
        check_count("batch_size", model.batch_size)
    if model.n_iter_no_change != math.inf:
        check_count("n_iter_no_change", model.n_iter_no_change)
    if not isinstance(model.verbose, bool | np.bool_):
        check_count("verbose", model.verbose, least=0)
    stochastic = model.solver in STOCHASTIC
    if not stochastic and any(isinstance(x, LRScheduler) for x in check_callbacks(model.callbacks)):
        raise ParameterError(
            f"solver={model.solver!r} has no learning rate for an LRScheduler to change: leave it "
            "out of callbacks, or set solver='adam' or 'sgd'"
        )
    return _check_loss(model)


def hidden_sizes(sizes: Any) -> list[int]:
    """Give the units of each hidden layer.

    Parameters
    ----------
    sizes : int or sequence of int

    Returns
    -------
    list of int

    Raises
    ------
    ParameterError
        If one is not a whole number above 0.

    Examples
    --------
    >>> hidden_sizes(100)
    [100]
    """
    found = list(sizes) if hasattr(sizes, "__iter__") and not isinstance(sizes, str) else [sizes]
    for size in found:
        whole = isinstance(size, numbers.Integral) and not isinstance(size, bool)
        if not whole or size <= 0:
            raise ParameterError(
                f"hidden_layer_sizes must be > 0, got {found}: give the units of each hidden "
                "layer, whole numbers of 1 or more"
            )
    return [int(size) for size in found]


def _check_momentum(momentum: Any) -> None:
    number = isinstance(momentum, numbers.Real) and not isinstance(momentum, bool)
    if not number or not 0 <= momentum <= 1:
        raise ParameterError(f"momentum is {momentum!r}: give a number from 0 to 1")


def _check_loss(model: MLPRegressor) -> OutputLoss:
    loss = make_loss(model.loss, model.huber_delta, model.quantile)
    if model.target_scaling and not loss.standardises:
        raise ParameterError(
            f"target_scaling standardises y, which loss={model.loss!r} cannot take: set "
            "target_scaling=False, or choose another loss"
        )
    if model.solver == "lm" and model.loss != "squared_error":
        raise ParameterError(
            f"solver='lm' is for squared error alone and loss is {model.loss!r}: choose another "
            "solver, or loss='squared_error'"
        )
    return loss
