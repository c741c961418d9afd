"""What computes a perceptron's steps, and why."""

import numpy as np
import pytest
import scipy.sparse

from abline.errors import ParameterError
from abline.nets.engines import choose
from abline.nets.engines.fused import kernel_cache
from abline.nets.mlp import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def cold(monkeypatch, tmp_path):
    """No kernel was compiled, in this process or ever."""
    monkeypatch.setattr(kernel_cache, "_loaded", set())
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))


def fit(X, y, **options):
    return MLPRegressor(hidden_layer_sizes=3, max_iter=2, random_state=0, **options).fit(X, y)


def test_a_short_training_does_not_wait_for_the_compiler(table, cold):
    engine = fit(*table[:2]).engine_
    assert engine == "loop"
    assert "abline warmup" in engine.why


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_long_one_does(table, cold, monkeypatch, solver):
    monkeypatch.setattr(choose, "COMPILING", 0.0)
    assert fit(*table[:2], solver=solver).engine_ == "fused"
    assert kernel_cache.is_loaded("float64")


def test_what_kernels_do_not_do(table):
    X, y, _ = table
    fit(X, y, engine="fused")  # they are there now
    assert fit(X, y).engine_ == "fused"
    sparse = fit(scipy.sparse.csr_matrix(X), y).engine_
    assert (sparse, sparse.why) == ("loop", "kernels take no sparse features")
    with pytest.raises(ParameterError, match="since kernels take no sparse features: use engine"):
        fit(scipy.sparse.csr_matrix(X), y, engine="fused")
    with pytest.raises(ParameterError, match="'fused'"):
        fit(X, y, engine="fuse")
    assert fit(X, y, engine="loop").engine_.why == "it was asked for"


def test_both_end_alike(table):
    X, y, w = table
    options = {"hidden_layer_sizes": (8, 4), "batch_size": 16, "random_state": 0, "max_iter": 50}
    options |= {"early_stopping": True, "alpha": 0.1}
    fits = [MLPRegressor(engine=each, **options).fit(X, y, w) for each in ("loop", "fused")]
    np.testing.assert_allclose(*(each.predict(X) for each in fits), rtol=1e-9)
    np.testing.assert_allclose(*(each.validation_scores_ for each in fits), rtol=1e-9)
