"""Ridge against scikit-learn, and what it keeps of a fit."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn import linear_model
from threadpoolctl import threadpool_limits

import abline as ab
from abline.errors import DataError
from abline.linear import LinearRegression, RFactor, Ridge


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [1e-3, 2, [0.5, 3.0]])
@pytest.mark.parametrize(("n", "p"), [(60, 5), (9_000, 3), (20, 60), (30, 30)])
def test_agrees_with_scikit_learn(table, n, p, alpha, weighted, fit_intercept):
    X, y, w = table(n, p, 2)
    w = w if weighted else None
    ours = Ridge(alpha, fit_intercept=fit_intercept).fit(X, y, w)
    theirs = linear_model.Ridge(alpha, fit_intercept=fit_intercept, solver="svd").fit(X, y, w)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_matrix, sp.coo_array, sp.lil_matrix])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 1e-9, 2.0, [0.5, 3.0]])
@pytest.mark.parametrize(("n", "p"), [(300, 6), (15, 40)])
def test_sparse_tables_are_solved_as_dense_ones(table, n, p, alpha, weighted, fit_intercept, kind):
    X, y, w = table(n, p, 2, zeros=0.7)
    w = w if weighted else None
    sparse = Ridge(alpha, fit_intercept=fit_intercept).fit(kind(X), y, w)
    dense = Ridge(alpha, fit_intercept=fit_intercept).fit(X, y, w)
    np.testing.assert_allclose(sparse.coef_, dense.coef_, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(sparse.intercept_, dense.intercept_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(sparse.predict(kind(X)), dense.predict(X), rtol=1e-9, atol=1e-9)


def test_float32_is_solved_in_float64(table):
    X, y, _ = table(50, 4)
    X, y = X.astype(np.float32), y[:, 0].astype(np.float32)
    for features in (X, sp.csr_array(X)):
        single = Ridge(1e-3).fit(features, y)
        double = Ridge(1e-3).fit(features.astype(np.float64), y)
        assert single.coef_.dtype == single.intercept_.dtype == np.float32
        np.testing.assert_array_equal(single.coef_, double.coef_.astype(np.float32))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_shapes_are_scikit_learns_but_predictions_take_ys(table, fit_intercept):
    X, y, _ = table(20, 3, 2)
    for target in (y[:, 0], y[:, :1], y):
        ours = Ridge(fit_intercept=fit_intercept).fit(X, target)
        theirs = linear_model.Ridge(fit_intercept=fit_intercept).fit(X, target)
        assert ours.coef_.shape == theirs.coef_.shape
        assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
        assert ours.predict(X).shape == target.shape


@pytest.mark.parametrize("weight", [2.0, np.float32(0.5), 3])
def test_one_weight_for_all_rows_divides_the_penalty(table, weight):
    X, y, _ = table(30, 4)
    np.testing.assert_allclose(
        Ridge(1.0).fit(X, y, weight).coef_, Ridge(1.0 / weight).fit(X, y).coef_, rtol=1e-12
    )


def test_units_of_features_change_coefficients_by_their_ratio_and_no_digit(table):
    X, y, _ = table(40, 3)
    units = 2.0**9
    scaled = Ridge(0.1 * units**2).fit(X * units, y)
    np.testing.assert_array_equal(scaled.coef_ * units, Ridge(0.1).fit(X, y).coef_)


@pytest.mark.parametrize(("n", "p"), [(40_000, 20), (30, 2_000)])
def test_numbers_do_not_depend_on_threads(table, n, p):
    X, y, w = table(n, p)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(Ridge(1e-4).fit(X, y, w).coef_)
    np.testing.assert_array_equal(*found)


def test_no_penalty_is_least_squares_for_that_target_alone(table):
    X, y, _ = table(30, 4, 2)
    both = Ridge([0.0, 5.0]).fit(X, y)
    np.testing.assert_allclose(both.coef_[0], LinearRegression().fit(X, y).coef_[0], rtol=1e-12)
    np.testing.assert_allclose(both.coef_[1], Ridge(5.0).fit(X, y[:, 1]).coef_, rtol=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("make", [np.asarray, sp.csr_array])
def test_no_penalty_and_dependent_columns_give_least_norm_and_say_which(
    table, fit_intercept, make, tmp_path
):
    X, y, _ = table(30, 3)
    X = np.column_stack([X, X[:, 0] - X[:, 2]])
    model = Ridge(0.0, fit_intercept=fit_intercept, solver="cholesky")
    model.set_params(solver="auto" if make is sp.csr_array else "cholesky").fit(make(X), y)
    centre = X.mean(axis=0) if fit_intercept else 0.0
    expected = np.linalg.pinv(X - centre, rcond=1e-10) @ (y - (y.mean() if fit_intercept else 0.0))
    np.testing.assert_allclose(model.coef_, expected[:, 0], rtol=1e-8)
    assert model.dependent_ == {3: [0, 2]}
    assert model.engine_ == "svd"
    assert model.solver_ == ("sparse_cg" if make is sp.csr_array else "svd")
    model.save(tmp_path / "a.model")
    assert ab.load(tmp_path / "a.model").dependent_ == model.dependent_
    assert Ridge(1.0).fit(X, y).dependent_ == {}


def test_a_huge_penalty_leaves_the_mean(table):
    X, y, _ = table(30, 4)
    np.testing.assert_allclose(Ridge(1e300).fit(X, y).predict(X), np.full((30, 1), y.mean()))


def test_constant_features_get_nothing(table):
    X, y, _ = table(30, 2)
    X = np.column_stack([X, np.full(30, 7.3)])
    for features in (X, sp.csr_array(X), X[:3]):
        assert Ridge(1e-6).fit(features, y[: features.shape[0]]).coef_[2] == pytest.approx(
            0.0, abs=1e-8
        )


@pytest.mark.parametrize("alpha", [0.0, 1e-12, 1.0, [1.0, 2.0, 0.0]])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("positive", [False, True])
def test_a_factor_is_as_good_as_its_rows(table, alpha, fit_intercept, positive):
    X, y, w = table(200, 4, 3)
    model = Ridge(alpha, fit_intercept=fit_intercept, positive=positive).fit(X, y, w)
    half = RFactor.from_arrays(X[:90], y[:90], w[:90])
    factor = half.merge(RFactor.from_arrays(X[90:], y[90:], w[90:]))
    again = Ridge(alpha, fit_intercept=fit_intercept, positive=positive).fit_factor(factor)
    np.testing.assert_allclose(again.coef_, model.coef_, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(again.intercept_, model.intercept_, rtol=1e-11)
    assert again.n_features_in_ == 4
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-11)


def test_a_factor_forgets_the_names_of_an_earlier_fit(table):
    X, y, _ = table(20, 2)
    model = Ridge().fit(pd.DataFrame(X, columns=["a", "b"]), y[:, 0])
    model.fit_factor(RFactor.from_arrays(X, y))
    assert not hasattr(model, "feature_names_in_")
    assert model.predict(X).shape == (20,)
    with pytest.raises(DataError, match="no row"):
        model.fit_factor(RFactor.empty(2))


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array, lambda X: X[:2]])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_cells_that_are_not_finite_are_named(table, make, value):
    X, y, _ = table(20, 3)
    X[1, 2] = value
    X = make(X)
    with pytest.raises(DataError, match=r"column 2 of X has 1 missing or infinite cells .* row 1"):
        Ridge().fit(X, y[: X.shape[0]])
    with pytest.raises(DataError, match="column 'c' has 1 missing"):
        Ridge().fit(pd.DataFrame(np.where(np.eye(20, 3), np.nan, 1.0), columns=list("cab")), y)


def test_cells_whose_squares_overflow_are_refused(table):
    X, y, _ = table(20, 3)
    X[0, 0] = 1e200
    model = Ridge(1.0).fit(X, y)  # QR does without squares
    assert model.engine_ in ("qr", "svd")
    assert np.isfinite(model.coef_).all()
