"""An interrupt ends a fit, and what was trained until then is kept."""

import numpy as np
import pytest
import torch
from torch import nn

import abline as ab
from abline.nets.engines.fused.kernels import Kernels


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 3))
    return X, np.tanh(X[:, 0]) + X[:, 1] * X[:, 2]


class Interrupt(ab.Callback):
    """Interrupts after an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, state):
        if state.epoch == self.epoch:
            raise KeyboardInterrupt


def stack():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1)).double()


def regressor(engine, **parameters):
    usual = {"max_epochs": 40, "lr": 0.01, "random_state": 0, "n_restarts": 2, "batch_size": 30}
    return ab.TorchRegressor(stack(), engine=engine, **usual | parameters)


def same_weights(a, b):
    pairs = zip(a.module_.parameters(), b.module_.parameters(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("engine", ["loop", "fused"])
def test_the_epochs_until_then_are_kept(table, engine):
    model = regressor(engine, callbacks=[Interrupt(6)])
    with pytest.raises(KeyboardInterrupt):
        model.fit(*table)
    whole = regressor(engine, max_epochs=7).fit(*table)
    assert (model.n_iter_, model.engine_, model.engine_.why) == (
        7, engine, "the training was interrupted",
    )  # fmt: skip
    assert model.history_["train_loss"] == whole.history_["train_loss"]
    assert same_weights(model, whole)
    model.set_params(callbacks=None, warm_start=True, max_epochs=3).fit(*table)
    assert model.n_iter_ == 3


class Interrupted(nn.Sequential):
    """Interrupts in the middle of an epoch."""

    calls = 0

    def forward(self, rows):
        self.calls += 1
        if self.calls == self.last:
            raise KeyboardInterrupt
        return super().forward(rows)


def test_half_an_epoch_of_the_loop_is_taken_back(table):
    module = Interrupted(*stack())
    module.last = 1 + 3 * 5 + 2  # the fit's own try, five epochs of three batches, one more batch
    model = regressor("loop", shuffle=False).set_params(module=module)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*table)
    assert same_weights(model, regressor("loop", shuffle=False, max_epochs=5).fit(*table))
    assert {len(column) for column in model.history_.values()} == {5}


def test_half_a_chunk_of_the_kernels_is_taken_back(table, monkeypatch):
    train, done = Kernels.train, []

    def interrupted(self, *arguments):
        result = train(self, *arguments)
        done.append(result[0])
        if len(done) == 3:
            raise KeyboardInterrupt
        return result

    class Pause(ab.Callback):
        every = 4

        def on_epoch_end(self, state):
            pass

    monkeypatch.setattr(Kernels, "train", interrupted)
    model = regressor("fused", callbacks=[Pause()])
    with pytest.raises(KeyboardInterrupt):
        model.fit(*table)
    monkeypatch.undo()
    assert model.n_iter_ == sum(done[:2])
    assert {len(column) for column in model.history_.values()} == {model.n_iter_}
    assert same_weights(model, regressor("fused", max_epochs=model.n_iter_).fit(*table))


def test_the_best_of_levenbergs_way_is_kept(table):
    model = regressor("lm", batch_size=None, callbacks=[Interrupt(12)])
    with pytest.raises(KeyboardInterrupt):
        model.fit(*table, eval_set=table)
    errors = (model.predict(table[0]) - table[1]) ** 2
    assert errors.mean() == pytest.approx(min(model.history_["valid_loss"]), rel=1e-9)
    assert model.n_iter_ == 13


def test_a_perceptron_by_levenberg_keeps_it_and_warns(table):
    model = ab.MLPRegressor(
        solver="lm", hidden_layer_sizes=5, n_restarts=2, random_state=0, callbacks=[Interrupt(9)]
    )
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(*table)
    assert model.n_iter_ == 9
    loss = 0.5 * np.mean((model.predict(table[0]) - table[1]) ** 2)
    assert loss == pytest.approx(min(model.loss_curve_), rel=1e-9)


def test_a_checkpoint_goes_on_after_an_interrupt(table, tmp_path):
    path = tmp_path / "run.checkpoint"
    kept = ab.Checkpoint(path, every=5)
    with pytest.raises(KeyboardInterrupt):
        regressor("fused", callbacks=[kept, Interrupt(17)]).fit(*table)
    model = regressor("fused", callbacks=[kept]).fit(*table, resume_from=path)
    assert same_weights(model, regressor("fused").fit(*table))
