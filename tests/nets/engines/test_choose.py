"""Which engine a fit takes, and what it says about that."""

import copy
import logging
import pickle

import numpy as np
import pytest
import torch
from torch import nn

import abline as ab
from abline.errors import ParameterError
from abline.nets.engines import choose
from abline.nets.engines.choose import Engine
from abline.nets.engines.fused import kernel_cache
from abline.nets.torch_job import Parts, make_job, make_own_module
from abline.tables.arrays import check_training


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2)).astype(np.float32)
    return X, (X[:, 0] - X[:, 1]).astype(np.float32)


@pytest.fixture
def cold(monkeypatch, tmp_path):
    """No kernel was compiled, in this process or ever."""
    monkeypatch.setattr(kernel_cache, "_loaded", set())
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))


def _fit(table, **options):
    return ab.TorchRegressor(nn.Linear, random_state=0, **options).fit(*table)


def test_a_short_training_does_not_wait_for_the_compiler(table, cold):
    model = _fit(table, max_epochs=3)
    assert model.engine_ == "loop"
    assert "abline warmup" in model.engine_.why


def test_a_short_training_does_not_wait_for_kernels_to_load(table, cold):
    kernel_cache.cache_folder().mkdir(parents=True)
    kernel_cache.note_loaded("float32")
    kernel_cache._loaded.clear()
    assert kernel_cache.is_kept("float32")
    assert not kernel_cache.is_kept("float64")
    assert "loading" in _fit(table, max_epochs=3).engine_.why


def test_loaded_kernels_are_taken_at_once(table):
    _fit(table, max_epochs=1, engine="fused")
    model = _fit(table, max_epochs=3)
    assert (model.engine_, model.engine_.why) == ("fused", "")


def test_a_long_training_is_worth_compiling(table, cold, monkeypatch, caplog):
    monkeypatch.setattr(choose, "COMPILING", 0.0)
    with caplog.at_level(logging.INFO, logger="abline"):
        assert _fit(table, max_epochs=2).engine_ == "fused"
    assert "compiling the training kernels for float32" in caplog.text


def test_the_estimate_grows_with_the_work(table):
    def seconds(**options):
        model = ab.TorchRegressor(nn.Linear(2, 1), **options)
        data = check_training(model, *table)
        criterion = nn.MSELoss()
        module = make_own_module(model, data, torch.device("cpu"), None, criterion)
        return choose.loop_seconds(make_job(model, Parts(module, criterion, data)))

    assert seconds(max_epochs=2000) == pytest.approx(2 * seconds(max_epochs=1000))
    assert seconds(batch_size=10) > 5 * seconds(batch_size=60)


def test_the_slower_engine_says_why(table):
    module = nn.Sequential(nn.Linear(2, 4), nn.PReLU(), nn.Linear(4, 1))
    _fit(table, max_epochs=1, engine="fused")
    model = ab.TorchRegressor(module, max_epochs=2).fit(*table)
    assert (model.engine_, model.engine_.why) == ("loop", "kernels do not know PReLU")
    assert _fit(table, max_epochs=2, engine="loop").engine_.why == "it was asked for"


def test_an_engine_that_cannot_is_refused_with_the_reason(table):
    module = nn.Sequential(nn.Linear(2, 4), nn.PReLU(), nn.Linear(4, 1))
    with pytest.raises(ParameterError, match=r"since kernels do not know PReLU: use engine='loop'"):
        ab.TorchRegressor(module, engine="fused").fit(*table)
    with pytest.raises(ParameterError, match="'fused'"):
        _fit(table, engine="fuse")


def test_an_engine_is_kept_by_copies_and_files(table, tmp_path):
    engine = Engine("loop", "a reason")
    for other in (copy.deepcopy(engine), pickle.loads(pickle.dumps(engine))):
        assert (other, other.why) == ("loop", "a reason")
    model = _fit(table, max_epochs=2, engine="loop")
    model.save(tmp_path / "net.model")
    loaded = ab.load(tmp_path / "net.model")
    assert (loaded.engine_, loaded.engine_.why) == ("loop", "it was asked for")


def test_the_engines_agree_on_a_fit(table):
    fits = [
        _fit(table, max_epochs=50, batch_size=16, engine=engine) for engine in ("loop", "fused")
    ]
    np.testing.assert_allclose(*(fit.predict(table[0]) for fit in fits), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(*(fit.history_["train_loss"] for fit in fits), rtol=1e-4)
