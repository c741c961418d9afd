"""What a perceptron gives for rows, in plain PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from abline.linear.threads import in_order
from abline.nets.mlp.activations import ACTIVATIONS
from abline.nets.training import CHUNK_ROWS
from abline.tables.conversion import is_sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abline.nets.mlp.steps import Floats


#: rows that pass through the layers at once on a CPU, so that a hundred units' outputs stay in a
#: core's cache; and such parts that one thread takes in a go
CPU_ROWS, BLOCK_CHUNKS = 2048, 16


def forward(
    params: Sequence[Tensor], activation: str, X: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """Compute all layers.

    Parameters
    ----------
    params : weights of shape (out, in), then biases of shape (out,)
    activation : str
        Of the hidden layers.
    X : tensor of shape (n, p), perhaps sparse

    Returns
    -------
    sums : list of tensors of shape (n, out)
        What each layer gives, before the activation.
    inputs : list of tensors of shape (n, in)
        What goes into each layer.
    """
    function = ACTIVATIONS[activation].function
    half = len(params) // 2
    weights, biases = params[:half], params[half:]
    inputs, sums = [X], [X @ weights[0].T + biases[0]]
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        inputs.append(function(sums[-1]))
        sums.append(torch.addmm(bias, inputs[-1], weight.T))
    return sums, inputs


def outputs_of_rows(
    params: Sequence[Tensor], activation: str, X: Any, device: torch.device
) -> Tensor:
    """Compute the last layer's outputs, some rows at a time.

    On a CPU blocks of them run in as many threads as BLAS may have; blocks are the same whatever
    that number, and so are the outputs.

    Parameters
    ----------
    params : weights of shape (out, in), then biases of shape (out,)
        On the device.
    activation : str
    X : array of shape (n, p) or CSR matrix, in the parameters' precision
    device : torch.device

    Returns
    -------
    tensor of shape (n, units)
    """
    n, on_cpu = X.shape[0], device.type == "cpu"
    rows = CPU_ROWS if on_cpu else CHUNK_ROWS
    outputs = torch.empty((n, len(params[-1])), dtype=params[0].dtype, device=device)

    def compute(block: range) -> None:
        with torch.inference_mode():
            for first in block:
                part = slice(first, first + rows)
                outputs[part] = _last_layer(params, activation, to_tensor(X[part], device))

    starts = range(0, n, rows)
    if not on_cpu:
        compute(starts)
        return outputs
    blocks = [starts[k : k + BLOCK_CHUNKS] for k in range(0, len(starts), BLOCK_CHUNKS)]
    for _ in in_order(compute, blocks):
        pass
    return outputs


def _last_layer(params: Sequence[Tensor], activation: str, X: Tensor) -> Tensor:
    """Compute the outputs of some rows, keeping nothing else."""
    half = len(params) // 2
    function = ACTIVATIONS[activation].in_place
    outputs = torch.addmm(params[half], X, params[0].T)
    for weight, bias in zip(params[1:half], params[half + 1 :], strict=True):
        outputs = torch.addmm(bias, function(outputs), weight.T)
    return outputs


def to_tensor(X: Any, device: torch.device) -> Tensor:
    """Bring a table to a device.

    Parameters
    ----------
    X : array of shape (n, p) or sparse matrix
    device : torch.device

    Returns
    -------
    tensor of shape (n, p), sparse where X is
    """
    if not is_sparse(X):
        return torch.from_numpy(tensor_ready(X)).to(device)
    table = X.tocoo()
    places = torch.from_numpy(np.stack([table.row, table.col]).astype(np.int64))
    values = torch.from_numpy(tensor_ready(table.data))
    # check_invariants is given since torch warns where it is left out
    return torch.sparse_coo_tensor(
        places, values, table.shape, device=device, check_invariants=False
    )


def tensor_ready(array: Floats) -> Floats:
    """Give an array that torch can share: row by row in memory, and writable.

    Parameters
    ----------
    array : array

    Returns
    -------
    array
        The same where it is so.
    """
    ready: Floats = np.require(array, requirements=["C", "W"])
    return ready
