"""What a callback may change of a training that kernels run, quick to look at between epochs."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from torch import nn

if TYPE_CHECKING:
    import torch

    from abline.nets.engines.fused.stack import Stack


class Marks:
    """The marks by which it shows that a callback has changed something.

    Looking takes some microseconds, where reading module, loss and optimizer anew takes hundreds.
    The learning rate is not looked at, since kernels are told it before each run.

    Parameters
    ----------
    stack : Stack
    network : torch.nn.Module
        That the stack was read off.
    criterion : callable
    optimizer : torch.optim.Optimizer
    """

    def __init__(
        self, stack: Stack, network: nn.Module, criterion: Any, optimizer: torch.optim.Optimizer
    ) -> None:
        self._tensors, self._optimizer, self._criterion = stack.tensors(), optimizer, criterion
        parts = [*network.modules()]
        self._dropouts = [part for part in parts if isinstance(part, nn.Dropout)]
        if isinstance(criterion, nn.Module):
            parts.append(criterion)
        self._attributes = [vars(part) for part in parts]
        self._hooks = [
            hooks
            for part in parts
            for hooks in (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks,
                          part._backward_pre_hooks)
        ]  # fmt: skip
        self._last = self._look()

    def changed(self) -> bool:
        """Say whether something has changed since the last look."""
        before, self._last = self._last, self._look()
        (numbers, objects), (numbers_now, objects_now) = before, self._last
        same = len(objects) == len(objects_now) and all(map(operator.is_, objects, objects_now))
        return not same or numbers != numbers_now

    def _look(self) -> tuple[list[Any], list[Any]]:
        """Give what is to be equal, and what is to be the same object."""
        numbers: list[Any] = [part.p for part in self._dropouts]
        numbers += map(len, self._hooks)
        numbers += ("forward" in attributes for attributes in self._attributes)
        objects = list(getattr(self._criterion, "__dict__", {}).values())
        for group in self._optimizer.param_groups:
            objects += (value for name, value in group.items() if name != "lr")
        state = self._optimizer.state
        for tensor in self._tensors:
            numbers += (tensor.data_ptr(), tensor.requires_grad, tensor._backward_hooks is None)
            objects += state.get(tensor, {}).values()
        return numbers, objects
