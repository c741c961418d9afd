"""The members of an ensemble trained by compiled kernels, each by itself.

It is the training of `abline.nets.members` to rounding errors (but for dropout's draws): the same
batches, rates, losses and weights that are kept. What the members have in common is only the order
of the rows, so they run in as many threads as BLAS may have.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from abline.errors import DivergedError
from abline.linear.threads import in_order
from abline.nets.engines.fused import codes
from abline.nets.engines.fused.kernels import Kernels
from abline.nets.engines.fused.rules import LossRule, OptimizerRule
from abline.nets.engines.fused.stack import find_stack
from abline.nets.engines.fused.tables import FusedLayer, FusedRows
from abline.nets.modules import ACTIVATIONS
from abline.nets.session import training_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from abline.nets.ensemble import MemberLinear, MLPEnsemble
    from abline.nets.members import MemberLoss
    from abline.nets.training import History, Rows, TrainingJob


def run_members(job: TrainingJob, ensemble: MLPEnsemble, loss: MemberLoss) -> History:
    """Train the members of an ensemble.

    Parameters
    ----------
    job : TrainingJob
        With AdamW over the ensemble's layers, validation rows, batches that are shuffled and a
        schedule; weights of rows are of shape (n, members).
    ensemble : MLPEnsemble
        On the CPU; trained in place.
    loss : MemberLoss
        The job's.

    Returns
    -------
    dict of str to list of float

    Raises
    ------
    NotFused
        If kernels do not know the activation; nothing has changed then.
    DivergedError
        If a member's loss becomes NaN or infinite.
    """
    layers = _layers(ensemble)
    vectors = _adopt(ensemble)
    try:
        with training_session(job, "fused") as session:
            members = _members(job, ensemble, layers, vectors)
            for epoch in session.epochs():
                order = torch.randperm(len(job.train), generator=job.generator).numpy()
                rates = np.array(session.rates(epoch, 1))
                losses = list(in_order(partial(_Member.run, order=order, rates=rates), members))
                train, valid = np.array(losses).T
                if not np.isfinite(train).all():
                    history, lr = session.state.history, float(rates[0])
                    raise DivergedError(float(train.mean()), epoch, lr, history, job.module)
                loss.by_member = torch.from_numpy(valid)
                session.end_epoch(
                    {
                        "epoch": epoch,
                        "train_loss": float(train.mean()),
                        "valid_loss": float(valid.mean()),
                        "seconds": session.seconds,
                        "lr": float(rates[0]),
                    }
                )
    finally:
        _release(ensemble)
    return session.state.history


class _Member:
    """One member's rows, weights and optimizer."""

    def __init__(self, kernels: Kernels, rows: FusedRows, valid: FusedRows) -> None:
        self._kernels = kernels
        self._rows = rows
        self._valid = valid
        self._memory = (np.zeros_like(kernels.params), np.zeros_like(kernels.params))
        self._step = self._drawn = 0

    def run(self, order: NDArray[np.int64], rates: NDArray[np.float64]) -> tuple[float, float]:
        """Train an epoch; give the training loss and the validation loss."""
        train_loss, valid_loss = np.full(1, math.nan), np.full(1, math.nan)
        _, self._step = self._kernels.train(
            self._rows, self._valid, order, self._drawn, rates, self._memory, self._step,
            train_loss, valid_loss,
        )  # fmt: skip
        self._drawn += len(self._rows)
        return float(train_loss[0]), float(valid_loss[0])


def _members(
    job: TrainingJob, ensemble: MLPEnsemble, layers: Sequence[FusedLayer], vectors: NDArray[Any]
) -> list[_Member]:
    count, t = ensemble.members, ensemble.n_outputs
    group = job.optimizer.param_groups[0]
    settings = np.array([*group["betas"], group["eps"], group["weight_decay"], 0.0])
    rule = OptimizerRule(codes.ADAMW, settings, ("exp_avg", "exp_avg_sq"))
    # the loss is the mean over members, of which this one is a part
    loss = LossRule(codes.SQUARED, slope_share=1.0 / (count * t))
    assert job.valid is not None  # every member has validation rows
    assert job.batch_size is not None  # and trains by batches
    made = []
    for member in range(count):
        kernels = Kernels(
            layers,
            vectors[member],
            loss,
            t,
            rule,
            min(job.batch_size, len(job.train)),
            seed=(job.generator.initial_seed() + member) & (2**62 - 1),
        )
        rows, valid = (_rows(each, member, t) for each in (job.train, job.valid))
        made.append(_Member(kernels, rows, valid))
    return made


def _rows(rows: Rows, member: int, t: int) -> FusedRows:
    assert rows.weights is not None  # which tell members apart
    return FusedRows(
        np.ascontiguousarray(rows.X.numpy()),
        np.ascontiguousarray(rows.y[:, member * t : (member + 1) * t].numpy()),
        np.ascontiguousarray(rows.weights[:, member].numpy()),
    )


def _layers(ensemble: MLPEnsemble) -> list[FusedLayer]:
    """Lay out a member's parameters: each layer's weights of shape (out, in), then its biases."""
    activation = ACTIVATIONS[ensemble.activation]()
    between = find_stack(nn.Sequential(nn.Linear(1, 1), activation)).layers[0]
    found, place = [], 0
    for layer in _linears(ensemble):
        _, width, units = layer.weight.shape
        last = layer is ensemble.last
        found.append(
            FusedLayer(
                width,
                units,
                place,
                place + width * units,
                codes.IDENTITY if last else between.activation,
                between.parameter,
                0.0 if last else ensemble.dropout,
            )
        )
        place += width * units + units
    return found


def _linears(ensemble: MLPEnsemble) -> list[MemberLinear]:
    return [cast("MemberLinear", layer) for layer in ensemble.layers]


def _adopt(ensemble: MLPEnsemble) -> NDArray[Any]:
    """Move the members' parameters to one array of shape (members, q), of which they are views."""
    sizes = [math.prod(p.shape[1:]) for p in ensemble.layers.parameters()]
    dtype = ensemble.first.weight.detach().numpy().dtype
    vectors = np.empty((ensemble.members, sum(sizes)), dtype)
    for parameter, view in _views(ensemble, vectors):
        view.copy_(parameter.data)
        parameter.data = view
    return vectors


def _views(
    ensemble: MLPEnsemble, vectors: NDArray[Any]
) -> Iterator[tuple[nn.Parameter, torch.Tensor]]:
    whole, place = torch.from_numpy(vectors), 0
    for layer in _linears(ensemble):
        members, width, units = layer.weight.shape
        part = whole[:, place : place + width * units]
        yield layer.weight, part.view(members, units, width).transpose(1, 2)
        place += width * units
        yield layer.bias, whole[:, place : place + units].view(members, 1, units)
        place += units


def _release(ensemble: MLPEnsemble) -> None:
    """Leave every parameter with storage of its own."""
    for parameter in ensemble.layers.parameters():
        parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)
