"""Certified problems: errors, residual SD, R² and F to the digits that float64 holds."""

import json
from pathlib import Path

import numpy as np
import pytest

from abline.linear import LinearRegression
from abline.linear.inference.design_root import inverse_gram

FOLDER = Path(__file__).parents[2] / "data" / "nist"
CERTIFIED = json.loads((FOLDER / "certified.json").read_text())


def digits(got, certified):
    """The log relative error, that of the worst; the absolute one where zero is certified."""
    got = np.atleast_1d(np.asarray(got, dtype=float))
    certified = np.atleast_1d(np.array(certified, dtype=float))
    if np.isinf(certified).all():
        return 16.0 if np.all(got > 1e30) else 0.0
    size = np.where(certified == 0, 1.0, np.abs(certified))
    return float((-np.log10(np.maximum(np.abs(got - certified) / size, 1e-16))).min())


@pytest.mark.parametrize("name", CERTIFIED)
def test_certified_digits(name):
    problem, least = CERTIFIED[name], 6.6 if name == "filip" else 12.2
    rows = np.loadtxt(FOLDER / f"{name}.csv", delimiter=",", skiprows=1)
    y, X = rows[:, 0], rows[:, 1:]
    if problem["degree"]:
        X = X ** np.arange(1, problem["degree"] + 1)
    model = LinearRegression(fit_intercept=problem["intercept"]).fit(X, y)
    result = model.summary()
    assert digits(result.params, problem["coefficients"]) > least
    assert digits(result.bse, problem["standard_errors"]) > least
    assert digits(np.sqrt(result.scale), problem["residual_sd"]) > least
    assert digits(result.rsquared, problem["r_squared"]) > least
    assert digits(result.fvalue, problem["f_statistic"]) > least
    # the rows are those of the fit, however nearly dependent the powers are
    again = model.summary(X, y)
    np.testing.assert_array_equal(again.bse, result.bse)
    inverse = inverse_gram(model.factor_, fit_intercept=problem["intercept"])
    np.testing.assert_allclose(result.cov_params(), result.scale * inverse, rtol=1e-9, atol=1e-300)
