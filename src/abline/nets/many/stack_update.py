"""Adam and gradient descent of many networks at once, each with its own rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from abline.nets.mlp.steps import Adam

if TYPE_CHECKING:
    from torch import Tensor

    from abline.nets.mlp.steps import SGD


class StackUpdate:
    """A rule over a matrix that has one network's parameters in each row.

    Parameters
    ----------
    rule : Adam or SGD
        Their formulas are in `abline.nets.mlp.steps`.
    params : tensor of shape (k, q)
        Of its kind are the moments.

    Attributes
    ----------
    memory : dict of str to tensor of shape (k, q)
    """

    def __init__(self, rule: Adam | SGD, params: Tensor) -> None:
        self._rule = rule
        self._taken = 0
        names = ("first", "second") if isinstance(rule, Adam) else ("velocity",)
        self.memory = {name: torch.zeros_like(params) for name in names}

    @property
    def counted(self) -> dict[str, int]:
        """The number of steps taken, where the rule counts them."""
        return {"step": self._taken} if isinstance(self._rule, Adam) else {}

    def keep(self, index: Tensor) -> None:
        """Go on with some of the networks."""
        self.memory = {name: each[index] for name, each in self.memory.items()}

    def step(self, params: Tensor, grads: Tensor, lr: Tensor) -> None:
        """Change the parameters.

        Parameters
        ----------
        params, grads : tensors of shape (k, q)
            Both are written to.
        lr : tensor of shape (k, 1)
        """
        rule = self._rule
        if isinstance(rule, Adam):
            self._adam(rule, params, grads, lr)
            return
        velocity = self.memory["velocity"]
        push = grads.mul_(lr)
        velocity.mul_(rule.momentum).sub_(push)
        params.add_(rule.momentum * velocity - push if rule.nesterov else velocity)

    def _adam(self, rule: Adam, params: Tensor, grads: Tensor, lr: Tensor) -> None:
        self._taken += 1
        t = self._taken
        correction = math.sqrt(1 - rule.beta_2**t) / (1 - rule.beta_1**t)
        first, second = self.memory["first"], self.memory["second"]
        first.mul_(rule.beta_1).add_(grads, alpha=1 - rule.beta_1)
        second.mul_(rule.beta_2).addcmul_(grads, grads, value=1 - rule.beta_2)
        params.sub_((first * (lr * correction)).div_(second.sqrt().add_(rule.epsilon)))
