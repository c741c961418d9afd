"""Learning rates that change, by torch's own schedulers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from abline.errors import ParameterError
from abline.nets.callbacks.base import Callback

if TYPE_CHECKING:
    from collections.abc import Callable

    from abline.nets.training import TrainingState


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

    @property
    def every_batch(self) -> bool:  # type: ignore[override]  # follows from per
        """Whether to step after each batch."""
        return self.per == "batch"

    def on_train_begin(self, state: TrainingState) -> None:
        """Make the scheduler for this fit's optimizer."""
        self._scheduler = self.scheduler(state.optimizer, **self.arguments)

    def on_batch_end(self, state: TrainingState) -> None:  # noqa: ARG002 - a hook's signature
        """Step after a batch, if asked to."""
        self._scheduler.step()

    def on_epoch_end(self, state: TrainingState) -> None:
        """Step after an epoch, if asked to."""
        if self.per == "batch":
            return
        # schedulers ask whether there was a step, which they do not see where kernels take it
        state.optimizer._opt_called = True  # type: ignore[attr-defined]  # torch's own mark
        if isinstance(self._scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            column = "valid_loss" if state.has_validation else "train_loss"
            self._scheduler.step(state.history[column][-1])
        else:
            self._scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """Give the scheduler's state."""
        state: dict[str, Any] = self._scheduler.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let the scheduler go on from a state."""
        self._scheduler.load_state_dict(state)
