"""Checks of `TorchRegressor`'s parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from abline.errors import ParameterError, one_of
from abline.nets.callbacks import Checkpoint, LRScheduler, check_callbacks
from abline.nets.criteria import Criterion
from abline.nets.criteria.names import kind_of
from abline.nets.engines.choose import ENGINES
from abline.nets.parameters import check_count, check_number
from abline.nets.schedule import SCHEDULES

if TYPE_CHECKING:
    from abline.nets.torch_regressor import TorchRegressor

_SWITCHES = ("shuffle", "early_stopping", "warm_start", "target_scaling")

#: torch's criteria whose targets are counts, which standardised ones are not
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
    check_count("n_restarts", model.n_restarts, least=0)
    for name in ("clip_grad_norm", "clip_grad_value"):
        if getattr(model, name) is not None:
            check_number(name, getattr(model, name), above=0.0)
    _check_schedule(model)
    if model.engine == "lm":
        _check_for_lm(model)
    kind = kind_of(model.criterion)
    own = issubclass(kind, Criterion) and not kind.standardises
    if model.target_scaling and (own or kind in _OF_COUNTS or model.criterion in _OF_COUNTS):
        raise ParameterError(
            "target_scaling standardises y, which a loss for counts or positive amounts cannot "
            "take: set target_scaling=False, or choose another criterion"
        )


def check_resumes(model: TorchRegressor, what: str) -> None:
    """Refuse to go on from the state of an optimizer with an engine that has none.

    Parameters
    ----------
    model : TorchRegressor
    what : str
        That goes on, for the message.

    Raises
    ------
    ParameterError
    """
    if model.engine == "lm":
        raise ParameterError(
            f"{what} goes on with an optimizer's steps, which engine='lm' does not take: set "
            "engine='loop', or warm_start=True to begin at module_"
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


def _check_for_lm(model: TorchRegressor) -> None:
    """Refuse what an engine without an optimizer's steps cannot do."""
    for name in ("batch_size", "schedule", "clip_grad_norm", "clip_grad_value"):
        if getattr(model, name) is not None:
            raise ParameterError(
                f"engine='lm' takes no {name}, since its steps are not an optimizer's: leave it "
                "out, or set engine='loop'"
            )
    for callback in check_callbacks(model.callbacks):
        if isinstance(callback, Checkpoint | LRScheduler):
            raise ParameterError(
                f"engine='lm' takes no {type(callback).__name__}, since it has no optimizer's "
                "state or rate: leave it out of callbacks, or set engine='loop'"
            )
