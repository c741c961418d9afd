"""Checks of `TorchRegressor`'s parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from abline.errors import ParameterError, one_of
from abline.nets.callbacks import LRScheduler, check_callbacks
from abline.nets.engines.choose import ENGINES
from abline.nets.parameters import check_count, check_number
from abline.nets.schedule import SCHEDULES

if TYPE_CHECKING:
    from abline.nets.torch_regressor import TorchRegressor

_SWITCHES = ("shuffle", "early_stopping", "warm_start", "target_scaling")

#: criteria whose targets are counts, which standardised ones are not
_OF_COUNTS = (nn.PoissonNLLLoss, nn.functional.poisson_nll_loss)


def check_options(model: TorchRegressor) -> None:
    """Check the parameters that can be checked before any data is seen.

    Parameters
    ----------
    model : TorchRegressor

    Raises
    ------
    ParameterError
        If one cannot be used, or two of them cannot be used together.
    """
    one_of("engine", model.engine, ENGINES)
    check_number("lr", model.lr, above=0.0, below=math.inf)
    check_count("max_epochs", model.max_epochs)
    check_count("batch_size", model.batch_size, none="all rows")
    check_count("verbose", model.verbose, least=0)
    for name in _SWITCHES:
        value = getattr(model, name)
        if not isinstance(value, bool | np.bool_):
            raise ParameterError(f"{name} is {value!r}: give True or False")
    check_number("validation_fraction", model.validation_fraction, above=0.0, below=1.0)
    check_count("n_iter_no_change", model.n_iter_no_change)
    check_number("tol", model.tol)
    check_count("n_restarts", model.n_restarts)
    for name in ("clip_grad_norm", "clip_grad_value"):
        if getattr(model, name) is not None:
            check_number(name, getattr(model, name), above=0.0)
    _check_schedule(model)
    criterion = model.criterion
    if model.target_scaling and (criterion in _OF_COUNTS or isinstance(criterion, _OF_COUNTS[0])):
        raise ParameterError(
            "target_scaling standardises y, which a loss for counts cannot take: set "
            "target_scaling=False, or choose another criterion"
        )


def _check_schedule(model: TorchRegressor) -> None:
    if model.schedule is not None:
        one_of("schedule", model.schedule, SCHEDULES)
    callbacks = check_callbacks(model.callbacks)
    if model.schedule is not None and any(isinstance(each, LRScheduler) for each in callbacks):
        raise ParameterError(
            f"schedule={model.schedule!r} and an LRScheduler among the callbacks both set the "
            "learning rate: leave one of them out"
        )
