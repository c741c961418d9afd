"""Certified problems, given as raw powers: every digit that double precision can hold."""

import json
from pathlib import Path

import numpy as np
import pytest

from abline.linear import LinearRegression, RFactor, Ridge

FOLDER = Path(__file__).parents[1] / "data" / "nist"
CERTIFIED = json.loads((FOLDER / "certified.json").read_text())

#: digits of the coefficients and of the residuals' standard deviation
REFINED = dict.fromkeys(CERTIFIED, (13.0, 12.2)) | {"filip": (7.0, 9.0)}


def problem(name):
    rows = np.loadtxt(FOLDER / f"{name}.csv", delimiter=",", skiprows=1, ndmin=2)
    y, X = rows[:, 0], rows[:, 1:]
    if CERTIFIED[name]["degree"]:
        X = X ** np.arange(1, CERTIFIED[name]["degree"] + 1)
    return X, y, CERTIFIED[name]


def digits(got, certified):
    """The log relative error; absolute where the certified value is zero."""
    certified = np.asarray(certified, dtype=float)
    error = np.abs(np.asarray(got) - certified) / np.where(certified == 0, 1.0, np.abs(certified))
    return (-np.log10(np.maximum(error, 1e-17))).min()


def coefficients(model, intercept):
    return np.append(model.intercept_, model.coef_) if intercept else model.coef_


@pytest.mark.parametrize("name", CERTIFIED)
def test_certified_digits(name):
    X, y, certified = problem(name)
    intercept = certified["intercept"]
    model = LinearRegression(fit_intercept=intercept).fit(X, y)
    assert model.engine_ == "extended"
    in_coef, in_residuals = REFINED[name]
    assert digits(coefficients(model, intercept), certified["coefficients"]) > in_coef
    df = len(y) - X.shape[1] - intercept
    assert digits(np.sqrt(model.rss_[0] / df), certified["residual_sd"]) > in_residuals


#: what Householder's QR reaches, which needs the rows but once
ONE_PASS = {"norris": 12.3, "noint1": 14.0, "longley": 12.4, "wampler1": 8.6, "filip": 5.5}


@pytest.mark.parametrize("name", ONE_PASS)
@pytest.mark.parametrize("way", ["blocks", "ridge"])
def test_digits_of_one_pass(name, way):
    X, y, certified = problem(name)
    intercept = certified["intercept"]
    if way == "ridge":
        model = Ridge(0.0, fit_intercept=intercept).fit(X, y)
    else:
        half = len(y) // 2
        factor = RFactor.from_blocks([(X[:half], y[:half]), (X[half:], y[half:])])
        model = LinearRegression(fit_intercept=intercept).fit_factor(factor)
    assert digits(coefficients(model, intercept), certified["coefficients"]) > ONE_PASS[name]
