"""Sparse tables of more than 5,000 rows and columns."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning

from abline.linear import Ridge, RidgeCV


@pytest.fixture(scope="module")
def huge():
    rng = np.random.default_rng(1)
    X = sp.random_array((5_300, 5_100), density=1e-3, rng=rng, format="csc")
    y = X @ rng.normal(size=(5_100, 2)) + rng.normal(size=(5_300, 2)) + 3.0
    return X, y, rng.uniform(0.5, 2, 5_300)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_they_come_nearer_than_asked(huge, fit_intercept):
    X, y, w = huge
    alpha = [1.0, 0.1]
    ours = Ridge(alpha, fit_intercept=fit_intercept, tol=1e-2).fit(X, y, w)
    theirs = linear_model.Ridge(
        alpha, fit_intercept=fit_intercept, solver="sparse_cg", tol=1e-13
    ).fit(X, y, w)
    assert ours.engine_ == "lsqr"
    assert ours.solver_ == "sparse_cg"
    assert (ours.n_iter_ > 1).all()
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-8)


def test_iterations_that_run_out_are_said(huge):
    X, y, _ = huge
    with pytest.warns(ConvergenceWarning, match="lsqr did not converge after 2 iterations") as all_:
        Ridge(max_iter=2).fit(X, y[:, 0])
    assert all_[0].filename == __file__


def test_folds_are_iterated_too(huge):
    X, y, _ = huge
    splits = [(np.arange(5_200), np.arange(5_200, 5_300))]
    model = RidgeCV([0.5, 50.0], cv=splits).fit(X, y)
    scores = [Ridge(a).fit(X[:5_200], y[:5_200]).score(X[5_200:], y[5_200:]) for a in (0.5, 50.0)]
    np.testing.assert_allclose(model.scores_, scores, rtol=1e-7)
    assert model.engine_ == "lsqr"


def test_wide_ones_go_by_the_products_of_their_rows(huge):
    X, y, w = huge
    X, y, w = X[:300], y[:300], w[:300]
    ours = Ridge(0.1).fit(X, y, w)
    theirs = linear_model.Ridge(0.1).fit(X.toarray(), y, w)
    assert ours.engine_ == "kernel"
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-11)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-11)
    unpenalised = Ridge(0.0).fit(X, y, w)
    assert unpenalised.engine_ == "lsqr"
    left = w[:, None] * (y - unpenalised.predict(X))  # at a right angle to every feature
    np.testing.assert_allclose(X.T @ left, 0.0, atol=1e-8)


def test_leave_one_out_of_wide_ones(huge):
    X, y, w = huge
    X, y, w = X[:300], y[:300], w[:300]
    ours = RidgeCV([0.1, 1.0, 10.0], store_cv_results=True).fit(X, y, w)
    theirs = linear_model.RidgeCV([0.1, 1.0, 10.0], store_cv_results=True).fit(X, y, w)
    assert ours.engine_ == "kernel"
    assert ours.alpha_ == theirs.alpha_
    np.testing.assert_allclose(ours.cv_results_, theirs.cv_results_, rtol=1e-8)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-11)


def test_folds_of_wide_ones(huge):
    X, y, w = huge
    X, y, w = X[:200], y[:200], w[:200]
    ours = RidgeCV([0.1, 10.0], cv=4).fit(X, y, w)
    theirs = linear_model.RidgeCV([0.1, 10.0], cv=4).fit(X.toarray(), y, w)
    assert ours.alpha_ == theirs.alpha_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-9)
