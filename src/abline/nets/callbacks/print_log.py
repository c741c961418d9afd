"""The losses in lines of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from abline.nets.callbacks.base import Callback

if TYPE_CHECKING:
    from collections.abc import Callable

    from abline.nets.training import TrainingState

#: the history's columns that every fit has
NOT_METRICS = ("epoch", "train_loss", "valid_loss", "seconds", "lr")


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
