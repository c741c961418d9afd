"""What looks on while a perceptron is trained: validation losses and callbacks."""

from __future__ import annotations

import copy
import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from abline.errors import ParameterError
from abline.nets.callbacks import check_callbacks, due_hooks, hooks_of
from abline.nets.training import TrainingState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torch import nn

    from abline.nets.callbacks.calls import Hook


class Listener:
    """The callbacks of a fit and the history that they see.

    Parameters
    ----------
    callbacks : sequence of Callback
        At least one.
    module : torch.nn.Module
        The network that is trained; what a callback writes to its parameters counts.
    max_epochs : int
    rate : float
        The first learning rate, NaN where there is none.
    has_validation : bool
    engine : str

    Attributes
    ----------
    state : TrainingState
    """

    def __init__(
        self,
        callbacks: Sequence[Any],
        module: nn.Module,
        max_epochs: int,
        rate: float,
        *,
        has_validation: bool,
        engine: str,
    ) -> None:
        self._callbacks = callbacks
        self._begun: list[Any] = []
        self._start = time.perf_counter()
        # callbacks know a learning rate as an optimizer's
        rate = 0.0 if math.isnan(rate) else rate
        optimizer = torch.optim.SGD(module.parameters(), lr=rate)
        columns = ("epoch", "train_loss", "valid_loss", "seconds", "lr")
        self.state = TrainingState(
            0,
            max_epochs,
            module,
            optimizer,
            {column: [] for column in columns},
            has_validation,
            engine=engine,
        )

    @property
    def n_epochs(self) -> int:
        """Epochs that have ended."""
        return len(self.state.history["epoch"])

    @contextmanager
    def training(self) -> Iterator[None]:
        """Call ``on_train_begin``, and ``on_train_end`` also where the training fails."""
        try:
            for callback in self._callbacks:
                self._call(hooks_of([callback], "on_train_begin"))
                self._begun.append(callback)
            yield
            self._close()
        finally:
            self._call(hooks_of(self._begun, "on_train_end"))

    def hear(
        self, train_loss: float, valid_loss: float, rate: float, *, last: bool = False
    ) -> tuple[bool, float]:
        """Note an epoch and call the callbacks that wait for it.

        Parameters
        ----------
        train_loss, valid_loss, rate : float
            NaN where there is none.
        last : bool
            Whether the training is going to stop.

        Returns
        -------
        stop : bool
        rate : float
            The next epoch's, which a callback may have changed.
        """
        state = self.state
        state.epoch = self.n_epochs
        line = (state.epoch, train_loss, valid_loss, time.perf_counter() - self._start, rate)
        for values, value in zip(state.history.values(), line, strict=True):
            values.append(value)
        state.stop = state.stop or last
        group = state.optimizer.param_groups[0]
        group["lr"] = rate
        self._call(due_hooks(self._callbacks, state))
        return state.stop, float(group["lr"])

    def _close(self) -> None:
        """Call the callbacks that wait for the last epoch, now that it is known to be that."""
        state = self.state
        if state.stop or state.epoch == state.max_epochs - 1 or not self.n_epochs:
            return  # they have been called
        seen = list(due_hooks(self._callbacks, state))
        state.stop = True
        self._call(hook for hook in due_hooks(self._callbacks, state) if hook not in seen)

    def _call(self, hooks: Iterable[Hook]) -> None:
        for hook in hooks:
            self._call_one(hook)

    def _call_one(self, hook: Hook) -> None:
        try:
            hook(self.state)
        except Exception as error:
            self.state.failed = True
            owner = type(getattr(hook, "__self__", hook)).__name__
            name = getattr(hook, "__name__", "hook")
            error.add_note(f"raised by {owner}.{name} at epoch {self.state.epoch}")
            raise


def own_callbacks(callbacks: Any) -> list[Any]:
    """Check callbacks and copy them, so that a fit leaves the parameter as it is.

    Parameters
    ----------
    callbacks : None or sequence of Callback

    Returns
    -------
    list of Callback

    Raises
    ------
    ParameterError
        If one is none, or waits for each step.
    """
    found = [copy.copy(callback) for callback in check_callbacks(callbacks)]
    if hooks_of(found, "on_batch_end"):
        raise ParameterError(
            "callbacks has one with on_batch_end, and epochs run in one go here: use TorchRegressor"
        )
    return found
