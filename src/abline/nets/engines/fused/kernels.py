"""All that kernels need for one network, and the calls of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from abline.nets.engines.fused import passes
from abline.nets.engines.fused.activations import by_slopes
from abline.nets.engines.fused.calls import gemm_address
from abline.nets.engines.fused.kernel_cache import note_loaded
from abline.nets.engines.fused.losses import LOSSES
from abline.nets.engines.fused.tables import tables_of
from abline.nets.engines.fused.updates import UPDATES, clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from abline.nets.engines.fused.rules import LossRule, OptimizerRule
    from abline.nets.engines.fused.tables import FusedLayer, FusedRows

#: bytes of a block's values: they are to stay in a core's own cache
BLOCK_BYTES = 512 * 1024

#: numbers of rows that a block may have; BLAS wants some, and its cost for one block is not seen
FEWEST_ROWS, MOST_ROWS = 128, 1024


class Kernels:
    """The kernels of one training. Not for several threads at once, since they share its space.

    Parameters
    ----------
    layers : sequence of FusedLayer
    params : array of shape (q,)
        Float32 or float64; changed in place.
    loss : LossRule
    n_targets : int
    optimizer : OptimizerRule or None
        None where `train` is not called.
    batch_size : int
        Most rows of a step; a block of rows has no more.
    alpha : float, default=0
        Times half the squared weights over a batch's weight is added to its loss.
    clip_norm, clip_value : float, default=inf
        Bounds of the gradients' length and elements.
    by_rows : bool, default=False
        Whether an epoch's loss is its batches' mean by their rows rather than by their weights.
    seed : int, default=0
        Of dropout.

    Attributes
    ----------
    params, grads : arrays of shape (q,)
    settings : array of float64
        The optimizer's, which may change between calls.
    """

    def __init__(
        self,
        layers: Sequence[FusedLayer],
        params: NDArray[Any],
        loss: LossRule,
        n_targets: int,
        optimizer: OptimizerRule | None,
        batch_size: int,
        *,
        alpha: float = 0.0,
        clip_norm: float = math.inf,
        clip_value: float = math.inf,
        by_rows: bool = False,
        seed: int = 0,
    ) -> None:
        dtype = params.dtype
        self.params = params
        self.grads = np.zeros_like(params)
        depth = layers[0].width + sum(layer.units for layer in layers)
        block = block_rows(depth, dtype.itemsize, batch_size)
        tables = tables_of(layers, len(params), block, dtype)
        self._tables = (tables.sizes, tables.layers, tables.options)
        self._loss = loss.array(n_targets)
        self.settings = np.zeros(1) if optimizer is None else optimizer.settings
        self._numbers = np.array([alpha, clip_norm, clip_value])
        self._batch_size = batch_size
        self._by_rows = by_rows
        self._seed = seed
        self._mass = np.zeros(1)
        widest = int(tables.sizes[passes.WIDEST])
        width = 2 * depth + 2 * widest + n_targets + 1
        self._space = np.zeros(widest + width * block, dtype)  # the first ones stay zero
        wanted = {
            passes.GATHER: passes.gather,
            passes.FORWARD: passes.forward,
            passes.BACKWARD: passes.backward,
            passes.BATCH: passes.batch,
            passes.LOSS: LOSSES[loss.code],
        }
        if optimizer is not None:
            wanted[passes.UPDATE] = UPDATES[optimizer.code]
        if any(layer.dropout for layer in layers):
            wanted |= {passes.DROP: passes.drop, passes.BY_SLOPES: by_slopes}
        if min(clip_norm, clip_value) < math.inf:
            wanted[passes.CLIP] = clip
        if alpha > 0:
            wanted[passes.PENALISE] = passes.penalise
        self._calls = np.zeros(passes.BY_SLOPES + 1, dtype=np.int64)
        self._calls[passes.GEMM] = gemm_address(dtype)
        for place, piece in wanted.items():
            self._calls[place] = piece.address(dtype)

    def train(
        self,
        rows: FusedRows,
        valid: FusedRows | None,
        orders: NDArray[np.int64] | None,
        draws: int,
        rates: NDArray[np.float64],
        memory: tuple[NDArray[Any], NDArray[Any]],
        step: int,
        train_losses: NDArray[np.float64],
        valid_losses: NDArray[np.float64],
    ) -> tuple[int, int]:
        """Run epochs: as many as there are train losses.

        Parameters
        ----------
        rows : FusedRows
        valid : FusedRows or None
        orders : array of shape (epochs, n) or None
            Of the rows; None is their own.
        draws : int
            Rows drawn before, which says where dropout's numbers go on.
        rates : array of float64 of shape (steps,)
        memory : pair of arrays
            The optimizer's.
        step : int
            That the optimizer has taken.
        train_losses, valid_losses : arrays of float64 of shape (epochs,)
            Are written to.

        Returns
        -------
        done : int
            Epochs that ended with a finite loss.
        step : int
        """
        steps = np.array([step])
        no_rows = np.zeros(passes.ROWS_COLUMNS, dtype=np.int64)
        done = passes.train_epochs(
            self.params.dtype, self._calls, *self._tables, self._loss,
            rows.table, no_rows if valid is None else valid.table,
            orders is not None, steps if orders is None else orders,
            len(train_losses), self._batch_size, self._by_rows, draws, rates, steps,
            self.settings, self._numbers, self.params, self.grads, *memory, self._space,
            self._seed, self._mass, train_losses, valid_losses,
        )  # fmt: skip
        note_loaded(self.params.dtype.name)
        return int(done), int(steps[0])

    def loss(self, rows: FusedRows) -> float:
        """Give the mean loss of rows, without any penalty."""
        return float(self._batch(rows, 0) * self._loss[passes.VALUE_SHARE] / self._divisor)

    def differentiate(self, rows: FusedRows) -> float:
        """Give the loss of all rows with the penalty, and write its derivatives to ``grads``."""
        value = float(self._batch(rows, 1) * self._loss[passes.VALUE_SHARE] / self._divisor)
        self.grads *= self.grads.dtype.type(self._loss[passes.SLOPE_SHARE] / self._divisor)
        alpha = self._numbers[passes.ALPHA]
        if alpha > 0:
            dtype, (sizes, layers, _) = self.params.dtype, self._tables
            strength = alpha / self._mass[0]
            value += passes.penalise(dtype, sizes, layers, strength, self.params, self.grads)
        note_loaded(self.params.dtype.name)
        return value

    @property
    def _divisor(self) -> float:
        """What the sum over the last batch is divided by."""
        return 1.0 if self._loss[passes.SUMMED] else float(self._mass[0])

    def _batch(self, rows: FusedRows, train: int) -> float:
        total = passes.batch(
            self.params.dtype, self._calls, *self._tables, self._loss, rows.table, 0, self._calls,
            0, len(rows), self.params, self.grads, self._space, train, self._seed, 0, self._mass,
        )  # fmt: skip
        return float(total)


def block_rows(depth: int, itemsize: int, batch: int) -> int:
    """Give the rows of a block: as many as keep their values in a core's cache.

    Parameters
    ----------
    depth : int
        Numbers that a row makes on its way: its features and all layers' outputs.
    itemsize : int
        Bytes of a number.
    batch : int
        Rows of a step; a block has no more.

    Returns
    -------
    int
        Depends on the network and the batch alone, so that sums do not depend on the machine.
    """
    fit = BLOCK_BYTES // (2 * depth * itemsize)
    return min(batch, max(FEWEST_ROWS, min(fit // 64 * 64, MOST_ROWS)))
