"""The plain training loop: any module, any device, and the reference for other engines.

Epoch e's training loss is that of the weights before its update (for minibatches the mean of
the batches' losses, each before its own), its validation loss that of the weights after it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from abline.errors import DivergedError
from abline.nets.session import training_session
from abline.nets.training import outputs_of
from abline.nets.weights import GoodWeights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abline.nets.session import Session
    from abline.nets.training import History, Rows, TrainingJob

#: torch's own modules whose forward pass is the same in training and evaluation
_MODELESS_FILES = ("linear", "container", "flatten", "activation")
_WITH_MODES = (nn.RReLU, nn.MultiheadAttention)


def run_loop(job: TrainingJob) -> History:
    """Train a job's module.

    Parameters
    ----------
    job : TrainingJob
        Its module and optimizer are changed in place; the module ends in evaluation mode.

    Returns
    -------
    dict of str to list of float
        ``epoch``, ``train_loss``, ``valid_loss`` (NaN without validation rows), ``seconds``
        since the start, ``lr``, and two columns for each metric.

    Raises
    ------
    DivergedError
        If the training loss becomes NaN or infinite.
    KeyboardInterrupt
        If a person interrupts it; the module has the weights with which the epoch began.
    """
    with training_session(job, "loop") as session:
        job.module.train()
        run_epochs(session)
    return session.state.history


def run_epochs(session: Session) -> None:
    """Run the epochs that a training has left.

    Parameters
    ----------
    session : Session
        Under way, its module in training mode.

    Raises
    ------
    DivergedError, KeyboardInterrupt
        As of `run_loop`.
    """
    job = session.job
    toggle = job.valid is not None and has_modes(job.module)
    good = GoodWeights(job.module)
    for epoch in session.epochs():
        good.begin_epoch()
        try:
            line = _run_epoch(session, epoch, toggle)
        except KeyboardInterrupt:
            good.put_back(epochs=1)
            raise
        if not math.isfinite(line["train_loss"]):
            good.put_back(epochs=2)
            history = session.state.history
            raise DivergedError(line["train_loss"], epoch, line["lr"], history, job.module)
        session.end_epoch(line)


def has_modes(module: nn.Module) -> bool:
    """Say whether a module may compute something else in training than in evaluation.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    bool
        False only where every part is known; switching modes costs time in each epoch.

    Examples
    --------
    >>> has_modes(nn.Sequential(nn.Linear(1, 8), nn.ReLU())), has_modes(nn.Dropout(0.1))
    (False, True)
    """
    return any(isinstance(part, _WITH_MODES) or not _modeless(part) for part in module.modules())


def _modeless(module: nn.Module) -> bool:
    package, _, file = type(module).__module__.rpartition(".")
    return package == "torch.nn.modules" and file in _MODELESS_FILES


def _run_epoch(session: Session, epoch: int, toggle: bool) -> dict[str, float]:
    """Train and score one epoch; give its line of the history."""
    job = session.job
    session.set_rate(epoch, 0)
    lr = float(job.optimizer.param_groups[0]["lr"])
    if toggle:
        job.module.train()
    kept: list[tuple[Tensor, Tensor]] | None = [] if job.metrics else None
    losses, sizes = [], []
    for number, batch in enumerate(_batches(job)):
        session.set_rate(epoch, number)
        size = len(batch) if batch.weights is None else batch.weights.sum().item()
        if size:  # rows that do not count make no step
            losses.append(_step(job, batch, kept))
            sizes.append(size)
        session.end_batch()
    line = {"epoch": epoch, "train_loss": _mean(losses, sizes), "valid_loss": math.nan, "lr": lr}
    if not math.isfinite(line["train_loss"]):
        return line
    if toggle:
        job.module.eval()
    if kept is not None:
        outputs = torch.cat([part for part, _ in kept])
        target = torch.cat([part for _, part in kept])
        line |= {f"train_{name}": metric(outputs, target) for name, metric in job.metrics.items()}
    line |= _validate(job)
    line["seconds"] = session.seconds
    return line


def _validate(job: TrainingJob) -> dict[str, float]:
    if job.valid is None:
        return {f"valid_{name}": math.nan for name in job.metrics}
    outputs = outputs_of(job.module, job.valid.X)
    with torch.inference_mode():
        line = {"valid_loss": job.loss(outputs, job.valid.y, job.valid.weights).item()}
        for name, metric in job.metrics.items():
            line[f"valid_{name}"] = metric(outputs, job.valid.y)
    return line


def _batches(job: TrainingJob) -> Iterator[Rows]:
    rows = job.train
    if job.batch_size is None or (job.batch_size >= len(rows) and not job.shuffle):
        yield rows
        return
    if not job.shuffle:
        for first in range(0, len(rows), job.batch_size):
            yield rows.take(slice(first, first + job.batch_size))
        return
    order = torch.randperm(len(rows), generator=job.generator).to(rows.X.device)
    for index in torch.split(order, job.batch_size):
        yield rows.take(index)


def _step(job: TrainingJob, batch: Rows, kept: list[tuple[Tensor, Tensor]] | None) -> Tensor:
    """Take one step; give the loss before it."""
    first: list[Tensor] = []

    def closure() -> Any:  # torch types it as float, which would wait for the device
        job.optimizer.zero_grad()
        outputs = job.module(batch.X)
        loss = job.loss(outputs, batch.y, batch.weights)
        torch.autograd.backward(loss)
        if job.clip_grad_value is not None:
            nn.utils.clip_grad_value_(job.module.parameters(), job.clip_grad_value)
        if job.clip_grad_norm is not None:
            nn.utils.clip_grad_norm_(job.module.parameters(), job.clip_grad_norm)
        if not first:  # L-BFGS asks several times in one step
            first.append(loss.detach())
            if kept is not None:
                kept.append((outputs.detach(), batch.y))
        return loss

    job.optimizer.step(closure)
    return first[0]


def _mean(losses: list[Tensor], sizes: list[float]) -> float:
    if len(losses) == 1:
        return float(losses[0])
    values = torch.stack(losses).tolist()  # one wait for the device, not one a batch
    total = sum(loss * size for loss, size in zip(values, sizes, strict=True))
    return float(total / sum(sizes))
