"""Ridge without negative coefficients: the conditions of optimality, and scikit-learn."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning

from abline.linear import Ridge


def assert_optimal(model, X, y, w, alpha, tolerance):
    """The loss falls in no direction that a coefficient may take (Karush, Kuhn, Tucker)."""
    centre = np.average(X, axis=0, weights=w) if model.fit_intercept else 0.0
    errors = y - X @ model.coef_ - model.intercept_
    downhill = (X - centre).T @ (w * errors) - alpha * model.coef_
    scale = np.abs((X - centre).T @ (w * y)).max()
    assert (model.coef_ >= 0).all()
    assert (downhill <= tolerance * scale).all()
    np.testing.assert_allclose(downhill[model.coef_ > 0], 0.0, atol=tolerance * scale)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1.0, 100.0])
@pytest.mark.parametrize(("n", "p"), [(200, 30), (25, 60)])
@pytest.mark.parametrize("make", [np.asarray, sp.csc_array])
def test_it_is_optimal(table, n, p, alpha, fit_intercept, make):
    X, y, w = table(n, p, zeros=0.5)
    model = Ridge(alpha, positive=True, fit_intercept=fit_intercept).fit(make(X), y[:, 0], w)
    assert model.engine_ == "nnls"
    assert model.solver_ == "lbfgs"
    assert 0 < (model.coef_ > 0).sum() < p
    assert_optimal(model, X, y[:, 0], w, alpha, 1e-12)


def test_it_agrees_with_scikit_learn_as_far_as_that_goes(table):
    X, y, w = table(100, 6, 2)
    ours = Ridge([0.5, 2.0], positive=True, solver="lbfgs").fit(X, y, w)
    theirs = linear_model.Ridge([0.5, 2.0], positive=True, tol=1e-15).fit(X, y, w)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-3)


def test_where_all_coefficients_are_positive_anyway_nothing_changes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 5))
    y = X @ [1.0, 2.0, 3.0, 4.0, 5.0] + 0.1 * rng.normal(size=80)
    np.testing.assert_allclose(
        Ridge(0.1, positive=True).fit(X, y).coef_, Ridge(0.1).fit(X, y).coef_, rtol=1e-12
    )


@pytest.fixture(scope="module")
def huge():
    rng = np.random.default_rng(0)
    X = sp.random_array((400, 5_200), density=5e-3, rng=rng, format="csr")
    return X, X[:, :40].sum(axis=1) + 0.1 * rng.normal(size=400) + 2.0, rng.uniform(0.5, 2, 400)


def test_more_columns_than_a_factor_can_have_are_iterated(huge):
    X, y, w = huge
    model = Ridge(1.0, positive=True).fit(X, y, w)
    assert model.engine_ == "lbfgs"
    assert model.n_iter_.shape == (1,)
    assert_optimal(model, X.toarray(), y, w, 1.0, 1e-5)


def test_iterations_that_run_out_are_said(huge):
    X, y, w = huge
    with pytest.warns(ConvergenceWarning, match="lbfgs solver did not converge"):
        Ridge(1.0, positive=True, max_iter=1).fit(X, y, w)
