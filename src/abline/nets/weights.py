"""A module's weights: all its tensors, and a copy of them to go back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


def weights_of(module: nn.Module) -> list[Tensor]:
    """Give what a training changes.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    list of tensor
        Parameters, then buffers (those too that a ``state_dict`` leaves out).
    """
    return [*module.parameters(), *module.buffers()]


class GoodWeights:
    """Copies from which a training that diverged or was interrupted goes back.

    That a loss is no longer a number shows one epoch late: the update before it made the weights
    bad. So the weights with which the last two epochs began are kept.

    Parameters
    ----------
    module : torch.nn.Module

    Examples
    --------
    >>> line = torch.nn.Linear(1, 1)
    >>> good = GoodWeights(line)
    >>> for bias in (1.0, 2.0, 3.0):
    ...     _ = torch.nn.init.constant_(line.bias, bias)
    ...     good.begin_epoch()
    >>> good.put_back(epochs=2)
    >>> line.bias.item()
    2.0
    """

    def __init__(self, module: nn.Module) -> None:
        self._weights = [tensor.detach() for tensor in weights_of(module)]
        self._before = [tensor.clone() for tensor in self._weights]
        self._now = [tensor.clone() for tensor in self._weights]

    def begin_epoch(self) -> None:
        """Note the weights with which an epoch begins."""
        self._before, self._now = self._now, self._before
        if self._now:
            torch._foreach_copy_(self._now, self._weights)

    def put_back(self, *, epochs: int) -> None:
        """Give the module the weights with which the last epoch began, or the one before it."""
        for tensor, kept in zip(self._weights, (self._now, self._before)[epochs - 1], strict=True):
            tensor.copy_(kept)
