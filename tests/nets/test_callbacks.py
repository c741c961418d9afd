"""Logs, stopping and learning rates."""

import io
import math

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from abline.errors import ParameterError
from abline.nets import (
    Callback,
    EarlyStopping,
    LRScheduler,
    PrintLog,
    ProgressBar,
    TorchRegressor,
)
from abline.nets.callbacks import due_hooks, epochs_until_due
from abline.nets.training import TrainingState


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(40, 2))


@pytest.fixture
def y(X):
    return X @ [1.0, -1.0]


class Record(Callback):
    def __init__(self):
        self.calls = []

    def on_train_begin(self, state):
        self.calls.append("begin")

    def on_batch_end(self, state):
        self.calls.append("batch")

    def on_epoch_end(self, state):
        assert state.history["epoch"][-1] == state.epoch
        self.calls.append(f"epoch {state.epoch} of {state.max_epochs}")

    def on_train_end(self, state):
        self.calls.append("end")


def test_hooks_come_in_order(X, y):
    record = Record()
    TorchRegressor(callbacks=[record], batch_size=20, max_epochs=2).fit(X, y)
    assert record.calls == [
        "begin", "batch", "batch", "epoch 0 of 2", "batch", "batch", "epoch 1 of 2", "end",
    ]  # fmt: skip


def test_any_object_with_a_hook_is_a_callback(X, y):
    class Stop:
        def on_epoch_end(self, state):
            state.stop = state.epoch == 3

    model = TorchRegressor(callbacks=[Stop()]).fit(X, y)
    assert model.n_iter_ == 4


def test_verbose_prints_every_kth_epoch_and_the_last(X, y, capsys):
    model = TorchRegressor(verbose=2, max_epochs=6, metrics="r2", random_state=0)
    model.fit(X, y, eval_set=(X, y))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 0", "epoch 2", "epoch 4", "epoch 5"]
    history = {column: values[-1] for column, values in model.history_.items()}
    assert lines[-1] == (
        "epoch 5: train loss {train_loss:.4g}, validation loss {valid_loss:.4g}, "
        "train_r2 {train_r2:.4g}, valid_r2 {valid_r2:.4g}".format(**history)
    )


def test_a_log_can_be_written_elsewhere(X, y):
    lines = []
    TorchRegressor(callbacks=[PrintLog(write=lines.append)], max_epochs=3).fit(X, y)
    assert len(lines) == 3
    assert "validation" not in lines[0]


@pytest.mark.parametrize("terminal", [True, False])
def test_the_progress_bar_is_for_terminals(X, y, terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    bar = ProgressBar("the line", console)
    TorchRegressor(callbacks=[bar], max_epochs=5).fit(X, y, eval_set=(X, y))
    drawn = console.file.getvalue()
    assert ("the line" in drawn and "validation" in drawn) if terminal else drawn == ""


def test_early_stopping_takes_the_best_weights(X, y):
    rng = np.random.default_rng(1)
    noise, other = rng.normal(size=40), rng.normal(size=(40, 2))
    stopping = EarlyStopping(patience=3)
    model = TorchRegressor(
        nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, 1)),
        callbacks=[stopping], lr=0.05, max_epochs=500,
    ).fit(X, noise, eval_set=(other, noise))  # fmt: skip
    losses = model.history_["valid_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 4
    with torch.no_grad():
        outputs = model.module_(torch.tensor(other, dtype=torch.float32)).numpy()[:, 0]
    assert np.mean((outputs - noise) ** 2) == pytest.approx(losses[best], rel=1e-5)
    assert not hasattr(stopping, "_best")  # fits work on copies


def test_early_stopping_without_restoring(X, y):
    settings = {"lr": 0.05, "max_epochs": 30, "random_state": 0}
    patient = EarlyStopping(patience=30, restore_best=False)
    watched = TorchRegressor(callbacks=[patient], **settings).fit(X, y, eval_set=(X, -y))
    free = TorchRegressor(**settings).fit(X, y)
    assert np.array_equal(watched.predict(X), free.predict(X))


def test_early_stopping_wants_more_than_min_delta(X, y):
    eager = EarlyStopping("train_loss", patience=2, min_delta=10.0)
    assert TorchRegressor(callbacks=[eager]).fit(X, y).n_iter_ == 3


@pytest.mark.parametrize(("greater", "epochs"), [(None, 50), (False, 5)])
def test_metrics_are_better_when_greater(X, y, greater, epochs):
    stopping = EarlyStopping("valid_r2", patience=4, greater_is_better=greater)
    model = TorchRegressor(callbacks=[stopping], metrics="r2", lr=0.01, max_epochs=50)
    assert model.fit(X, y, eval_set=(X, y)).n_iter_ == epochs


@pytest.mark.parametrize(
    ("monitor", "words"),
    [("valid_los", "did you mean 'valid_loss'"), ("valid_loss", "pass eval_set=")],
)
def test_early_stopping_needs_its_column(X, y, monitor, words):
    with pytest.raises(ParameterError, match=words):
        TorchRegressor(callbacks=[EarlyStopping(monitor), ProgressBar()]).fit(X, y)


@pytest.mark.parametrize(("per", "steps"), [("epoch", 1), ("batch", 4)])
def test_schedulers_step(X, y, per, steps):
    decay = LRScheduler(torch.optim.lr_scheduler.ExponentialLR, per=per, gamma=0.5)
    model = TorchRegressor(callbacks=[decay], batch_size=10, lr=1.0, max_epochs=3)
    model.fit(X, y)
    np.testing.assert_allclose(model.history_["lr"], 0.5 ** (steps * np.arange(3)))


def test_a_plateau_watches_the_validation_loss(X, y):
    plateau = LRScheduler(torch.optim.lr_scheduler.ReduceLROnPlateau, patience=0, factor=0.1)
    model = TorchRegressor(callbacks=[plateau], max_epochs=4, lr=0.1, random_state=0)
    assert math.isclose(model.fit(X, y).history_["lr"][-1], 0.1)
    assert model.fit(X, y, eval_set=(X, -y)).history_["lr"][-1] < 0.1


def test_a_scheduler_steps_per_epoch_or_batch():
    with pytest.raises(ParameterError, match="'epoch' or 'batch'"):
        LRScheduler(torch.optim.lr_scheduler.StepLR, per="step")


class Due(Callback):
    def __init__(self, name, every=1, *, last=False, stops=False):
        self.name, self.every, self.runs_last, self.stops = name, every, last, stops

    def on_epoch_end(self, state):
        state.stop |= self.stops
        seen.append((self.name, state.epoch))


seen: list[tuple[str, int]] = []


@pytest.fixture(autouse=True)
def forget():
    seen.clear()


@pytest.mark.parametrize(
    ("every", "epochs"), [(1, [0, 1, 2, 3, 4]), (2, [0, 2, 4]), (3, [0, 3, 4])]
)
def test_every_kth_epoch_and_the_last_are_due(X, y, every, epochs):
    TorchRegressor(callbacks=[Due("a", every)], max_epochs=5, engine="loop").fit(X, y)
    assert seen == [("a", epoch) for epoch in epochs]


def test_now_and_then_is_each_epoch_of_the_loop(X, y):
    TorchRegressor(callbacks=[Due("a", None)], max_epochs=3, engine="loop").fit(X, y)
    assert [epoch for _, epoch in seen] == [0, 1, 2]


@pytest.mark.parametrize(
    ("everies", "epoch", "expected"),
    [
        ([], 0, 10),
        ([], 7, 3),
        ([1], 0, 1),
        ([4], 0, 1),
        ([4], 1, 4),
        ([4], 5, 4),
        ([4], 9, 1),
        ([4, 3], 1, 3),
        ([4, 3], 4, 1),
        ([None], 2, 8),
        ([None, 7], 2, 6),
        ([100], 1, 9),
    ],
)
def test_epochs_run_until_a_callback_is_due(everies, epoch, expected):
    callbacks = [Due("a", every) for every in everies]
    assert epochs_until_due([*callbacks, Callback()], epoch, 10) == expected
    due = [e for e in range(epoch, 10) if any(every and e % every == 0 for every in everies)]
    assert epoch + expected - 1 == min([*due, 9])


def test_those_that_run_last_do_so_and_a_stop_is_seen_by_all():
    callbacks = [
        Due("keeper", 100, last=True), Due("rare", 100), Due("often"), Due("stopper", stops=True)
    ]  # fmt: skip
    state = TrainingState(3, 10, nn.Linear(1, 1), None, {}, has_validation=False)
    for hook in due_hooks(callbacks, state):
        hook(state)
    assert [name for name, _ in seen] == ["often", "stopper", "rare", "keeper"]
