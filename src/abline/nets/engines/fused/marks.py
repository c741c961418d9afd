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
        self._parts = [*network.modules()]
        watched = [*self._parts, criterion] if isinstance(criterion, nn.Module) else self._parts
        self._hooks: list[Any] = [
            *(
                hooks
                for part in watched
                for hooks in (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks,
                              part._backward_pre_hooks)
            ),
            optimizer._optimizer_step_pre_hooks,
            optimizer._optimizer_step_post_hooks,
        ]  # fmt: skip
        self.note()

    def note(self) -> None:
        """Look, for the next look to be compared with."""
        self._last = self._look()

    def changed(self, step: int | None = None) -> bool:
        """Say whether something has changed since the last look.

        Parameters
        ----------
        step : int, optional
            That the optimizer has taken.
        """
        before, self._last = self._last, self._look()
        (numbers, objects), (numbers_now, objects_now) = before, self._last
        same = len(objects) == len(objects_now) and all(map(operator.is_, objects, objects_now))
        if not same or numbers != numbers_now:
            return True
        if step is None:
            return False
        states = map(self._optimizer.state.get, self._tensors)
        return any(state and int(state.get("step", step)) != step for state in states)

    def _look(self) -> tuple[list[Any], list[Any]]:
        """Give what is to be equal, and what is to be the same object."""
        numbers: list[Any] = [*map(len, self._hooks)]
        objects = list(getattr(self._criterion, "__dict__", {}).values())
        for part in self._parts:
            objects += vars(part).values()
            objects += part._parameters.values()
            objects += part._modules.values()
            objects.append(type(part))
        for group in self._optimizer.param_groups:
            objects += (value for name, value in group.items() if name != "lr")
            objects += group["params"]
        state = self._optimizer.state
        for tensor in self._tensors:
            hooked = tensor._backward_hooks or tensor._post_accumulate_grad_hooks
            numbers += (tensor.data_ptr(), tensor.stride(), tensor.requires_grad, bool(hooked))
            objects += state.get(tensor, {}).values()
        return numbers, objects
