"""What happens beside the training: logs, stopping, learning rates.

A callback is a small object with the hooks it needs and no others. A fit works on shallow
copies of the callbacks it is given, so they can be shared between estimators; start afresh in
``on_train_begin``.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import torch

from abline.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from torch import Tensor

    from abline.nets.training import TrainingState

    Hook = Callable[[TrainingState], None]

#: the history's columns that every fit has
NOT_METRICS = ("epoch", "train_loss", "valid_loss", "seconds", "lr")

HOOKS = ("on_train_begin", "on_batch_end", "on_epoch_end", "on_train_end")


class Callback:
    """The base of callbacks: four hooks that do nothing.

    Any object with at least one of them will do.

    Attributes
    ----------
    every : int or None, default=1
        ``on_epoch_end`` runs after the epochs that this divides, and after the last one. None is
        "now and then": whenever the engine pauses, which it does several times a second. Engines
        that run many epochs at once are the faster the less often they are asked to pause.

    Examples
    --------
    >>> class Count(Callback):
    ...     def on_train_begin(self, state):
    ...         self.epochs = []
    ...
    ...     def on_epoch_end(self, state):
    ...         self.epochs.append(state.epoch)
    """

    every: int | None = 1

    def on_train_begin(self, state: TrainingState) -> None:
        """Run before the first epoch."""

    def on_batch_end(self, state: TrainingState) -> None:
        """Run after each step."""

    def on_epoch_end(self, state: TrainingState) -> None:
        """Run after each epoch, when its line is in ``state.history``."""

    def on_train_end(self, state: TrainingState) -> None:
        """Run at the end, also when the training failed or was interrupted."""


def hooks_of(callbacks: Sequence[Any], name: str) -> list[Hook]:
    """Give the hooks of one name that do something.

    Parameters
    ----------
    callbacks : sequence of Callback
    name : str
        One of `HOOKS`.

    Returns
    -------
    list of callable
        In the callbacks' order, without those that `Callback` itself has.
    """
    return [
        getattr(callback, name)
        for callback in callbacks
        if hasattr(callback, name)
        and getattr(type(callback), name, None) is not getattr(Callback, name)
    ]


def epochs_until_due(callbacks: Sequence[Any], epoch: int, max_epochs: int) -> int:
    """Count the epochs that can run before a callback has to be called.

    Parameters
    ----------
    callbacks : sequence of Callback
    epoch : int
        The next to run, counted from 0.
    max_epochs : int

    Returns
    -------
    int
        1 or more, as many as are left where no callback waits for an epoch.

    Examples
    --------
    >>> epochs_until_due([PrintLog(every=100)], 1, 1000)
    100
    """
    last = max_epochs - 1
    for callback in callbacks:
        every = getattr(callback, "every", 1)
        if every is not None and hooks_of([callback], "on_epoch_end"):
            last = min(last, -(-epoch // every) * every)
    return last - epoch + 1


def due_hooks(callbacks: Sequence[Any], state: TrainingState) -> list[Hook]:
    """Give the ``on_epoch_end`` of the callbacks that are to see this epoch.

    Parameters
    ----------
    callbacks : sequence of Callback
    state : TrainingState

    Returns
    -------
    list of callable
    """
    last = state.stop or state.epoch == state.max_epochs - 1
    due = []
    for callback in callbacks:
        every = getattr(callback, "every", 1)
        if last or every is None or state.epoch % every == 0:
            due += hooks_of([callback], "on_epoch_end")
    return due


class PrintLog(Callback):
    """Print the losses of every k-th epoch and of the last.

    Parameters
    ----------
    every : int, default=1
        Epochs from one line to the next.
    write : callable, default=print
        Takes each line.

    Examples
    --------
    >>> log = PrintLog(every=1000, write=lambda line: None)
    """

    def __init__(self, every: int = 1, write: Callable[[str], object] = print) -> None:
        self.every = every
        self.write = write

    def on_epoch_end(self, state: TrainingState) -> None:
        """Print a line."""
        parts = [f"train loss {state.history['train_loss'][-1]:.4g}"]
        if state.has_validation:
            parts.append(f"validation loss {state.history['valid_loss'][-1]:.4g}")
        for column, values in state.history.items():
            if column not in NOT_METRICS and not math.isnan(values[-1]):
                parts.append(f"{column} {values[-1]:.4g}")
        self.write(f"epoch {state.epoch}: {', '.join(parts)}")


class ProgressBar(Callback):
    """Show the epochs and the loss in one line of a terminal; silent on anything else.

    Parameters
    ----------
    description : str, default="training"
        Stands before the bar.
    console : rich.console.Console, optional
        Where to draw; standard error by default.

    Examples
    --------
    >>> bar = ProgressBar("the network")
    """

    every = None

    #: drawing takes longer than a small network's epoch
    SECONDS_BETWEEN_UPDATES = 0.1

    def __init__(self, description: str = "training", console: Console | None = None) -> None:
        self.description = description
        self.console = console

    def on_train_begin(self, state: TrainingState) -> None:
        """Draw the empty bar."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        console = self.console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task(self.description, total=state.max_epochs, losses="")
        self._progress.start()
        self._drawn = -math.inf

    def on_epoch_end(self, state: TrainingState) -> None:
        """Move the bar on, a few times a second."""
        now = time.monotonic()
        if now - self._drawn < self.SECONDS_BETWEEN_UPDATES and not state.stop:
            return
        self._drawn = now
        losses = f"loss {state.history['train_loss'][-1]:.4g}"
        if state.has_validation:
            losses += f", validation {state.history['valid_loss'][-1]:.4g}"
        self._progress.update(self._task, completed=state.epoch + 1, losses=losses)

    def on_train_end(self, state: TrainingState) -> None:  # noqa: ARG002 - a hook's signature
        """Take the bar away."""
        self._progress.stop()


class EarlyStopping(Callback):
    """Stop when a loss or metric no longer improves, and take the best weights.

    Parameters
    ----------
    monitor : str, default="valid_loss"
        A column of the history.
    patience : int, default=10
        Epochs without improvement to wait for.
    min_delta : float, default=0.0
        The least change that counts as an improvement, in units of the monitored column.
    restore_best : bool, default=True
        Whether the module ends with the weights of the best epoch rather than the last.
    greater_is_better : bool, optional
        By default only losses (``..._loss``) are better when smaller; metrics have
        scikit-learn's sign.

    Raises
    ------
    ParameterError
        At the start of the fit: if there is no such column, or it needs validation rows and
        there are none.

    Examples
    --------
    >>> stopping = EarlyStopping(patience=20)
    """

    def __init__(
        self,
        monitor: str = "valid_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
        *,
        greater_is_better: bool | None = None,
    ) -> None:
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.restore_best = restore_best
        self.greater_is_better = greater_is_better

    def on_train_begin(self, state: TrainingState) -> None:
        """Forget earlier fits."""
        if self.monitor not in state.history:
            near = did_you_mean(self.monitor, state.history)
            raise ParameterError(f"EarlyStopping cannot watch {self.monitor!r}: {near}")
        if self.monitor.startswith("valid_") and not state.has_validation:
            raise ParameterError(
                f"EarlyStopping watches {self.monitor!r} but there are no validation rows: "
                "pass eval_set=(X_val, y_val) to fit"
            )
        greater = self.greater_is_better
        if greater is None:
            greater = not self.monitor.endswith("_loss")
        self._sign = -1.0 if greater else 1.0
        self._best = math.inf
        self._best_epoch = -1
        self._weights: list[Tensor] = []

    def on_epoch_end(self, state: TrainingState) -> None:
        """Compare this epoch with the best."""
        value = self._sign * state.history[self.monitor][-1]
        if value < self._best - self.min_delta or self._best_epoch < 0:
            self._best = value
            self._best_epoch = state.epoch
            if self.restore_best:
                self._keep(state.module)
        elif state.epoch - self._best_epoch >= self.patience:
            state.stop = True

    def on_train_end(self, state: TrainingState) -> None:
        """Put the best weights back."""
        if self._weights:
            with torch.no_grad():
                for tensor, best in zip(_tensors(state.module), self._weights, strict=True):
                    tensor.copy_(best)

    def _keep(self, module: torch.nn.Module) -> None:
        with torch.no_grad():
            if not self._weights:
                self._weights = [tensor.detach().clone() for tensor in _tensors(module)]
            for best, tensor in zip(self._weights, _tensors(module), strict=True):
                best.copy_(tensor)


class LRScheduler(Callback):
    """Change the learning rate with one of ``torch.optim.lr_scheduler``'s classes.

    Parameters
    ----------
    scheduler : class
        Such as ``torch.optim.lr_scheduler.CosineAnnealingLR``.
    per : {"epoch", "batch"}, default="epoch"
        When to step. ``ReduceLROnPlateau`` gets the validation loss, or the training loss
        where there are no validation rows.
    **arguments
        The scheduler's own, such as ``T_max=100``.

    Examples
    --------
    >>> decay = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=100)
    """

    def __init__(
        self, scheduler: Callable[..., Any], *, per: str = "epoch", **arguments: Any
    ) -> None:
        if per not in ("epoch", "batch"):
            raise ParameterError(f"LRScheduler's per is {per!r}: choose 'epoch' or 'batch'")
        self.scheduler = scheduler
        self.per = per
        self.arguments = arguments

    def on_train_begin(self, state: TrainingState) -> None:
        """Make the scheduler for this fit's optimizer."""
        self._scheduler = self.scheduler(state.optimizer, **self.arguments)

    def on_batch_end(self, state: TrainingState) -> None:  # noqa: ARG002 - a hook's signature
        """Step after a batch, if asked to."""
        if self.per == "batch":
            self._scheduler.step()

    def on_epoch_end(self, state: TrainingState) -> None:
        """Step after an epoch, if asked to."""
        if self.per == "batch":
            return
        if isinstance(self._scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            column = "valid_loss" if state.has_validation else "train_loss"
            self._scheduler.step(state.history[column][-1])
        else:
            self._scheduler.step()


def _tensors(module: torch.nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
