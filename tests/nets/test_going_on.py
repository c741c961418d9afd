"""What goes on from call to call, and what may not change in between."""

import warnings

import numpy as np
import pytest
import torch
from sklearn import neural_network
from torch import nn

import abline as ab
from abline.errors import DataError, ModelFileError, ParameterError


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 3))
    return X, X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=60)


def test_partial_fit_after_a_file_goes_on_as_without(table, tmp_path):
    models = []
    for through_file in (False, True):
        model = ab.TorchRegressor(lr=0.05, batch_size=20, random_state=0)
        for call in range(4):
            if call == 2 and through_file:
                model.save(tmp_path / "half.model")
                model = ab.load(tmp_path / "half.model")
            model.partial_fit(*table)
        models.append(model)
    assert models[0].history_["train_loss"] == models[1].history_["train_loss"]
    assert np.array_equal(models[0].predict(table[0]), models[1].predict(table[0]))


def test_partial_fit_with_another_optimizer_is_refused(table):
    model = ab.TorchRegressor(random_state=0).partial_fit(*table)
    model.set_params(optimizer=torch.optim.SGD)
    with pytest.raises(
        ParameterError, match=r"optimizer is torch\.optim\.sgd\.SGD and partial_fit"
    ):
        model.partial_fit(*table)
    assert model.n_iter_ == 1
    model.fit(*table)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_perceptrons_partial_fit_keeps_the_first_optimizer(table, solver):
    """As scikit-learn's does, whatever is set in between."""
    losses = []
    for cls in (ab.MLPRegressor, neural_network.MLPRegressor):
        model = cls(hidden_layer_sizes=(5,), solver=solver, random_state=0)
        model.partial_fit(*table)
        model.set_params(learning_rate_init=0.5, momentum=0.1, beta_1=0.2, beta_2=0.3)
        for _ in range(5):
            model.partial_fit(*table)
        losses.append(model.loss_curve_)
    np.testing.assert_allclose(*losses, rtol=1e-9)


@pytest.mark.parametrize("scaled", [False, True])
def test_weights_that_go_on_keep_their_units(table, scaled):
    for model in (
        ab.TorchRegressor(max_epochs=3, warm_start=True, random_state=0),
        ab.MLPRegressor(
            hidden_layer_sizes=3, max_iter=20, tol=1e9, warm_start=True, random_state=0
        ),
    ):
        model.set_params(target_scaling=scaled).fit(*table)
        model.set_params(target_scaling=not scaled)
        with pytest.raises(
            ParameterError, match=f"target_scaling is {not scaled} .* {scaled}: set"
        ):
            model.fit(*table)
        model.set_params(warm_start=False).fit(*table)


def test_a_checkpoint_says_what_differs(table, tmp_path):
    path = tmp_path / "run.checkpoint"
    for model in (
        ab.TorchRegressor(max_epochs=3, random_state=0),
        ab.MLPRegressor(hidden_layer_sizes=3, max_iter=20, tol=1e9, random_state=0),
    ):
        path.unlink(missing_ok=True)
        model.set_params(callbacks=[ab.Checkpoint(path)]).fit(*table)
        model.set_params(target_scaling=True)
        with pytest.raises(ParameterError, match="its target_scaling is False and here it is True"):
            model.fit(*table, resume_from=path)
        with pytest.raises(ParameterError, match="resume_from is 3: give the path"):
            model.fit(*table, resume_from=3)
        with pytest.raises(ModelFileError, match="is a checkpoint of a training, not a model"):
            ab.load(path)
        with pytest.raises(ParameterError, match="or partial_fit: leave it out of callbacks"):
            model.set_params(target_scaling=False).partial_fit(*table)


def test_targets_far_from_zero_are_told_apart(table):
    X, y = table[0].astype(np.float32), 1.7e9 + table[1]
    for model in (
        ab.TorchRegressor(nn.Linear(3, 1), max_epochs=600, lr=0.02, target_scaling=True),
        ab.MLPRegressor(hidden_layer_sizes=3, max_iter=3000, learning_rate_init=0.01, alpha=0)
        .set_params(target_scaling=True),
        ab.NetworkRegressor(members=2),
    ):  # fmt: skip
        model.set_params(random_state=0).fit(X, y)
        assert model.predict(X).dtype == np.float64
        assert model.score(X, y) > 0.95
        assert model.fit(X, table[1]).predict(X).dtype == np.float32


def test_early_stopping_gets_over_a_score_that_is_no_number():
    state = type("State", (), {"has_validation": True, "epoch": 0, "stop": False, "module": None})()
    state.module, state.history = nn.Linear(1, 1), {"valid_loss": []}
    stopping = ab.EarlyStopping(patience=3)
    stopping.on_train_begin(state)
    for state.epoch, loss in enumerate([np.nan, np.nan, 3.0, 2.0, 2.5, np.nan, 2.5]):
        assert not state.stop
        state.history["valid_loss"].append(loss)
        stopping.on_epoch_end(state)
    assert state.stop
    assert stopping.state_dict()["epoch"] == 3


def test_early_stopping_twice_says_what_it_needs(table):
    model = ab.MLPRegressor(early_stopping=True, callbacks=[ab.EarlyStopping()])
    with pytest.raises(ParameterError, match=r"pass eval_set=\(X_val, y_val\) to fit"):
        model.fit(*table)


@pytest.mark.parametrize("solver", ["lbfgs", "lm"])
def test_solvers_without_a_rate_refuse_a_schedule(table, solver):
    schedule = ab.nets.LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=2)
    with pytest.raises(ParameterError, match=f"solver='{solver}' has no learning rate"):
        ab.MLPRegressor(solver=solver, callbacks=[schedule]).fit(*table)


@pytest.mark.parametrize(
    "model",
    [
        ab.TorchRegressor(max_epochs=2),
        ab.TorchRegressor(engine="lm"),
        ab.MLPRegressor(max_iter=2),
        ab.MLPRegressor(solver="lm"),
    ],
    ids=["torch", "lm", "perceptron", "perceptron lm"],
)
def test_weights_too_small_for_the_precision_are_refused(table, model):
    X, y = (part.astype(np.float32) for part in table)
    with pytest.raises(DataError, match="sample_weight has values too small for float32"):
        model.fit(X, y, np.full(60, 1e-60))


@pytest.mark.parametrize("size", [1e150, 1e200, 1e-300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_of_any_size_are_learnt(table, size, dtype):
    X = table[0].astype(dtype)
    for model in (
        ab.TorchRegressor(max_epochs=600, lr=0.02, target_scaling=True),
        ab.MLPRegressor(solver="lbfgs", hidden_layer_sizes=3, max_iter=2000, target_scaling=True),
    ):
        model.set_params(random_state=0).fit(X, table[1])
        expected = model.predict(X)
        found = model.fit(X, size * table[1]).predict(X)
        np.testing.assert_allclose(found / size, expected, rtol=1e-2, atol=1e-2)


def test_standard_deviations_of_any_size_are_finite(table):
    X, y = table[0].astype(np.float32), table[1]
    for model in (
        ab.TorchRegressor(criterion="gaussian_nll", max_epochs=20, target_scaling=True),
        ab.MLPRegressor("gaussian_nll", 3, max_iter=20, tol=1e9, target_scaling=True),
    ):
        expected = model.set_params(random_state=0).fit(X, y).predict_std(X)
        found = model.fit(X, 1e150 * y).predict_std(X)
        np.testing.assert_allclose(found / 1e150, expected, rtol=1e-3)


def test_targets_too_large_to_add_up_are_refused(table):
    X, y = table[0], np.full(60, 1.7e308)
    for model in (ab.TorchRegressor(target_scaling=True), ab.MLPRegressor(target_scaling=True)):
        with pytest.raises(DataError, match="too large to add up: divide y"):
            model.fit(X, y)
    with pytest.raises(DataError, match="squares are too large to add up"):
        ab.NetworkRegressor(max_epochs=2, members=2).fit(X, 1e200 * table[1])


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_end"])
def test_an_interrupted_call_of_partial_fit_loses_nothing(table, hook):
    def interrupt(_self, _state):
        raise KeyboardInterrupt

    interrupting = type("Interrupting", (ab.Callback,), {hook: interrupt})()
    losses = []
    for interrupted in (False, True):
        model = ab.TorchRegressor(lr=0.05, random_state=0)
        for call in range(6):
            if interrupted and call == 4:
                with pytest.raises(KeyboardInterrupt):
                    model.set_params(callbacks=[interrupting]).partial_fit(*table)
                model.set_params(callbacks=None)
                if hook == "on_epoch_end":
                    continue  # that epoch had ended
            model.partial_fit(*table)
        losses.append(model.history_["train_loss"])
    assert losses[0] == losses[1]
    assert len(losses[0]) == 6


def test_dates_are_no_numbers(table):
    days = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")
    with pytest.raises(DataError, match="the target y holds dates or times: make numbers"):
        ab.LinearRegression().fit(table[0], days)


def test_warnings_point_at_the_line_that_called_fit(table):
    X, y = table
    for model in (
        ab.TorchRegressor(batch_size=99, max_epochs=2),
        ab.TorchRegressor(engine="lm", max_epochs=1, n_restarts=0, module=nn.Sequential(
            nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 1))),
        ab.MLPRegressor(batch_size=99, max_iter=2),
        ab.MLPRegressor(solver="lbfgs", max_iter=2),
        ab.MLPRegressor(solver="lm", max_iter=1, n_restarts=0, hidden_layer_sizes=4),
        ab.MLPRegressorCV(hidden_layer_sizes=[2, 3], max_iter=2),
    ):  # fmt: skip
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model.fit(X, y)
        assert said
        assert {warning.filename for warning in said} == {__file__}
