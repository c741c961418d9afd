"""The factor stands for its rows: R'R is the table's, however the rows came."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abline.errors import DataError, ModelFileError, ParameterError
from abline.linear import LinearRegression
from abline.linear.factor import RFactor
from abline.linear.rows import block_rows
from abline.saving import load


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


def test_blocks_of_an_iterator_are_the_whole():
    X, y, w = table(200, 3)
    cuts = (slice(0, 50), slice(50, 51), slice(51, 200))
    same(RFactor.from_blocks((X[c], y[c], w[c]) for c in cuts), RFactor.from_arrays(X, y, w))
    with pytest.raises(DataError, match="no block of rows to factor"):
        RFactor.from_blocks([])
    with pytest.raises(DataError, match=r"block 0 is a ndarray: pass tuples \(X, y\)"):
        RFactor.from_blocks([X, y])
    with pytest.raises(DataError, match=r"block 1: X has 2 rows and y has 1"):
        RFactor.from_blocks([(X[:5], y[:5]), (X[:2], y[:1])])


def test_a_block_that_fails_leaves_the_rows_before_it():
    X, y, _ = table(60, 3)
    factor = RFactor.empty(3)
    broken = X[40:].copy()
    broken[3, 1] = np.nan
    factor.update(X[:40], y[:40])
    with pytest.raises(DataError, match="column 1 of X"):
        factor.update(broken, y[40:])
    assert factor.n_rows == 40
    same(factor, RFactor.from_arrays(X[:40], y[:40]))
    same(factor.update(X[40:], y[40:]), RFactor.from_arrays(X, y))


def test_nothing_merged_with_rows_is_those_rows():
    X, y, w = table(30, 2)
    factor = RFactor.from_arrays(X, y, w)
    same(RFactor.empty(2).merge(factor), factor)
    same(factor.merge(RFactor.empty(2)), factor)
    assert RFactor.empty(2).merge(RFactor.empty(2)).n_rows == 0


@pytest.mark.parametrize("t", [1, 2])
def test_to_a_file_and_back(tmp_path, t):
    X, y, w = table(30, 2, t)
    factor = RFactor.from_arrays(X, y, w)
    factor.save(tmp_path / "rows.factor")
    for back in (RFactor.load(tmp_path / "rows.factor"), load(tmp_path / "rows.factor")):
        assert (back.n_rows, back.weight, back.method) == (30, factor.weight, factor.method)
        np.testing.assert_array_equal(back.upper, factor.upper)
        np.testing.assert_array_equal(back.mean + back.mean_error, factor.mean + factor.mean_error)
    LinearRegression().fit(X, y).save(tmp_path / "line.model")
    with pytest.raises(ModelFileError, match="holds a LinearRegression, no RFactor"):
        RFactor.load(tmp_path / "line.model")


def test_squared_errors_are_those_on_the_rows():
    X, y, w = table(50, 3)
    coef, intercept = np.random.default_rng(5).normal(size=(3, 4)), np.arange(4.0)
    found = RFactor.from_arrays(X, y, w).squared_errors(coef, intercept)
    np.testing.assert_allclose(found, w @ np.square(y - X @ coef - intercept), rtol=1e-12)
    with pytest.raises(DataError, match="the factor has 2 targets"):
        RFactor.from_arrays(X, np.hstack([y, y])).squared_errors(coef, intercept)


def test_what_least_squares_leaves_is_unexplained():
    X, y, w = table(50, 3, 2)
    root = np.sqrt(w)[:, None]
    for fit_intercept in (True, False):
        system = RFactor.from_arrays(X, y, w).system(fit_intercept=fit_intercept)
        design = np.hstack([np.ones((50, 1)), X]) if fit_intercept else X
        b = np.linalg.lstsq(root * design, root * y, rcond=None)[0]
        left = np.square(root * (y - design @ b)).sum(axis=0)
        np.testing.assert_allclose(system.unexplained, left, rtol=1e-10)


def test_dataframes_tensors_and_sparse_tables_are_taken():
    import pandas as pd
    from scipy import sparse

    X, y, _ = table(20, 2)
    for features in (pd.DataFrame(X, columns=["a", "b"]), sparse.csr_array(X), X.tolist()):
        same(RFactor.from_arrays(features, y[:, 0]), RFactor.from_arrays(X, y))


@pytest.mark.parametrize("n", [30, 4])
def test_other_units_are_those_of_the_rows_in_them(n):
    X, y, w = table(n, 3)
    scale, shift = np.array([2.0, -0.5, 1e6]), np.array([0.0, 3.0, -1e9])
    found = RFactor.from_arrays(X, y, w).rescaled(scale, shift)
    want = RFactor.from_arrays(X * scale + shift, y, w)
    np.testing.assert_allclose(found.upper.T @ found.upper, want.upper.T @ want.upper, rtol=1e-7)
    np.testing.assert_allclose(found.mean, want.mean, rtol=1e-12)
    assert (np.diagonal(found.upper) >= 0).all()
    assert found.n_rows == n


def test_logarithms_of_weights_add_up():
    X, y, w = table(20, 2)
    w[3] = 0.0
    parts = RFactor.from_arrays(X[:9], y[:9], w[:9]).merge(RFactor.from_arrays(X[9:], y[9:], w[9:]))
    assert parts.log_weight == pytest.approx(np.log(w[w > 0]).sum())
    assert RFactor.from_arrays(X, y).log_weight == 0.0


def test_blocks_without_rows_or_weights_add_nothing():
    X, y, w = table(30, 2)
    none = np.zeros(5)
    blocks = [(X[:0], y[:0]), (X[:5], y[:5], none), (X, y, w), (X[:0], y[:0], w[:0])]
    same(RFactor.from_blocks(blocks), RFactor.from_arrays(X, y, w))
    factor = RFactor.from_arrays(X, y, w)
    same(factor.update(X[:5], y[:5], none).update(X[:0], y[:0]), RFactor.from_arrays(X, y, w))
    with pytest.raises(DataError, match="a int is no factor"):
        factor.merge(3)
    with pytest.raises(ParameterError, match="give at least one of each"):
        RFactor.empty(-1)
