"""Diagnostics and influence against statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats import diagnostic, outliers_influence, stattools

from abline.errors import DataError, ParameterError
from abline.linear import LinearRegression, ols

TABLES = ["penguins", "mpg", "airquality", "yacht"]


def both(data, weighted=False, fit_intercept=True):
    weights = data.weights if weighted else None
    result = ols(data.X, data.y, sample_weight=weights, fit_intercept=fit_intercept)
    design = sm.add_constant(data.X) if fit_intercept else data.X
    model = sm.WLS(data.y, design, weights) if weighted else sm.OLS(data.y, design)
    return result, model.fit(method="qr")


def assert_test(got, statistic, p_value):
    np.testing.assert_allclose(got.statistic, statistic, rtol=1e-8)
    np.testing.assert_allclose(got.p_value, p_value, rtol=1e-6, atol=1e-200)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_tests_of_residuals(load, table, weighted, fit_intercept):
    data = load(table)
    result, fit = both(data, weighted, fit_intercept)
    np.testing.assert_allclose(result.durbin_watson(), stattools.durbin_watson(fit.wresid))
    assert_test(result.jarque_bera(), *stattools.jarque_bera(fit.wresid)[:2])
    expected = diagnostic.het_breuschpagan(fit.wresid, sm.add_constant(data.X))
    assert_test(result.breusch_pagan(), *expected[:2])


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("power", [2, 3, 4])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_reset(load, table, power, fit_intercept, weighted):
    data = load(table)
    result, fit = both(data, weighted, fit_intercept)
    fitted = fit.fittedvalues - (fit.fittedvalues.mean() if fit_intercept else 0.0)
    fitted = fitted / np.abs(fitted).max()
    exog = np.column_stack([fit.model.exog, *(fitted**k for k in range(2, power + 1))])
    exog /= np.linalg.norm(exog, axis=0)
    weights = data.weights if weighted else np.ones(len(data.y))
    wider = sm.WLS(data.y, exog, weights).fit(method="qr")
    added = exog.shape[1] - fit.model.exog.shape[1]
    expected = wider.f_test(np.eye(added, exog.shape[1], k=exog.shape[1] - added))
    got = result.reset(power)
    assert_test(got, expected.fvalue, expected.pvalue)
    assert got.df == (expected.df_num, expected.df_denom)


def test_reset_is_that_of_statsmodels(load):
    result, fit = both(load("airquality"))
    expected = diagnostic.linear_reset(fit, power=3, use_f=True)
    assert_test(result.reset(), expected.fvalue, expected.pvalue)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_conditions_need_no_rows(load, table, fit_intercept):
    data = load(table)
    _, fit = both(data, fit_intercept=fit_intercept)
    result = LinearRegression(fit_intercept=fit_intercept).fit(data.X, data.y).summary()
    np.testing.assert_allclose(result.condition_number, fit.condition_number, rtol=1e-6)
    exog = fit.model.exog
    expected = [
        outliers_influence.variance_inflation_factor(exog, j)
        for j in range(int(fit_intercept), exog.shape[1])
    ]
    if fit_intercept:  # without, statsmodels' counts an implicit constant out
        np.testing.assert_allclose(result.vif(), expected, rtol=1e-8)
    centred = data.X - data.X.mean(axis=0) if fit_intercept else data.X
    unit = np.linalg.cond(centred / np.linalg.norm(centred, axis=0))
    np.testing.assert_allclose(result.scaled_condition_number, unit, rtol=1e-8)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_influence(load, table, fit_intercept, weighted):
    data = load(table)
    result, fit = both(data, weighted, fit_intercept)
    # statsmodels' influence forgets the weights, unless they are in the rows already
    whitened = sm.OLS(fit.model.wendog, fit.model.wexog).fit(method="qr")
    expected = whitened.get_influence()
    frame = result.augment()
    np.testing.assert_allclose(frame["leverage"], expected.hat_matrix_diag, rtol=1e-8)
    np.testing.assert_allclose(
        frame["std_residual"], expected.resid_studentized_internal, rtol=1e-7
    )
    np.testing.assert_allclose(frame["cooks_distance"], expected.cooks_distance[0], rtol=1e-7)
    np.testing.assert_allclose(frame["fitted"], fit.fittedvalues, rtol=1e-10)
    np.testing.assert_allclose(frame["residual"], fit.resid, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(frame["y"], data.y)
    np.testing.assert_allclose(frame["leverage"].sum(), result.df_model + fit_intercept)
    np.testing.assert_array_equal(result.influence().leverage, frame["leverage"])


def test_a_row_that_decides_itself(load):
    data = load("mpg")
    alone = np.zeros(len(data.y))
    alone[5] = 1.0
    X = np.column_stack([data.X, alone])
    frame = ols(X, data.y).augment()
    np.testing.assert_allclose(frame["leverage"][5], 1.0)
    assert np.isnan(frame["cooks_distance"][5])
    for kind in ("HC2", "HC3"):
        with pytest.raises(DataError, match=f'row 5 decides .* {kind} .*use cov="HC1"'):
            ols(X, data.y, cov=kind)
    assert np.isfinite(ols(X, data.y, cov="HC1").bse["x0"])


def test_levels_alone_have_no_curve_to_find():
    rng = np.random.default_rng(0)
    X = np.repeat(np.eye(2), 10, axis=0)
    result = ols(X, rng.normal(size=20), fit_intercept=False)
    found = result.reset()
    assert np.isnan(found.statistic)
    assert found.df[0] == 0
    # the constant that the levels add up to is none of the tested terms
    assert result.breusch_pagan().df == (1,)


def test_all_in_one_table(load):
    result, _ = both(load("yacht"))
    frame = result.diagnostics()
    assert frame.columns == ["check", "statistic", "distribution", "p_value"]
    found = dict(zip(frame["check"], frame["statistic"], strict=True))
    assert len(found) == 6
    assert found["Durbin–Watson: 2 where neighbours are unrelated"] == result.durbin_watson()
    assert str(result.breusch_pagan()).startswith(
        "Breusch–Pagan: residuals vary equally: chi2(3) = "
    )


def test_what_cannot_be_asked_for(load):
    result, _ = both(load("mpg"))
    for power in (1, 2.5, "3"):
        with pytest.raises(ParameterError, match=r"power is .*: give a whole number from 2 on"):
            result.reset(power)


@pytest.mark.parametrize(
    "what", ["resid", "fittedvalues", "augment", "durbin_watson", "diagnostics", "reset"]
)
def test_what_needs_rows_says_so(load, what):
    data = load("mpg")
    model = LinearRegression().fit(data.X, data.y)
    bare = model.summary()
    with pytest.raises(DataError, match=r"needs the rows .* model\.summary\(X, y\)\."):
        getattr(bare, what)() if what not in ("resid", "fittedvalues") else getattr(bare, what)
    seen = model.summary(data.X, data.y)
    answer = getattr(seen, what)
    assert answer is not None
