"""A perceptron's steps in plain PyTorch, on any device: the reference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from abline.nets.mlp.activations import ACTIVATIONS
from abline.nets.mlp.flat import put_flat, to_flat
from abline.nets.mlp.forward import forward, outputs_of_rows, to_tensor
from abline.nets.mlp.steps import Adam
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from abline.nets.mlp.steps import SGD, Data, Floats, OptimizerState, Task


class TorchSteps:
    """A network trained with PyTorch's operations; see `abline.nets.mlp.steps.Steps`.

    Parameters
    ----------
    task : Task
    weights : list of arrays of shape (out, in)
    biases : list of arrays of shape (out,)
    data : Data
        The training rows.
    device : torch.device
    """

    def __init__(
        self,
        task: Task,
        weights: Sequence[Floats],
        biases: Sequence[Floats],
        data: Data,
        device: torch.device,
    ) -> None:
        self._task = task
        self._device = device
        # by rows in memory, whatever they came as: another layout rounds products differently
        arrays = [np.array(array, order="C") for array in [*weights, *biases]]
        self.params: Sequence[Tensor] = [torch.tensor(array, device=device) for array in arrays]
        self._rows = _Rows(data, device)
        self._optimizer = _Optimizer(task.rule, self.params)

    @property
    def _layers(self) -> int:
        return len(self.params) // 2

    @torch.no_grad()
    def train_epoch(self, order: NDArray[np.int64] | None, batch_size: int, lr: float) -> float:
        """Take one pass over the training rows."""
        n = len(self._rows)
        total = torch.zeros((), dtype=torch.float64, device=self._device)
        rows = None if order is None else torch.from_numpy(order).to(self._device)
        for first in range(0, n, batch_size):
            last = min(first + batch_size, n)
            batch = slice(first, last)
            X, y, weights = self._rows.take(batch if rows is None else rows[batch])
            if weights is not None and not bool(weights.any()):
                continue
            objective, gradients = self._objective(X, y, weights)
            total += objective * (last - first)
            self._optimizer.step(gradients, lr)
        return float(total) / n

    @torch.no_grad()
    def loss(self, data: Data) -> float:
        """Give the loss over some rows, without the penalty."""
        y = torch.from_numpy(data.y).to(self._device)
        weights = None if data.weights is None else torch.from_numpy(data.weights).to(self._device)
        outputs = outputs_of_rows(self.params, self._task.activation, data.X, self._device)
        return float(self._task.loss.mean(self._task.loss.evaluate(outputs, y)[0], weights))

    @torch.no_grad()
    def loss_gradient(self, flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Give the objective over all training rows, and its derivative."""
        put_flat(flat, self.params)
        objective, gradients = self._objective(*self._rows.take(slice(None)))
        return float(objective), to_flat(gradients)

    @torch.no_grad()
    def predict(self, X: Any) -> Floats:
        """Give the last layer's outputs."""
        outputs = outputs_of_rows(self.params, self._task.activation, X, self._device)
        return outputs.cpu().numpy()

    def get_state(self) -> OptimizerState:
        """Give a copy of the optimizer's state."""
        return self._optimizer.get_state()

    def set_state(self, state: OptimizerState) -> None:
        """Take the optimizer's state back."""
        self._optimizer.set_state(state)

    def _objective(
        self, X: Tensor, y: Tensor, row_weights: Tensor | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Give the objective over some rows, and its derivatives by the parameters."""
        task, last = self._task, self._layers - 1
        weights = self.params[: self._layers]
        backward = ACTIVATIONS[task.activation].backward
        sums, inputs = forward(self.params, task.activation, X)
        values, delta = task.loss.evaluate(sums[-1], y)
        squares = sum(torch.sum(weight**2) for weight in weights)
        total: Tensor | int = len(y)
        if row_weights is not None:
            total = row_weights.sum()
            delta = delta * row_weights[:, None]
        objective = task.loss.mean(values, row_weights) + 0.5 * task.alpha * squares / total
        by_weight, by_bias = [], []
        for layer in range(last, -1, -1):
            # a sparse matrix multiplies from the left only
            product = (inputs[layer].T @ delta).T if layer == 0 else delta.T @ inputs[layer]
            by_weight.append((product + task.alpha * weights[layer]) / total)
            by_bias.append(delta.sum(dim=0) / total)
            if layer:
                delta = backward(sums[layer - 1], inputs[layer], delta @ weights[layer])
        return objective, [*by_weight[::-1], *by_bias[::-1]]


class _Rows:
    """The training rows on the device; sparse ones stay in the host's memory."""

    def __init__(self, data: Data, device: torch.device) -> None:
        self._device = device
        self._X = data.X if is_sparse(data.X) else to_tensor(data.X, device)
        self._y = torch.from_numpy(data.y).to(device)
        self._weights = None if data.weights is None else torch.from_numpy(data.weights).to(device)

    def __len__(self) -> int:
        return len(self._y)

    def take(self, rows: Any) -> tuple[Tensor, Tensor, Tensor | None]:
        """Give some rows, by a tensor of their places or a slice."""
        weights = None if self._weights is None else self._weights[rows]
        if isinstance(self._X, Tensor):
            return self._X[rows], self._y[rows], weights
        places = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
        return to_tensor(self._X[places], self._device), self._y[rows], weights


class _Optimizer:
    """Adam or gradient descent over a list of tensors, which it changes in place."""

    def __init__(self, rule: Adam | SGD | None, params: Sequence[Tensor]) -> None:
        self._rule = rule
        self._params = params
        self._step = 0
        names = ("first", "second") if isinstance(rule, Adam) else ("velocity",)
        self._memory = {name: [torch.zeros_like(p) for p in params] for name in names}

    def step(self, gradients: Sequence[Tensor], lr: float) -> None:
        """Change the parameters."""
        rule = self._rule
        assert rule is not None  # a task to be trained by steps has a rule
        if isinstance(rule, Adam):
            self._adam(rule, gradients, lr)
            return
        for p, g, velocity in zip(self._params, gradients, self._memory["velocity"], strict=True):
            velocity.mul_(rule.momentum).sub_(lr * g)
            p.add_(rule.momentum * velocity - lr * g if rule.nesterov else velocity)

    def _adam(self, rule: Adam, gradients: Sequence[Tensor], lr: float) -> None:
        self._step += 1
        corrected = lr * math.sqrt(1 - rule.beta_2**self._step) / (1 - rule.beta_1**self._step)
        moments = zip(self._memory["first"], self._memory["second"], strict=True)
        for p, g, (first, second) in zip(self._params, gradients, moments, strict=True):
            first.mul_(rule.beta_1).add_((1 - rule.beta_1) * g)
            second.mul_(rule.beta_2).add_((1 - rule.beta_2) * g**2)
            p.sub_(corrected * first / (second.sqrt() + rule.epsilon))

    def get_state(self) -> OptimizerState:
        """Give a copy of everything that the next step depends on."""
        state: OptimizerState = {
            name: [tensor.cpu().numpy().copy() for tensor in tensors]
            for name, tensors in self._memory.items()
        }
        return state | ({"step": self._step} if isinstance(self._rule, Adam) else {})

    def set_state(self, state: OptimizerState) -> None:
        """Take it back."""
        self._step = state.get("step", 0)
        for name, tensors in self._memory.items():
            for tensor, array in zip(tensors, state[name], strict=True):
                tensor.copy_(torch.from_numpy(array))
