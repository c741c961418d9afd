"""Members trained by kernels are those trained as one batched product."""

from itertools import pairwise

import numpy as np
import pytest
import threadpoolctl
import torch

import abline.nets.network as network
from abline.errors import DivergedError
from abline.nets import Callback, NetworkRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
Y = np.column_stack([np.sin(X[:, 0]) + 0.1 * RNG.normal(size=300), X[:, 1] * X[:, 2]])


@pytest.fixture
def fit(monkeypatch):
    def fit(engine, y=Y[:, 0], weights=None, valid=None, **options):
        why = "" if engine == "fused" else "asked for"
        monkeypatch.setattr(network, "_why_not_fused", lambda *_: why)
        options = {"hidden": (8, 8), "members": 3, "max_epochs": 8, "random_state": 0} | options
        model = NetworkRegressor(**options).fit(X, y, weights, eval_set=valid)
        assert model.engine_ == engine
        return model

    return fit


@pytest.mark.parametrize("batch_size", ["auto", 300, 7])
@pytest.mark.parametrize("y", [Y[:, 0], Y], ids=["one target", "two"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_it_follows_the_loop(fit, y, weighted, batch_size):
    weights = RNG.uniform(0.2, 2, 300) if weighted else None
    fits = [fit(each, y, weights, batch_size=batch_size) for each in ("loop", "fused")]
    loop, fused = (model.history_ for model in fits)
    assert loop["epoch"] == fused["epoch"]
    np.testing.assert_allclose(fused["lr"], loop["lr"], rtol=1e-12)
    np.testing.assert_allclose(fused["valid_loss"], loop["valid_loss"], rtol=1e-4)
    # the loop averages batches by the rows that count, members together
    np.testing.assert_allclose(fused["train_loss"], loop["train_loss"], rtol=0.1)
    np.testing.assert_allclose(*(model.predict(X) for model in fits), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("activation", ["tanh", "gelu", "silu"])
def test_activations_and_given_validation_rows(fit, activation):
    valid = (X[:50] + 0.1, Y[:50, 0])
    fits = [fit(each, valid=valid, activation=activation) for each in ("loop", "fused")]
    np.testing.assert_allclose(*(each.history_["valid_loss"] for each in fits), rtol=1e-4)


def test_dropout_draws_anew_and_by_the_seed(fit):
    fits = [fit("fused", dropout=0.3, random_state=seed) for seed in (0, 0, 1)]
    losses = [model.history_["train_loss"] for model in fits]
    assert losses[0] == losses[1] != losses[2]


def test_the_number_of_threads_changes_nothing(fit):
    with threadpoolctl.threadpool_limits(1):
        one = fit("fused").predict(X)
    np.testing.assert_array_equal(fit("fused").predict(X), one)


def test_callbacks_see_the_weights_as_they_are(fit):
    seen = []

    class Look(Callback):
        def on_epoch_end(self, state):
            seen.append(state.module.ensemble.first.weight.detach().clone())

    fit("fused", callbacks=[Look()])
    assert len(seen) == 8
    assert not any(torch.equal(a, b) for a, b in pairwise(seen))


def test_the_weights_are_left_with_storage_of_their_own(fit):
    for parameter in fit("fused").module_.parameters():
        assert parameter.is_contiguous()
        assert parameter.untyped_storage().nbytes() == parameter.numel() * parameter.itemsize


def test_a_loss_that_is_not_finite_stops_it(fit):
    with pytest.raises(DivergedError, match="lower lr"):
        fit("fused", lr=1e30)
