"""A training under way, as every engine sees it: where it begins, its callbacks, its end."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from abline.nets.callbacks import due_hooks, hooks_of
from abline.nets.training import TrainingState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abline.nets.callbacks.calls import Hook
    from abline.nets.training import History, Job, TrainingJob


class Attended:
    """A training under way, as its callbacks see it.

    Parameters
    ----------
    job : Job
    engine : str
        What runs the steps.

    Attributes
    ----------
    state : TrainingState
        With a history of as many epochs as a training has that goes on.
    first_epoch : int
        The first to run.
    """

    def __init__(self, job: Job, engine: str) -> None:
        self._job = job
        history = _empty_history(job) | (job.resume.past() if job.resume else {})
        self.first_epoch = len(history["epoch"])
        self.state = TrainingState(
            max(self.first_epoch - 1, 0),
            job.max_epochs,
            job.module,
            job.optimizer,
            history,
            job.has_validation,
            engine=engine,
            job=job,
        )
        self._start = time.perf_counter() - (history["seconds"][-1] if self.first_epoch else 0.0)
        self._begun: list[Any] = []

    @property
    def seconds(self) -> float:
        """Since the start, without the time between the parts of a training that went on."""
        return time.perf_counter() - self._start

    def end_epoch(self, line: Mapping[str, float]) -> None:
        """Add an epoch's line to the history and call the callbacks that are due."""
        for column, values in self.state.history.items():
            values.append(line[column])
        self.call_due()

    def call_due(self) -> None:
        """Call the callbacks that are due after the state's epoch."""
        if self._job.callbacks:
            for hook in due_hooks(self._job.callbacks, self.state):
                self._call(hook)

    def close(self) -> None:
        """Call the callbacks that wait for the last epoch, once an engine finds that it was."""
        state = self.state
        if state.stop or state.epoch == state.max_epochs - 1 or not state.history["epoch"]:
            return  # they have been called, or there was none
        seen = list(due_hooks(self._job.callbacks, state))
        state.stop = True
        for hook in due_hooks(self._job.callbacks, state):
            if hook not in seen:
                self._call(hook)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Begin the training, and end it also where the body fails."""
        try:
            self._begin()
            yield
        finally:
            self._end()

    def _begin(self) -> None:
        """Put everything where the training is to go on, and call ``on_train_begin``."""
        resume = self._job.resume
        if resume:
            resume.put_weights(self._job)
        for callback in self._job.callbacks:
            for hook in hooks_of([callback], "on_train_begin"):
                self._call(hook)
            self._begun.append(callback)
        if resume:
            resume.put_rest(self._job)
            self.state.stop = resume.stop

    def _end(self) -> None:
        """Call every ``on_train_end``; raise the first error afterwards."""
        errors: list[Exception] = []
        # all of them, so that a progress bar gives the terminal back
        for hook in hooks_of(self._begun, "on_train_end"):
            try:
                self._call(hook)
            except Exception as error:  # raised below
                errors.append(error)
        self._job.module.eval()
        if errors:
            raise errors[0]

    def _call(self, hook: Hook) -> None:
        try:
            hook(self.state)
        except Exception as error:
            self.state.failed = True
            owner = getattr(hook, "__self__", hook)
            name = getattr(hook, "__name__", "hook")
            error.add_note(f"raised by {type(owner).__name__}.{name} at epoch {self.state.epoch}")
            raise


class Session(Attended):
    """One training by an engine.

    Attributes
    ----------
    job : TrainingJob
    """

    def __init__(self, job: TrainingJob, engine: str) -> None:
        super().__init__(job, engine)
        self.job = job
        self._end_batch = hooks_of(job.callbacks, "on_batch_end")
        self._rates = [group["lr"] for group in job.optimizer.param_groups]

    def epochs(self) -> Iterator[int]:
        """Give the epochs to run, one after the other, until a callback stops the training."""
        for epoch in range(self.first_epoch, self.job.max_epochs):
            if self.state.stop:
                return
            self.state.epoch = epoch
            yield epoch

    def set_rate(self, epoch: int, batch: int) -> None:
        """Set the scheduled learning rate of a step, if there is a schedule."""
        if self.job.schedule is None:
            return
        factor = self.job.schedule.factor(epoch * self.job.steps_per_epoch + batch)
        for group, rate in zip(self.job.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def rates(self, epoch: int, epochs: int) -> list[float]:
        """Give the first group's learning rate in each step of some epochs."""
        steps = self.job.steps_per_epoch
        schedule = self.job.schedule
        if schedule is None:
            return [float(self.job.optimizer.param_groups[0]["lr"])] * (epochs * steps)
        first = epoch * steps
        return [self._rates[0] * schedule.factor(first + k) for k in range(epochs * steps)]

    def end_batch(self) -> None:
        """Call the callbacks that wait for each step."""
        for hook in self._end_batch:
            self._call(hook)


@contextmanager
def training_session(job: TrainingJob, engine: str) -> Iterator[Session]:
    """Begin a training, and end it also where it fails.

    Parameters
    ----------
    job : TrainingJob
        Its module ends in evaluation mode.
    engine : str
        What runs the steps.

    Yields
    ------
    Session
    """
    session = Session(job, engine)
    with session.under_way():
        yield session


def _empty_history(job: Job) -> History:
    columns = ["epoch", "train_loss", "valid_loss", "seconds", "lr"]
    for name in job.metrics:
        columns += [f"train_{name}", f"valid_{name}"]
    return {column: [] for column in columns}
