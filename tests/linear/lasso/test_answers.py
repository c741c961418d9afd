"""Lasso and elastic net against R's glmnet, scikit-learn and their own optimality conditions."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import linear_model as peers

import abline as ab
from abline.linear import RFactor

FOLDER = Path(__file__).parents[2] / "data" / "glmnet"
FITS = json.loads((FOLDER / "gaussian.json").read_text())


def table(n=80, p=12, t=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.5, 2, p) + rng.normal(size=p)
    coef = rng.normal(size=(p, t)) * (rng.random((p, t)) < 0.5)
    y = X @ coef + 2 + rng.normal(size=(n, t))
    return X, y[:, 0] if t == 1 else y, rng.uniform(0.2, 3, n)


@pytest.mark.parametrize("k", range(len(FITS)))
def test_glmnet(k):
    fit = FITS[k]
    rows = np.loadtxt(FOLDER / "gaussian.csv", delimiter=",", skiprows=1)[: fit["n"]]
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0, ddof=1)
    X, y = rows[:, 1 : 1 + fit["p"]], rows[:, 0]
    # glmnet divides its ridge part by the root mean square of y; scikit-learn's objective does not
    l1 = fit["lambda"] * fit["alpha"]
    l2 = fit["lambda"] * (1 - fit["alpha"]) / np.sqrt(np.mean(y**2))
    if l1 == 0:
        found = ab.Ridge(alpha=l2 * len(y), fit_intercept=False).fit(X, y).coef_
    else:
        model = ab.ElasticNet(
            alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), fit_intercept=False, tol=1e-14, max_iter=10**6
        )
        found = model.fit(X, y).coef_
    np.testing.assert_allclose(found, fit["exact"], rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(found, fit["glmnet"], atol=2.1e-6)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array, sparse.csr_matrix])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("shape", [(80, 12, 1), (80, 12, 3), (20, 60, 1)])
def test_agrees_with_scikit_learn(shape, positive, fit_intercept, weighted, kind):
    X, y, w = table(*shape)
    w = w if weighted else None
    options = {"alpha": 0.1, "l1_ratio": 0.7, "positive": positive, "fit_intercept": fit_intercept}
    ours = ab.ElasticNet(**options, tol=1e-12, max_iter=10**6).fit(kind(X), y, sample_weight=w)
    theirs = peers.ElasticNet(**options, tol=1e-12, max_iter=10**6).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=2e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=2e-6)
    assert ours.engine_ == ("working-set" if shape[0] < shape[1] else "gram")
    np.testing.assert_allclose(ours.predict(kind(X)), theirs.predict(X), atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(3, 40),
    p=st.integers(1, 60),
    share=st.floats(0.01, 1.5),
    l1_ratio=st.floats(0.1, 1.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_change_of_a_coefficient_would_help(n, p, share, l1_ratio, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, p)), rng.normal(size=n)
    centred = X - X.mean(axis=0)
    largest = np.abs(centred.T @ (y - y.mean())).max() / n / l1_ratio
    alpha = share * largest + 1e-6
    model = ab.ElasticNet(alpha, l1_ratio=l1_ratio, tol=1e-12, max_iter=10**6).fit(X, y)
    left = y - model.predict(X)
    slope = centred.T @ left / n - alpha * (1 - l1_ratio) * model.coef_
    bound, tol = alpha * l1_ratio, 1e-4 * largest
    assert (np.abs(slope) <= bound + tol).all()
    active = model.coef_ != 0
    np.testing.assert_allclose(slope[active], bound * np.sign(model.coef_[active]), atol=tol)
    if share >= 1:
        assert not active.any()


@pytest.mark.parametrize("shape", [(100, 10), (30, 200)])
@pytest.mark.parametrize("tol", [1e-2, 1e-6])
def test_the_dual_gap_is_a_certificate(shape, tol):
    X, y, _ = table(*shape)
    n = len(y)

    def objective(model):
        left = y - model.predict(X)
        return left @ left / (2 * n) + 0.05 * np.abs(model.coef_).sum()

    best = objective(ab.Lasso(0.05, tol=1e-15, max_iter=10**7).fit(X, y))
    model = ab.Lasso(0.05, tol=tol, max_iter=10**6).fit(X, y)
    assert objective(model) - best <= model.dual_gap_ + 1e-12
    assert model.dual_gap_ <= tol * np.square(y - y.mean()).sum() / n


@pytest.mark.parametrize("name", ["lasso_path", "enet_path"])
@pytest.mark.parametrize("shape", [(60, 8), (20, 50)])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
def test_paths_agree_with_scikit_learn(name, shape, kind):
    X, y, _ = table(*shape)
    X, y = X - X.mean(axis=0), y - y.mean()
    options = {"alphas": 20, "eps": 1e-2, "tol": 1e-12, "max_iter": 10**6}
    ours = getattr(ab, name)(kind(X), y, **options)
    theirs = getattr(peers, name)(X, y, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9)
    np.testing.assert_allclose(ours[1], theirs[1], atol=2e-6)


@pytest.mark.parametrize("make", ["LassoCV", "ElasticNetCV"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_cross_validation_agrees_with_scikit_learn(make, weighted, kind):
    X, y, w = table(90, 8)
    options = {"cv": 4, "alphas": 30, "tol": 1e-10, "max_iter": 10**6}
    weights = {"sample_weight": w} if weighted else {}
    ours = getattr(ab, make)(**options).fit(kind(X), y, **weights)
    theirs = getattr(peers, make)(**options).fit(X, y, **weights)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-9)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-5)
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-9)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)


def test_a_factor_alone_gives_the_line():
    X, y, w = table()
    factor = RFactor.from_blocks([(X[:30], y[:30], w[:30]), (X[30:], y[30:], w[30:])])
    for make in (ab.Lasso, ab.ElasticNet):
        line = make(0.1, tol=1e-12).fit(X, y, sample_weight=w)
        alone = make(0.1, tol=1e-12).fit_factor(factor)
        np.testing.assert_allclose(alone.coef_, line.coef_, atol=1e-8)
        assert alone.intercept_ == pytest.approx(line.intercept_, abs=1e-8)


def test_no_digit_depends_on_the_number_of_threads():
    from threadpoolctl import threadpool_limits

    X, y, _ = table(30_000, 10)
    found = []
    for count in (1, 2):
        with threadpool_limits(count, user_api="blas"):
            found.append(ab.LassoCV().fit(X, y))
    np.testing.assert_array_equal(found[0].coef_, found[1].coef_)
    np.testing.assert_array_equal(found[0].mse_path_, found[1].mse_path_)


def test_wrong_input_is_named():
    X, y, _ = table()
    with pytest.raises(ab.ParameterError, match="alpha"):
        ab.Lasso(alpha=-1.0).fit(X, y)
    with pytest.raises(ab.ParameterError, match="l1_ratio"):
        ab.ElasticNet(l1_ratio=1.5).fit(X, y)
    X[3, 2] = np.inf
    with pytest.raises(ab.DataError, match=r"column 2 of X .* first in row 3"):
        ab.Lasso().fit(X, y)
