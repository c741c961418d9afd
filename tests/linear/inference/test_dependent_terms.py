"""Terms that cannot be estimated are NaN and named; the others are as if they were not there."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from abline.errors import DataError, ParameterError
from abline.linear import LinearRegression, ols


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    a, b, c = rng.normal(size=(3, 80)) * [[1.0], [100.0], [0.01]]
    X = np.column_stack([a, 2 * a, b, np.full(80, 3.0), c, a - b])
    y = a + 0.1 * b + rng.normal(size=80)
    return X, y, [0, 2, 4], rng.uniform(0.5, 2, 80)


@pytest.mark.parametrize("cov", ["nonrobust", "HC1", "HC3"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_first_columns_win(table, cov, weighted, fit_intercept):
    X, y, kept, w = table
    if not fit_intercept:
        kept = [0, 2, 3, 4]
    weights = w if weighted else None
    result = ols(X, y, cov=cov, sample_weight=weights, fit_intercept=fit_intercept)
    design = sm.add_constant(X[:, kept]) if fit_intercept else X[:, kept]
    expected = sm.WLS(y, design, w if weighted else 1.0).fit(cov_type=cov)
    names = ([] if not fit_intercept else ["Intercept"]) + [f"x{j}" for j in kept]
    lost = [f"x{j}" for j in range(6) if f"x{j}" not in names]
    for attribute in ("params", "bse", "tvalues", "pvalues"):
        ours, theirs = getattr(result, attribute), getattr(expected, attribute)
        np.testing.assert_allclose([ours[n] for n in names], theirs, rtol=1e-7, atol=1e-14)
        assert np.isnan([ours[n] for n in lost]).all()
    for attribute in ("df_resid", "df_model", "rsquared", "rsquared_adj", "fvalue", "llf", "aic"):
        np.testing.assert_allclose(
            getattr(result, attribute), getattr(expected, attribute), rtol=1e-9, err_msg=attribute
        )
    assert np.isnan(result.cov_params()["x1", "x0"])
    assert np.isnan(result.vif()["x1"])
    np.testing.assert_allclose(result.fittedvalues, expected.fittedvalues, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result.predict(X), expected.fittedvalues, rtol=1e-7, atol=1e-9)
    leverage = sm.OLS(y * 0 + 1, expected.model.wexog).fit().get_influence().hat_matrix_diag
    np.testing.assert_allclose(result.influence().leverage, leverage, rtol=1e-7)
    said = " ".join(str(result).split())
    assert "Not estimated: 'x1' depends on 'x0'" in said


def test_tests_of_lost_terms_are_refused(table):
    X, y, _, _ = table
    result = ols(X, y)
    with pytest.raises(ParameterError, match="'x1' cannot be estimated"):
        result.wald_test("x1 = 0")
    result.wald_test("x0 = x2")
    expected = ols(X[:, [0, 2, 4]], y)
    assert result.breusch_pagan().statistic == pytest.approx(expected.breusch_pagan().statistic)
    assert result.reset().statistic == pytest.approx(expected.reset().statistic)


def test_as_many_terms_as_rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 9)), rng.normal(size=6)
    result = LinearRegression().fit(X, y).summary()
    assert (result.df_resid, result.df_model) == (0, 5)
    assert np.isnan(result.params.array).sum() == 4
    for value in (result.scale, result.rsquared_adj, result.fvalue, result.f_pvalue):
        assert np.isnan(value)
    assert np.isnan(result.bse.array).all()
    assert np.isnan(np.asarray(result.conf_int())).all()
    assert "as many terms as rows" in str(result)


def test_a_perfect_fit():
    X = np.arange(10.0)[:, None]
    result = ols(X, 2 * X[:, 0] + 1)
    assert result.rsquared == 1.0
    assert result.llf > 100
    assert result.f_pvalue == 0.0
    assert str(result)
    assert result._repr_html_()


def test_a_constant_target_and_nothing_but_constants():
    X = np.arange(10.0)[:, None]
    flat = ols(X, np.full(10, 3.0))
    assert np.isnan(flat.rsquared)
    assert flat.params["x0"] == pytest.approx(0.0, abs=1e-14)
    empty = ols(np.ones((10, 2)), X[:, 0])
    assert (empty.df_model, empty.df_resid) == (0, 9)
    assert empty.params["Intercept"] == pytest.approx(4.5)
    assert np.isnan(empty.fvalue)
    for result in (flat, empty):
        assert str(result)
        assert result.to_frame().height == len(result.params)


def test_a_feature_with_the_name_of_the_constant_is_refused():
    frame = pd.DataFrame({"Intercept": [1.0, 2.0, 4.0, 5.0]})
    y = [1.0, 2.0, 3.0, 5.0]
    with pytest.raises(DataError, match=r"a feature is called 'Intercept'.*: rename it"):
        LinearRegression().fit(frame, y).summary()
    assert LinearRegression(fit_intercept=False).fit(frame, y).summary().params["Intercept"] > 0
