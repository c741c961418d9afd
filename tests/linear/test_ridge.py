"""Ridge against scikit-learn and against least squares on an augmented table."""

import numpy as np
import pytest
from sklearn import linear_model

from abline.errors import ParameterError
from abline.linear import LinearRegression, Ridge


def table(n, p, t=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.1, 10, p) + 20 * rng.normal(size=p)
    return X, X @ rng.normal(size=(p, t)) + rng.normal(size=(n, t)) + 5, rng.uniform(0.1, 3, n)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [1e-3, 2, [0.5, 3.0]])
@pytest.mark.parametrize(("n", "p"), [(60, 5), (9_000, 3), (20, 60)])
def test_agrees_with_scikit_learn(n, p, alpha, weighted, fit_intercept):
    X, y, w = table(n, p, 2)
    w = w if weighted else None
    ours = Ridge(alpha, fit_intercept=fit_intercept).fit(X, y, w)
    theirs = linear_model.Ridge(alpha, fit_intercept=fit_intercept, solver="svd").fit(X, y, w)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-10, atol=1e-11)


def test_nearly_dependent_columns_next_to_one_of_another_unit():
    rng = np.random.default_rng(1)
    base = rng.normal(size=(50, 1))
    X = np.hstack([base, base + 1e-6 * rng.normal(size=(50, 1)), 1e12 * rng.normal(size=(50, 1))])
    y = base[:, 0] + 1e-12 * X[:, 2] + rng.normal(size=50)
    augmented = np.vstack([X - X.mean(axis=0), np.eye(3)]) / [1, 1, 1e12]
    expected = np.linalg.lstsq(augmented, np.append(y - y.mean(), np.zeros(3)))[0] / [1, 1, 1e12]
    np.testing.assert_allclose(Ridge(1.0).fit(X, y).coef_, expected, rtol=1e-9)


def test_no_penalty_is_least_squares_for_that_target_alone():
    X, y, _ = table(30, 4, 2)
    both = Ridge([0.0, 5.0]).fit(X, y)
    np.testing.assert_allclose(both.coef_[0], LinearRegression().fit(X, y).coef_[0], rtol=1e-12)
    np.testing.assert_allclose(both.coef_[1], Ridge(5.0).fit(X, y[:, 1]).coef_, rtol=1e-12)


def test_a_huge_penalty_leaves_the_mean():
    X, y, _ = table(30, 4)
    np.testing.assert_allclose(Ridge(1e300).fit(X, y).predict(X), y.mean())


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        (-1.0, "alpha has a penalty of -1"),
        (np.inf, "alpha has a penalty of inf"),
        ("much", "alpha is 'much': give a number zero or more"),
        ([], "alpha has the shape \\(0,\\)"),
        ([1.0, 2.0], "alpha has 2 penalties, but the number of targets is 1"),
    ],
)
def test_wrong_penalties(alpha, message):
    with pytest.raises(ParameterError, match=message):
        Ridge(alpha).fit([[1.0], [2.0]], [1.0, 2.0])
