"""Tables that a small network can learn something from."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def table():
    """120 rows of four features, a curved target with noise, and weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=120)
    return X, y, rng.uniform(0.2, 2.0, size=120)


@pytest.fixture(scope="module")
def validation():
    """60 other rows of the same kind."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 4))
    return X, np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=60)
