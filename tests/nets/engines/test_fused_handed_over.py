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


def insert(state):
    state.module[1] = nn.ReLU()


def assign(state):
    state.module.load_state_dict(
        {name: 0.5 * value for name, value in state.module.state_dict().items()}, assign=True
    )


def turn(state):
    state.module[2].weight.data = state.module[2].weight.data.t()


def count_again(state):
    for memory in state.optimizer.state.values():
        memory["step"].zero_()


def count_some_again(state):
    next(iter(state.optimizer.state.values()), {"step": torch.zeros(())})["step"].zero_()


def leave_out(state):
    del state.optimizer.param_groups[0]["params"][0]


def hook_steps(state):
    state.optimizer.register_step_post_hook(lambda *_: None)


def hook_gradient(state):
    state.module[0].weight.register_post_accumulate_grad_hook(lambda tensor: None)


def regressor(engine, callback, **parameters):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 1)
    ).double()
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
        (sharpen, "loss has changed"),
        (hook, "HuberLoss has hooks"),
        (listen, "Tanh has hooks"),
        (insert, "network has changed"),
        (assign, "does not move all parameters"),
        (turn, "other tensors"),
        (count_again, ""),
        (count_some_again, "changed the steps"),
        (leave_out, "does not move all parameters"),
        (hook_steps, "Adam has hooks"),
        (hook_gradient, "have hooks"),
    ],
)
def test_the_loop_goes_on(table, action, words, epoch):
    plain, kernels = (regressor(e, At(epoch, action)).fit(*table) for e in ("loop", "fused"))
    np.testing.assert_allclose(
        kernels.history_["train_loss"], plain.history_["train_loss"], rtol=1e-9
    )
    np.testing.assert_allclose(kernels.predict(table[0]), plain.predict(table[0]), rtol=1e-9)
    if action is count_again or (epoch < 0 and action in (replace, forget, turn, count_some_again)):
        assert kernels.engine_ == "fused"
    else:
        assert kernels.engine_ == "loop"
        assert words in kernels.engine_.why
        assert f"before epoch {epoch + 1}" in kernels.engine_.why


class ByAttribute(nn.Module):
    """Its dropout is a function, whose rate is an attribute."""

    def __init__(self):
        super().__init__()
        self.first, self.last, self.p = nn.Linear(3, 5), nn.Linear(5, 1), 0.5

    def forward(self, rows):
        values = torch.tanh(self.first(rows))
        return self.last(nn.functional.dropout(values, self.p, self.training))


def _no_dropout(state):
    state.module.p = 0.0


def _evaluate(state):
    state.module.eval()


@pytest.mark.parametrize(
    ("action", "words"), [(_no_dropout, "network has changed"), (_evaluate, "the mode")]
)
def test_a_rate_or_mode_that_a_callback_sets_is_followed(table, action, words):
    model = ab.TorchRegressor(
        ByAttribute, engine="fused", max_epochs=40, lr=0.01, random_state=0,
        callbacks=[At(9, action)],
    ).fit(*table)  # fmt: skip
    assert words in model.engine_.why
    losses = model.history_["train_loss"]
    assert all(after < before for before, after in pairwise(losses[10:]))


def test_less_dropout_is_followed(table):
    module = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.5), nn.Linear(5, 1))

    def lessen(state):
        state.module[2].p = 0.0

    model = ab.TorchRegressor(
        module, engine="fused", max_epochs=20, lr=0.01, random_state=0, callbacks=[At(9, lessen)]
    ).fit(*table)
    assert (model.engine_, model.engine_.why) == (
        "loop", "the network has changed before epoch 10",
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
