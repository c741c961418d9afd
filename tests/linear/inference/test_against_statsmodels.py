"""Every number of a result against statsmodels, to eight digits, on real tables."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm

from abline.linear import LinearRegression, ols

TABLES = ["penguins", "mpg", "airquality", "yacht"]
VECTORS = ["params", "bse", "tvalues", "pvalues"]
NUMBERS = ["rsquared", "rsquared_adj", "fvalue", "f_pvalue", "llf", "aic", "bic", "scale"]
NUMBERS += ["df_resid", "df_model", "nobs", "ssr"]


def theirs(table, *, weighted, fit_intercept, **options):
    X = sm.add_constant(table.X) if fit_intercept else table.X
    model = sm.WLS(table.y, X, table.weights) if weighted else sm.OLS(table.y, X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(method="qr", **options)


def ours(table, *, weighted, fit_intercept, rows=True, **options):
    weights = table.weights if weighted else None
    model = LinearRegression(fit_intercept=fit_intercept).fit(table.X, table.y, weights)
    if not rows:
        return model.summary(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few clusters
        return model.summary(table.X, table.y, sample_weight=weights, **options)


def assert_same(got, expected):
    for name in VECTORS:
        # p-values of 1e-200 lose a few digits to the distribution functions
        rtol = 1e-8 if name != "pvalues" else 1e-6
        np.testing.assert_allclose(
            getattr(got, name), getattr(expected, name), rtol=rtol, atol=1e-14
        )
    for name in NUMBERS:
        rtol = 1e-8 if name != "f_pvalue" else 1e-6
        np.testing.assert_allclose(
            getattr(got, name), getattr(expected, name), rtol=rtol, atol=1e-200, err_msg=name
        )
    for level in (0.95, 0.8):
        np.testing.assert_allclose(
            got.conf_int(level), expected.conf_int(1 - level), rtol=1e-8, atol=1e-9
        )
    # cells that are zero but for rounding are so next to those on the diagonal
    size = np.sqrt(np.outer(*2 * [np.diag(expected.cov_params())]))
    np.testing.assert_allclose(got.cov_params() / size, expected.cov_params() / size, atol=1e-8)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", [False, True])
def test_classical_errors(load, table, fit_intercept, weighted, rows):
    options = {"weighted": weighted, "fit_intercept": fit_intercept}
    assert_same(ours(load(table), rows=rows, **options), theirs(load(table), **options))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_robust_errors(load, table, fit_intercept, weighted, kind):
    options = {"weighted": weighted, "fit_intercept": fit_intercept}
    expected = theirs(load(table), cov_type=kind, **options)
    got = ours(load(table), cov=kind, **options)
    assert_same(got, expected)
    assert (got.cov_type, got.use_t) == (kind, False)


@pytest.mark.parametrize("kind", ["nonrobust", "HC1", "HC3"])
@pytest.mark.parametrize("use_t", [True, False])
def test_t_or_normal(load, kind, use_t):
    options = {"weighted": False, "fit_intercept": True, "use_t": use_t}
    expected = theirs(load("airquality"), cov_type=kind, **options)
    assert_same(ours(load("airquality"), cov=kind, **options), expected)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("use_t", [None, True])
@pytest.mark.parametrize("ways", [1, 2])
def test_clusters(load, table, weighted, use_t, ways):
    data = load(table)
    codes = np.column_stack([np.unique(g, return_inverse=True)[1] for g in data.groups])[:, :ways]
    options = {"weighted": weighted, "fit_intercept": True, "use_t": use_t}
    expected = theirs(data, cov_type="cluster", cov_kwds={"groups": codes.squeeze()}, **options)
    got = ours(
        data, cov="cluster", groups=data.groups[:ways] if ways == 2 else data.groups[0], **options
    )
    with np.errstate(invalid="ignore"):  # two ways may give a negative variance
        bse = expected.bse
        ends = expected.conf_int()
    np.testing.assert_allclose(got.bse, bse, rtol=1e-8)
    np.testing.assert_allclose(got.pvalues, expected.pvalues, rtol=1e-6, atol=1e-14)
    np.testing.assert_allclose(got.conf_int(), ends, rtol=1e-8, atol=1e-8 * np.nanmax(bse))
    np.testing.assert_allclose(got.cov_params(), expected.cov_params(), rtol=1e-7, atol=1e-12)
    if min(len(np.unique(way)) for way in codes.T) > len(bse) and not np.isnan(bse).any():
        np.testing.assert_allclose(got.fvalue, expected.fvalue, rtol=1e-7)
        np.testing.assert_allclose(got.f_pvalue, expected.f_pvalue, rtol=1e-6)


@pytest.mark.parametrize("kind", ["nonrobust", "HC3"])
def test_a_constant_among_the_columns_is_one(load, kind):
    data = load("penguins")
    data.X = np.column_stack([data.X[:, :1], np.ones(len(data.y)), data.X[:, 1:]])
    options = {"weighted": False, "fit_intercept": False}
    assert_same(ours(data, cov=kind, **options), theirs(data, cov_type=kind, **options))


def test_levels_that_add_up_to_a_constant(load):
    data = load("penguins")
    levels = np.unique(data.frame["species"].to_numpy(), return_inverse=True)[1]
    data.X = np.column_stack([np.eye(3)[levels], data.X])
    options = {"weighted": False, "fit_intercept": False}
    assert_same(ours(data, **options), theirs(data, **options))
    robust = ours(data, cov="HC1", **options)
    assert np.isnan(robust.fvalue)
    assert np.isnan(theirs(data, cov_type="HC1", **options).fvalue)


def test_weights_whose_mean_is_one_still_count_in_the_likelihood(load):
    data = load("mpg")
    data.weights /= data.weights.mean()
    options = {"weighted": True, "fit_intercept": True}
    expected = theirs(data, **options)
    for rows in (True, False):
        np.testing.assert_allclose(ours(data, rows=rows, **options).llf, expected.llf, rtol=1e-10)


def test_rows_without_weight_are_left_out(load):
    data = load("mpg")
    data.weights[::3] = 0.0
    got = ours(data, weighted=True, fit_intercept=True, cov="HC2")
    some = load("mpg")
    keep = data.weights > 0
    some.X, some.y, some.weights = data.X[keep], data.y[keep], data.weights[keep]
    assert_same(got, theirs(some, weighted=True, fit_intercept=True, cov_type="HC2"))
    np.testing.assert_allclose(
        got.resid[keep], theirs(some, weighted=True, fit_intercept=True).resid
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_arrays_through_ols(load, weighted):
    data = load("yacht")
    weights = data.weights if weighted else None
    got = ols(data.X, data.y, cov="HC1", sample_weight=weights)
    assert_same(got, theirs(data, weighted=weighted, fit_intercept=True, cov_type="HC1"))
    bare = ols(data.X, data.y, fit_intercept=False, sample_weight=weights)
    assert_same(bare, theirs(data, weighted=weighted, fit_intercept=False))


def test_one_of_several_targets(load):
    data = load("airquality")
    both = np.column_stack([data.y, data.y[::-1]])
    model = LinearRegression().fit(data.X, both)
    for target in (0, 1):
        data.y = both[:, target]
        expected = theirs(data, weighted=False, fit_intercept=True, cov_type="HC3")
        assert_same(model.summary(data.X, both, "HC3", target=target), expected)


def test_many_rows_in_several_blocks():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(70_000, 12)) @ rng.normal(size=(12, 12)) + 50.0
    y = X @ rng.normal(size=12) + rng.normal(size=len(X)) * (1 + np.abs(X[:, 0] - 50))
    groups = rng.integers(0, 500, len(X))
    result = LinearRegression().fit(X, y)
    fit = sm.OLS(y, sm.add_constant(X)).fit(method="qr")
    for kind in ("HC1", "HC3"):
        expected = fit.get_robustcov_results(kind, use_t=False)
        np.testing.assert_allclose(result.summary(X, y, kind).bse, expected.bse, rtol=1e-9)
    expected = fit.get_robustcov_results("cluster", groups=groups, use_t=False)
    got = result.summary(X, y, "cluster", groups=groups)
    np.testing.assert_allclose(got.bse, expected.bse, rtol=1e-9)


def test_single_precision_gets_double_inference(load):
    data = load("mpg")
    X = data.X.astype(np.float32)
    model = LinearRegression().fit(X, data.y)
    assert model.coef_.dtype == np.float32
    data.X = X.astype(float)
    expected = theirs(data, weighted=False, fit_intercept=True, cov_type="HC3")
    assert_same(model.summary(X, data.y, "HC3"), expected)


def test_sparse_rows(load):
    from scipy import sparse

    data = load("yacht")
    expected = ours(data, weighted=False, fit_intercept=True, cov="HC2")
    for make in (sparse.csr_array, sparse.csc_matrix):
        X = make(data.X)
        got = LinearRegression().fit(X, data.y).summary(X, data.y, "HC2")
        np.testing.assert_allclose(got.bse, expected.bse, rtol=1e-10)
