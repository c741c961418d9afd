"""Leave-one-out errors against refitting without each row, and against scikit-learn's."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import linear_model

from abline.errors import DataError
from abline.linear import Ridge, RidgeCV
from abline.linear.ridge.leave_one_out import LeaveOneOut
from abline.linear.rows import Rows

ALPHAS = np.logspace(-2, 3, 8)


def refitted(X, y, w, alphas, **kwargs):
    """Each row's prediction by the fit to all others, of shape (n, t, k)."""
    answer = np.empty((*y.shape, len(alphas)))
    for number, alpha in enumerate(alphas):
        for i in range(len(X)):
            rest = np.arange(len(X)) != i
            model = Ridge(alpha, **kwargs).fit(X[rest], y[rest], None if w is None else w[rest])
            answer[i, :, number] = model.predict(X[i : i + 1])[0]
    return answer


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("make", [np.asarray, sp.csr_array])
@pytest.mark.parametrize(
    ("n", "p", "t"), [(30, 4, 1), (30, 4, 2), (12, 30, 1), (12, 11, 1), (9, 9, 2)]
)
def test_errors_are_those_of_refitting(table, n, p, t, weighted, fit_intercept, make):
    X, y, w = table(n, p, t, zeros=0.3)
    w = np.where(np.arange(n) == 1, 0.0, w) if weighted else None
    expected = refitted(X, y, w, ALPHAS, fit_intercept=fit_intercept)
    model = RidgeCV(ALPHAS, fit_intercept=fit_intercept, store_cv_results=True)
    model.fit(make(X), y, w)
    weights = np.ones((n, 1, 1)) if w is None else w[:, None, None]
    squares = weights * (y[:, :, None] - expected) ** 2
    np.testing.assert_allclose(model.cv_results_, squares, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(model.scores_, -squares.mean(axis=(0, 1)), rtol=1e-9)
    assert model.alpha_ == ALPHAS[np.argmax(model.scores_)]
    assert model.best_score_ == model.scores_.max()
    same = Ridge(model.alpha_, fit_intercept=fit_intercept).fit(X, y, w)
    np.testing.assert_allclose(model.coef_, same.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model.intercept_, same.intercept_, rtol=1e-9, atol=1e-10)
    predicted = model.set_params(scoring="neg_mean_squared_error").fit(make(X), y, w).cv_results_
    np.testing.assert_allclose(predicted, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("make", [np.asarray, sp.csr_array])
@pytest.mark.parametrize(
    ("n", "p", "t"), [(60, 5, 1), (90_000, 4, 2), (20, 60, 1), (1_100, 1_200, 1)]
)
def test_agrees_with_scikit_learn(table, n, p, t, weighted, make):
    X, y, w = table(n, p, t, zeros=0.0 if make is np.asarray else 0.8)
    y, w = (y if t > 1 else y[:, 0]), (w if weighted else None)
    mode = "svd" if n < 1_000 else "eigen"
    ours = RidgeCV(ALPHAS).fit(make(X), y, w)
    theirs = linear_model.RidgeCV(ALPHAS, gcv_mode=mode, store_cv_results=True).fit(X, y, w)
    scores = -theirs.cv_results_.reshape(-1, len(ALPHAS)).mean(axis=0)
    np.testing.assert_allclose(ours.scores_, scores, rtol=1e-9)
    assert ours.alpha_ == theirs.alpha_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-9)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-8)


def test_dependent_and_constant_columns_and_one_of_another_unit(table):
    X, y, _ = table(25, 3)
    X = np.column_stack([X, X[:, 0] + X[:, 1], np.ones(25), 1e15 * X[:, 2] ** 2])
    errors = y[:, :, None] - refitted(X, y, None, ALPHAS)
    model = RidgeCV(ALPHAS).fit(X, y)
    np.testing.assert_allclose(model.scores_, -np.square(errors).mean(axis=(0, 1)), rtol=1e-8)


def test_columns_far_from_zero(table):
    X, y, w = table(40, 3)
    near = RidgeCV(ALPHAS, store_cv_results=True).fit(X, y, w)
    far = RidgeCV(ALPHAS, store_cv_results=True).fit(X + 2.0**30, y, w)
    np.testing.assert_allclose(far.cv_results_, near.cv_results_, rtol=1e-3)


def test_blocks_give_what_one_block_gives(table):
    """Beyond one block the singular vectors come from the factor; copies of few rows tell."""
    X, y, _ = table(40, 3)
    times = 2_000
    X, y = np.tile(X, (times, 1)), np.tile(y, (times, 1))
    many = RidgeCV(ALPHAS * times).fit(X, y)
    once = linear_model.RidgeCV(ALPHAS * times, gcv_mode="svd", store_cv_results=True)
    once.fit(X, y[:, 0])
    np.testing.assert_allclose(many.scores_, -once.cv_results_.mean(axis=0), rtol=1e-10)


def test_memory_of_a_block_does_not_grow_with_the_rows(table):
    X, y, _ = table(200_000, 3)
    left_out = LeaveOneOut.of(Rows.of(X, y), fit_intercept=True)
    assert left_out.left is None
    longest = max(part.stop - part.start for part in left_out._slices(len(ALPHAS)))
    assert longest * len(ALPHAS) < 300_000


def test_a_row_that_only_one_feature_knows_does_not_spoil_the_choice(table):
    X, y, _ = table(20, 2)
    X = np.column_stack([X, np.eye(20)[:, 0]])
    model = RidgeCV([1e-30, 1.0]).fit(X, y)
    assert np.isfinite(model.best_score_)
    assert np.isfinite(model.coef_).all()


def test_features_that_are_all_constant():
    model = RidgeCV().fit(np.ones((4, 2)), [1.0, 2.0, 3.0, 6.0])
    np.testing.assert_allclose(model.predict([[0.0, 0.0]]), 3.0)
    np.testing.assert_allclose(model.scores_, -np.mean([16 / 9 * 4, 16 / 9, 0, 16]))


@pytest.mark.parametrize("weights", [[0.0, 3.0], None])
def test_one_row_cannot_be_left_out(weights):
    X, y = [[1.0], [2.0]], [1.0, 2.0]
    n = 2 if weights else 1
    with pytest.raises(DataError, match="at least two rows"):
        RidgeCV().fit(X[:n], y[:n], weights)
