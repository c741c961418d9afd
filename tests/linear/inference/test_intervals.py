"""Intervals at new rows against statsmodels, and how often all intervals cover."""

import numpy as np
import pytest
import statsmodels.api as sm

from abline.errors import DataError, DataWarning, ParameterError
from abline.linear import LinearRegression, ols


@pytest.mark.parametrize("table", ["penguins", "mpg", "airquality", "yacht"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_agrees_with_statsmodels(load, table, fit_intercept, weighted, level):
    data = load(table)
    weights = data.weights if weighted else None
    new = data.X[::7] * 1.3
    model = LinearRegression(fit_intercept=fit_intercept).fit(data.X, data.y, weights)
    design = sm.add_constant(data.X) if fit_intercept else data.X
    fit = (sm.WLS(data.y, design, weights) if weighted else sm.OLS(data.y, design)).fit(method="qr")
    expected = fit.get_prediction(
        sm.add_constant(new, has_constant="add") if fit_intercept else new
    )
    for kind in ("mean", "observation"):
        np.testing.assert_allclose(
            model.predict_interval(new, level, kind),
            expected.conf_int(obs=kind == "observation", alpha=1 - level),
            rtol=1e-8,
        )


@pytest.mark.parametrize("cov", ["HC0", "HC3"])
def test_a_result_uses_its_own_errors(load, cov):
    data = load("airquality")
    result = ols(data.X, data.y, cov=cov)
    fit = sm.OLS(data.y, sm.add_constant(data.X)).fit(cov_type=cov)
    expected = fit.get_prediction(sm.add_constant(data.X))
    for kind in ("mean", "observation"):
        np.testing.assert_allclose(
            result.predict_interval(data.X, kind=kind),
            expected.conf_int(obs=kind == "observation"),
            rtol=1e-8,
        )


def test_single_precision_frames_and_sparse_rows(load):
    import polars as pl
    from scipy import sparse

    data = load("mpg")
    frame = pl.DataFrame(data.X, schema=["a", "b", "c"])
    model = LinearRegression().fit(frame, data.y)
    expected = model.predict_interval(frame)
    assert expected.shape == (len(data.y), 2)
    np.testing.assert_allclose(
        LinearRegression().fit(data.X, data.y).predict_interval(sparse.csr_array(data.X)), expected
    )
    low = LinearRegression().fit(data.X.astype(np.float32), data.y)
    got = low.predict_interval(data.X.astype(np.float32))
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, expected, rtol=1e-4)
    with pytest.raises(DataError, match=r"feature names"):
        model.predict_interval(frame.rename({"a": "z"}))


def test_rows_off_the_dependency_have_no_end():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    X = np.column_stack([X, X @ [1.0, 2.0]])
    y = X[:, 0] + rng.normal(size=40)
    model = LinearRegression().fit(X, y)
    alone = LinearRegression().fit(X[:, :2], y)
    np.testing.assert_allclose(model.predict_interval(X), alone.predict_interval(X[:, :2]))
    strange = np.add(X[:2], [[0, 0, 1.0], [0, 0, 0]])
    with pytest.warns(DataWarning, match=r"1 of 2 rows do not follow .*\('x2'\)"):
        found = model.predict_interval(strange)
    assert found[0].tolist() == [-np.inf, np.inf]
    np.testing.assert_allclose(found[1], alone.predict_interval(X[1:2, :2])[0])


def test_what_cannot_be_asked_for(load):
    data = load("mpg")
    model = LinearRegression().fit(data.X, data.y)
    with pytest.raises(ParameterError, match="kind cannot be 'means': did you mean 'mean'"):
        model.predict_interval(data.X, kind="means")
    for level in (0, 1, 95, -0.1):
        with pytest.raises(
            ParameterError, match=f"level is {level}: give a number between 0 and 1"
        ):
            model.predict_interval(data.X, level)
    with pytest.raises(ParameterError, match="level is 95"):
        model.summary().conf_int(95)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cov", "spread"), [("nonrobust", 0.0), ("HC3", 0.0), ("HC3", 1.0), ("cluster", 1.0)]
)
def test_intervals_cover_as_often_as_they_say(cov, spread):
    rng = np.random.default_rng(1)
    n, truth, tables = 150, np.array([1.0, 2.0, -1.0]), 1500
    groups = np.repeat(np.arange(50), 3)
    covered = np.zeros(5)
    new = np.array([[0.3, -0.5]])
    for _ in range(tables):
        X = rng.normal(size=(n, 2))
        own = rng.normal(size=n) * (1 + spread * X[:, 0] ** 2)
        if cov == "cluster":
            X[:, 1] = rng.normal(size=50)[groups]
            own = rng.normal(size=n) + rng.normal(size=50)[groups]
        y = truth[0] + X @ truth[1:] + own
        result = ols(X, y, cov=cov, groups=groups if cov == "cluster" else None)
        ends = np.asarray(result.conf_int())
        covered[:3] += (ends[:, 0] <= truth) & (truth <= ends[:, 1])
        low, high = result.predict_interval(new)[0]
        covered[3] += low <= truth[0] + new[0] @ truth[1:] <= high
        low, high = result.predict_interval(new, kind="observation")[0]
        covered[4] += low <= truth[0] + new[0] @ truth[1:] + rng.normal() <= high
    share = covered / tables
    # three standard errors of a share of 0.95 are 0.017; robust ones are a little short
    assert np.all(share[:4] > 0.915), share
    assert np.all(share[:4] < 0.975), share
    if spread == 0:
        assert abs(share[4] - 0.95) < 0.02
