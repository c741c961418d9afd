"""RidgeCV against scikit-learn's and against refitting without each row."""

import numpy as np
import pytest
from sklearn import linear_model

from abline.errors import DataError, ParameterError
from abline.linear import Ridge, RidgeCV

ALPHAS = np.logspace(-2, 3, 8)


def table(n, p, t=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.1, 10, p) + 20 * rng.normal(size=p)
    return X, X @ rng.normal(size=(p, t)) + rng.normal(size=(n, t)) + 5, rng.uniform(0.1, 3, n)


def refitted(X, y, w, alphas, **kwargs):
    """Minus the mean squared error of each row predicted by the fit to all others."""
    scores = []
    for alpha in alphas:
        errors = []
        for i in range(len(X)):
            rest = np.arange(len(X)) != i
            model = Ridge(alpha, **kwargs).fit(X[rest], y[rest], None if w is None else w[rest])
            weight = 1.0 if w is None else w[i]
            errors.append(weight * (y[i] - model.predict(X[i : i + 1])[0]) ** 2)
        scores.append(-np.mean(errors))
    return np.array(scores)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("n", "p", "t"), [(30, 4, 1), (30, 4, 2), (12, 30, 1), (12, 11, 1), (9, 9, 2)]
)
def test_scores_are_those_of_refitting(n, p, t, weighted, fit_intercept):
    X, y, w = table(n, p, t)
    w = w if weighted else None
    model = RidgeCV(ALPHAS, fit_intercept=fit_intercept).fit(X, y, w)
    expected = refitted(X, y, w, ALPHAS, fit_intercept=fit_intercept)
    np.testing.assert_allclose(model.scores_, expected, rtol=1e-9)
    assert model.alpha_ == ALPHAS[np.argmax(expected)]
    assert model.best_score_ == model.scores_.max()
    same = Ridge(model.alpha_, fit_intercept=fit_intercept).fit(X, y, w)
    np.testing.assert_allclose(model.coef_, same.coef_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "p", "t"), [(60, 5, 1), (9_000, 4, 2), (20, 60, 1)])
def test_agrees_with_scikit_learn(n, p, t, weighted):
    X, y, w = table(n, p, t)
    y, w = (y if t > 1 else y[:, 0]), (w if weighted else None)
    ours = RidgeCV(ALPHAS).fit(X, y, w)
    theirs = linear_model.RidgeCV(ALPHAS, gcv_mode="svd", store_cv_results=True).fit(X, y, w)
    scores = -theirs.cv_results_.reshape(-1, len(ALPHAS)).mean(axis=0)
    np.testing.assert_allclose(ours.scores_, scores, rtol=1e-10)
    assert ours.alpha_ == theirs.alpha_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-10)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10, atol=1e-10)


def test_default_penalties_are_scikit_learns():
    assert RidgeCV().alphas == linear_model.RidgeCV().alphas


def test_dependent_and_constant_columns_and_one_of_another_unit():
    X, y, _ = table(25, 3)
    X = np.column_stack([X, X[:, 0] + X[:, 1], np.ones(25), 1e15 * X[:, 2] ** 2])
    model = RidgeCV(ALPHAS).fit(X, y)
    np.testing.assert_allclose(model.scores_, refitted(X, y, None, ALPHAS), rtol=1e-8)


def test_streamed_scores_are_those_of_one_block():
    """Beyond one block the singular vectors come from the factor; copies of few rows tell."""
    X, y, _ = table(40, 3)
    times = 200
    many = RidgeCV(ALPHAS * times).fit(np.tile(X, (times, 1)), np.tile(y, (times, 1)))
    once = linear_model.RidgeCV(ALPHAS * times, gcv_mode="svd", store_cv_results=True)
    once.fit(np.tile(X, (times, 1)), np.tile(y, (times, 1))[:, 0])
    np.testing.assert_allclose(many.scores_, -once.cv_results_.mean(axis=0), rtol=1e-10)


def test_a_row_that_only_one_feature_knows_does_not_spoil_the_choice():
    X, y, _ = table(20, 2)
    X = np.column_stack([X, np.eye(20)[:, 0]])
    model = RidgeCV([1e-30, 1.0]).fit(X, y)
    assert np.isfinite(model.best_score_)
    assert np.isfinite(model.coef_).all()


def test_features_that_are_all_constant():
    model = RidgeCV().fit(np.ones((4, 2)), [1.0, 2.0, 3.0, 6.0])
    np.testing.assert_allclose(model.predict([[0.0, 0.0]]), 3.0)
    np.testing.assert_allclose(model.scores_, -np.mean([16 / 9 * 4, 16 / 9, 0, 16]))


@pytest.mark.parametrize("alphas", [[1.0, 0.0], [-1.0], [np.nan], [], "all"])
def test_wrong_penalties(alphas):
    with pytest.raises(ParameterError, match="alphas"):
        RidgeCV(alphas).fit([[1.0], [2.0]], [1.0, 2.0])


@pytest.mark.parametrize("weights", [[0.0, 3.0], None])
def test_one_row_cannot_be_left_out(weights):
    X, y = [[1.0], [2.0]], [1.0, 2.0]
    n = 2 if weights else 1
    with pytest.raises(DataError, match="at least two rows"):
        RidgeCV().fit(X[:n], y[:n], weights)
