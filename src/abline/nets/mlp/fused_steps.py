"""A perceptron's steps in compiled kernels, on a CPU."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abline.linear.threads import one_blas_thread
from abline.nets.engines.fused import codes
from abline.nets.engines.fused.kernels import Kernels
from abline.nets.engines.fused.rules import LossRule, OptimizerRule, criterion_rule
from abline.nets.engines.fused.tables import FusedLayer, FusedRows
from abline.nets.mlp.flat import put_flat, to_flat
from abline.nets.mlp.forward import outputs_of_rows
from abline.nets.mlp.losses import OutputLoss, Poisson, SquaredError
from abline.nets.mlp.steps import Adam

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from abline.nets.mlp.steps import SGD, Data, Floats, OptimizerState, Task

ACTIVATIONS = {
    "identity": codes.IDENTITY,
    "logistic": codes.SIGMOID,
    "tanh": codes.TANH,
    "relu": codes.RELU,
    "gelu": codes.GELU,
    "silu": codes.SILU,
}


class FusedSteps:
    """A network trained by kernels; see `abline.nets.mlp.steps.Steps`.

    Parameters
    ----------
    task : Task
    weights : list of arrays of shape (out, in)
    biases : list of arrays of shape (out,)
    data : Data
        The training rows, dense.

    Raises
    ------
    NotFused
        If kernels do not know the loss.
    """

    def __init__(
        self, task: Task, weights: Sequence[Floats], biases: Sequence[Floats], data: Data
    ) -> None:
        self._task = task
        self._loss = loss_rule(task.loss)
        self._vector = np.concatenate([array.ravel() for array in (*weights, *biases)])
        ends = list(accumulate(array.size for array in (*weights, *biases)))
        starts = [0, *ends[:-1]]
        self._layers = _layers(weights, starts, task.activation)
        self._shapes = [array.shape for array in (*weights, *biases)]
        self._starts = starts
        self.params: Sequence[Tensor] = [
            torch.from_numpy(part) for part in self._parts(self._vector)
        ]
        self._rows = _rows(data)
        self._optimizer = None if task.rule is None else _optimizer_rule(task.rule)
        size = len(self._vector) if task.rule is not None else 0
        moments = size if isinstance(task.rule, Adam) else 0
        self._memory = (
            np.zeros(size, self._vector.dtype),
            np.zeros(moments, self._vector.dtype),
        )
        self._step = 0
        self._kernels: dict[int, Kernels] = {}
        self._train_loss, self._no_loss = np.empty(1), np.empty(1)

    def train_epoch(self, order: NDArray[np.int64] | None, batch_size: int, lr: float) -> float:
        """Take one pass over the training rows."""
        rates = np.full(-(-len(self._rows) // batch_size), lr)
        with one_blas_thread():
            _, self._step = self._kernels_of(batch_size).train(
                self._rows, None, order, 0, rates, self._memory, self._step, self._train_loss,
                self._no_loss,
            )  # fmt: skip
        return float(self._train_loss[0])

    def loss(self, data: Data) -> float:
        """Give the loss over some rows, without the penalty."""
        with one_blas_thread():
            return self._kernels_of(len(self._rows)).loss(_rows(data))

    def loss_gradient(self, flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Give the objective over all training rows, and its derivative."""
        put_flat(flat, self.params)
        kernels = self._kernels_of(len(self._rows))
        with one_blas_thread():
            objective = kernels.differentiate(self._rows)
        return objective, to_flat([torch.from_numpy(g) for g in self._parts(kernels.grads)])

    def predict(self, X: Any) -> Floats:
        """Give the last layer's outputs."""
        device = torch.device("cpu")
        return outputs_of_rows(self.params, self._task.activation, X, device).numpy()

    def get_state(self) -> OptimizerState:
        """Give a copy of the optimizer's state."""
        first, second = ([part.copy() for part in self._parts(each)] for each in self._memory)
        if isinstance(self._task.rule, Adam):
            return {"step": self._step, "first": first, "second": second}
        return {"velocity": first}

    def set_state(self, state: OptimizerState) -> None:
        """Take the optimizer's state back."""
        self._step = state.get("step", 0)
        names = ("first", "second") if isinstance(self._task.rule, Adam) else ("velocity",)
        for name, vector in zip(names, self._memory, strict=False):
            for part, array in zip(self._parts(vector), state[name], strict=True):
                part[...] = array

    def _parts(self, vector: NDArray[Any]) -> list[NDArray[Any]]:
        """Give the views of a vector that are weights, then those that are biases."""
        if not len(vector):
            return []
        places = zip(self._starts, self._shapes, strict=True)
        return [vector[start : start + math.prod(shape)].reshape(shape) for start, shape in places]

    def _kernels_of(self, batch_size: int) -> Kernels:
        """Give the kernels for batches of a size: a fit has one, a validation perhaps another."""
        if batch_size not in self._kernels:
            self._kernels[batch_size] = Kernels(
                self._layers,
                self._vector,
                self._loss,
                self._rows.y.shape[1],
                self._optimizer,
                batch_size,
                alpha=self._task.alpha,
                by_rows=True,
            )
        return self._kernels[batch_size]


def loss_rule(loss: OutputLoss) -> LossRule:
    """Read a perceptron's loss as a rule of kernels: values and derivatives are sums over columns.

    Parameters
    ----------
    loss : OutputLoss

    Returns
    -------
    LossRule

    Raises
    ------
    NotFused
        If kernels do not know it.

    Examples
    --------
    >>> from abline.nets.mlp.losses import make_loss
    >>> loss_rule(make_loss("huber", 0.5, 0.5)).parameters
    (0.5,)
    """
    if isinstance(loss, SquaredError):
        return LossRule(codes.HALF_SQUARED, slope_share=1.0)  # values are means over the targets
    if isinstance(loss, Poisson):
        return LossRule(codes.HALF_POISSON, value_share=1.0, slope_share=1.0)
    return replace(criterion_rule(loss.criterion), value_share=1.0, slope_share=1.0)


def _optimizer_rule(rule: Adam | SGD) -> OptimizerRule:
    if isinstance(rule, Adam):
        settings = [rule.beta_1, rule.beta_2, rule.epsilon, 0.0, 0.0]
        return OptimizerRule(codes.ADAM_PLAIN_EPSILON, np.array(settings), ("first", "second"))
    settings = [rule.momentum, 0.0, 0.0, 0.0, float(rule.nesterov)]
    return OptimizerRule(codes.SGD_VELOCITY, np.array(settings), ("velocity",))


def _layers(weights: Sequence[Floats], starts: Sequence[int], activation: str) -> list[FusedLayer]:
    """Lay out all weights, then all biases."""
    last = len(weights) - 1
    return [
        FusedLayer(
            weight.shape[1],
            weight.shape[0],
            starts[layer],
            starts[len(weights) + layer],
            codes.IDENTITY if layer == last else ACTIVATIONS[activation],
        )
        for layer, weight in enumerate(weights)
    ]


def _rows(data: Data) -> FusedRows:
    weights = None if data.weights is None else np.ascontiguousarray(data.weights)
    return FusedRows(np.ascontiguousarray(data.X), np.ascontiguousarray(data.y), weights)
