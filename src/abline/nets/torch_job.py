"""From `TorchRegressor`'s parameters and checked rows to what an engine is given."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abline.nets.factories import first_floating, make_module, make_optimizer, probe, probe_loss
from abline.nets.losses import make_criterion, make_loss
from abline.nets.metrics import make_metrics
from abline.nets.schedule import Schedule
from abline.nets.tensors import to_tensor
from abline.nets.training import Rows, TrainingJob

if TYPE_CHECKING:
    from torch import Tensor, nn

    from abline.nets.target_scale import TargetScale
    from abline.nets.torch_regressor import TorchRegressor
    from abline.tables.arrays import TrainingArrays


def make_own_module(
    model: TorchRegressor, data: TrainingArrays, device: torch.device, earlier: nn.Module | None
) -> nn.Module:
    """Make the module that a fit trains.

    Parameters
    ----------
    model : TorchRegressor
    data : TrainingArrays
    device : torch.device
    earlier : torch.nn.Module or None
        One to go on from; it is copied.

    Returns
    -------
    torch.nn.Module
        On the device.
    """
    if earlier is not None:
        return copy.deepcopy(earlier).to(device)
    wide = data.X.dtype == np.float64 and device.type != "mps"  # which has no float64
    module = make_module(
        model.module,
        model._arguments("module"),
        n_features=data.X.shape[1],
        n_outputs=data.y.shape[1],
        dtype=torch.float64 if wide else torch.float32,
    )
    return module.to(device)


def make_job(
    model: TorchRegressor,
    module: nn.Module,
    data: TrainingArrays,
    valid: TrainingArrays | None,
    seed: int,
    callbacks: list[Any],
    scale: TargetScale | None,
) -> TrainingJob:
    """Make a fit's job.

    Parameters
    ----------
    model : TorchRegressor
    module : torch.nn.Module
        From `make_own_module`.
    data : TrainingArrays
    valid : TrainingArrays or None
    seed : int
        Of the minibatches.
    callbacks : list of Callback
        The fit's own.
    scale : TargetScale or None
        Of the targets, which are standardised already.

    Returns
    -------
    TrainingJob

    Raises
    ------
    ParameterError
        If module, criterion, optimizer or metrics cannot be used with each other or the rows.
    """
    like = first_floating(module)
    train = _to_rows(data, like)
    outputs = probe(module, train, data.y.shape[1])
    train = train.shaped_as(outputs)
    criterion = make_criterion(model.criterion, model._arguments("criterion"), like.device)
    loss = make_loss(criterion, weighted=train.weights is not None)
    probe_loss(loss, criterion, outputs, train)
    optimizer = make_optimizer(model.optimizer, module, model.lr, model._arguments("optimizer"))
    metrics = make_metrics(model.metrics, like.device)
    if scale:
        metrics = {name: scale.metric_in_own_units(each) for name, each in metrics.items()}
    job = TrainingJob(
        module=module,
        loss=loss,
        optimizer=optimizer,
        train=train,
        valid=None if valid is None else _to_rows(valid, like).shaped_as(outputs),
        max_epochs=int(model.max_epochs),
        batch_size=None if model.batch_size is None else int(model.batch_size),
        shuffle=model.shuffle,
        generator=torch.Generator().manual_seed(seed),
        callbacks=callbacks,
        metrics=metrics,
        clip_grad_norm=model.clip_grad_norm,
        clip_grad_value=model.clip_grad_value,
    )
    if model.schedule is None:
        return job
    return replace(job, schedule=Schedule(model.schedule, job.max_epochs * job.steps_per_epoch))


def _to_rows(data: TrainingArrays, like: Tensor) -> Rows:
    weights = data.sample_weight
    return Rows(
        to_tensor(data.X, like, "X"),
        to_tensor(data.y, like, "y"),
        None if weights is None else to_tensor(weights, like, "sample_weight"),
    )
