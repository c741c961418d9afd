"""The fused engine: a training's epochs in compiled kernels, some at a time.

Kernels run until a callback is due, or for about a tenth of a second, so that a person can
interrupt them.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abline.errors import DivergedError
from abline.linear.threads import one_blas_thread
from abline.nets.callbacks import epochs_until_due, hooks_of
from abline.nets.engines.fused.kernels import Kernels
from abline.nets.engines.fused.marks import Marks
from abline.nets.engines.fused.memory import SharedMemory
from abline.nets.engines.fused.rules import LossRule, OptimizerRule, find_loss, find_optimizer
from abline.nets.engines.fused.stack import NotFused, Stack, find_stack
from abline.nets.engines.fused.tables import FusedRows, layers_of
from abline.nets.engines.loop import run_epochs
from abline.nets.offset import PlusOffset
from abline.nets.session import training_session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from abline.nets.session import Session
    from abline.nets.training import History, Rows, TrainingJob

#: kernels return at least this often, in seconds
PAUSE = 0.1

#: bytes of shuffled row numbers that are drawn ahead
ORDER_BYTES = 8 * 1024**2


class FusedPlan:
    """How kernels run one job.

    Parameters
    ----------
    job : TrainingJob

    Attributes
    ----------
    left : str
        Why the plain loop ran the last epochs; empty where kernels ran all.

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
        self.has_offset = isinstance(job.module, PlusOffset)
        self.network = job.module.module if isinstance(job.module, PlusOffset) else job.module
        self.stack: Stack = find_stack(self.network)
        self.loss: LossRule = find_loss(getattr(job.loss, "criterion", None))
        self.optimizer: OptimizerRule = find_optimizer(job.optimizer, self.stack)
        criterion = getattr(job.loss, "criterion", None)
        self.marks = Marks(self.stack, self.network, criterion, job.optimizer)
        self.left = ""
        if job.train.X.ndim != 2:
            raise NotFused("features are not a table")

    def why_not(self, job: TrainingJob) -> str:
        """Say why kernels cannot run the job once callbacks have begun; empty where they can."""
        try:
            if self.marks.changed():
                self.renew(job)
        except NotFused as reason:
            return str(reason)
        return ""

    def renew(self, job: TrainingJob) -> None:
        """Follow what a callback has changed.

        Raises
        ------
        NotFused
            If kernels cannot.
        """
        if find_stack(self.network) != self.stack:
            raise NotFused("the network has changed")
        optimizer = find_optimizer(job.optimizer, self.stack)
        if (optimizer.code, optimizer.memory) != (self.optimizer.code, self.optimizer.memory):
            raise NotFused("the optimizer has changed")
        if find_loss(getattr(job.loss, "criterion", None)) != self.loss:
            raise NotFused("the loss has changed")
        self.optimizer = optimizer


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
    DivergedError
        If the training loss becomes NaN or infinite.
    """
    plan = plan or FusedPlan(job)
    with training_session(job, "fused") as session:
        plan.left = plan.why_not(job)
        job.module.train()
        try:
            if not plan.left:
                _Run(session, plan).train()
        except NotFused as reason:  # since a callback changed what is trained
            plan.left = str(reason)
        if plan.left:
            session.first_epoch = len(session.state.history["epoch"])
            plan.left += f" before epoch {session.first_epoch}"
            session.state.engine = "loop"
            run_epochs(session)
    return session.state.history


@dataclass(frozen=True)
class _Chunk:
    """Epochs that run at once, and what they began with."""

    epoch: int
    epochs: int
    orders: NDArray[np.int64] | None
    rates: NDArray[np.float64]
    settings: NDArray[np.float64]
    step: int
    vectors: tuple[NDArray[Any], ...]


class _Run:
    """One training under way."""

    def __init__(self, session: Session, plan: FusedPlan) -> None:
        job = session.job
        self.session, self.job, self.plan = session, job, plan
        self.train_rows = _fused_rows(job.train, has_offset=plan.has_offset)
        self.valid_rows = _fused_rows(job.valid, has_offset=plan.has_offset) if job.valid else None
        n = len(job.train)
        self.batch = n if job.batch_size is None else min(job.batch_size, n)
        self.shuffles = job.shuffle and job.batch_size is not None
        self.chunks: list[_Chunk] = []

    def train(self) -> None:
        """Run all epochs that are left, with the callbacks' hooks."""
        job, state = self.job, self.session.state
        marks = self.plan.marks
        with (
            one_blas_thread(),
            SharedMemory(self.plan.stack, job.optimizer, self.plan.optimizer) as memory,
        ):
            self.kernels = self._make_kernels(memory)
            marks.note()
            epoch, per_epoch = self.session.first_epoch, math.inf
            while epoch < job.max_epochs and not state.stop:
                most = 1 if per_epoch == math.inf else int(PAUSE / per_epoch)
                due = epochs_until_due(job.callbacks, epoch, job.max_epochs)
                epochs = min(max(1, most), due, self._orders_at_once())
                began = time.perf_counter()
                try:
                    self._run(memory, epoch, epochs)
                except KeyboardInterrupt:
                    self._undo(memory, epoch)
                    raise
                per_epoch = max((time.perf_counter() - began) / epochs, 1e-9)
                epoch += epochs
                state.epoch = epoch - 1
                self.session.call_due()
                if marks.changed(memory.step) and not state.stop and epoch < job.max_epochs:
                    self.plan.renew(job)
                    self._check_mode()
                    memory.renew()

    def _check_mode(self) -> None:
        """Refuse dropout that a callback has turned off; validations turn it on again."""
        plan = self.plan
        if self.valid_rows is not None or not any(layer.dropout for layer in plan.stack.layers):
            return
        if not all(part.training for part in plan.network.modules()):
            raise NotFused("a callback changed the mode")

    def _run(self, memory: SharedMemory, epoch: int, epochs: int) -> None:
        """Run a chunk of epochs and add them to the history."""
        began = self.session.seconds
        rates = np.array(self.session.rates(epoch, epochs))
        vectors = tuple(each.copy() for each in (memory.params, memory.first, memory.second))
        # a callback may have changed betas or momentum, as cyclic schedules do
        settings = self.plan.optimizer.settings
        orders = self._orders(epochs)
        chunk = _Chunk(epoch, epochs, orders, rates, settings, memory.step, vectors)
        self.chunks = [*self.chunks[-1:], chunk]
        train_losses = np.empty(epochs)
        valid_losses = np.full(epochs, math.nan)
        done = self._train(memory, chunk, train_losses, valid_losses)
        memory.note_steps()
        lr = rates.reshape(epochs, -1)[:, 0].tolist()
        history = self.session.state.history
        history["epoch"] += list(range(epoch, epoch + done))
        history["train_loss"] += train_losses[:done].tolist()
        history["valid_loss"] += valid_losses[:done].tolist()
        each = (self.session.seconds - began) / epochs
        history["seconds"] += [began + each * (k + 1) for k in range(done)]
        history["lr"] += lr[:done]
        if done < epochs:
            self._put_back(memory, epoch + done - 1)
            loss, module = float(train_losses[done]), self.job.module
            raise DivergedError(loss, epoch + done, lr[done], history, module)
        self.session.set_rate(epoch + epochs - 1, self.job.steps_per_epoch - 1)

    def _undo(self, memory: SharedMemory, epoch: int) -> None:
        """Go back to the beginning of a chunk that was interrupted."""
        for values in self.session.state.history.values():
            del values[epoch:]
        if self.chunks and self.chunks[-1].epoch == epoch:
            memory.take(self.chunks[-1].vectors)
            memory.step = self.chunks[-1].step
            memory.note_steps()

    def _put_back(self, memory: SharedMemory, epoch: int) -> None:
        """Take the weights with which an epoch began, by running what was before it again."""
        chunk = next((each for each in self.chunks if epoch < each.epoch + each.epochs), None)
        if chunk is None:
            return
        memory.take(chunk.vectors)
        memory.step = chunk.step
        if epoch > chunk.epoch:
            again = replace(chunk, epochs=epoch - chunk.epoch)
            self._train(memory, again, np.empty(again.epochs), np.empty(again.epochs))
        memory.note_steps()

    def _train(
        self,
        memory: SharedMemory,
        chunk: _Chunk,
        train_losses: NDArray[np.float64],
        valid_losses: NDArray[np.float64],
    ) -> int:
        drawn = chunk.epoch * len(self.train_rows)
        self.kernels.settings = chunk.settings
        vectors = (memory.first, memory.second)
        done, memory.step = self.kernels.train(
            self.train_rows, self.valid_rows, chunk.orders, drawn, chunk.rates, vectors,
            memory.step, train_losses, valid_losses,
        )  # fmt: skip
        return done

    def _make_kernels(self, memory: SharedMemory) -> Kernels:
        job, plan = self.job, self.plan
        norm, value = job.clip_grad_norm, job.clip_grad_value
        return Kernels(
            layers_of(plan.stack),
            memory.params,
            plan.loss,
            self.train_rows.y.shape[1],
            plan.optimizer,
            max(self.batch, 1),
            clip_norm=math.inf if norm is None else norm,
            clip_value=math.inf if value is None else value,
            seed=job.generator.initial_seed() & (2**62 - 1),
        )

    def _orders(self, epochs: int) -> NDArray[np.int64] | None:
        if not self.shuffles:
            return None
        n = len(self.job.train)
        drawn = [torch.randperm(n, generator=self.job.generator) for _ in range(epochs)]
        return torch.stack(drawn).numpy()

    def _orders_at_once(self) -> int:
        if not self.shuffles:
            return self.job.max_epochs
        return max(1, ORDER_BYTES // (8 * len(self.job.train)))


def _fused_rows(rows: Rows, *, has_offset: bool) -> FusedRows:
    X = np.ascontiguousarray(rows.X.numpy())
    y = np.ascontiguousarray(rows.y.numpy().reshape(len(X), *(rows.y.shape[1:] or (1,))))
    weights = None if rows.weights is None else np.ascontiguousarray(rows.weights.numpy())
    return FusedRows(X, y, weights, has_offset)
