"""Certified problems: no fewer digits than Householder's QR has in double precision."""

import json
from pathlib import Path

import numpy as np
import pytest

from abline.linear import LinearRegression, Ridge

FOLDER = Path(__file__).parents[1] / "data" / "nist"
CERTIFIED = json.loads((FOLDER / "certified.json").read_text())


@pytest.mark.parametrize(
    ("name", "digits"), [("norris", 12.3), ("noint1", 14.0), ("longley", 12.4), ("wampler1", 8.6)]
)
@pytest.mark.parametrize("make", [LinearRegression, lambda **kw: Ridge(0.0, **kw)])
def test_certified_digits(name, digits, make):
    problem = CERTIFIED[name]
    rows = np.loadtxt(FOLDER / f"{name}.csv", delimiter=",", skiprows=1)
    y, X = rows[:, 0], rows[:, 1:]
    if problem["degree"]:
        X = X ** np.arange(1, problem["degree"] + 1)
    model = make(fit_intercept=problem["intercept"]).fit(X, y)
    got = np.append(model.intercept_, model.coef_) if problem["intercept"] else model.coef_
    certified = np.array(problem["coefficients"], dtype=float)
    error = np.abs(got - certified) / np.abs(certified)
    assert -np.log10(np.maximum(error, 1e-16)).min() > digits
