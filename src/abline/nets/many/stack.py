"""Networks of one shape side by side: a step of all of them is a few batched products.

Their parameters, derivatives and moments are rows of matrices, so an update costs as many
operations as one network's. Rows of X are taken by number from one table; each training has its
own targets (which may be standardised) and its own order. A training with fewer rows is padded
with rows of weight zero.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from abline.nets.many.stack_update import StackUpdate
from abline.nets.mlp.activations import ACTIVATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from abline.nets.many.member import Member
    from abline.nets.mlp.losses import OutputLoss

#: numbers that validation rows may make on their way through all networks at once
_MOST_NUMBERS = 2**26


class Stack:
    """Networks that train in lock-step.

    Parameters
    ----------
    members : sequence of Member
        Of one architecture, number of steps, loss and rule.
    X : tensor of shape (n, p)
        The table that their row numbers mean, on the device.
    batch_size : int
        Rows of a step.

    Attributes
    ----------
    params : tensor of shape (k, q)
        Each network's weights, then its biases.
    """

    def __init__(self, members: Sequence[Member], X: Tensor, batch_size: int) -> None:
        first, device = members[0], X.device
        self._X = X
        self._batch_size = batch_size
        self._activation = first.task.activation
        self._loss: OutputLoss = first.task.loss
        self._shapes = [array.shape for array in first.arrays]
        self._ends = [0, *accumulate(math.prod(shape) for shape in self._shapes)]
        flat = [np.concatenate([array.ravel() for array in each.arrays]) for each in members]
        self.params = torch.from_numpy(np.stack(flat)).to(device)
        self._grads = torch.zeros_like(self.params)
        assert first.task.rule is not None  # they train by steps
        self._update = StackUpdate(first.task.rule, self.params)
        alphas = [[each.task.alpha] for each in members]
        self._penalty = torch.tensor(alphas, dtype=X.dtype, device=device).repeat(1, self._ends[-1])
        self._penalty[:, self._ends[len(self._shapes) // 2] :] = 0.0  # biases have none
        self._sizes = np.array([len(each.train) for each in members])
        width = int(self._sizes.max())
        begins = np.arange(0, width, batch_size)[:, None]
        counts = np.clip(self._sizes - begins, 0, batch_size).astype(np.float64)
        self._counts = torch.from_numpy(counts).to(device)  # rows of each step and network
        self._places = _padded([each.train.X for each in members], width, device)
        self._targets = _padded([each.train.y for each in members], width, device)
        self._row_weights = _padded([_weights(each) for each in members], width, device)
        self._weighted = any(each.train.weights is not None for each in members)
        self._valid_places: Tensor | None = None
        valid = [each.valid.X for each in members if each.valid is not None]
        if valid:  # all have some, or none
            self._valid_places = _padded(valid, max(map(len, valid)), device)
        self._valid_outputs: Tensor | None = None

    def __len__(self) -> int:
        return len(self.params)

    def params_of(self, place: int) -> list[Tensor]:
        """Give one network's parameters, which share this memory: weights, then biases."""
        return self._views(self.params[place : place + 1], only=0)

    def state_of(self, place: int) -> dict[str, list[Tensor] | int]:
        """Give one network's optimizer's memory, in the shapes of its parameters."""
        state: dict[str, list[Tensor] | int] = {
            name: self._views(each[place : place + 1], only=0)
            for name, each in self._update.memory.items()
        }
        return state | self._update.counted

    def keep(self, places: Sequence[int]) -> None:
        """Go on with some of the networks, in this order."""
        index = torch.tensor(places, device=self._X.device)
        self.params = self.params[index]
        self._grads = torch.zeros_like(self.params)
        self._update.keep(index)
        self._penalty = self._penalty[index]
        self._sizes = self._sizes[list(places)]
        self._counts = self._counts[:, index]
        for name in ("_places", "_targets", "_row_weights"):
            setattr(self, name, getattr(self, name)[index])
        if self._valid_places is not None:
            self._valid_places = self._valid_places[index]
        self._valid_outputs = None

    @torch.no_grad()
    def train_epoch(
        self, orders: Sequence[NDArray[np.int64] | None], rates: Sequence[float]
    ) -> Tensor:
        """Take one pass over each network's rows, a step for each batch.

        On a GPU it returns before the steps have run.

        Parameters
        ----------
        orders : sequence of arrays of shape (rows,) or None
            One a network; None is the rows' own.
        rates : sequence of float

        Returns
        -------
        tensor of shape (k,)
            What `abline.nets.mlp.steps.Steps.train_epoch` gives, on the device.
        """
        order = self._flat_order(orders)
        places = self._places.reshape(-1)[order]
        targets = self._targets.flatten(0, 1)
        weights = self._row_weights.reshape(-1)
        lr = torch.tensor(rates, dtype=torch.float64).to(self.params)[:, None]
        total = torch.zeros(len(self), dtype=torch.float64, device=self._X.device)
        fewest = int(self._sizes.min())
        for begin in range(0, order.shape[1], self._batch_size):
            end = min(begin + self._batch_size, order.shape[1])
            batch = order[:, begin:end]
            masked = self._weighted or end > fewest
            objectives = self._differentiate(
                self._X[places[:, begin:end]], targets[batch], weights[batch] if masked else None
            )
            total += objectives * self._counts[begin // self._batch_size]
            self._update.step(self.params, self._grads, lr)
        self._valid_outputs = None
        return total / self._counts.sum(dim=0)

    @torch.no_grad()
    def outputs_of_valid(self, place: int) -> Tensor:
        """Give one network's outputs for its validation rows, padding included, in host memory.

        All networks' are computed when the first one's are asked for.
        """
        assert self._valid_places is not None
        if self._valid_outputs is None:
            depth = self._X.shape[1] + self._ends[-1] - self._ends[len(self._shapes) // 2]
            rows = max(1, _MOST_NUMBERS // (len(self) * depth))
            parts = [
                self._forward(self._X[self._valid_places[:, first : first + rows]])[0][-1]
                for first in range(0, self._valid_places.shape[1], rows)
            ]
            self._valid_outputs = torch.cat(parts, dim=1).cpu()
        return self._valid_outputs[place]

    def _flat_order(self, orders: Sequence[NDArray[np.int64] | None]) -> Tensor:
        """Give the places of rows among all networks' rows, the padding at the end of each."""
        width = self._places.shape[1]
        flat = np.empty((len(self), width), dtype=np.int64)
        for place, (order, size) in enumerate(zip(orders, self._sizes, strict=True)):
            flat[place] = np.arange(width)
            if order is not None:
                flat[place, :size] = order
            flat[place] += place * width
        return torch.from_numpy(flat).to(self._X.device)

    def _forward(self, X: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Give each layer's sums of shape (k, rows, out), and what went into it."""
        function = ACTIVATIONS[self._activation].function
        params = self._views(self.params)
        half = len(params) // 2
        inputs, sums = [X], [torch.baddbmm(params[half][:, None], X, params[0].mT)]
        for weight, bias in zip(params[1:half], params[half + 1 :], strict=True):
            inputs.append(function(sums[-1]))
            sums.append(torch.baddbmm(bias[:, None], inputs[-1], weight.mT))
        return sums, inputs

    def _differentiate(self, X: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
        """Write the derivatives of a batch's objectives; give these, of shape (k,)."""
        backward = ACTIVATIONS[self._activation].backward
        params, grads = self._views(self.params), self._views(self._grads)
        half = len(params) // 2
        sums, inputs = self._forward(X)
        values, delta = self._evaluate(sums[-1], y)
        if weights is None:
            columns, total = values.mean(dim=1), values.new_full((len(values), 1), values.shape[1])
        else:
            total = weights.sum(dim=1, keepdim=True)
            columns = torch.bmm(weights[:, None], values)[:, 0] / total
            delta = delta * weights[:, :, None]
        for layer in range(half - 1, -1, -1):
            torch.bmm(delta.mT, inputs[layer], out=grads[layer])
            torch.sum(delta, dim=1, out=grads[half + layer])
            if layer:
                delta = backward(sums[layer - 1], inputs[layer], torch.bmm(delta, params[layer]))
        decay = self._penalty * self.params
        squares = torch.linalg.vecdot(decay, self.params)
        self._grads.add_(decay).div_(total)
        loss = columns.mean(dim=1) if self._loss.averages else columns.sum(dim=1)
        objectives: Tensor = loss + 0.5 * squares / total[:, 0]
        return objectives

    def _evaluate(self, outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Give the loss's values and derivatives, which know no third dimension."""
        k = len(outputs)
        values, delta = self._loss.evaluate(outputs.flatten(0, 1), y.flatten(0, 1))
        return values.view(k, -1, values.shape[1]), delta.view(k, -1, delta.shape[1])

    def _views(self, flat: Tensor, *, only: int | None = None) -> list[Tensor]:
        """Give the parts of a matrix of parameters in their shapes, of all networks or one."""
        parts = zip(self._ends, self._ends[1:], self._shapes, strict=False)
        each = [flat[:, a:b].view(len(flat), *shape) for a, b, shape in parts]
        return each if only is None else [part[only] for part in each]


def _weights(member: Member) -> NDArray[np.floating]:
    given = member.train.weights
    return np.ones(len(member.train), member.train.y.dtype) if given is None else given


def _padded(arrays: Sequence[NDArray[np.generic]], width: int, device: torch.device) -> Tensor:
    """Stack arrays of unequal lengths, with zeros behind the shorter ones."""
    table = np.zeros((len(arrays), width, *arrays[0].shape[1:]), arrays[0].dtype)
    for row, array in zip(table, arrays, strict=True):
        row[: len(array)] = array
    return torch.from_numpy(table).to(device)
