"""Which way to the triangle is taken, and that each has the digits of QR."""

import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits

from abline.errors import DataError
from abline.linear.rows import Rows, block_rows
from abline.linear.triangle import triangle


def table(condition, n=3000, p=6, seed=0):
    """Columns of unit norm whose condition number is about this."""
    rng = np.random.default_rng(seed)
    left, _ = np.linalg.qr(rng.normal(size=(n, p)))
    right, _ = np.linalg.qr(rng.normal(size=(p, p)))
    X = left * np.geomspace(1, 1 / condition, p) @ right.T
    X = X / np.linalg.norm(X, axis=0)
    return X, X @ rng.normal(size=(p, 1)) + 0.1 * rng.normal(size=(n, 1)) / np.sqrt(n)


def householder(X, y):
    whole = np.hstack([X, y])
    upper = np.linalg.qr(whole - whole.mean(axis=0), mode="r")
    return upper * np.sign(np.diagonal(upper))[:, None]


@pytest.mark.parametrize(
    ("condition", "method"), [(2, "gram"), (1e3, "refined"), (1e5, "refined"), (1e9, "qr")]
)
def test_the_fastest_way_that_keeps_the_digits_is_taken(condition, method):
    X, y = table(condition)
    found = triangle(Rows.of(X, y))
    assert found.method == method
    want = householder(X, y)
    # QR's own error in R; the Gram matrix alone would lose the square of the condition number
    np.testing.assert_allclose(found.upper, want, atol=1e-14 * condition)
    p = X.shape[1]
    ours = np.linalg.solve(found.upper[:p, :p], found.upper[:p, p:])
    theirs = np.linalg.solve(want[:p, :p], want[:p, p:])
    np.testing.assert_allclose(ours, theirs, rtol=1e-13 * condition)


@pytest.mark.parametrize("condition", [2, 1e4, 1e10])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_its_gram_matrix_is_the_tables(condition, weighted, kind):
    X, y = table(condition, n=400)
    w = np.random.default_rng(1).uniform(0.1, 3, 400) if weighted else np.ones(400)
    found = triangle(Rows.of(kind(X), y, w if weighted else None))
    whole = np.hstack([X, y])
    centred = np.sqrt(w)[:, None] * (whole - np.average(whole, axis=0, weights=w))
    np.testing.assert_allclose(found.upper.T @ found.upper, centred.T @ centred, atol=1e-13)
    np.testing.assert_allclose(
        found.mean + found.mean_error, np.average(whole, axis=0, weights=w), atol=1e-15
    )


def test_a_target_that_is_a_line_keeps_its_residual():
    X, y = table(2)
    exact = X @ np.ones((6, 1))
    noise = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    found = triangle(Rows.of(X, exact + 1e-9 * noise))
    assert found.method == "refined"  # the difference of sums of squares would be noise
    want = householder(X, exact + 1e-9 * noise)[-1, -1]
    assert found.upper[-1, -1] == pytest.approx(want, rel=1e-4)


@pytest.mark.parametrize("condition", [2, 1e4, 1e10])
def test_no_digit_depends_on_the_number_of_threads(condition):
    X, y = table(condition, n=3 * block_rows(7) + 11)
    with threadpool_limits(1, user_api="blas"):
        one = triangle(Rows.of(X, y))
    with threadpool_limits(2, user_api="blas"):
        two = triangle(Rows.of(X, y))
    np.testing.assert_array_equal(one.upper, two.upper)
    np.testing.assert_array_equal(one.mean_error, two.mean_error)


@pytest.mark.parametrize("unit", [1e-200, 1e-30, 1e30, 1e200])
def test_units_do_not_matter(unit):
    X, y = table(2, n=50)
    found, plain = triangle(Rows.of(X * unit, y)), triangle(Rows.of(X, y))
    np.testing.assert_allclose(found.upper[:6, :6] / unit, plain.upper[:6, :6], atol=1e-13)
    np.testing.assert_allclose(found.upper[:, 6], plain.upper[:, 6], atol=1e-13)


def test_several_targets_that_depend_on_each_other():
    X, y = table(2, n=80)
    Y = np.hstack([y, 2 * y, y + X[:, :1]])
    found = triangle(Rows.of(X, Y))
    centred = np.hstack([X, Y]) - np.hstack([X, Y]).mean(axis=0)
    np.testing.assert_allclose(found.upper.T @ found.upper, centred.T @ centred, atol=1e-13)


def test_cells_that_are_not_finite_are_named():
    X, y = table(2, n=50)
    X[7, 2] = np.nan
    with pytest.raises(DataError, match=r"column 2 of X has 1 .*NaN, first in row 7"):
        triangle(Rows.of(X, y))
    with pytest.raises(DataError, match=r"column 2 of X has 1 .*NaN, first in row 7"):
        triangle(Rows.of(sparse.csr_array(X), y))
