"""Validation rows, callbacks, devices, Levenberg–Marquardt: what scikit-learn's lacks."""

import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.metrics import r2_score
from torch import nn

import abline as ab
from abline.nets import Callback, EarlyStopping, LRScheduler, PrintLog, ProgressBar
from abline.nets.mlp import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": (6,), "random_state": 0, "learning_rate_init": 0.01}

each_solver = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs", "lm"])


class Recorder(Callback):
    """Keeps what it is shown in a list that copies of it share."""

    def __init__(self, stop_at=None):
        self.seen = []
        self.stop_at = stop_at

    def on_train_begin(self, state):
        self.seen.append("begin")

    def on_epoch_end(self, state):
        line = {name: column[-1] for name, column in state.history.items()}
        weights = [p.detach().numpy().copy() for p in state.module.parameters()]
        self.seen.append((line, weights, state.module))
        state.stop = state.epoch == self.stop_at

    def on_train_end(self, state):
        self.seen.append("end")


@each_solver
def test_the_loss_of_given_rows_is_noted(table, validation, solver):
    X, y, _ = table
    model = MLPRegressor(**SMALL, solver=solver, max_iter=8)
    alone = MLPRegressor(**SMALL, solver=solver, max_iter=8).fit(X, y)
    model.fit(X, y, eval_set=validation)
    error = 0.5 * np.mean((model.predict(validation[0]) - validation[1]) ** 2)
    if solver == "lm":  # which takes the weights of the least validation loss
        assert min(model.validation_loss_curve_) == pytest.approx(error, rel=1e-9)
    else:
        assert model.validation_loss_curve_[-1] == pytest.approx(error, rel=1e-9)
        assert len(model.validation_loss_curve_) == model.n_iter_
        np.testing.assert_array_equal(model.predict(X), alone.predict(X))
        assert alone.validation_loss_curve_ is None


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_given_rows_say_when_to_stop(table, validation, solver):
    X, y, _ = table
    options = {**SMALL, "solver": solver, "max_iter": 400, "learning_rate_init": 0.03}
    stopped = MLPRegressor(**options, early_stopping=True).fit(X, y, eval_set=validation)
    assert stopped.n_iter_ < 400
    score = r2_score(validation[1], stopped.predict(validation[0]))
    assert score == pytest.approx(max(stopped.validation_scores_), rel=1e-9)
    assert score == stopped.best_validation_score_
    # all rows train: the epochs are those of a fit that does not stop
    best = int(np.argmax(stopped.validation_scores_)) + 1
    plain = MLPRegressor(**options | {"max_iter": best}).fit(X, y)
    np.testing.assert_array_equal(stopped.predict(X), plain.predict(X))


@each_solver
def test_callbacks_see_each_epoch(table, validation, solver):
    X, y, _ = table
    recorder = Recorder()
    model = MLPRegressor(**SMALL, solver=solver, max_iter=6, callbacks=[recorder])
    model.fit(X, y, eval_set=validation)
    first, *epochs, last = recorder.seen
    assert (first, last) == ("begin", "end")
    losses = [line["valid_loss"] for line, *_ in epochs]
    np.testing.assert_array_equal(losses, model.validation_loss_curve_)
    if solver in ("adam", "sgd"):
        assert [line["train_loss"] for line, *_ in epochs] == model.loss_curve_
        assert {line["lr"] for line, *_ in epochs} == {0.01}
    best = int(np.argmin(losses)) if solver == "lm" else -1
    np.testing.assert_allclose(epochs[best][1][0], model.coefs_[0].T, rtol=1e-12)
    module = epochs[-1][2]
    with torch.no_grad():
        outputs = module(torch.as_tensor(X))[:, 0].numpy()
    np.testing.assert_allclose(outputs, model.predict(X), rtol=1e-10)


@each_solver
def test_a_callback_can_stop(table, solver):
    X, y, _ = table
    model = MLPRegressor(**SMALL, solver=solver, max_iter=50, callbacks=[Recorder(stop_at=4)])
    model.fit(X, y)
    assert model.n_iter_ == (4 if solver == "lm" else 5)
    assert len(model.callbacks[0].seen) == 7


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_callback_can_take_the_best_weights(table, validation, solver):
    X, y, _ = table
    stopping = EarlyStopping(patience=3)
    options = {**SMALL, "max_iter": 400, "learning_rate_init": 0.05, "activation": "tanh"}
    model = MLPRegressor(**options, solver=solver, callbacks=[stopping])
    model.fit(X, y, eval_set=validation)
    assert model.n_iter_ < 400
    error = 0.5 * np.mean((model.predict(validation[0]) - validation[1]) ** 2)
    assert error == pytest.approx(min(model.validation_loss_curve_), rel=1e-9)


def test_a_callback_can_set_the_learning_rate(table):
    X, y, _ = table
    halving = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5)
    recorder = Recorder()
    options = {**SMALL, "solver": "sgd", "max_iter": 4, "momentum": 0.0, "alpha": 0.0}
    model = MLPRegressor(**options, batch_size=120, callbacks=[halving, recorder]).fit(X, y)
    plain = MLPRegressor(**options | {"max_iter": 1}, batch_size=120).fit(X, y)
    for k in (1, 2, 3):
        plain.set_params(learning_rate_init=0.01 / 2**k, warm_start=True).fit(X, y)
    np.testing.assert_allclose(model.predict(X), plain.predict(X), rtol=1e-10)


def test_logs_and_bars(table, validation, capsys):
    X, y, _ = table
    callbacks = [PrintLog(every=2), ProgressBar()]
    MLPRegressor(**SMALL, max_iter=3, callbacks=callbacks).fit(X, y, eval_set=validation)
    assert len([line for line in capsys.readouterr().out.splitlines() if line.strip()]) >= 2


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "lm"])
def test_a_callback_that_raises_leaves_a_fitted_model(table, solver):
    class Failing(Callback):
        def on_epoch_end(self, state):
            if state.epoch == 2:
                raise RuntimeError("no more")

    X, y, _ = table
    model = MLPRegressor(**SMALL, solver=solver, max_iter=20, callbacks=[Failing()])
    with pytest.raises(RuntimeError, match="no more") as caught:
        model.fit(X, y)
    assert caught.value.__notes__ == ["raised by Failing.on_epoch_end at epoch 2"]
    assert np.isfinite(model.predict(X)).all()
    if solver == "adam":
        expected = MLPRegressor(**SMALL, max_iter=3).fit(X, y)
        np.testing.assert_array_equal(model.predict(X), expected.predict(X))


def test_callbacks_that_cannot_be_called(table):
    X, y, _ = table

    class EachStep(Callback):
        def on_batch_end(self, state):
            """Do nothing, but often."""

    for callbacks, message in (
        ([EachStep()], "on_batch_end"),
        ([object()], "none of"),
    ):
        with pytest.raises(ab.ParameterError, match=message):
            MLPRegressor(**SMALL, callbacks=callbacks).fit(X, y)


@pytest.mark.parametrize(("activation", "module"), [("gelu", nn.GELU), ("silu", nn.SiLU)])
def test_smooth_activations_train_as_in_pytorch(table, activation, module):
    X, y, _ = table
    recorder = Recorder(stop_at=0)
    options = {**SMALL, "activation": activation, "solver": "sgd", "momentum": 0.0, "alpha": 0.0}
    MLPRegressor(**options | {"learning_rate_init": 1e-12}, callbacks=[recorder]).fit(X, y)
    net = nn.Sequential(nn.Linear(4, 6), module(), nn.Linear(6, 1)).double()
    with torch.no_grad():
        for p, first in zip(net.parameters(), recorder.seen[1][1], strict=True):
            p.copy_(torch.tensor(first))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(30):
        optimizer.zero_grad()
        (0.5 * (net(torch.tensor(X))[:, 0] - torch.tensor(y)) ** 2).mean().backward()
        optimizer.step()
    model = MLPRegressor(**options, batch_size=120, max_iter=30, shuffle=False).fit(X, y)
    np.testing.assert_allclose(model.predict(X), net(torch.tensor(X))[:, 0].detach(), rtol=1e-8)


def test_levenberg_marquardt_finds_an_exact_answer():
    X = np.linspace(-2, 2, 60)[:, None]
    y = 3 * np.tanh(2 * X[:, 0] - 1) + 0.5
    options = {"hidden_layer_sizes": 1, "activation": "tanh", "solver": "lm", "random_state": 0}
    model = MLPRegressor(**options, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-9)
    assert model.engine_ == "lm"
    assert model.best_loss_ == min(model.loss_curve_)
    assert model.n_iter_ == len(model.loss_curve_) - 1


def test_levenberg_marquardt_weighs_rows_and_takes_sparse_ones(table):
    X, y, w = table
    options = {"hidden_layer_sizes": (3,), "activation": "tanh", "solver": "lm"}
    options |= {"random_state": 0, "n_restarts": 0}
    model = MLPRegressor(**options, max_iter=500).fit(X, y, sample_weight=w)
    error = 0.5 * np.average((model.predict(X) - y) ** 2, weights=w)
    assert model.loss_ == pytest.approx(error, rel=1e-6)
    sparse = MLPRegressor(**options, max_iter=500).fit(scipy.sparse.csc_matrix(X), y, w)
    np.testing.assert_allclose(sparse.predict(X), model.predict(X), rtol=1e-6)


def test_levenberg_marquardt_holds_rows_out_to_choose(table):
    X, y, _ = table
    options = {"hidden_layer_sizes": (8,), "solver": "lm", "random_state": 0, "n_restarts": 3}
    model = MLPRegressor(**options, early_stopping=True, validation_fraction=0.25).fit(X, y)
    assert min(model.validation_loss_curve_) < model.validation_loss_curve_[0]


@pytest.mark.gpu
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("make", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "sparse"])
def test_a_gpu_computes_the_same(table, validation, solver, make):
    X, y, w = table
    options = {**SMALL, "solver": solver, "max_iter": 20, "batch_size": 32}
    here = MLPRegressor(**options).fit(X, y, w, eval_set=validation)
    there = MLPRegressor(**options, device="cuda").fit(make(X), y, w, eval_set=validation)
    assert there.device_.startswith("cuda")
    np.testing.assert_allclose(there.predict(make(X)), here.predict(X), rtol=1e-7)
    np.testing.assert_allclose(there.validation_loss_curve_, here.validation_loss_curve_, rtol=1e-7)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU here")
def test_a_missing_gpu_is_said(table):
    X, y, _ = table
    with pytest.raises(ab.ParameterError, match="no CUDA GPU"):
        MLPRegressor(**SMALL, device="cuda").fit(X, y)
