"""Predictions of many rows are those of each, however they are cut and in however many threads."""

import numpy as np
import pytest
import threadpoolctl
import torch

from abline.nets.mlp import MLPRegressor
from abline.nets.mlp.activations import ACTIVATIONS
from abline.nets.mlp.forward import BLOCK_CHUNKS, CPU_ROWS


@pytest.fixture(scope="module")
def many():
    return np.random.default_rng(0).normal(size=(CPU_ROWS * BLOCK_CHUNKS + 700, 3))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_many_rows(many, activation):
    before = many.copy()
    y = np.column_stack([many[:, 0], many[:, 1] ** 2])
    options = {"activation": activation, "max_iter": 2, "random_state": 0}
    model = MLPRegressor(hidden_layer_sizes=(7, 5), **options).fit(many[:300], y[:300])
    found = model.predict(many)
    layers = [torch.tensor(part) for part in (*model.coefs_, *model.intercepts_)]
    expected = torch.tensor(many)
    for place, (weight, bias) in enumerate(zip(layers[:3], layers[3:], strict=True)):
        expected = expected @ weight + bias
        if place < 2:
            expected = ACTIVATIONS[activation].module()(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    with threadpoolctl.threadpool_limits(1):
        np.testing.assert_array_equal(model.predict(many), found)
    np.testing.assert_array_equal(many, before)
