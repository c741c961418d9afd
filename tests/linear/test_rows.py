"""Blocks of rows: where they are cut, and what is in them."""

import numpy as np
import pytest
from scipy import sparse

from abline.linear.rows import Rows, block_rows


def test_blocks_cover_the_rows_once_and_depend_on_the_width_alone():
    rows = Rows.of(np.zeros((70_001, 5)), np.zeros((70_001, 1)))
    slices = rows.slices()
    np.testing.assert_array_equal(np.concatenate([np.r_[s] for s in slices]), np.arange(70_001))
    assert {s.stop - s.start for s in slices[:-1]} == {block_rows(6)}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_matrix])
def test_a_block_is_shifted_and_weighted_in_double(order, dtype, kind):
    rng = np.random.default_rng(0)
    X = np.asarray(rng.integers(0, 3, (7, 3)), dtype=dtype, order=order)
    y, w = rng.normal(size=(7, 2)).astype(dtype), rng.uniform(1, 2, 7)
    shift = rng.normal(size=5)
    got = Rows.of(kind(X), y, w).load(slice(2, 6), shift, ones=True)
    want = np.column_stack([X.astype(float), y.astype(float), np.ones(7)])
    want[:, :5] -= shift
    np.testing.assert_array_equal(got, (np.sqrt(w)[:, None] * want)[2:6])
    assert got.dtype == np.float64


def test_rows_of_weight_zero_do_not_count():
    assert Rows.of(np.ones((3, 1)), np.ones((3, 1)), np.array([0.0, 2.0, 1.0])).n_rows == 2
