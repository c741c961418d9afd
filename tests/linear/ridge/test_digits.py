"""Every way of solving against exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

from abline.linear import Ridge


def gauss(A, b):
    """Solve a symmetric positive definite system of Fractions."""
    rows = [[*row, value] for row, value in zip(A, b, strict=True)]
    n = len(rows)
    for i in range(n):
        for j in range(i + 1, n):
            ratio = rows[j][i] / rows[i][i]
            rows[j] = [v - ratio * u for u, v in zip(rows[i], rows[j], strict=True)]
    x = [Fraction(0)] * n
    for i in reversed(range(n)):
        rest = sum(rows[i][j] * x[j] for j in range(i + 1, n))
        x[i] = (rows[i][n] - rest) / rows[i][i]
    return x


def exact(X, y, w, alpha, fit_intercept):
    """The coefficients of a ridge regression, without any rounding but the last."""
    X = [[Fraction(v) for v in row] for row in X.tolist()]
    y, w = [Fraction(v) for v in y.tolist()], [Fraction(v) for v in w.tolist()]
    p, rows = len(X[0]), range(len(X))
    if fit_intercept:
        mean = [sum(w[i] * X[i][j] for i in rows) / sum(w) for j in range(p)]
        centre = sum(w[i] * y[i] for i in rows) / sum(w)
        X = [[v - m for v, m in zip(row, mean, strict=True)] for row in X]
        y = [v - centre for v in y]
    gram = [[sum(w[i] * X[i][j] * X[i][k] for i in rows) for k in range(p)] for j in range(p)]
    for j in range(p):
        gram[j][j] += Fraction(alpha)
    cross = [sum(w[i] * X[i][j] * y[i] for i in rows) for j in range(p)]
    return np.array([float(v) for v in gauss(gram, cross)])


def case(name):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 4))
    y = X @ [1.0, 2.0, -1.0, 0.5] + rng.normal(size=30)
    if name == "far from zero":
        X += 1e6
    elif name == "all units":
        X *= [1e-6, 1.0, 1e5, 1e9]
    elif name == "nearly dependent":
        X[:, 1] = X[:, 0] + 1e-3 * X[:, 1]
    elif name == "twice the same":
        X[:, 1] = X[:, 0]
    elif name == "wide":
        X = rng.normal(size=(5, 9)) * rng.uniform(0.1, 10, 9)
        y = rng.normal(size=5)
    return X, y, rng.uniform(0.5, 2.0, len(y))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    ("name", "alpha", "engines"),
    [
        ("plain", 1.0, "gram"),
        ("plain", 1e-12, "gram"),
        ("plain", 1e16, "gram"),
        ("far from zero", 1.0, "gram svd"),
        ("all units", 1.0, "gram"),
        ("nearly dependent", 1e-2, "refined"),
        ("nearly dependent", 1e-9, "refined"),
        ("twice the same", 1e-6, "refined"),
        ("twice the same", 1e-12, "svd"),
        ("wide", 1.0, "kernel"),
        ("wide", 1e-7, "kernel svd"),
        ("wide", 1e-14, "svd kernel"),
    ],
)
def test_coefficients_have_the_digits_of_the_table(name, alpha, engines, fit_intercept):
    X, y, w = case(name)
    model = Ridge(alpha, fit_intercept=fit_intercept).fit(X, y, w)
    expected = exact(X, y, w, alpha, fit_intercept)
    units = np.linalg.norm(X, axis=0)  # what a coefficient moves predictions by
    error = np.abs(units * (model.coef_ - expected)).max() / np.abs(units * expected).max()
    # the digits that a change in the last place of the table moves are nobody's
    assert error < (1e-11 if name == "nearly dependent" else 5e-14)
    assert model.engine_ in engines.split()


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("name", ["plain", "nearly dependent", "wide"])
def test_sparse_tables_have_them_too(name, alpha):
    X, y, w = case(name)
    X[np.random.default_rng(0).random(X.shape) < 0.5] = 0.0
    model = Ridge(alpha).fit(sp.csr_array(X), y, w)
    expected = exact(X, y, w, alpha, fit_intercept=True)
    np.testing.assert_allclose(model.coef_, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


def test_full_columns_of_a_wide_sparse_table_may_be_far_from_zero():
    X, y, w = case("wide")
    X += 1e6
    model = Ridge(1.0).fit(sp.csr_array(X), y, w)
    expected = exact(X, y, w, 1.0, fit_intercept=True)
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-9)


@pytest.mark.parametrize("alpha", [1e-10, 1.0, 1e8])
def test_many_penalties_come_from_the_singular_values(alpha):
    X, y, w = case("plain")
    penalties = alpha * np.linspace(1, 2, 20)
    model = Ridge(penalties).fit(X, np.tile(y[:, None], 20), w)
    assert model.engine_ == "svd"
    for penalty, coef in zip(penalties[::7], model.coef_[::7], strict=True):
        expected = exact(X, y, w, penalty, fit_intercept=True)
        np.testing.assert_allclose(coef, expected, rtol=1e-12)


def test_three_penalties_come_from_the_factor():
    X, y, w = case("nearly dependent")
    penalties = [1e-5, 1e-3, 1.0]
    model = Ridge(penalties).fit(X, np.tile(y[:, None], 3), w)
    assert model.engine_ == "qr"
    for penalty, coef in zip(penalties, model.coef_, strict=True):
        np.testing.assert_allclose(coef, exact(X, y, w, penalty, True), rtol=1e-11)
