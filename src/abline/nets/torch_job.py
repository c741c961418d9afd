"""From `TorchRegressor`'s parameters and checked rows to what an engine is given."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abline.errors import ParameterError
from abline.nets.criteria import Criterion
from abline.nets.factories import first_floating, make_module, make_optimizer, probe, probe_loss
from abline.nets.losses import make_loss
from abline.nets.metrics import make_metrics
from abline.nets.offset import PlusOffset
from abline.nets.schedule import Schedule
from abline.nets.tensors import check_weigh, to_tensor
from abline.nets.training import Rows, TrainingJob

if TYPE_CHECKING:
    from torch import Tensor, nn

    from abline.nets.target_scale import TargetScale
    from abline.nets.torch_regressor import TorchRegressor
    from abline.nets.training import Metric
    from abline.tables.arrays import TrainingArrays


def make_own_module(
    model: TorchRegressor,
    data: TrainingArrays,
    device: torch.device,
    earlier: nn.Module | None,
    criterion: Any,
) -> nn.Module:
    """Make the module that a fit trains.

    Parameters
    ----------
    model : TorchRegressor
    data : TrainingArrays
    device : torch.device
    earlier : torch.nn.Module or None
        One to go on from; it is copied.
    criterion : callable
        The fit's own, which knows how many outputs it needs.

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
        n_features=model.n_features_in_,
        n_outputs=_n_outputs(criterion, data),
        dtype=torch.float64 if wide else torch.float32,
    )
    return module.to(device)


@dataclass(frozen=True)
class Parts:
    """What a fit's job is made of.

    Attributes
    ----------
    module : torch.nn.Module
        From `make_own_module`.
    criterion : callable
        From `abline.nets.losses.make_criterion`.
    data : TrainingArrays
        With the offsets of `abline.nets.offset.with_offset`, if there are any.
    valid : TrainingArrays or None
    seed : int
        Of the minibatches.
    callbacks : list of Callback
        The fit's own.
    scale : TargetScale or None
        Of the targets, which are standardised already.
    """

    module: nn.Module
    criterion: Any
    data: TrainingArrays
    valid: TrainingArrays | None = None
    seed: int = 0
    callbacks: list[Any] = field(default_factory=list)
    scale: TargetScale | None = None


def make_job(model: TorchRegressor, parts: Parts) -> TrainingJob:
    """Make a fit's job.

    Parameters
    ----------
    model : TorchRegressor
    parts : Parts

    Returns
    -------
    TrainingJob

    Raises
    ------
    ParameterError
        If module, criterion, optimizer or metrics cannot be used with each other or the rows.
    """
    module, criterion, data, valid = parts.module, parts.criterion, parts.data, parts.valid
    like = first_floating(module)
    train = _to_rows(data, like)
    outputs = _probe(module, criterion, train, model.n_features_in_)
    train = train.shaped_as(outputs)
    loss = make_loss(criterion, weighted=train.weights is not None)
    probe_loss(loss, criterion, outputs, train)
    optimizer = make_optimizer(model.optimizer, module, model.lr, model._arguments("optimizer"))
    job = TrainingJob(
        module=PlusOffset(module) if data.X.shape[1] > model.n_features_in_ else module,
        loss=loss,
        optimizer=optimizer,
        train=train,
        valid=None if valid is None else _to_rows(valid, like).shaped_as(outputs),
        max_epochs=int(model.max_epochs),
        batch_size=None if model.batch_size is None else int(model.batch_size),
        shuffle=model.shuffle,
        generator=torch.Generator().manual_seed(parts.seed),
        callbacks=parts.callbacks,
        metrics=_make_metrics(model, parts, like.device),
        clip_grad_norm=model.clip_grad_norm,
        clip_grad_value=model.clip_grad_value,
        n_restarts=int(model.n_restarts),
        n_jobs=model.n_jobs,
    )
    if model.schedule is None:
        return job
    return replace(job, schedule=Schedule(model.schedule, job.max_epochs * job.steps_per_epoch))


def _n_outputs(criterion: Any, data: TrainingArrays) -> int:
    n_targets = data.y.shape[1]
    return criterion.n_outputs(n_targets) if isinstance(criterion, Criterion) else n_targets


def _probe(module: nn.Module, criterion: Any, train: Rows, n_features: int) -> Tensor:
    """Try the module on rows without their offsets."""
    rows = Rows(train.X[:2, :n_features], train.y[:2])
    n_targets = train.y.shape[1]
    if not isinstance(criterion, Criterion) or criterion.n_outputs(n_targets) == n_targets:
        return probe(module, rows, n_targets)
    n_outputs = criterion.n_outputs(n_targets)
    targets = f"{n_targets} target{'s' if n_targets > 1 else ''}"
    why = f"{type(criterion).__name__} needs {n_outputs} for {targets}"
    return probe(module, rows, n_outputs, why)


def _make_metrics(model: TorchRegressor, parts: Parts, device: torch.device) -> dict[str, Metric]:
    """Make metrics that see predictions in the targets' units."""
    metrics = make_metrics(model.metrics, device)
    criterion, n_targets = parts.criterion, parts.data.y.shape[1]
    if parts.scale:
        metrics = {name: parts.scale.metric_in_own_units(each) for name, each in metrics.items()}
    if not metrics or not isinstance(criterion, Criterion):
        return metrics
    n_outputs = criterion.n_outputs(n_targets)
    shape = criterion.predict(torch.zeros(1, n_outputs)).shape
    if shape != (1, n_targets):
        raise ParameterError(
            f"metrics score one prediction for each target and {type(criterion).__name__} gives "
            f"{shape[-1]}: leave metrics out, or train one level alone"
        )
    return {name: _OfPredictions(each, criterion) for name, each in metrics.items()}


class _OfPredictions:
    """A metric of what outputs stand for."""

    def __init__(self, metric: Metric, criterion: Criterion) -> None:
        self.metric, self.criterion = metric, criterion

    def __call__(self, outputs: Tensor, target: Tensor) -> float:
        return self.metric(self.criterion.predict(outputs), target)


def _to_rows(data: TrainingArrays, like: Tensor) -> Rows:
    weights = data.sample_weight
    rows = Rows(
        to_tensor(data.X, like, "X"),
        to_tensor(data.y, like, "y"),
        None if weights is None else to_tensor(weights, like, "sample_weight"),
    )
    check_weigh(rows.weights)
    return rows
