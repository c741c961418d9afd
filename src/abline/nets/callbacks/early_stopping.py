"""Stopping in time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from abline.errors import ParameterError, did_you_mean
from abline.nets.callbacks.base import Callback
from abline.nets.weights import weights_of

if TYPE_CHECKING:
    from torch import Tensor

    from abline.nets.training import TrainingState


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
        first = self._best_epoch < 0 or (math.isnan(self._best) and not math.isnan(value))
        if first or value < self._best - self.min_delta:
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
                for tensor, best in zip(weights_of(state.module), self._weights, strict=True):
                    tensor.copy_(best)

    def state_dict(self) -> dict[str, Any]:
        """Give the best so far."""
        return {"best": self._best, "epoch": self._best_epoch, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back the best of the epochs before."""
        self._best, self._best_epoch = state["best"], state["epoch"]
        self._weights = state["weights"]

    def _keep(self, module: torch.nn.Module) -> None:
        with torch.no_grad():
            if not self._weights:
                self._weights = [tensor.detach().clone() for tensor in weights_of(module)]
            for best, tensor in zip(self._weights, weights_of(module), strict=True):
                best.copy_(tensor)
