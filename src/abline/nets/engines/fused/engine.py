"""The fused engine: a training's epochs in compiled kernels, some at a time.

Kernels run until a callback is due, or for about a tenth of a second, so that a person can
interrupt them.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abline.linear.threads import one_blas_thread
from abline.nets.callbacks import due_hooks, epochs_until_due, hooks_of
from abline.nets.engines.fused.kernel_cache import note_loaded
from abline.nets.engines.fused.memory import SharedMemory
from abline.nets.engines.fused.passes import train_epochs
from abline.nets.engines.fused.rules import LossRule, OptimizerRule, find_loss, find_optimizer
from abline.nets.engines.fused.stack import NotFused, Stack, find_stack
from abline.nets.training import History, Rows, TrainingJob, TrainingState, diverged

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: kernels return at least this often, in seconds
PAUSE = 0.1

#: bytes of a block's values: they are to stay in a core's own cache
BLOCK_BYTES = 512 * 1024

#: numbers of rows that a block may have; BLAS wants some, and its cost for one block is not seen
FEWEST_ROWS, MOST_ROWS = 128, 1024

#: bytes of shuffled row numbers that are drawn ahead
ORDER_BYTES = 8 * 1024**2


class FusedPlan:
    """How kernels run one job.

    Parameters
    ----------
    job : TrainingJob

    Raises
    ------
    NotFused
        If they cannot; the message says why.
    """

    def __init__(self, job: TrainingJob) -> None:
        if job.metrics:
            raise NotFused("metrics need the outputs of each step")
        if hooks_of(job.callbacks, "on_batch_end"):
            raise NotFused("a callback wants to be called after each step")
        self.stack: Stack = find_stack(job.module)
        self.loss: LossRule = find_loss(getattr(job.loss, "criterion", None))
        self.optimizer: OptimizerRule = find_optimizer(job.optimizer, self.stack)
        if job.train.X.ndim != 2:
            raise NotFused("features are not a table")


def run_fused(job: TrainingJob, plan: FusedPlan | None = None) -> History:
    """Train a job's module.

    Parameters
    ----------
    job : TrainingJob
        Its module and optimizer are changed in place; the module ends in evaluation mode.
    plan : FusedPlan, optional
        Where it was made already.

    Returns
    -------
    dict of str to list of float
        As of `run_loop`; ``seconds`` within a run of the kernels are evenly spread.

    Raises
    ------
    NotFused
        If kernels do not know the module, loss or optimizer; nothing has changed then.
    ParameterError
        If the training loss becomes NaN or infinite.
    """
    return _Run(job, plan or FusedPlan(job)).train()


class _Run:
    """One training under way."""

    def __init__(self, job: TrainingJob, plan: FusedPlan) -> None:
        self.job, self.plan = job, plan
        columns = ("epoch", "train_loss", "valid_loss", "seconds", "lr")
        self.history: History = {column: [] for column in columns}
        self.state = TrainingState(
            0, job.max_epochs, job.module, job.optimizer, self.history, job.valid is not None
        )
        self.train_rows = _arrays(job.train)
        self.valid_rows = _arrays(job.valid or job.train.take(slice(0, 0)))
        n = len(job.train)
        self.batch = n if job.batch_size is None else min(job.batch_size, n)
        self.steps = -(-n // self.batch)
        self.shuffles = job.shuffle and job.batch_size is not None
        self.block = block_rows(plan.stack, self.train_rows[0].itemsize, max(self.batch, 1))
        rows = 2 * plan.stack.depth * self.block
        self.space = np.empty((6, max(rows, plan.stack.n_parameters)), self.train_rows[0].dtype)
        self.seed = job.generator.initial_seed() & (2**62 - 1)

    def train(self) -> History:
        """Run all epochs, with the callbacks' hooks."""
        job, state = self.job, self.state
        begun: list[Any] = []
        self.start = time.perf_counter()
        try:
            for callback in job.callbacks:
                for hook in hooks_of([callback], "on_train_begin"):
                    hook(state)
                begun.append(callback)
            with (
                one_blas_thread(),
                SharedMemory(self.plan.stack, job.optimizer, self.plan.optimizer) as memory,
            ):
                epoch, per_epoch = 0, math.inf
                while epoch < job.max_epochs and not state.stop:
                    most = 1 if per_epoch == math.inf else int(PAUSE / per_epoch)
                    due = epochs_until_due(job.callbacks, epoch, job.max_epochs)
                    epochs = min(max(1, most), due, self._orders_at_once())
                    began = time.perf_counter()
                    self._run(memory, epoch, epochs)
                    per_epoch = max((time.perf_counter() - began) / epochs, 1e-9)
                    epoch += epochs
                    state.epoch = epoch - 1
                    for hook in due_hooks(job.callbacks, state):
                        hook(state)
        finally:
            for hook in hooks_of(begun, "on_train_end"):
                hook(state)
            job.module.eval()
        return self.history

    def _run(self, memory: SharedMemory, epoch: int, epochs: int) -> None:
        plan, lr = self.plan, float(self.job.optimizer.param_groups[0]["lr"])
        layers, options = plan.stack.table()
        began = time.perf_counter() - self.start
        train_losses = np.empty(epochs)
        valid_losses = np.full(epochs, math.nan)
        done = train_epochs(
            epoch, epochs, layers, options, plan.loss.array(self.train_rows[1].shape[1]),
            *self.train_rows, self._orders(epochs), self.batch, self.block, plan.optimizer.code,
            plan.optimizer.settings, np.array([math.inf, math.inf]),
            np.full(epochs * self.steps, lr), 0.0, memory.step, memory.params, memory.grads,
            memory.first, memory.second, self.space, self.seed, *self.valid_rows, train_losses,
            valid_losses,
        )  # fmt: skip
        note_loaded(str(memory.params.dtype))
        if done < epochs:
            raise diverged(float(train_losses[done]), epoch + done, lr)
        memory.step += epochs * self.steps
        memory.note_steps()
        ended = time.perf_counter() - self.start
        self.history["epoch"] += list(range(epoch, epoch + epochs))
        self.history["train_loss"] += train_losses.tolist()
        self.history["valid_loss"] += valid_losses.tolist()
        self.history["seconds"] += np.linspace(began, ended, epochs + 1)[1:].tolist()
        self.history["lr"] += [lr] * epochs

    def _orders(self, epochs: int) -> NDArray[np.int64]:
        if not self.shuffles:
            return np.empty((epochs, 0), dtype=np.int64)
        n = len(self.job.train)
        drawn = [torch.randperm(n, generator=self.job.generator) for _ in range(epochs)]
        return torch.stack(drawn).numpy()

    def _orders_at_once(self) -> int:
        if not self.shuffles:
            return self.job.max_epochs
        return max(1, ORDER_BYTES // (8 * len(self.job.train)))


def block_rows(stack: Stack, itemsize: int, batch: int) -> int:
    """Give the rows of a block: as many as keep their values in a core's cache.

    Parameters
    ----------
    stack : Stack
    itemsize : int
        Bytes of a number.
    batch : int
        Rows of a step; a block has no more.

    Returns
    -------
    int
        Depends on the network and the batch alone, so that sums do not depend on the machine.
    """
    fit = BLOCK_BYTES // (2 * stack.depth * itemsize)
    return min(batch, max(FEWEST_ROWS, min(fit // 64 * 64, MOST_ROWS)))


def _arrays(rows: Rows) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Give rows as kernels take them: C-contiguous tables, and no weights as none."""
    X = np.ascontiguousarray(rows.X.numpy())
    y = np.ascontiguousarray(rows.y.numpy().reshape(len(X), *(rows.y.shape[1:] or (1,))))
    weights = np.empty(0, X.dtype) if rows.weights is None else rows.weights.numpy()
    return X, y, weights
