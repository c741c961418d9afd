"""RidgeCV with folds against scikit-learn's grid search and against refitting."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from sklearn import linear_model
from sklearn.metrics import make_scorer, mean_absolute_error, mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from abline.errors import DataError, DataWarning
from abline.linear import Ridge, RidgeCV

ALPHAS = np.logspace(-3, 4, 9)

SPLITTERS = {
    "number": 4,
    "shuffled": KFold(3, shuffle=True, random_state=0),
    "repeated": RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    "random": ShuffleSplit(3, test_size=0.3, random_state=0),
    "in time": TimeSeriesSplit(3),
    "list": [(np.arange(10, 60), np.arange(10)), (np.arange(40), np.arange(30, 60))],
    "masks": [(np.arange(60) % 3 > 0, np.arange(60) % 3 == 0)],
}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("splitter", SPLITTERS)
@pytest.mark.parametrize(
    "scoring",
    [
        None,
        "r2",
        "neg_mean_squared_error",
        "neg_root_mean_squared_error",
        "neg_median_absolute_error",
        "explained_variance",
    ],
)
@pytest.mark.parametrize("targets", [0, 2])
def test_choice_and_scores_are_those_of_a_grid_search(
    table, fit_intercept, weighted, splitter, scoring, targets
):
    X, y, w = table(60, 5, 2, seed=2)
    y, w = (y if targets else y[:, 0]), (w if weighted else None)
    cv = SPLITTERS[splitter]
    model = RidgeCV(ALPHAS, cv=cv, scoring=scoring, fit_intercept=fit_intercept).fit(X, y, w)
    ridge = linear_model.Ridge(fit_intercept=fit_intercept, solver="svd")
    search = GridSearchCV(ridge, {"alpha": ALPHAS}, cv=cv, scoring=scoring)
    search.fit(X, y, sample_weight=w)
    np.testing.assert_allclose(model.scores_, search.cv_results_["mean_test_score"], rtol=1e-9)
    assert model.alpha_ == search.best_params_["alpha"]
    assert model.best_score_ == pytest.approx(search.best_score_, rel=1e-9)
    np.testing.assert_allclose(model.coef_, search.best_estimator_.coef_, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(model.intercept_, search.best_estimator_.intercept_, rtol=1e-8)


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array, sp.csc_matrix])
@pytest.mark.parametrize(("n", "p"), [(80, 6), (30, 50), (6_000, 4)])
@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
def test_it_agrees_with_scikit_learns_ridge_cv(table, make, n, p, scoring):
    X, y, w = table(n, p, zeros=0.5)
    ours = RidgeCV(ALPHAS, cv=5, scoring=scoring).fit(make(X), y[:, 0], w)
    theirs = linear_model.RidgeCV(ALPHAS, cv=5, scoring=scoring).fit(X, y[:, 0], w)
    assert ours.alpha_ == theirs.alpha_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-9)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-10)


def test_folds_of_one_row_are_leave_one_out(table):
    X, y, _ = table(25, 4)
    folds = RidgeCV(ALPHAS, cv=LeaveOneOut(), scoring="neg_mean_squared_error").fit(X, y)
    single = RidgeCV(ALPHAS).fit(X, y)
    assert folds.alpha_ == single.alpha_
    np.testing.assert_allclose(folds.scores_, single.scores_, rtol=1e-9)
    np.testing.assert_allclose(folds.coef_, single.coef_, rtol=1e-9)


def test_no_penalty_may_be_tried_with_folds(table):
    X, y, _ = table(40, 3)
    X = np.column_stack([X, X[:, 0]])
    model = RidgeCV([0.0, 1e9], cv=4).fit(X, y[:, 0])
    assert model.alpha_ == 0.0
    scores = [
        Ridge(0.0).fit(X[train], y[train]).score(X[test], y[test])
        for train, test in KFold(4).split(X)
    ]
    assert model.best_score_ == pytest.approx(np.mean(scores), rel=1e-10)
    np.testing.assert_allclose(model.coef_[0], model.coef_[3], rtol=1e-9)


def test_columns_far_from_zero_keep_their_digits(table):
    X, y, _ = table(200, 4)
    near = RidgeCV(ALPHAS, cv=5).fit(X, y[:, 0])
    far = RidgeCV(ALPHAS, cv=5).fit(X + 2.0**30, y[:, 0] + 2.0**30)
    np.testing.assert_allclose(far.scores_, near.scores_, rtol=1e-5)
    assert far.alpha_ == near.alpha_


def test_a_scorer_sees_the_fitted_ridge_and_the_test_rows(table):
    X, y, _ = table(30, 3)
    seen = []

    def scorer(model, X, y):
        seen.append((model.alpha, model.coef_, len(X), y.shape))
        return -mean_squared_error(y, model.predict(X))

    RidgeCV([1.0, 10.0], cv=3, scoring=scorer).fit(X, y[:, 0])
    assert [(alpha, n, shape) for alpha, _, n, shape in seen] == [
        (1.0, 10, (10,)),
        (10.0, 10, (10,)),
    ] * 3
    np.testing.assert_allclose(seen[0][1], Ridge(1.0).fit(X[10:], y[10:]).coef_, rtol=1e-10)


def test_groups_reach_the_splitter(table):
    X, y, w = table(40, 3)
    groups = np.arange(40) % 5
    with sklearn.config_context(enable_metadata_routing=True):
        cv = GroupKFold(3).set_split_request(groups=True)
        model = RidgeCV(ALPHAS, cv=cv).fit(X, y[:, 0], sample_weight=w, groups=groups)
    same = RidgeCV(ALPHAS, cv=list(GroupKFold(3).split(X, y, groups))).fit(X, y[:, 0], w)
    np.testing.assert_array_equal(model.scores_, same.scores_)
    with pytest.raises(DataError, match=r"cv cannot split the rows: .*groups"):
        RidgeCV(cv=GroupKFold(3)).fit(X, y[:, 0])


def test_weights_of_the_test_rows_reach_a_scorer_that_takes_them(table):
    X, y, w = table(40, 3)
    seen = []

    def error(y_true, y_pred, sample_weight=None):
        seen.append(sample_weight)
        return mean_absolute_error(y_true, y_pred, sample_weight=sample_weight)

    RidgeCV([1.0], cv=4, scoring=make_scorer(error, greater_is_better=False)).fit(X, y, w)
    np.testing.assert_array_equal(np.concatenate(seen), w)
    with pytest.warns(DataWarning, match="does not support sample_weight") as all_:
        RidgeCV([1.0], cv=4, scoring=lambda model, X, y: 1.0).fit(X, y, w)
    assert all_[0].filename == __file__


def test_scores_that_are_not_defined_are_said_and_the_first_penalty_taken(table):
    X, y, _ = table(6, 2)
    with pytest.warns() as all_:
        model = RidgeCV(ALPHAS, cv=6).fit(X, y[:, 0])
    assert any("scores are non-finite" in str(one.message) for one in all_)
    assert model.alpha_ == ALPHAS[0]


def test_a_fold_without_weights_is_refused(table):
    X, y, _ = table(12, 2)
    with pytest.raises(DataError, match="no test row of fold 1 has a weight above zero"):
        RidgeCV(cv=3).fit(X, y, (np.arange(12) // 4 != 1).astype(float))
    with pytest.raises(DataError, match="no training row of fold 2 has a weight above zero"):
        RidgeCV(cv=3).fit(X, y, (np.arange(12) // 4 == 2).astype(float))
