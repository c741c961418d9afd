"""The base of callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abline.nets.training import TrainingState

HOOKS = ("on_train_begin", "on_batch_end", "on_epoch_end", "on_train_end")


class Callback:
    """The base of callbacks: four hooks that do nothing.

    Any object with at least one of them will do. One that remembers something from epoch to epoch
    has ``state_dict()``, which gives it (numbers, text, tensors, lists and dictionaries), and
    ``load_state_dict(state)``, which takes it back after ``on_train_begin``: a `Checkpoint` keeps
    it.

    An exception that a hook raises ends the fit, with a note that names the hook.

    Attributes
    ----------
    every : int or None, default=1
        ``on_epoch_end`` runs after the epochs that this divides, and after the last one. None is
        "now and then": whenever the engine pauses, which it does several times a second. Engines
        that run many epochs at once are the faster the less often they are asked to pause.
    every_batch : bool, default=True
        Whether ``on_batch_end`` is to run at all; engines that run many steps at once cannot call
        it.
    runs_last : bool, default=False
        Whether ``on_epoch_end`` waits for that of all other callbacks.

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
    every_batch: bool = True
    runs_last: bool = False

    def on_train_begin(self, state: TrainingState) -> None:
        """Run before the first epoch."""

    def on_batch_end(self, state: TrainingState) -> None:
        """Run after each step."""

    def on_epoch_end(self, state: TrainingState) -> None:
        """Run after each epoch, when its line is in ``state.history``."""

    def on_train_end(self, state: TrainingState) -> None:
        """Run at the end, also when the training failed or was interrupted."""
