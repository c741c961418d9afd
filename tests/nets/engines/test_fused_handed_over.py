"""Callbacks that change what is trained: the plain loop goes on where kernels cannot follow."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import abline as ab


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(70, 3))
    return X, np.sin(X[:, 0]) + X[:, 1]


class At(ab.Callback):
    """Does something after an epoch, or before the first."""

    def __init__(self, epoch, action):
        self.epoch, self.action = epoch, action

    def on_train_begin(self, state):
        if self.epoch < 0:
            self.action(state)

    def on_epoch_end(self, state):
        if state.epoch == self.epoch:
            self.action(state)


def freeze(state):
    state.module[0].weight.requires_grad_(False)


def replace(state):
    state.module[0].weight.data = torch.zeros_like(state.module[0].weight)


def forget(state):
    state.optimizer.state.clear()


def regularise(state):
    state.optimizer.param_groups[0]["amsgrad"] = True
    for memory in state.optimizer.state.values():
        memory["max_exp_avg_sq"] = memory["exp_avg_sq"].clone()


def sharpen(state):
    state.job.loss.criterion.delta = 0.1


def hook(state):
    state.job.loss.criterion.register_forward_hook(lambda *_: None)


def listen(state):
    state.module[1].register_forward_hook(lambda *_: None)


def regressor(engine, callback, **parameters):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    return ab.TorchRegressor(
        module, engine=engine, criterion=nn.HuberLoss(), max_epochs=30, lr=0.01, batch_size=25,
        random_state=0, callbacks=[callback], **parameters,
    )  # fmt: skip


@pytest.mark.parametrize("epoch", [-1, 11])
@pytest.mark.parametrize(
    ("action", "words"),
    [
        (freeze, "frozen"),
        (replace, "other tensors"),
        (forget, "other tensors"),
        (regularise, "settings of Adam"),
        (sharpen, "changed the loss"),
        (hook, "HuberLoss has hooks"),
        (listen, "Tanh has hooks"),
    ],
)
def test_the_loop_goes_on(table, action, words, epoch):
    plain, kernels = (regressor(e, At(epoch, action)).fit(*table) for e in ("loop", "fused"))
    np.testing.assert_allclose(
        kernels.history_["train_loss"], plain.history_["train_loss"], rtol=1e-9
    )
    np.testing.assert_allclose(kernels.predict(table[0]), plain.predict(table[0]), rtol=1e-9)
    if epoch < 0 and action in (replace, forget):
        assert kernels.engine_ == "fused"  # which begins after it
    else:
        assert kernels.engine_ == "loop"
        assert words in kernels.engine_.why
        assert f"before epoch {epoch + 1}" in kernels.engine_.why


def test_less_dropout_is_followed(table):
    module = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.5), nn.Linear(5, 1))

    def lessen(state):
        state.module[2].p = 0.0

    model = ab.TorchRegressor(
        module, engine="fused", max_epochs=20, lr=0.01, random_state=0, callbacks=[At(9, lessen)]
    ).fit(*table)
    assert (model.engine_, model.engine_.why) == (
        "loop", "a callback changed the network before epoch 10",
    )  # fmt: skip
    losses = model.history_["train_loss"]
    assert all(after < before for before, after in pairwise(losses[10:]))


def test_a_checkpoint_of_both_goes_on(table, tmp_path):
    path = tmp_path / "run.checkpoint"
    whole = regressor("fused", At(11, forget)).fit(*table)
    part = regressor("fused", At(11, forget))
    part.callbacks += [ab.Checkpoint(path, every=5), At(22, _interrupt)]
    with pytest.raises(KeyboardInterrupt):
        part.fit(*table)
    again = regressor("auto", ab.Checkpoint(path, every=5)).fit(*table, resume_from=path)
    assert whole.engine_ == again.engine_ == "loop"
    assert again.history_["train_loss"] == whole.history_["train_loss"]
    assert np.array_equal(again.predict(table[0]), whole.predict(table[0]))


def _interrupt(_state):
    raise KeyboardInterrupt
