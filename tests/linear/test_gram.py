"""Sums of products in one pass, against exact arithmetic and for any layout."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from abline.linear.gram import gram, two_sum
from abline.linear.rows import Rows


def exact(X, w):
    """The weighted means and products about them, as fractions."""
    cells = [[Fraction(float(x)) for x in row] for row in X]
    weights = [Fraction(float(v)) for v in w]
    total, q = sum(weights), len(cells[0])
    means = [
        sum(v * row[j] for v, row in zip(weights, cells, strict=True)) / total for j in range(q)
    ]
    products = [
        [
            sum(
                v * (row[i] - means[i]) * (row[j] - means[j])
                for v, row in zip(weights, cells, strict=True)
            )
            for j in range(q)
        ]
        for i in range(q)
    ]
    return means, products


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e9, 1e14])
@pytest.mark.parametrize("weighted", [False, True])
def test_means_and_products_far_from_zero(offset, weighted):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)) + offset, rng.normal(size=(60, 1))
    w = rng.uniform(0.5, 2, 60) if weighted else np.ones(60)
    found = gram(Rows.of(X, y, w if weighted else None))
    means, products = exact(np.hstack([X, y]), w)
    products = np.array([[float(v) for v in row] for row in products])
    scale = np.sqrt(np.outer(np.diag(products), np.diag(products)))
    np.testing.assert_allclose(found.products / scale, products / scale, atol=1e-14)
    for j, mean in enumerate(means):  # to digits that one double alone could not hold
        left = mean - Fraction(float(found.mean[j])) - Fraction(float(found.mean_error[j]))
        assert abs(float(left)) < 1e-14 * np.sqrt(products[j, j])


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_array])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_is_as_dense(kind, weighted):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 8)) * (rng.random((200, 8)) < 0.2)
    X[:, 3] = rng.normal(size=200) + 1e8  # no zero in it, and far from zero
    y, w = rng.normal(size=(200, 2)) + 1e6, rng.uniform(0, 2, 200) if weighted else None
    one, other = gram(Rows.of(kind(X), y, w)), gram(Rows.of(X, y, w))
    np.testing.assert_allclose(one.products, other.products, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-12, atol=1e-15)
    assert one.weight == pytest.approx(other.weight, rel=1e-14)


def test_what_rounding_leaves_out_of_a_sum_is_kept():
    a, b = np.array([1.0, 1e16, 3.0]), np.array([1e-20, 1.0, 4.0])
    high, low = two_sum(a, b)
    for i in range(3):
        assert Fraction(a[i]) + Fraction(b[i]) == Fraction(high[i]) + Fraction(low[i])
