"""Each training is what it would be without the others."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

from abline.nets.many import MLPRegressorCV, side_by_side
from abline.nets.mlp import MLPRegressor
from abline.nets.mlp.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

#: folds of 81 and 42 rows, 62 and 61: other numbers of rows, of steps, of rows in the last step
UNEVEN = [
    (np.arange(42, 123), np.arange(42)),
    (np.arange(61), np.arange(61, 123)),
    (np.arange(61, 123), np.arange(61)),
    (np.arange(1, 62), np.arange(62, 123)),
]


def assert_alone(search, X, y, weights=None, *, rtol=0.0, atol=0.0):
    """Train each fold's best restart by itself, with the parameters that its model has."""
    for (train, test), model in zip(search.cv, search.fold_models_, strict=True):
        alone = MLPRegressor(**model.get_params())
        alone.fit(X[train], y[train], None if weights is None else weights[train])
        for name in ("coefs_", "intercepts_"):
            for ours, theirs in zip(getattr(model, name), getattr(alone, name), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol * abs(theirs).max())
        for name in ("loss_curve_", "validation_scores_"):
            ours, theirs = getattr(model, name, None), getattr(alone, name, None)
            assert (ours is None) == (theirs is None)
            if ours is not None:
                np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)
        for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "device_"):
            assert getattr(model, name) == getattr(alone, name)
        predicted = alone.predict(X[test])
        scale = np.abs(predicted).max()
        np.testing.assert_allclose(model.predict(X[test]), predicted, rtol=rtol, atol=atol * scale)
        assert vars(model).keys() == vars(alone).keys()


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
@pytest.mark.parametrize("engine", ["loop", "fused"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_give_the_same_bits(table, engine, dtype, n_jobs):
    X, y, weights = table
    X, y = X.astype(dtype), y.astype(dtype)
    options = {"batch_size": 16, "max_iter": 8, "random_state": 1, "early_stopping": True}
    search = MLPRegressorCV(
        [5, (8, 4)], [0.0, 0.1], cv=UNEVEN[1:3], n_restarts=2, engine=engine, n_jobs=n_jobs,
        **options,
    ).fit(X, y, weights)  # fmt: skip
    assert_alone(search, X, y, weights)
    assert {model.engine_ for model in search.fold_models_} == {engine}


VARIANTS = {
    "adam": {},
    "other betas": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-4},
    "sgd": {"solver": "sgd"},
    "plain momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 2},
    "tanh": {"activation": "tanh"},
    "logistic": {"activation": "logistic"},
    "gelu": {"activation": "gelu"},
    "silu": {"activation": "silu"},
    "identity": {"activation": "identity"},
    "no hidden layer": {"hidden_layer_sizes": [()]},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.3},
    "patience": {"tol": 0.02, "n_iter_no_change": 2},
    "standardised": {"target_scaling": True},
    "standardised, early stopping": {"target_scaling": True, "early_stopping": True},
    "in order": {"shuffle": False},
}


@pytest.mark.parametrize(
    ("batch_size", "weighted"), [(15, False), ("auto", True)], ids=["batches", "weighted"]
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_side_by_side_50_epochs(table, variant, batch_size, weighted):
    X, y, weights = table
    weights = weights if weighted else None
    options = {"hidden_layer_sizes": [6, (5, 4)], "alpha": [1e-4, 0.1]} | VARIANTS[variant]
    options |= {"learning_rate_init": [0.001, 0.003], "batch_size": batch_size, "max_iter": 50}
    search = MLPRegressorCV(cv=UNEVEN, engine="batched", n_restarts=2, random_state=0, **options)
    search.fit(X, y, weights)
    assert_alone(search, X, y, weights, rtol=1e-9, atol=1e-9)
    assert {model.engine_ for model in search.fold_models_} == {"many"}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_side_by_side_losses(table, loss, early_stopping):
    X, y, weights = table
    targets = np.abs(np.column_stack([y, y**2])) + 0.1
    options = {"loss": loss, "max_iter": 20, "early_stopping": early_stopping, "batch_size": 20}
    search = MLPRegressorCV(5, [0.0, 0.1], cv=UNEVEN, engine="batched", random_state=0, **options)
    search.fit(X, targets, weights)
    assert_alone(search, X, targets, weights, rtol=1e-9, atol=1e-9)


def test_side_by_side_in_single_precision(table):
    X, y, weights = (part.astype(np.float32) for part in table)
    options = {"max_iter": 10, "batch_size": 20, "random_state": 0, "target_scaling": True}
    search = MLPRegressorCV([5, 8], cv=UNEVEN, engine="batched", **options).fit(X, y, weights)
    assert_alone(search, X, y, weights, rtol=1e-3, atol=1e-3)
    assert search.predict(X).dtype == np.float32


def test_stacks_of_few_give_the_same(table, monkeypatch):
    X, y, _ = table
    options = {"max_iter": 5, "batch_size": 20, "random_state": 0, "engine": "batched"}
    searches = []
    for room in (side_by_side.CPU_ROOM, 1):
        monkeypatch.setattr(side_by_side, "CPU_ROOM", room)
        searches.append(MLPRegressorCV([5, 8], [0.0, 1.0], cv=UNEVEN, **options).fit(X, y))
    many, few = (search.cv_results_["mean_test_score"] for search in searches)
    np.testing.assert_allclose(many, few, rtol=1e-12)


def test_a_training_that_goes_on_is_as_one_alone(table):
    X, y, _ = table
    train, _ = UNEVEN[0]
    for options in ({}, {"solver": "sgd"}):
        search = MLPRegressorCV(5, cv=UNEVEN, engine="batched", max_iter=4, random_state=0)
        model = search.set_params(**options).fit(X, y).fold_models_[0]
        alone = MLPRegressor(**model.get_params()).fit(X[train], y[train])
        for _ in range(3):
            model.partial_fit(X[train], y[train])
            alone.partial_fit(X[train], y[train])
        np.testing.assert_allclose(model.predict(X), alone.predict(X), rtol=1e-9)


@pytest.mark.parametrize("make", [scipy.sparse.csr_matrix, scipy.sparse.csc_array])
def test_sparse_features(table, make):
    X, y, _ = table
    sparse = make(np.where(np.abs(X) > 0.8, X, 0.0))
    options = {"max_iter": 5, "random_state": 0}
    search = MLPRegressorCV([5, 8], cv=UNEVEN, **options).fit(sparse, y)
    dense = MLPRegressorCV([5, 8], cv=UNEVEN, engine="loop", **options).fit(sparse.toarray(), y)
    np.testing.assert_allclose(search.oof_prediction_, dense.oof_prediction_, rtol=1e-9)
    assert "sparse" in search.engine_.why


def test_levenberg_marquardt_has_one_start_a_restart(table):
    X, y, _ = table
    options = {"solver": "lm", "activation": "tanh", "max_iter": 20, "random_state": 0}
    search = MLPRegressorCV([2, 3], cv=UNEVEN[:2], n_restarts=3, **options).fit(X, y)
    assert_alone(search, X, y)
    for (train, _), model in zip(UNEVEN[:2], search.fold_models_, strict=True):
        losses = [
            MLPRegressor(**model.get_params() | {"random_state": int(seed)})
            .fit(X[train], y[train])
            .loss_
            for seed in search.seeds_
        ]
        assert model.loss_ == min(losses)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("engine", ["loop", "fused", "batched"])
def test_restarts_are_chosen_without_the_test_rows(table, engine, early_stopping):
    X, y, _ = table
    options = {"max_iter": 6, "early_stopping": early_stopping, "batch_size": 20}
    search = MLPRegressorCV(
        6, learning_rate_init=0.01, cv=KFold(3), n_restarts=5, engine=engine, random_state=7,
        **options,
    ).fit(X, y)  # fmt: skip
    assert search.seeds_[0] == 7
    assert len(set(search.seeds_)) == 5
    splits = [*KFold(3).split(X), (np.arange(123), np.arange(123))]
    for (train, test), model in zip(
        splits, [*search.fold_models_, search.best_estimator_], strict=True
    ):
        each = [
            MLPRegressor("squared_error", 6, learning_rate_init=0.01, engine="loop",
                         random_state=int(seed), **options).fit(X[train], y[train])
            for seed in search.seeds_
        ]  # fmt: skip
        if early_stopping:
            best = max(each, key=lambda one: one.best_validation_score_)
        else:
            best = min(each, key=lambda one: one.loss_)
        assert model.random_state == best.random_state
        np.testing.assert_allclose(model.predict(X[test]), best.predict(X[test]), rtol=1e-8)


def test_weights_count_in_scores(table):
    X, y, weights = table
    search = MLPRegressorCV(5, cv=UNEVEN[:1], max_iter=5, random_state=0).fit(X, y, weights)
    _, test = UNEVEN[0]
    predicted = search.fold_models_[0].predict(X[test])
    assert search.best_score_ == r2_score(y[test], predicted, sample_weight=weights[test])
    by_name = search.set_params(scoring="neg_mean_absolute_error").fit(X, y, weights)
    expected = -np.average(np.abs(y[test] - predicted), weights=weights[test])
    assert by_name.best_score_ == pytest.approx(expected, rel=1e-12)


def test_every_setting_may_have_its_own_architecture_and_more_threads_than_jobs(table):
    X, y, _ = table
    search = MLPRegressorCV([1, 2, (3, 2), ()], cv=UNEVEN[:2], max_iter=2, n_jobs=50)
    search.set_params(random_state=0).fit(X, y)
    assert search.cv_results_["param_hidden_layer_sizes"].tolist() == [1, 2, (3, 2), ()]
    assert_alone(search, X, y)


@pytest.mark.gpu
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_on_a_gpu(table, solver, early_stopping):
    X, y, weights = table
    options = {"solver": solver, "early_stopping": early_stopping, "batch_size": 20}
    options |= {"max_iter": 50, "random_state": 0, "device": "cuda"}
    search = MLPRegressorCV([6, (5, 4)], [1e-4, 0.1], cv=UNEVEN, n_restarts=2, **options)
    search.fit(X, y, weights)
    assert {model.engine_ for model in search.fold_models_} == {"many"}
    assert_alone(search, X, y, weights, rtol=1e-7, atol=1e-7)
