"""RidgeCV's choice, scores and results beside scikit-learn's, where rows are left out singly."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from sklearn import linear_model
from sklearn.metrics import get_scorer, make_scorer, mean_absolute_error
from sklearn.utils.metadata_routing import get_routing_for_object

import abline as ab
from abline.errors import ParameterError, ParameterTypeError
from abline.linear import Ridge, RidgeCV

ALPHAS = (0.01, 1.0, 30.0, 1000.0)


def absolute(estimator, X, y, **kwargs):
    return -mean_absolute_error(y, estimator.predict(X), **kwargs)


SCORINGS = {
    "default": None,
    "r2": "r2",
    "absolute": "neg_mean_absolute_error",
    "scorer": get_scorer("explained_variance"),
    "made": make_scorer(mean_absolute_error, greater_is_better=False),
    "callable": absolute,
}


@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("targets", [0, 1, 3])
@pytest.mark.parametrize("per_target", [False, True])
def test_choice_score_and_results_are_scikit_learns(
    table, scoring, weighted, keep, targets, per_target
):
    X, y, w = table(40, 4, max(targets, 1), seed=5)
    y, w = (y if targets else y[:, 0]), (w if weighted else None)
    params = {
        "alphas": ALPHAS,
        "scoring": SCORINGS[scoring],
        "store_cv_results": keep,
        "alpha_per_target": per_target and targets != 1,
    }
    ours = RidgeCV(**params).fit(X, y, w)
    # with a scorer scikit-learn takes y of one dimension for a matrix; one target is one anyway
    params["alpha_per_target"] &= targets > 1
    theirs = linear_model.RidgeCV(**params).fit(X, y, w)
    np.testing.assert_array_equal(ours.alpha_, theirs.alpha_)
    np.testing.assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-10)
    assert np.shape(ours.best_score_) == np.shape(theirs.best_score_)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    assert ours.coef_.shape == theirs.coef_.shape
    assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
    assert hasattr(ours, "cv_results_") == keep
    if keep:
        assert ours.cv_results_.shape == theirs.cv_results_.shape
        np.testing.assert_allclose(ours.cv_results_, theirs.cv_results_, rtol=1e-8, atol=1e-11)


def test_a_penalty_for_each_target_is_the_one_of_that_target_alone(table):
    X, _, _ = table(60, 5)
    rng = np.random.default_rng(0)
    y = np.column_stack([X @ rng.normal(size=5), rng.normal(size=60)]) + rng.normal(size=(60, 2))
    both = RidgeCV(ALPHAS, alpha_per_target=True).fit(X, y)
    assert both.alpha_[0] != both.alpha_[1]
    assert both.scores_.shape == (2, 4)
    for target, (alpha, coef) in enumerate(zip(both.alpha_, both.coef_, strict=True)):
        alone = RidgeCV(ALPHAS).fit(X, y[:, target])
        assert alone.alpha_ == alpha
        np.testing.assert_allclose(alone.coef_, coef, rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_have_the_precision_of_x(table, dtype):
    X, y, _ = table(30, 3)
    model = RidgeCV(store_cv_results=True).fit(X.astype(dtype), y[:, 0])
    assert model.coef_.dtype == model.intercept_.dtype == model.cv_results_.dtype == dtype


def test_predictions_are_made_a_few_penalties_at_a_time(table, monkeypatch):
    X, y, w = table(50, 3, 2)
    params = {"alphas": np.logspace(-2, 3, 7), "scoring": "neg_mean_absolute_error"}
    at_once = RidgeCV(**params).fit(X, y, w)
    monkeypatch.setattr("abline.linear.ridge.left_out_scores._CELLS", 250)
    np.testing.assert_allclose(RidgeCV(**params).fit(X, y, w).scores_, at_once.scores_, rtol=1e-12)


def test_the_first_of_equal_scores_is_taken(table):
    X, y, _ = table(20, 3)
    assert RidgeCV(ALPHAS, scoring=lambda model, X, y: 0.5).fit(X, y).alpha_ == ALPHAS[0]
    assert RidgeCV(ALPHAS, scoring=lambda model, X, y: np.nan).fit(X, y).alpha_ == ALPHAS[0]


def test_a_later_fit_forgets_results(table):
    X, y, _ = table(20, 3)
    model = RidgeCV(store_cv_results=True).fit(X, y)
    model.set_params(store_cv_results=False).fit(X, y)
    assert not hasattr(model, "cv_results_")


def test_it_is_saved_with_all_that_it_found(table, tmp_path):
    X, y, _ = table(20, 3, 2)
    model = RidgeCV(ALPHAS, alpha_per_target=True, store_cv_results=True).fit(X, y)
    model.save(tmp_path / "a.model")
    again = ab.load(tmp_path / "a.model")
    for name in ("alpha_", "best_score_", "scores_", "cv_results_", "coef_"):
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))


def test_svd_of_a_sparse_table_is_warned_of(table):
    X, y, _ = table(20, 3)
    with pytest.warns(FutureWarning, match="The 'svd' mode is not supported for sparse X") as all_:
        sparse = RidgeCV(gcv_mode="svd").fit(sp.csr_array(X), y)
    assert all_[0].filename == __file__
    np.testing.assert_allclose(sparse.coef_, RidgeCV(gcv_mode="svd").fit(X, y).coef_, rtol=1e-10)


def test_text_among_penalties_is_a_type_error_too():
    with pytest.raises(TypeError, match=r"alphas\[1\] must be an instance of float, not str"):
        RidgeCV([1.0, "2"]).fit([[1.0], [2.0]], [1.0, 2.0])
    assert issubclass(ParameterTypeError, ParameterError)


def test_metadata_needs_routing():
    with pytest.raises(ParameterError, match="only supported if enable_metadata_routing=True"):
        RidgeCV().fit([[1.0], [2.0]], [1.0, 2.0], groups=[0, 1])


def test_metadata_reaches_the_scorer(table):
    X, y, w = table(40, 3)
    seen = []

    def scored(y_true, y_pred, sample_weight=None, note=None):
        seen.append((sample_weight, note))
        return -np.average((y_true - y_pred) ** 2, weights=sample_weight)

    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(scored).set_score_request(sample_weight=True, note=True)
        model = RidgeCV(scoring=scorer).set_fit_request(sample_weight=True)
        assert get_routing_for_object(model).consumes("fit", ["note", "sample_weight"]) == {
            "note",
            "sample_weight",
        }
        model.fit(X, y[:, 0], sample_weight=w, note="here")
        plain = RidgeCV().fit(X, y[:, 0], sample_weight=w)
    assert len(seen) == 3
    np.testing.assert_array_equal(seen[0][0], w)
    assert seen[0][1] == "here"
    np.testing.assert_allclose(plain.coef_, RidgeCV().fit(X, y[:, 0], w).coef_)
    np.testing.assert_allclose(plain.coef_, Ridge(plain.alpha_).fit(X, y[:, 0], w).coef_)
