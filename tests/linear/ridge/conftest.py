"""Tables that the tests of ridge regression share."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def table():
    """A maker of (X, y of shape (n, t), weights), with columns of several sizes and offsets."""

    def make(n, p, t=1, seed=0, zeros=0.0):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, p)) * rng.uniform(0.1, 10, p) + 20 * rng.normal(size=p)
        X *= rng.random((n, p)) >= zeros
        return X, X @ rng.normal(size=(p, t)) + rng.normal(size=(n, t)) + 5, rng.uniform(0.1, 3, n)

    return make
