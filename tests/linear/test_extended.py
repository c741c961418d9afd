"""Sums and solutions in twice the precision, against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abline.linear import LinearRegression
from abline.linear.extended import ExtendedGram, Twofold, residual_squares, two_product
from abline.linear.factor import RFactor
from abline.linear.refinement import error_bound, refine, worth_refining
from abline.linear.rows import Rows


def fractions(table):
    return [[Fraction(float(x)) for x in row] for row in table]


def exact_solution(A, b):
    """Solve A x = b by elimination on fractions."""
    n = len(A)
    rows = [[*A[i], b[i]] for i in range(n)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k] != 0)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i in range(n):
            if i != k and rows[i][k] != 0:
                rows[i] = [v - rows[i][k] * u for v, u in zip(rows[i], rows[k], strict=True)]
    return [row[n] for row in rows]


def exact_least_squares(X, y):
    """Coefficients, the intercept first, and the residual sum of squares, as fractions."""
    A = fractions(np.column_stack([np.ones(len(X)), X]))
    b = [Fraction(float(v)) for v in y]
    q = len(A[0])
    gram = [[sum(row[i] * row[j] for row in A) for j in range(q)] for i in range(q)]
    right = [sum(row[i] * v for row, v in zip(A, b, strict=True)) for i in range(q)]
    coef = exact_solution(gram, right)
    rss = sum(
        (v - sum(c * x for c, x in zip(coef, row, strict=True))) ** 2
        for row, v in zip(A, b, strict=True)
    )
    return [float(c) for c in coef], float(rss)


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(3, 40),
    q=st.integers(1, 4),
    spread=st.integers(0, 12),
    shifted=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_products_are_those_of_fractions(n, q, spread, shifted, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, q)) * 10.0 ** rng.uniform(-spread, spread, (n, q))
    y = rng.normal(size=(n, 1))
    shift = np.append(X.mean(axis=0), 0.0) if shifted else np.zeros(q + 1)
    found = ExtendedGram.of(Rows.of(X, y), shift).products
    cells = [
        [Fraction(1)] + [v - Fraction(float(s)) for v, s in zip(row, shift, strict=True)]
        for row in fractions(np.hstack([X, y]))
    ]
    size = np.sqrt([float(sum(row[i] ** 2 for row in cells)) for i in range(q + 2)])
    for i in range(q + 2):
        for j in range(q + 2):
            want = sum(row[i] * row[j] for row in cells)
            got = Fraction(float(found.high[i, j])) + Fraction(float(found.low[i, j]))
            assert abs(float(want - got)) <= 2.0**-85 * size[i] * size[j]


def test_many_blocks_and_weights():
    rng = np.random.default_rng(0)
    X, y, w = (
        rng.integers(-9, 9, (5000, 2)) / 8.0,
        rng.normal(size=(5000, 1)),
        rng.integers(0, 4, 5000),
    )
    # weights whose roots are exact
    found = ExtendedGram.of(Rows.of(X, y, np.square(w).astype(float)), np.zeros(3)).products
    want = sum(
        int(v) ** 2 * Fraction(float(x)) * Fraction(float(t))
        for v, x, t in zip(w, X[:, 0], y[:, 0], strict=True)
    )
    assert abs(float(want - Fraction(found.high[1, 3]) - Fraction(found.low[1, 3]))) < 1e-24


@pytest.mark.parametrize(("degree", "tol"), [(3, 4e-16), (6, 4e-16), (8, 1e-14)])
@pytest.mark.parametrize("noise", [0.0, 1.0, 1e6])
def test_polynomials_to_the_last_digit(degree, tol, noise):
    x = np.arange(21.0)
    X = x[:, None] ** np.arange(1, degree + 1)
    y = X.sum(axis=1) + noise * np.random.default_rng(degree).normal(size=21).round(3)
    coef, rss = exact_least_squares(X, y)
    factor = RFactor.from_arrays(X, y)
    system = factor.system()
    start = np.linalg.lstsq(system.R, system.z, rcond=None)[0]
    found = refine(Rows.of(X, y[:, None]), factor, system, start, fit_intercept=True)
    got = np.append(found.intercept, found.coef)
    np.testing.assert_allclose(got, coef, rtol=tol, atol=1e-16 * np.abs(coef).max() * (noise == 0))
    if rss > 0:
        np.testing.assert_allclose(found.rss, [rss], rtol=1e-13)
    else:
        assert np.sqrt(found.rss[0]) < 1e-12


@pytest.mark.parametrize("offset", [0.0, 1e8, 1e14])
def test_columns_far_from_zero_keep_their_digits(offset):
    rng = np.random.default_rng(3)
    X = rng.integers(0, 2**10, (40, 2)) / 2.0**6 + offset
    y = rng.normal(size=40)
    coef, rss = exact_least_squares(X, y)
    factor = RFactor.from_arrays(X, y)
    system = factor.system()
    start = np.linalg.lstsq(system.R, system.z, rcond=None)[0]
    found = refine(Rows.of(X, y[:, None]), factor, system, start, fit_intercept=True)
    np.testing.assert_allclose(np.append(found.intercept, found.coef), coef, rtol=4e-16)
    np.testing.assert_allclose(found.rss, [rss], rtol=1e-13)


def test_residuals_are_summed_one_by_one_where_little_is_left():
    x = np.arange(30.0)
    X = x[:, None] ** np.arange(1, 5)
    y = X.sum(axis=1) + 1e-6 * (-1.0) ** np.arange(30)
    coef, rss = exact_least_squares(X, y)
    answer = Twofold(np.array(coef[1:])[:, None], np.zeros((4, 1)))
    constant = Twofold(np.array(coef[:1]), np.zeros(1))
    found = residual_squares(Rows.of(X, y[:, None]), np.zeros(5), answer, constant)
    # the coefficients are rounded to doubles here, and y is of the order of a million
    np.testing.assert_allclose(found, [rss], rtol=1e-2)


def test_what_rounding_leaves_out_of_a_product_is_kept():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=50), rng.normal(size=50) * 1e10
    high, low = two_product(a, b)
    for i in range(50):
        assert Fraction(a[i]) * Fraction(b[i]) == Fraction(high[i]) + Fraction(low[i])


def test_large_tables_are_refined_where_the_bound_says_so():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 1))
    near = X.copy()
    near[:, 2] = near[:, 1] + 1e-6 * near[:, 2]
    for features, wanted in ((X, False), (near, True)):
        system = RFactor.from_arrays(features, y).system()
        coef = np.linalg.lstsq(system.R, system.z, rcond=None)[0]
        assert worth_refining(system, coef, n_cells=150)
        assert worth_refining(system, coef, n_cells=10**7) is wanted
        exact, _ = exact_least_squares(features, y[:, 0])
        error = np.abs(coef[:, 0] - exact[1:]).max() / np.abs(exact[1:]).max()
        assert error <= error_bound(system, coef)  # it is a bound


@pytest.mark.parametrize(("offset", "degree"), [(1000, 3), (2000, 3), (100, 4), (500, 3)])
def test_powers_far_from_zero_are_refined_too(offset, degree):
    x = offset + np.linspace(0, 1, 60)
    X = x[:, None] ** np.arange(1, degree + 1)
    y = 1 + 3 * (x - offset) + np.random.default_rng(0).normal(size=60)
    coef, _ = exact_least_squares(X, y)
    model = LinearRegression().fit(X, y)
    assert model.engine_ == "extended"
    np.testing.assert_allclose(np.append(model.intercept_, model.coef_), coef, rtol=1e-10)
