"""What looks on while a perceptron is trained: callbacks, and the history that they see."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from abline.errors import ParameterError
from abline.nets.callbacks import check_callbacks, hooks_of
from abline.nets.session import Attended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from torch import nn

    from abline.nets.mlp.epochs import EpochTraining
    from abline.nets.snapshot import Snapshot
    from abline.nets.training import Metric


class RateHolder(torch.optim.SGD):
    """The learning rate where callbacks know one, in an optimizer; it takes no step.

    Parameters
    ----------
    module : torch.nn.Module
    rate : float
        The first, NaN where there is none.

    Attributes
    ----------
    training : EpochTraining or None
        Whose state is this one's, for checkpoints.
    """

    def __init__(self, module: nn.Module, rate: float) -> None:
        super().__init__(module.parameters(), lr=0.0 if math.isnan(rate) else rate)
        self.training: EpochTraining | None = None

    @property
    def rate(self) -> float:
        """The next epoch's."""
        return float(self.param_groups[0]["lr"])

    @rate.setter
    def rate(self, rate: float) -> None:
        self.param_groups[0]["lr"] = rate

    def state_dict(self) -> dict[str, Any]:
        """Give all that the next epoch depends on besides the weights and draws."""
        assert self.training is not None  # others keep no checkpoints
        return {"groups": super().state_dict(), "training": self.training.get_state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it back."""
        assert self.training is not None
        super().load_state_dict(state_dict["groups"])
        self.training.set_state(state_dict["training"], self.rate)


@dataclass(frozen=True)
class WatchedJob:
    """What callbacks and checkpoints need to know of a perceptron's training.

    Attributes
    ----------
    module : torch.nn.Module
        The network that is trained; what a callback writes to its parameters counts.
    optimizer : RateHolder
    max_epochs : int
    callbacks : sequence of Callback
    has_validation : bool
    seed : tree
        The generator's state before anything was drawn.
    generators : list of RandomState
        The one.
    identity : mapping or None
    resume : Snapshot or None
    metrics : mapping
        None of them.
    """

    module: nn.Module
    optimizer: RateHolder
    max_epochs: int
    callbacks: Sequence[Any]
    has_validation: bool
    seed: Any
    generators: Sequence[np.random.RandomState]
    identity: Mapping[str, Any] | None
    resume: Snapshot | None
    metrics: Mapping[str, Metric] = field(default_factory=dict)


class Listener(Attended):
    """The callbacks of a fit and the history that they see.

    Parameters
    ----------
    job : WatchedJob
    engine : str
    """

    def __init__(self, job: WatchedJob, engine: str) -> None:
        super().__init__(job, engine)
        self._rate_holder = job.optimizer

    @property
    def n_epochs(self) -> int:
        """Epochs that have ended."""
        return len(self.state.history["epoch"])

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
        state.stop = state.stop or last
        self._rate_holder.rate = rate
        self.end_epoch(
            {
                "epoch": state.epoch,
                "train_loss": train_loss,
                "valid_loss": valid_loss,
                "seconds": self.seconds,
                "lr": rate,
            }
        )
        return state.stop, self._rate_holder.rate


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
