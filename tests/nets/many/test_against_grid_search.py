"""The scores and the choice of scikit-learn's search over scikit-learn's perceptron."""

from itertools import product

import numpy as np
import pytest
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    cross_val_predict,
)
from sklearn.neural_network import MLPRegressor as Theirs

from abline.nets.many import MLPRegressorCV

# trainings run to max_iter on purpose
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GRID = {
    "hidden_layer_sizes": [8, (6, 5)],
    "alpha": [1e-4, 1.0],
    "learning_rate_init": [0.001, 0.01],
}

VARIANTS = {
    "adam": {},
    "batches": {"batch_size": 32},
    "batches in order": {"batch_size": 30, "shuffle": False},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.2},
    "sgd": {"solver": "sgd", "batch_size": 20},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "nesterovs_momentum": False},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 2},
    "stops at different epochs": {"tol": 0.02, "n_iter_no_change": 2},
    "lbfgs": {"solver": "lbfgs", "activation": "tanh"},
}

SPLITTERS = {
    "number": 5,
    "shuffled": KFold(4, shuffle=True, random_state=0),
    "overlapping": ShuffleSplit(3, test_size=0.3, random_state=0),
    "partial": PredefinedSplit(np.where(np.arange(123) < 90, np.arange(123) % 3, -1)),
}


def search_both(X, y, *, engine="loop", grid=None, cv=4, scoring=None, fit=None, **options):
    grid, common = grid or GRID, {"max_iter": 12, "random_state": 3} | options
    ours = MLPRegressorCV(**grid, cv=cv, scoring=scoring, engine=engine, **common)
    theirs = GridSearchCV(Theirs(**common), grid, cv=cv, scoring=scoring)
    return ours.fit(X, y, **(fit or {})), theirs.fit(X, y, **(fit or {}))


def assert_same(ours, theirs, X):
    table = theirs.cv_results_
    assert ours.cv_results_.keys() == table.keys()
    assert ours.cv_results_["params"] == table["params"]
    for key, column in table.items():
        if key.startswith("param_"):
            assert list(ours.cv_results_[key]) == list(column)
        elif key.endswith("_test_score"):
            np.testing.assert_allclose(ours.cv_results_[key], column, rtol=1e-9, atol=1e-9)
    assert ours.best_params_ == theirs.best_params_
    assert ours.best_index_ == theirs.best_index_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-9)
    assert ours.n_splits_ == theirs.n_splits_
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    ("variant", "engine"),
    # there is no step of L-BFGS that several networks could take together
    sorted({*product(VARIANTS, ("loop", "fused", "batched"))} - {("lbfgs", "batched")}),
)
def test_every_score(table, variant, engine):
    X, y, _ = table
    assert_same(*search_both(X, y, engine=engine, **VARIANTS[variant]), X)


@pytest.mark.parametrize("cv", SPLITTERS)
def test_every_splitter(table, cv):
    X, y, _ = table
    assert_same(*search_both(X, y, cv=SPLITTERS[cv]), X)


def test_pairs_of_rows_and_groups(table):
    X, y, _ = table
    splits = list(KFold(3).split(X))
    assert_same(*search_both(X, y, cv=splits), X)
    masks = [(np.isin(np.arange(123), train), test) for train, test in splits]
    by_mask = MLPRegressorCV(8, cv=masks, max_iter=2, random_state=0).fit(X, y)
    by_number = MLPRegressorCV(8, cv=iter(splits), max_iter=2, random_state=0).fit(X, y)
    assert by_mask.best_score_ == by_number.best_score_
    groups = np.arange(123) // 7
    assert_same(*search_both(X, y, cv=GroupKFold(3), fit={"groups": groups}), X)


@pytest.mark.parametrize(
    "scoring",
    ["neg_root_mean_squared_error", make_scorer(mean_absolute_error, greater_is_better=False)],
    ids=["name", "scorer"],
)
def test_scorers(table, scoring):
    X, y, _ = table
    assert_same(*search_both(X, y, scoring=scoring), X)


@pytest.mark.parametrize("engine", ["loop", "fused", "batched"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_several_targets(table, engine, early_stopping):
    X, y, _ = table
    targets = np.column_stack([y, y**2, -y])
    options = {"early_stopping": early_stopping, "batch_size": 40}
    assert_same(*search_both(X, targets, engine=engine, **options), X)


@pytest.mark.parametrize("engine", ["loop", "fused", "batched"])
def test_poisson_deviance(table, engine):
    X, y, _ = table
    counts = np.round(np.abs(3 * y))
    assert_same(*search_both(X, counts, engine=engine, loss="poisson"), X)


def test_out_of_fold_predictions_are_those_of_cross_val_predict(table):
    X, y, _ = table
    ours, theirs = search_both(X, y, cv=5)
    best = Theirs(max_iter=12, random_state=3, **theirs.best_params_)
    np.testing.assert_allclose(ours.oof_prediction_, cross_val_predict(best, X, y, cv=5), rtol=1e-9)


def test_rows_that_were_never_tested_have_no_prediction(table):
    X, y, _ = table
    ours = MLPRegressorCV(4, cv=SPLITTERS["partial"], max_iter=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(np.isnan(ours.oof_prediction_), np.arange(123) >= 90)


def test_rows_tested_twice_have_the_mean_of_both(table):
    X, y, _ = table
    rows = np.arange(123)
    cv = [(rows[60:], rows[:40]), (rows[40:], rows[:40])]
    model = MLPRegressorCV(4, cv=cv, max_iter=2, random_state=0).fit(X, y)
    each = [
        Theirs(hidden_layer_sizes=4, max_iter=2, random_state=0).fit(X[train], y[train])
        for train, _ in cv
    ]
    expected = np.mean([one.predict(X[:40]) for one in each], axis=0)
    np.testing.assert_allclose(model.oof_prediction_[:40], expected, rtol=1e-9)
