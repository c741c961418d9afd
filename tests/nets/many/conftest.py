"""A table that a small network can learn something from, and searches of it."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def table():
    """Rows of four features in a number that five folds do not share evenly, and weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(123, 4))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=123)
    return X, y, rng.uniform(0.2, 2.0, size=123)
