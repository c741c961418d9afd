"""The estimator around least squares: sparse tables, factors alone, what it says it did."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model

import abline as ab
from abline.errors import DataError
from abline.linear import LinearRegression, RFactor


def table(n=90, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < 0.5)
    return X, X @ np.arange(1.0, p + 1) + 3 + rng.normal(size=n), rng.uniform(0.1, 3, n)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_sparse_is_as_dense(kind, fit_intercept, weighted):
    X, y, w = table()
    w = w if weighted else None
    dense = LinearRegression(fit_intercept=fit_intercept).fit(X, y, w)
    thin = LinearRegression(fit_intercept=fit_intercept).fit(kind(X), y, w)
    np.testing.assert_allclose(thin.coef_, dense.coef_, rtol=1e-13)
    np.testing.assert_allclose(thin.intercept_, dense.intercept_, rtol=1e-13)
    np.testing.assert_allclose(thin.predict(kind(X)), dense.predict(X), rtol=1e-12)
    np.testing.assert_allclose(thin.rss_, dense.rss_, rtol=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_sparse_table_too_wide_for_a_factor_is_iterated(fit_intercept):
    X = sparse.random(300, 6000, density=0.002, random_state=0, format="csr")
    y = np.random.default_rng(0).normal(size=(300, 2))
    ours = LinearRegression(fit_intercept=fit_intercept, tol=1e-12).fit(X, y)
    theirs = linear_model.LinearRegression(fit_intercept=fit_intercept, tol=1e-12).fit(X, y)
    assert ours.engine_ == "lsqr"
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-7)
    left = y - ours.predict(X)
    np.testing.assert_allclose(ours.rss_, np.square(left).sum(axis=0), atol=1e-6)
    assert not hasattr(ours, "factor_")


def test_engine_says_what_ran():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60_000, 20))
    y = X.sum(axis=1) + rng.normal(size=60_000)
    assert LinearRegression().fit(X, y).engine_ == "gram"
    assert LinearRegression().fit(X[:1000], y[:1000]).engine_ == "extended"
    correlated = X + 30 * X[:, :1]
    assert LinearRegression().fit(correlated, y).engine_ == "refined"
    X[:, 1] = X[:, 0]
    assert LinearRegression().fit(X, y).engine_ == "svd"


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_factor_alone_gives_the_line(fit_intercept):
    X, y, w = table()
    halves = RFactor.from_arrays(X[:40], y[:40], w[:40])
    halves.update(X[40:], y[40:], w[40:])
    line = LinearRegression(fit_intercept=fit_intercept)
    alone = LinearRegression(fit_intercept=fit_intercept).fit_factor(halves)
    line.fit(X, y, w)
    np.testing.assert_allclose(alone.coef_, line.coef_, rtol=1e-12)
    np.testing.assert_allclose(alone.intercept_, line.intercept_, rtol=1e-12)
    np.testing.assert_allclose(alone.rss_, line.rss_, rtol=1e-12)
    assert alone.n_features_in_ == 4
    with pytest.raises(DataError, match="the factor has no row: update it with some first"):
        LinearRegression().fit_factor(RFactor.empty(4))


def test_residual_sums_of_squares():
    X, y, w = table()
    model = LinearRegression().fit(X, y, w)
    np.testing.assert_allclose(model.rss_, [w @ np.square(y - model.predict(X))], rtol=1e-12)


def test_all_that_was_learnt_is_saved(tmp_path):
    X, y, _ = table()
    X = np.column_stack([X, X[:, 0] + X[:, 1]])
    for features in (X, X[:, :4]):
        model = LinearRegression().fit(features, y)
        model.save(tmp_path / "line.model")
        back = ab.load(tmp_path / "line.model")
        np.testing.assert_array_equal(back.predict(features), model.predict(features))
        assert back.dependent_ == model.dependent_
        assert back.engine_ == model.engine_
        np.testing.assert_array_equal(back.singular_, model.singular_)
        np.testing.assert_array_equal(back.factor_.upper, model.factor_.upper)


def test_a_cell_that_is_not_finite_is_named_by_its_column():
    import pandas as pd

    frame = pd.DataFrame({"area": [1.0, 2.0, 4.0], "age": [1.0, np.inf, 5.0]})
    with pytest.raises(DataError, match="column 'age' has 1 missing or infinite"):
        LinearRegression().fit(frame, [1.0, 2.0, 3.0])


def test_one_row_gives_its_own_target():
    model = LinearRegression().fit([[3.0, 1.0]], [7.0])
    assert model.predict([[9.0, 9.0]]) == 7.0
    assert model.rank_ == 0


@pytest.mark.parametrize("constant", [0.1, 3e5, -7.7])
def test_a_constant_in_single_precision_is_constant_under_weights(constant):
    rng = np.random.default_rng(0)
    for _ in range(20):
        X = np.column_stack([rng.normal(size=200), np.full(200, constant)]).astype(np.float32)
        w = rng.uniform(0.1, 2, 200) * (rng.random(200) > 0.2)
        model = LinearRegression().fit(X, rng.normal(size=200), w)
        assert model.rank_ == 1
        assert model.coef_[1] == 0.0


def test_a_cell_without_weight_has_no_say():
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(30, 2)), rng.normal(size=30), np.ones(30)
    X[:, 1], w[4] = 0.0, 0.0
    X[4, 1] = 5.0
    model = LinearRegression(fit_intercept=False).fit(X, y, w)
    assert model.rank_ == 1
    assert model.coef_[1] == 0.0
