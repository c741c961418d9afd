"""Kernels honour what a fit can do, as the plain loop does."""

import numpy as np
import pytest
import torch
from torch import nn

from abline.errors import DivergedError
from abline.nets import MLP, Callback, Checkpoint, EarlyStopping, LRScheduler, TorchRegressor

schedulers = torch.optim.lr_scheduler


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(60, 3))


@pytest.fixture
def y(X):
    return X @ [1.0, -2.0, 0.5] + np.random.default_rng(1).normal(size=60)


def network(dropout=0.0):
    torch.manual_seed(0)
    first = [nn.Linear(3, 6), nn.Tanh(), *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*first, nn.Linear(6, 1)).double()


def regressor(engine="fused", module=None, **parameters):
    own = {"lr": 0.05, "max_epochs": 12, "batch_size": 16, "random_state": 3}
    return TorchRegressor(module or network(), engine=engine, **(own | parameters))


OPTIONS = {
    "norm": {"clip_grad_norm": 0.3},
    "value": {"clip_grad_value": 0.1},
    "both": {"clip_grad_norm": 0.3, "clip_grad_value": 0.1, "optimizer": torch.optim.SGD},
    "cosine": {"schedule": "cosine"},
    "one cycle": {"schedule": "one_cycle", "optimizer": torch.optim.AdamW},
    "scaled": {"target_scaling": True},
    "stopping": {"early_stopping": True, "n_iter_no_change": 2},
    "epochs": {"callbacks": [LRScheduler(schedulers.StepLR, step_size=2)]},
}


@pytest.mark.parametrize("options", OPTIONS)
def test_options_are_the_loops(X, y, options):
    fused, loop = (regressor(engine, **OPTIONS[options]).fit(X, y) for engine in ("fused", "loop"))
    for column in ("epoch", "train_loss", "valid_loss", "lr"):
        np.testing.assert_allclose(fused.history_[column], loop.history_[column], rtol=1e-9)
    np.testing.assert_allclose(fused.predict(X), loop.predict(X), rtol=1e-8)


class Stop(Exception):
    pass


class Interrupt(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, state):
        if state.epoch >= self.epoch:
            raise Stop


TRAININGS = {
    "Adam": {"clip_grad_norm": 1.0},
    "AdamW": {"optimizer": torch.optim.AdamW, "schedule": "one_cycle"},
    "SGD": {"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9, "target_scaling": True},
    "in order": {"shuffle": False},
    "all rows": {"batch_size": None},
    "stopping": {"early_stopping": True, "n_iter_no_change": 2},
    "scheduler": {"more": [LRScheduler(schedulers.ReduceLROnPlateau, patience=1)]},
}


@pytest.mark.parametrize("training", TRAININGS)
def test_an_interrupted_training_ends_as_one_that_was_not(X, y, tmp_path, training):
    parameters = dict(TRAININGS[training])
    more = parameters.pop("more", [])
    path = tmp_path / "checkpoint"

    def fit(*callbacks):
        own = [Checkpoint(path, every=3), *more, *callbacks]
        return regressor(module=network(0.2), callbacks=own, **parameters).fit(
            X, y, resume_from=path
        )

    whole = fit()
    path.unlink()
    for epoch in (2, 5):
        assert epoch < whole.n_iter_
        with pytest.raises(Stop):
            fit(Interrupt(epoch))
    again = fit()
    assert again.engine_ == "fused"
    for found, expected in zip(again.module_.parameters(), whole.module_.parameters(), strict=True):
        assert torch.equal(found, expected)
    for column in ("epoch", "train_loss", "valid_loss", "lr"):
        np.testing.assert_array_equal(again.history_[column], whole.history_[column])


def test_early_stopping_takes_the_best_weights(X, y):
    model = regressor(callbacks=[EarlyStopping(patience=3)], max_epochs=300)
    model.fit(X, y, eval_set=(X + 0.5, y))
    losses = model.history_["valid_loss"]
    assert len(losses) == int(np.argmin(losses)) + 4
    assert np.mean((model.predict(X + 0.5) - y) ** 2) == pytest.approx(min(losses))


@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize("pauses", [False, True])
def test_a_loss_that_is_no_number_keeps_the_last_good_weights(X, y, batch_size, pauses):
    def diverging(engine, **parameters):
        callbacks = [Interrupt(10**9)] if pauses else []
        return regressor(
            engine, optimizer=torch.optim.SGD, module=nn.Linear(3, 1).double(), lr=1e3,
            batch_size=batch_size, callbacks=callbacks, **{"max_epochs": 2000, **parameters},
        )  # fmt: skip

    torch.manual_seed(0)
    model = diverging("fused")
    with pytest.raises(DivergedError) as caught:
        model.fit(X, y)
    error = caught.value
    assert error.history["epoch"] == list(range(error.epoch))
    assert np.isfinite(error.history["train_loss"]).all()
    before = model.set_params(max_epochs=error.epoch - 1).fit(X, y)
    for found, expected in zip(error.module.parameters(), before.module_.parameters(), strict=True):
        assert torch.equal(found, expected)


def test_a_first_loss_that_is_no_number_keeps_the_first_weights(X, y):
    with pytest.raises(DivergedError, match="at epoch 0") as caught:
        regressor(batch_size=None).fit(X, np.full(60, 1e200))
    for found, expected in zip(
        caught.value.module.parameters(), network().parameters(), strict=True
    ):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.SGD])
def test_a_schedule_may_change_betas_and_momentum(optimizer):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    y = np.sin(X[:, 0])
    more = {"optimizer__momentum": 0.9} if optimizer is torch.optim.SGD else {}
    losses = []
    for engine in ("loop", "fused"):
        schedule = LRScheduler(schedulers.OneCycleLR, max_lr=0.1, total_steps=60)
        options = {"module": MLP, "module__hidden": (8,), "module__activation": "tanh"}
        options |= {"optimizer": optimizer, "max_epochs": 60, "lr": 0.01, "random_state": 0}
        model = TorchRegressor(engine=engine, callbacks=[schedule], **options, **more).fit(X, y)
        losses.append(model.history_["train_loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)
