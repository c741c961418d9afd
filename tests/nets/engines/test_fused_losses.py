"""The kernels' losses, one by one, are torch's values and derivatives."""

import ctypes

import numpy as np
import pytest
import torch
from torch import nn

from abline.nets import GammaLoss, GaussianNLL, PoissonLoss, QuantileLoss
from abline.nets.engines.fused import codes
from abline.nets.engines.fused.losses import LOSSES

CASES = [
    (nn.MSELoss, codes.SQUARED, {}, []),
    (nn.L1Loss, codes.ABSOLUTE, {}, []),
    (nn.HuberLoss, codes.HUBER, {"delta": 0.7}, [0.7]),
    (nn.SmoothL1Loss, codes.SMOOTH_ABSOLUTE, {"beta": 0.3}, [0.3]),
    (PoissonLoss, codes.POISSON, {}, []),
    (GammaLoss, codes.GAMMA, {}, []),
    (QuantileLoss, codes.QUANTILE, {"quantile": 0.8}, [0.8]),
    (QuantileLoss, codes.QUANTILES, {"quantile": [0.1, 0.5, 0.9]}, [3, 1, 0.1, 0.5, 0.9]),
    (QuantileLoss, codes.QUANTILES, {"quantile": [0.6, 0.7, 0.8]}, [3, 0, 0.6, 0.7, 0.8]),
    (QuantileLoss, codes.QUANTILES, {"quantile": [0.1, 0.2]}, [2, 1, 0.1, 0.2]),
    (QuantileLoss, codes.QUANTILES, {"quantile": (0.1, 0.2, 0.4, 0.8)}, [4, 2, 0.1, 0.2, 0.4, 0.8]),
    (GaussianNLL, codes.GAUSSIAN, {}, [1e-6]),
    (GaussianNLL, codes.GAUSSIAN, {"eps": 0.3}, [0.3]),
]  # fmt: skip


def run(code, parameters, outputs, target, weights):
    """Call a piece as kernels do: arrays of shape (columns, rows)."""
    real = ctypes.c_double if outputs.dtype == np.float64 else ctypes.c_float
    arrays = [np.ascontiguousarray(outputs.T), np.ascontiguousarray(target.T), weights]
    slopes = np.full_like(arrays[0], np.nan)
    pointers = [each.ctypes.data_as(ctypes.POINTER(real)) for each in (*arrays, slopes)]
    numbers = np.array([*parameters, np.nan])  # never empty
    kinds = [ctypes.POINTER(ctypes.c_double), *[ctypes.POINTER(real)] * 4, *[ctypes.c_int64] * 2]
    function = ctypes.CFUNCTYPE(ctypes.c_double, *kinds)(LOSSES[code].address(outputs.dtype))
    first = numbers.ctypes.data_as(kinds[0])
    return function(first, *pointers, target.shape[1], len(target)), slopes.T


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].__name__} {case[2]}")
def test_values_and_derivatives_are_torchs(case, dtype):
    kind, code, arguments, parameters = case
    criterion = kind(**arguments, reduction="none")
    columns = criterion.n_outputs(2) if hasattr(criterion, "n_outputs") else 2
    rng = np.random.default_rng(0)
    outputs = (4 * rng.normal(size=(50, columns))).astype(dtype)
    outputs[:3] *= 10  # where softplus is a line, and variances vanish
    target = rng.gamma(2.0, size=(50, 2)).astype(dtype)
    weights = rng.uniform(0.5, 2, 50).astype(dtype)
    value, slopes = run(code, parameters, outputs, target, weights)
    leaf = torch.tensor(outputs, requires_grad=True)
    rows = criterion(leaf, torch.tensor(target)).reshape(50, -1).sum(1)
    expected = (rows * torch.tensor(weights)).sum()
    expected.backward()
    exact = {"rtol": 1e-4 if dtype == np.float32 else 1e-12}
    np.testing.assert_allclose(value, expected.item(), **exact)
    scale = float(leaf.grad.abs().max())
    np.testing.assert_allclose(slopes, leaf.grad, atol=exact["rtol"] * scale * 1e-3, **exact)
