"""The least-squares problem that a module and its rows are: residuals, Jacobian, two reductions.

Computed in float64 on the CPU, whatever the module is in; what only ranks starts, more quickly.
Residuals are outputs less targets, times the square root of the row's weight.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from abline.errors import ParameterError
from abline.nets.engines.fused.stack import NotFused, find_stack
from abline.nets.engines.lm_module import ModuleModel
from abline.nets.engines.lm_stack import StackModel
from abline.nets.engines.loop import has_modes
from abline.nets.randomness import unchanged_generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abline.nets.training import Rows

#: more than these would take minutes a step: work grows with the cube of the count
MOST_PARAMETERS = 5_000

#: residuals for each parameter that are enough to rank starts by
_RACED = 8

#: numbers of a Jacobian that are held at once: 64 MiB
_HELD = 2**23


class Model(Protocol):
    """A module as a function of one vector; see `StackModel` for the shapes."""

    tensors: list[nn.Parameter]
    rows_apart: bool
    weights_only: bool

    def outputs(self, theta: Tensor, X: Tensor) -> Tensor:
        """Compute the outputs."""
        ...

    def jacobian(self, theta: Tensor, X: Tensor, out: Tensor) -> Tensor:
        """Compute the outputs and their derivatives."""
        ...


class Problem:
    """A module's squared error on rows, as a function of one flat vector of its parameters.

    Parameters
    ----------
    module : torch.nn.Module
        Left as it is; parameters that do not require gradients stay fixed.
    train : Rows
    valid : Rows or None

    Attributes
    ----------
    module : torch.nn.Module
        The copy that is computed with.
    model : Model
    first : tensor of shape (p,)
        The module's own parameters.
    quick_dtype : torch.dtype
        What the ``quick_…`` methods compute in, for several vectors at once and, of a long
        table, for every few rows.
    loss_scale, quick_loss_scale : float
        From the sum of squared residuals to the training loss.

    Raises
    ------
    ParameterError
        If the module has no free parameters or too many, computes something else in training
        than in evaluation, or gives outputs that are not finite.
    """

    def __init__(self, module: nn.Module, train: Rows, valid: Rows | None) -> None:
        self.module = copy.deepcopy(module).to("cpu", torch.float64).eval()
        _check_count(sum(p.numel() for p in module.parameters() if p.requires_grad))
        self._train = _Side(train, torch.float64)
        self._valid = None if valid is None else _Side(valid, torch.float64)
        _check_forward(self.module, self._train.X)
        self.model = _make_model(self.module, self._train.X)
        places = {id(p): name for name, p in self.module.named_parameters()}
        self._names = [places[id(p)] for p in self.model.tensors]
        self.first = self.read(module)
        # half the time; other modules may need all digits, or hold tensors of their own
        is_stack = isinstance(self.model, StackModel)
        self.quick_dtype = torch.float32 if is_stack else torch.float64
        stride = max(1, len(train) * len(self._train.y) // (_RACED * len(self.first)))
        self._quick_train = _Side(train.take(slice(None, None, stride)), self.quick_dtype)
        self.loss_scale = 1.0 / self._train.total
        self.quick_loss_scale = 1.0 / self._quick_train.total
        self._quick_valid = None if valid is None else _Side(valid, self.quick_dtype)
        if not math.isfinite(self.squares(self.first)):
            raise ParameterError(
                "the module's outputs on the training rows are not finite at its first "
                "parameters: give it other ones, or standardise X"
            )

    @property
    def has_valid(self) -> bool:
        """Whether there are validation rows."""
        return self._valid is not None

    @property
    def features(self) -> Tensor:
        """Those of the training rows, of shape (n, features)."""
        return self._train.X

    def read(self, module: nn.Module) -> Tensor:
        """Give the parameters of the module, or of a copy, as one vector in float64."""
        free = [module.get_parameter(name).detach().reshape(-1) for name in self._names]
        return torch.cat(free).to("cpu", torch.float64)

    def write(self, theta: Tensor, module: nn.Module) -> None:
        """Set the parameters of the module, or of a copy, in their own precision."""
        free = [module.get_parameter(name) for name in self._names]
        pieces = torch.split(theta, [p.numel() for p in free])
        with torch.no_grad():
            for p, piece in zip(free, pieces, strict=True):
                p.copy_(piece.view(p.shape))

    def squares(self, theta: Tensor) -> float:
        """Sum the squared residuals of the training rows; NaN or infinite where they are."""
        with torch.no_grad():
            return float(self._train.squares(self.model, theta[None]))

    def valid_loss(self, theta: Tensor) -> float:
        """Compute the mean squared error of the validation rows; NaN without any."""
        if self._valid is None:
            return math.nan
        with torch.no_grad():
            return float(self._valid.squares(self.model, theta[None])) / self._valid.total

    def valid_shares(self, theta: Tensor) -> Tensor:
        """Compute what each validation row adds to the validation loss, of shape (n,)."""
        assert self._valid is not None
        with torch.no_grad():
            residuals = self._valid.residuals(self.model, theta[None])[0]
            return residuals.square().sum(dim=0) / self._valid.total

    def triangle(self, theta: Tensor) -> Tensor:
        """Compute the triangular factor of ``[J r]``, of shape (1 + p, 1 + p).

        Where there are fewer rows than columns, zeros fill it up.
        """
        size = len(theta) + 1
        factor = torch.zeros(0, size, dtype=torch.float64)
        with torch.no_grad():
            for (block,) in self._blocks(self._train, theta[None]):
                stacked = torch.cat([factor, block.T]) if len(factor) else block.T
                factor = torch.linalg.qr(stacked, mode="r").R
            if len(factor) < size:
                factor = torch.cat([factor, factor.new_zeros(size - len(factor), size)])
        return factor

    def quick_squares(self, theta: Tensor) -> Tensor:
        """Sum the squared residuals for k vectors in `quick_dtype`, of shape (k,)."""
        with torch.no_grad():
            return self._quick_train.squares(self.model, theta)

    def quick_valid_losses(self, theta: Tensor) -> Tensor:
        """Compute the validation losses for k vectors in `quick_dtype`, of shape (k,)."""
        assert self._quick_valid is not None
        with torch.no_grad():
            return self._quick_valid.squares(self.model, theta) / self._quick_valid.total

    def quick_gram(self, theta: Tensor) -> Tensor:
        """Compute the products of ``[J r]`` with itself, of shape (k, 1 + p, 1 + p)."""
        size = theta.shape[1] + 1
        total = theta.new_zeros(len(theta), size, size)
        with torch.no_grad():
            for block in self._blocks(self._quick_train, theta):
                total.baddbmm_(block, block.mT)
        return total

    def _blocks(self, side: _Side, theta: Tensor) -> Iterator[Tensor]:
        """Give ``[J r]`` in blocks of rows, transposed: each of shape (k, 1 + p, rows)."""
        n_vectors, size = len(theta), theta.shape[1] + 1
        n_targets, n_rows = side.y.shape
        step = n_rows
        if self.model.rows_apart:
            step = max(1, _HELD // (n_vectors * size * n_targets))
        for first in range(0, n_rows, step):
            rows = slice(first, first + step)
            X, y = side.X[rows], side.y[:, rows]
            block = theta.new_empty(n_vectors, size, *y.shape)
            block[:, -1] = self.model.jacobian(theta, X, block[:, :-1]) - y
            if side.root is not None:
                block *= side.root[rows]
            yield block.flatten(2)


class _Side:
    """Training or validation rows, targets of shape (t, n)."""

    def __init__(self, rows: Rows, dtype: torch.dtype) -> None:
        self.X = rows.X.to("cpu", dtype)
        self.y = rows.y.to("cpu", dtype).reshape(len(rows), -1).T.contiguous()
        weights = None if rows.weights is None else rows.weights.to("cpu", torch.float64)
        self.root = None if weights is None else weights.sqrt().to(dtype)
        n_rows = float(len(rows) if weights is None else weights.sum())
        self.total = n_rows * len(self.y)

    def residuals(self, model: Model, theta: Tensor) -> Tensor:
        residuals = model.outputs(theta, self.X) - self.y
        return residuals if self.root is None else residuals * self.root

    def squares(self, model: Model, theta: Tensor) -> Tensor:
        norms: Tensor = torch.linalg.vector_norm(self.residuals(model, theta), dim=(1, 2))
        return norms.square()


def _make_model(module: nn.Module, X: Tensor) -> Model:
    try:
        return StackModel(find_stack(module))
    except NotFused:
        return ModuleModel(module, X)


def _check_count(count: int) -> None:
    if count == 0:
        raise ParameterError("the module has no parameters to train: let some require gradients")
    if count > MOST_PARAMETERS:
        raise ParameterError(
            f"the module has {count:,} parameters and Levenberg–Marquardt takes at most "
            f"{MOST_PARAMETERS:,}: use engine='loop', or a smaller module"
        )


def _check_forward(module: nn.Module, X: Tensor) -> None:
    """Refuse dropout, batch normalisation and whatever else differs between the modes."""
    with torch.no_grad(), unchanged_generator(X.device):
        try:
            evaluated = module(X)
        except RuntimeError as error:
            raise ParameterError(
                f"the module cannot compute in float64 on the CPU ({error}), as "
                "Levenberg–Marquardt needs: use engine='loop'"
            ) from error
        if not has_modes(module):
            return
        trained = copy.deepcopy(module).train()(X)
    if not torch.allclose(trained, evaluated, rtol=1e-9, atol=1e-12, equal_nan=True):
        raise ParameterError(
            "the module computes something else in training than in evaluation (dropout, batch "
            "normalisation), which Levenberg–Marquardt cannot train: use engine='loop'"
        )
