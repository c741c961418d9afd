"""Coefficients that are not negative."""

import numpy as np
import pytest
from sklearn import linear_model

from abline.errors import DataError, ParameterError
from abline.linear import LinearRegression
from abline.linear.nonnegative import nonnegative


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_agrees_with_scikit_learn(fit_intercept, weighted):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6)) * 10.0 ** np.arange(-3, 3) + 4
    y = X @ np.array([[1e3, -1.0], [0.0, 2.0], [-5.0, 1.0], [1.0, 0.5], [0.0, -3.0], [2e-3, 0.0]])
    y += rng.normal(size=y.shape)
    w = rng.uniform(0.1, 2, 80) if weighted else None
    ours = LinearRegression(positive=True, fit_intercept=fit_intercept).fit(X, y, w)
    theirs = linear_model.LinearRegression(positive=True, fit_intercept=fit_intercept).fit(X, y, w)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-8)
    assert (ours.coef_ >= 0).all()
    assert not hasattr(ours, "singular_")


def test_gradients_point_away_from_what_is_held_at_zero():
    rng = np.random.default_rng(1)
    R, z = np.triu(rng.normal(size=(7, 7))), rng.normal(size=(7, 3))
    b = nonnegative(R, z)
    gradient = R.T @ (R @ b - z)
    assert (b >= 0).all()
    assert (np.abs(gradient[b > 0]) < 1e-12).all()
    assert (gradient[b == 0] > -1e-12).all()


def test_what_cannot_be_is_said():
    from scipy import sparse

    with pytest.raises(ParameterError, match="positive is 'yes': give True or False"):
        LinearRegression(positive="yes").fit([[1.0], [2.0]], [1.0, 2.0])
    with pytest.raises(DataError, match=r"[Ss]parse"):
        LinearRegression(positive=True).fit(sparse.eye(3, format="csr"), [1.0, 2.0, 3.0])
