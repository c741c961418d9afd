"""Singular values keep their digits beside columns of quite other units."""

import numpy as np
import pytest

from abline.linear.singular import condition_number, equilibrate, svd


@pytest.mark.parametrize("shape", [(12, 8), (8, 12), (5, 5), (1, 3)])
@pytest.mark.parametrize("spread", [0, 12])
def test_it_is_a_decomposition(shape, spread):
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) * 10.0 ** np.linspace(-spread, spread, shape[1])
    left, singular, right = svd(X)
    k = min(shape)
    assert (left.shape, singular.shape, right.shape) == ((shape[0], k), (k,), (k, shape[1]))
    assert (np.diff(singular) <= 0).all()
    np.testing.assert_allclose(left.T @ left, np.eye(k), atol=1e-13)
    np.testing.assert_allclose(right @ right.T, np.eye(k), atol=1e-13)
    size = np.linalg.norm(X, axis=0)
    np.testing.assert_allclose((left * singular) @ right / size, X / size, atol=1e-12)


def test_small_values_are_exact_where_columns_are_orthogonal():
    signs = np.array([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    _, singular, _ = svd(signs * [1e9, 1e-9, 1.0, 1e-3])
    np.testing.assert_allclose(singular, [2e9, 2.0, 2e-3, 2e-9], rtol=1e-14)


def test_zeros_have_no_singular_values():
    assert not svd(np.zeros((3, 2)))[1].any()
    with_zero = np.array([[1e9, 0.0, 1.0], [1.0, 0.0, 2.0]])
    np.testing.assert_allclose(svd(with_zero)[1], svd(with_zero[:, [0, 2]])[1], rtol=1e-14)


def test_scaling_rounds_nothing():
    X = np.random.default_rng(0).normal(size=(4, 3)) * [1e-300, 1.0, 1e300]
    X[:, 1] = 0.0
    scaled, exponents = equilibrate(X)
    np.testing.assert_array_equal(np.ldexp(scaled, exponents), X)
    norms = np.linalg.norm(scaled, axis=0)
    assert norms[1] == 0.0
    assert ((norms[[0, 2]] >= 0.5) & (norms[[0, 2]] < 1)).all()


@pytest.mark.parametrize("p", [1, 5, 40, 41, 300])
@pytest.mark.parametrize("condition", [1.5, 1e3, 1e9])
def test_condition_numbers_are_estimated(p, condition):
    rng = np.random.default_rng(p)
    left, right = (np.linalg.qr(rng.normal(size=(p, p)))[0] for _ in range(2))
    R = np.linalg.qr(left * np.geomspace(1, 1 / condition, p) @ right, mode="r")
    wanted = np.linalg.cond(R)
    assert wanted / 1.1 <= condition_number(R) <= 50 * wanted


def test_a_zero_on_the_diagonal_is_no_condition():
    assert condition_number(np.diag([1.0, 0.0])) == np.inf
    assert condition_number(np.diag(np.append(np.ones(60), 0.0))) == np.inf
    assert condition_number(np.empty((0, 0))) == 1.0
