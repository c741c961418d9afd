"""Training the members of an ensemble together, each on rows of its own.

Every member leaves out another part of the rows, watches its error there, and keeps the
weights that were best; so all rows train some member and no member trains on all.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from abline.nets.callbacks import Callback
from abline.nets.schedule import Schedule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from abline.nets.ensemble import MLPEnsemble
    from abline.nets.training import TrainingState

#: with fewer rows than this none is left out: their error would say nothing
FEWEST_TO_HOLD_OUT = 10

#: share of the steps in which the learning rate rises to its full height
WARM_UP = 0.03


def held_out(
    n_rows: int, members: int, fraction: float, generator: np.random.RandomState
) -> NDArray[np.bool_]:
    """Draw the rows that each member leaves out.

    Parameters
    ----------
    n_rows, members : int
    fraction : float
        About the share of rows that a member leaves out; less where there are more members than
        such parts, since no row is left out twice.
    generator : RandomState

    Returns
    -------
    array of shape (n_rows, members)
        True where the member leaves the row out.

    Examples
    --------
    >>> held_out(12, 3, 0.3, np.random.RandomState(0)).sum(axis=0)
    array([4, 4, 4])
    """
    held = np.zeros((n_rows, members), dtype=bool)
    if n_rows < FEWEST_TO_HOLD_OUT:
        return held
    parts = min(n_rows, max(members, round(1 / fraction), 2))
    for member, rows in enumerate(np.array_split(generator.permutation(n_rows), parts)[:members]):
        held[rows, member] = True
    return held


class ByMember(nn.Module):
    """An ensemble as it is trained: the members' outputs side by side, without the line.

    Parameters
    ----------
    ensemble : MLPEnsemble
    """

    def __init__(self, ensemble: MLPEnsemble) -> None:
        super().__init__()
        self.ensemble = ensemble

    def forward(self, features: Tensor) -> Tensor:
        """Compute the outputs of shape (n, members · outputs)."""
        return self.ensemble.by_member(features).flatten(1)


class MemberLoss:
    """Mean over members of each one's mean squared error by its own weights of the rows.

    Parameters
    ----------
    members : int

    Attributes
    ----------
    by_member : tensor of shape (members,)
        Each member's error on the rows that were asked for last.
    """

    def __init__(self, members: int) -> None:
        self.members = members
        self.by_member = torch.full((members,), math.inf)

    def __call__(self, outputs: Tensor, target: Tensor, weights: Tensor | None) -> Tensor:
        """Compute the loss; weights have shape (n, members)."""
        assert weights is not None  # members without weights would all be the same
        errors = (outputs - target).square().reshape(len(outputs), self.members, -1).mean(2)
        totals = weights.sum(0)
        # a batch may have no row of some member, whose error is 0 then
        means = (weights * errors).sum(0) / totals.where(totals > 0, 1.0)
        self.by_member = means.detach()
        return means.mean()


class BestMembers(Callback):
    """Keep each member's weights of the epoch in which its validation error was least.

    Parameters
    ----------
    loss : MemberLoss
        The job's; the last rows that an epoch asks it for are the validation rows.
    patience : int
        Epochs without a better member after which the training ends.
    """

    def __init__(self, loss: MemberLoss, patience: int) -> None:
        self.loss = loss
        self.patience = patience

    def on_train_begin(self, state: TrainingState) -> None:
        """Take the first weights as the best so far."""
        groups = state.optimizer.param_groups
        self._parameters: list[Tensor] = [each for group in groups for each in group["params"]]
        self._kept = [parameter.detach().clone() for parameter in self._parameters]
        self._best: Tensor | None = None
        self._best_epoch = 0

    def on_epoch_end(self, state: TrainingState) -> None:
        """Compare each member with its own best."""
        errors = self.loss.by_member
        better = torch.ones_like(errors) > 0 if self._best is None else errors < self._best
        if better.any():
            self._best_epoch = state.epoch
            self._best = errors if self._best is None else torch.minimum(errors, self._best)
            for kept, parameter in zip(self._kept, self._parameters, strict=True):
                kept[better] = parameter.detach()[better]
        elif state.epoch - self._best_epoch >= self.patience:
            state.stop = True

    def on_train_end(self, state: TrainingState) -> None:  # noqa: ARG002 - a hook's signature
        """Put the best weights back."""
        with torch.no_grad():
            for kept, parameter in zip(self._kept, self._parameters, strict=True):
                parameter.copy_(kept)


class RiseAndFall(Schedule):
    """A learning rate that rises quickly and then falls along a cosine to zero.

    Examples
    --------
    >>> [round(RiseAndFall("rise and fall", 100).factor(step), 3) for step in (0, 2, 50)]
    [0.333, 0.999, 0.5]
    """

    def factor(self, step: int) -> float:
        """Give the factor of a step, counted from 0."""
        rise = min(1.0, (step + 1) / max(1.0, WARM_UP * self.steps))
        return rise * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / self.steps)))
