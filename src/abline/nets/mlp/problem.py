"""What one fit of `MLPRegressor` begins with: first weights, and rows as the steps want them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from abline.errors import ParameterError
from abline.nets.describe_errors import reading
from abline.nets.devices import pick_device
from abline.nets.mlp.forward import tensor_ready
from abline.nets.mlp.listener import own_callbacks
from abline.nets.mlp.options import hidden_sizes
from abline.nets.mlp.resuming import Origin
from abline.nets.mlp.steps import Data
from abline.nets.mlp.validation import split_off
from abline.nets.mlp.weights import first_weights
from abline.nets.plain_tree import from_plain
from abline.nets.target_scale import TargetScale
from abline.nets.tensors import check_weigh
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from abline.nets.mlp.losses import OutputLoss
    from abline.nets.mlp.regressor import MLPRegressor
    from abline.nets.mlp.steps import Floats
    from abline.tables.arrays import TrainingArrays


@dataclass(frozen=True)
class Problem:
    """One fit, before it is solved.

    Attributes
    ----------
    model : MLPRegressor
        Its parameters, and what an earlier fit left.
    loss : OutputLoss
    coefs, intercepts : lists of arrays
        To begin with.
    train : Data
    valid : Data or None
        Given, or set apart for early stopping.
    notes_valid : bool
        Whether the loss of ``valid`` is to be noted.
    scale : TargetScale or None
        What the targets' units in ``train`` and ``valid`` are.
    rng : RandomState
    device : torch.device
    callbacks : list of Callback
    goes_on : bool
        Whether from the weights of an earlier fit.
    first_draw : tuple
        The state of ``rng`` before anything was drawn.
    origin : Origin
    """

    model: MLPRegressor
    loss: OutputLoss
    coefs: Sequence[Floats]
    intercepts: Sequence[Floats]
    train: Data
    valid: Data | None
    notes_valid: bool
    scale: TargetScale | None
    rng: np.random.RandomState
    device: torch.device
    callbacks: Sequence[Any]
    goes_on: bool
    first_draw: Any
    origin: Origin

    @property
    def dtype(self) -> np.dtype[Any]:
        """The precision of everything."""
        return self.coefs[0].dtype

    def in_double(self) -> Problem:
        """Give the same in float64."""
        double = np.dtype(np.float64)
        return replace(
            self,
            coefs=[coef.astype(double) for coef in self.coefs],
            intercepts=[intercept.astype(double) for intercept in self.intercepts],
            train=self.train.astype(double),
            valid=None if self.valid is None else self.valid.astype(double),
        )


def pose(
    model: MLPRegressor,
    loss: OutputLoss,
    arrays: TrainingArrays,
    valid: TrainingArrays | None,
    *,
    goes_on: bool,
    origin: Origin | None = None,
) -> Problem:
    """Draw first weights and set rows apart, in scikit-learn's order.

    Parameters
    ----------
    model : MLPRegressor
        With checked parameters.
    loss : OutputLoss
    arrays, valid : TrainingArrays
    goes_on : bool
        Whether from the weights that the model has.
    origin : Origin, optional
        From where the training goes on.

    Returns
    -------
    Problem

    Raises
    ------
    DataError
        If the loss is not for such targets, or there are too few rows to set some apart.
    ParameterError
        If the weights that the model has are of other sizes, a parameter cannot be used, or a
        checkpoint is of another training.
    """
    for part in (arrays, valid):
        if part is not None:
            loss.check(part.y)
    dtype = precision_of(arrays)
    scale = target_scale(model, arrays, goes_on=goes_on)
    held_out = None if valid is None else _data(valid, scale, dtype)
    train = _data(arrays, scale, dtype)
    origin = (origin or Origin()).of(model, train, held_out, goes_on=goes_on)
    return begin(
        model, loss, arrays.X.shape[1], dtype, train, held_out, scale,
        goes_on=goes_on, origin=origin,
    )  # fmt: skip


def begin(
    model: MLPRegressor,
    loss: OutputLoss,
    n_features: int,
    dtype: np.dtype[Any],
    train: Data,
    valid: Data | None,
    scale: TargetScale | None,
    *,
    goes_on: bool = False,
    origin: Origin | None = None,
) -> Problem:
    """Draw first weights and set rows apart, of rows that are as the steps want them.

    Parameters
    ----------
    model : MLPRegressor
    loss : OutputLoss
    n_features : int
    dtype : numpy.dtype
        Of the weights.
    train : Data
        Its X is only taken from, so it may as well be row numbers of a table elsewhere.
    valid : Data or None
        Given; None sets some of ``train`` apart if the model asks for it.
    scale : TargetScale or None
        That the targets have been through.
    goes_on : bool, default=False
    origin : Origin, optional

    Returns
    -------
    Problem

    Raises
    ------
    DataError, ParameterError
        As of `pose`.
    """
    device, callbacks = pick_device(model.device), own_callbacks(model.callbacks)
    origin = origin or Origin()
    rng = _generator(model.random_state)
    if origin.snapshot is not None:
        # the rows that are set apart are those of the training that goes on
        with reading("the checkpoint's generator does not fit", "start anew"):
            rng.set_state(from_plain(origin.snapshot.seed))
    first_draw = rng.get_state()
    hidden = hidden_sizes(model.hidden_layer_sizes)
    units = [n_features, *hidden, loss.units(train.y.shape[1])]
    if goes_on:
        coefs, intercepts = _weights_of(model, units, dtype)
    else:
        coefs, intercepts = first_weights(units, model.activation, rng, dtype)
    notes_valid = valid is not None
    if valid is None and model.early_stopping and model.solver != "lbfgs":
        train, valid = split_off(train, model.validation_fraction, rng)
    return Problem(
        model,
        loss,
        coefs,
        intercepts,
        train,
        valid,
        notes_valid,
        scale,
        rng,
        device,
        callbacks,
        goes_on,
        first_draw,
        origin,
    )


def precision_of(arrays: TrainingArrays) -> np.dtype[Any]:
    """Give the precision that rows are trained in."""
    return np.dtype(np.float32 if arrays.X.dtype == np.float32 else np.float64)


def _generator(random_state: Any) -> np.random.RandomState:
    # scikit-learn's None is numpy's global generator, which a fit here does not move
    return np.random.RandomState() if random_state is None else check_random_state(random_state)


def _weights_of(
    model: MLPRegressor, units: Sequence[int], dtype: np.dtype[Any]
) -> tuple[list[Floats], list[Floats]]:
    there = [model.coefs_[0].shape[0], *(coef.shape[1] for coef in model.coefs_)]
    if there != list(units):
        raise ParameterError(
            f"the weights that are there are of layers of {there} units, where the parameters, X "
            f"and y ask for {list(units)}: make a new estimator, or set warm_start=False"
        )
    coefs = [coef.astype(dtype) for coef in model.coefs_]
    return coefs, [intercept.astype(dtype) for intercept in model.intercepts_]


def target_scale(
    model: MLPRegressor, arrays: TrainingArrays, *, goes_on: bool = False
) -> TargetScale | None:
    """Measure the targets, if the model asks for it; weights that go on keep the units they know.

    Parameters
    ----------
    model : MLPRegressor
    arrays : TrainingArrays
    goes_on : bool, default=False

    Returns
    -------
    TargetScale or None
    """
    if goes_on:
        return TargetScale.goes_on(model)
    return TargetScale.of(arrays) if model.target_scaling else None


def _data(arrays: TrainingArrays, scale: TargetScale | None, dtype: np.dtype[Any]) -> Data:
    if scale is not None:
        arrays = scale.standardised(arrays)
    weights = None if arrays.sample_weight is None else tensor_ready(arrays.sample_weight)
    X = arrays.X.tocsr() if is_sparse(arrays.X) else tensor_ready(arrays.X)
    data = Data(X, tensor_ready(arrays.y), weights).astype(dtype)
    check_weigh(data.weights)
    return data
