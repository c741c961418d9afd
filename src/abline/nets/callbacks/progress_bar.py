"""The epochs as a bar in a terminal."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from abline.nets.callbacks.base import Callback

if TYPE_CHECKING:
    from rich.console import Console

    from abline.nets.training import TrainingState


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
