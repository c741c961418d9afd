"""The plain training loop: any module, any device, and the reference for other engines.

Epoch e's training loss is that of the weights before its update (for minibatches the mean of
the batches' losses, each before its own), its validation loss that of the weights after it.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from abline.nets.callbacks import due_hooks, hooks_of
from abline.nets.training import History, Rows, TrainingJob, TrainingState, diverged, outputs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abline.nets.callbacks import Callback, Hook

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
    ParameterError
        If the training loss becomes NaN or infinite.
    """
    state = TrainingState(
        0, job.max_epochs, job.module, job.optimizer, _empty_history(job), job.valid is not None
    )
    end_batch = hooks_of(job.callbacks, "on_batch_end")
    begun: list[Callback] = []
    start = time.perf_counter()
    try:
        for callback in job.callbacks:
            for hook in hooks_of([callback], "on_train_begin"):
                hook(state)
            begun.append(callback)
        job.module.train()
        toggle = job.valid is not None and has_modes(job.module)
        for epoch in range(job.max_epochs):
            state.epoch = epoch
            _run_epoch(job, state, toggle, end_batch, start)
            for hook in due_hooks(job.callbacks, state) if job.callbacks else ():
                hook(state)
            if state.stop:
                break
    finally:
        # also after an error, so that a progress bar gives the terminal back
        for hook in hooks_of(begun, "on_train_end"):
            hook(state)
        job.module.eval()
    return state.history


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


def _empty_history(job: TrainingJob) -> History:
    columns = ["epoch", "train_loss", "valid_loss", "seconds", "lr"]
    for name in job.metrics:
        columns += [f"train_{name}", f"valid_{name}"]
    return {column: [] for column in columns}


def _run_epoch(
    job: TrainingJob, state: TrainingState, toggle: bool, end_batch: list[Hook], start: float
) -> None:
    """Train and score one epoch, and add its line to the history."""
    lr = float(job.optimizer.param_groups[0]["lr"])
    if toggle:
        job.module.train()
    kept: list[tuple[Tensor, Tensor]] | None = [] if job.metrics else None
    losses, sizes = [], []
    for batch in _batches(job):
        losses.append(_step(job, batch, kept))
        sizes.append(len(batch) if batch.weights is None else batch.weights.sum().item())
        for hook in end_batch:
            hook(state)
    train_loss = _mean(losses, sizes)
    if not math.isfinite(train_loss):
        raise diverged(train_loss, state.epoch, lr)
    if toggle:
        job.module.eval()
    line = {"epoch": state.epoch, "train_loss": train_loss, "valid_loss": math.nan, "lr": lr}
    if kept is not None:
        outputs = torch.cat([part for part, _ in kept])
        target = torch.cat([part for _, part in kept])
        line |= {f"train_{name}": metric(outputs, target) for name, metric in job.metrics.items()}
    line |= _validate(job)
    line["seconds"] = time.perf_counter() - start
    for column, values in state.history.items():
        values.append(line[column])


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
