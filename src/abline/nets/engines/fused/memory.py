"""One vector for all parameters, which kernels and PyTorch share.

While kernels train, the module's parameters and the optimizer's memory are views of these vectors:
whoever looks at them between epochs (a callback, a checkpoint) sees them as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abline.nets.engines.fused.stack import NotFused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from abline.nets.engines.fused.rules import OptimizerRule
    from abline.nets.engines.fused.stack import Stack


class SharedMemory:
    """The parameters of a stack, and what its optimizer remembers, side by side.

    Parameters
    ----------
    stack : Stack
    optimizer : torch.optim.Optimizer
        Of these parameters; may have a past.
    rule : OptimizerRule

    Attributes
    ----------
    params, grads, first, second : arrays of shape (n_parameters,)
        The last two are the optimizer's memory, empty where it has none.
    step : int
        Steps that the optimizer has taken.
    """

    def __init__(self, stack: Stack, optimizer: torch.optim.Optimizer, rule: OptimizerRule) -> None:
        self._tensors = stack.tensors()
        self._optimizer = optimizer
        self._names = rule.memory
        dtype = np.float64 if self._tensors[0].dtype == torch.float64 else np.float32
        size = stack.n_parameters
        self.params = np.empty(size, dtype)
        self.grads = np.zeros(size, dtype)
        self.first, self.second = (
            np.zeros(size if k < len(rule.memory) else 0, dtype) for k in range(2)
        )
        self.step = 0

    def __enter__(self) -> Self:
        """Move everything to the vectors."""
        with torch.no_grad():
            for part, tensor in self._parts(self.params):
                part.copy_(tensor)
                tensor.data = part
            for name, vector in zip(self._names, (self.first, self.second), strict=False):
                for part, tensor in self._parts(vector):
                    self._adopt(tensor, name, part)
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave every tensor with storage of its own."""
        for tensor in self._tensors:
            tensor.data = tensor.data.clone()
            state = self._optimizer.state.get(tensor, {})
            for name in self._names:
                if state.get(name) is not None:
                    state[name] = state[name].clone()

    def take(self, vectors: Sequence[NDArray[Any]]) -> None:
        """Copy the values of ``params``, ``first`` and ``second``."""
        for vector, values in zip((self.params, self.first, self.second), vectors, strict=True):
            vector[:] = values

    def renew(self) -> None:
        """Look whether parameters and memory are still here, and take the number of steps.

        Raises
        ------
        NotFused
            If a callback has put others in their place.
        """
        states = [self._optimizer.state[tensor] for tensor in self._tensors]
        steps = {int(state.get("step", self.step)) for state in states}
        if len(steps) > 1:
            raise NotFused("a callback changed the steps that the optimizer counts")
        self.step = steps.pop()
        for name, vector in zip(
            ("", *self._names), (self.params, self.first, self.second), strict=False
        ):
            for part, tensor in self._parts(vector):
                now = self._optimizer.state[tensor].get(name) if name else tensor
                if now is None or _place(now) != _place(part):
                    raise NotFused("a callback put other tensors in the place of those trained")

    def note_steps(self) -> None:
        """Tell the optimizer how many steps it has taken."""
        for tensor in self._tensors:
            state: dict[str, Any] = self._optimizer.state[tensor]
            if "step" in state:
                state["step"].fill_(self.step)

    def _adopt(self, tensor: torch.Tensor, name: str, part: torch.Tensor) -> None:
        """Put a view in the place of what the optimizer remembers of a parameter."""
        state = self._optimizer.state[tensor]
        before = state.get(name)
        if before is not None:
            part.copy_(before)
            # SGD counts no steps, but its first differs from all others
            self.step = max(self.step, int(state.get("step", 1)))
        state[name] = part
        if name != "momentum_buffer" and "step" not in state:
            state["step"] = torch.tensor(0.0)

    def _parts(self, vector: NDArray[Any]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        whole = torch.from_numpy(vector)
        place = 0
        for tensor in self._tensors:
            yield whole[place : place + tensor.numel()].view_as(tensor), tensor
            place += tensor.numel()


def _place(tensor: torch.Tensor) -> tuple[int, tuple[int, ...]]:
    return tensor.data_ptr(), tensor.stride()
