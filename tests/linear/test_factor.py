"""The factor stands for its rows: R'R is the table's, however the rows came."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abline.errors import DataError
from abline.linear.factor import RFactor
from abline.linear.rows import block_rows


def table(n, p, t=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * 10.0 ** rng.uniform(-3, 3, p) + rng.normal(size=p)
    return X, rng.normal(size=(n, t)) + X[:, :1], rng.uniform(0.1, 3.0, n)


def same(one, other, tol=1e-12):
    assert one.n_rows == other.n_rows
    assert one.weight == pytest.approx(other.weight, rel=tol)
    size = np.linalg.norm(other.upper, axis=0)
    root = np.sqrt(other.weight)
    np.testing.assert_allclose(one.upper / size, other.upper / size, atol=tol)
    np.testing.assert_allclose(root * one.mean / size, root * other.mean / size, rtol=tol, atol=tol)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n", [40, 3, 2 * block_rows(6) + 7])
def test_its_gram_matrix_is_that_of_the_centred_weighted_table(n, weighted):
    X, y, w = table(n, 5)
    w = w if weighted else np.ones(n)
    factor = RFactor.from_arrays(X, y, w if weighted else None)
    whole = np.hstack([X, y])
    centred = np.sqrt(w)[:, None] * (whole - np.average(whole, axis=0, weights=w))
    gram = centred.T @ centred
    scale = np.sqrt(np.outer(np.diag(gram), np.diag(gram)))
    np.testing.assert_allclose(factor.upper.T @ factor.upper / scale, gram / scale, atol=1e-12)
    assert factor.upper.shape == (min(n - 1, 6), 6)
    assert (np.diag(factor.upper) >= 0).all()
    np.testing.assert_allclose(factor.upper, np.triu(factor.upper))


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(2, 60),
    cut=st.floats(0.0, 1.0),
    p=st.integers(1, 6),
    t=st.integers(1, 3),
    weighted=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_merged_parts_are_the_whole(n, cut, p, t, weighted, seed):
    n += 2 * (p + t)  # a triangle is unique where columns are independent
    X, y, w = table(n, p, t, seed)
    w = w if weighted else None
    at = 1 + int(cut * (n - 2))
    first, second = (
        RFactor.from_arrays(X[rows], y[rows], None if w is None else w[rows])
        for rows in (slice(None, at), slice(at, None))
    )
    whole = RFactor.from_arrays(X, y, w)
    # conditioning enters, and that of a few random rows may be bad
    tol = 1e-15 * max(1e3, np.linalg.cond(whole.upper / np.linalg.norm(whole.upper, axis=0)) * 10)
    same(first.merge(second), whole, tol)
    same(second.merge(first), whole, tol)


def test_order_of_rows_does_not_matter():
    X, y, w = table(9_000, 4)
    order = np.random.default_rng(1).permutation(len(X))
    same(RFactor.from_arrays(X[order], y[order], w[order]), RFactor.from_arrays(X, y, w))


def test_weight_zero_is_no_row_and_weight_two_is_two():
    X, y, _ = table(50, 3)
    counts = np.random.default_rng(2).integers(0, 3, 50)
    counts[:2] = 0, 2
    weighted = RFactor.from_arrays(X, y, counts.astype(float))
    repeated = RFactor.from_arrays(np.repeat(X, counts, axis=0), np.repeat(y, counts, axis=0))
    np.testing.assert_allclose(weighted.upper, repeated.upper, rtol=1e-12, atol=1e-12)
    assert weighted.weight == repeated.weight
    assert weighted.n_rows == np.count_nonzero(counts)


def test_a_block_without_any_weight_is_left_out():
    n = 2 * block_rows(3)
    X, y, w = table(n, 2)
    w[: block_rows(3)] = 0.0
    same(RFactor.from_arrays(X, y, w), RFactor.from_arrays(X[w > 0], y[w > 0], w[w > 0]))


def test_far_from_zero_no_digit_is_lost():
    n = 3 * block_rows(3)
    rng = np.random.default_rng(3)
    X, y = rng.integers(0, 9, (n, 2)).astype(float), rng.integers(0, 9, (n, 1)).astype(float)
    offset = 2.0**50 + 0.25  # adding it to small integers is exact
    here, there = RFactor.from_arrays(X, y), RFactor.from_arrays(X + offset, y + offset)
    np.testing.assert_allclose(there.upper, here.upper, rtol=1e-12, atol=1e-11)


def test_a_constant_column_is_exactly_zero_with_an_intercept_and_kept_without():
    X, y, _ = table(3 * block_rows(4), 2)
    X = np.column_stack([X, np.full(len(X), 0.1 + 0.2)])
    factor = RFactor.from_arrays(X, y)
    assert not factor.system(fit_intercept=True).R[:, 2].any()
    kept = factor.system(fit_intercept=False)
    np.testing.assert_allclose(kept.R.T @ kept.R, X.T @ X, rtol=1e-12)
    np.testing.assert_allclose(kept.R.T @ kept.z, X.T @ y, rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_low_precision_is_summed_in_double(dtype):
    X, y, _ = table(9_000, 2)
    X, y = (X / 1e3).astype(dtype), y.astype(np.float32)
    same(RFactor.from_arrays(X, y), RFactor.from_arrays(X.astype(float), y.astype(float)), 1e-15)


def test_errors_say_what_to_do():
    X, y, _ = table(4, 2)
    with pytest.raises(DataError, match=r"of 2 features and 1 targets .* 3 and 1: factor the same"):
        RFactor.from_arrays(X, y).merge(RFactor.from_arrays(np.ones((2, 3)), np.ones((2, 1))))
    with pytest.raises(DataError, match="give at least one row a weight"):
        RFactor.from_arrays(X, y, np.zeros(4))
