"""Warm starts, single epochs, files: what goes on from what was there."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPRegressor as Theirs

import abline as ab
from abline.nets.mlp import MLPRegressor
from abline.store.tree import flatten, unflatten

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": (5,), "random_state": 0, "learning_rate_init": 0.01}

SETTINGS = {
    "adam": {"solver": "adam", "batch_size": 25},
    "sgd": {"solver": "sgd", "batch_size": 25},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "batch_size": 25},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2},
}

each = pytest.mark.parametrize("setting", SETTINGS)


def assert_same(ours, theirs, X):
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)


@each
def test_single_epochs_are_theirs(table, setting):
    X, y, w = table
    models = [make(**SMALL, **SETTINGS[setting]) for make in (MLPRegressor, Theirs)]
    for k in range(12):
        for model in models:
            model.partial_fit(X[k:100], y[k:100], sample_weight=w[k:100])
    assert_same(*models, X)


@each
def test_single_epochs_after_a_fit_are_theirs(table, setting):
    X, y, _ = table
    models = [make(**SMALL, **SETTINGS[setting], max_iter=7) for make in (MLPRegressor, Theirs)]
    for model in models:
        model.fit(X, y)
        for _ in range(3):
            model.partial_fit(X, y)
    assert_same(*models, X)


@each
def test_warm_starts_are_theirs(table, setting):
    X, y, _ = table
    options = {**SMALL, **SETTINGS[setting], "max_iter": 6, "warm_start": True}
    assert_same(*(make(**options).fit(X, y).fit(X, y) for make in (MLPRegressor, Theirs)), X)


@each
def test_warm_starts_that_stop_early_keep_the_best_weights(table, setting):
    X, y, _ = table
    options = {**SMALL, **SETTINGS[setting], "max_iter": 6, "warm_start": True}
    ours, theirs = (
        make(**options, early_stopping=True).fit(X, y) for make in (MLPRegressor, Theirs)
    )
    first = ours.predict(X)
    for model in (ours, theirs):
        model.fit(X, y)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-9)
    # scikit-learn's second fit overwrites its best weights, if no epoch of its own is better
    if max(ours.validation_scores_[6:]) > max(ours.validation_scores_[:6]):
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)
    else:
        np.testing.assert_array_equal(ours.predict(X), first)


def test_a_warm_start_of_lbfgs_is_theirs(table):
    X, y, _ = table
    models = [
        make(**SMALL, solver="lbfgs", max_iter=5, warm_start=True).fit(X, y).fit(X, y)
        for make in (MLPRegressor, Theirs)
    ]
    np.testing.assert_allclose(models[0].predict(X), models[1].predict(X), rtol=1e-9)


def test_epochs_in_one_call_or_in_several_without_shuffling(table):
    X, y, _ = table
    options = {**SMALL, "shuffle": False, "batch_size": 25}
    model = MLPRegressor(**options, max_iter=9).fit(X, y)
    other = MLPRegressor(**options)
    for _ in range(9):
        other.partial_fit(X, y)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    assert other.loss_curve_ == model.loss_curve_


def test_a_warm_start_can_change_the_solver(table):
    X, y, _ = table
    model = MLPRegressor(**SMALL, solver="lm", max_iter=3, warm_start=True).fit(X, y)
    after_lm = model.loss_
    model.set_params(solver="lbfgs", alpha=0.0, max_iter=30).fit(X, y)
    assert model.loss_ <= after_lm
    assert not hasattr(model, "loss_curve_")
    model.set_params(solver="adam", max_iter=4).fit(X, y)
    assert len(model.loss_curve_) == 4
    model.set_params(solver="sgd").partial_fit(X, y)
    assert len(model.loss_curve_) == 5
    model.set_params(solver="lm", max_iter=2).fit(X, y)
    model.set_params(solver="adam").partial_fit(X, y)
    assert len(model.loss_curve_) == 1


def test_scaled_targets_keep_their_scale(table):
    X, y, _ = table
    options = {**SMALL, "shuffle": False, "target_scaling": True}
    model = MLPRegressor(**options, max_iter=2).fit(X, 100 * y)
    other = MLPRegressor(**options).partial_fit(X, 100 * y)
    scale = other.y_scale_
    other.partial_fit(X, 100 * y)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    np.testing.assert_array_equal(other.y_scale_, scale)
    other.partial_fit(X, 5 + y)
    np.testing.assert_array_equal(other.y_scale_, scale)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs", "lm"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_another_process_has_the_same_bits(table, solver, dtype):
    X, y, _ = (np.asarray(part, dtype=dtype) for part in table)
    model = MLPRegressor(**SMALL, solver=solver, max_iter=5, target_scaling=True).fit(X, y)
    kept = restore_from_state(model)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), kept):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
        assert other.predict(X).dtype == dtype
        assert other.get_params() == model.get_params()
        assert (other.engine_, other.engine_.why) == (model.engine_, model.engine_.why)


def restore_from_state(model):
    """Take a model through what a file holds of it."""
    json, arrays = flatten(model._get_state())
    other = MLPRegressor.__new__(MLPRegressor)
    other._set_state(unflatten(json, arrays))
    return other


@each
def test_a_kept_model_goes_on_bit_for_bit(table, setting):
    X, y, _ = table
    model = MLPRegressor(**SMALL, **SETTINGS[setting], max_iter=4).fit(X, y)
    kept = restore_from_state(model)
    for _ in range(3):
        model.partial_fit(X, y)
        kept.partial_fit(X, y)
    np.testing.assert_array_equal(kept.predict(X), model.predict(X))
    assert kept.loss_curve_ == model.loss_curve_


@pytest.mark.parametrize("loss", ["quantile", "gaussian_nll", "gamma", "huber"])
def test_a_kept_model_knows_its_loss(table, loss):
    X, y, _ = table
    quantile = np.array([0.1, 0.9])
    model = MLPRegressor(loss, **SMALL, quantile=quantile, max_iter=3).fit(X, np.abs(y) + 1)
    kept = restore_from_state(model)
    np.testing.assert_array_equal(kept.predict(X), model.predict(X))
    if loss == "gaussian_nll":
        np.testing.assert_array_equal(kept.predict_std(X), model.predict_std(X))


def test_parameters_set_after_a_fit_wait_for_the_next(table):
    X, y, _ = table
    model = MLPRegressor(**SMALL, max_iter=3).fit(X, y)
    expected = model.predict(X)
    model.set_params(loss="poisson", activation="tanh", hidden_layer_sizes=(3,))
    np.testing.assert_array_equal(model.predict(X), expected)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_failing_fit_leaves_the_earlier_one(table, solver):
    X, y, _ = table
    model = MLPRegressor(**SMALL, solver=solver, max_iter=3).fit(X, y)
    expected, fitted = model.predict(X), set(vars(model))
    with pytest.raises(ab.DataError):
        model.fit(X[:, :2], np.full(120, np.nan))
    model.set_params(alpha=-1.0)
    with pytest.raises(ab.ParameterError, match="alpha"):
        model.fit(X[:, :2], y)
    np.testing.assert_array_equal(model.predict(X), expected)
    assert set(vars(model)) == fitted


def test_a_clone_is_not_fitted(table):
    X, y, _ = table
    model = MLPRegressor(**SMALL, max_iter=2).fit(X, y)
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


def test_other_columns_or_targets_are_refused(table):
    X, y, _ = table
    model = MLPRegressor(**SMALL, max_iter=2, warm_start=True).fit(X, y)
    with pytest.raises(ab.DataError, match="4 features"):
        model.partial_fit(X[:, :2], y)
    with pytest.raises(ab.ParameterError, match=r"\[4, 5, 1\].*\[4, 5, 2\]"):
        model.fit(X, np.column_stack([y, y]))
    with pytest.raises(ab.ParameterError, match="make a new estimator"):
        model.set_params(hidden_layer_sizes=(7,)).fit(X, y)
