from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold
from sklearn.model_selection import cross_validate as sklearn_cross_validate

import abline as ab
from abline.judge import cross_validate, score_predictions
from abline.judge.folds import make_folds

RNG = np.random.RandomState(1)
X = pl.DataFrame(RNG.normal(size=(90, 2)), schema=["a", "b"])
Y = X["a"].to_numpy() * 2 + RNG.normal(size=90)


def test_scores_agree_with_the_formulas():
    y, p, w = RNG.normal(size=20), RNG.normal(size=20), RNG.uniform(1, 2, 20)
    got = score_predictions(y, p, w)
    mean = np.average(y, weights=w)
    assert got.r2 == pytest.approx(1 - np.sum(w * (y - p) ** 2) / np.sum(w * (y - mean) ** 2))
    assert got.rmse == pytest.approx(math.sqrt(np.average((y - p) ** 2, weights=w)))
    assert got.mae == pytest.approx(np.average(abs(y - p), weights=w))


def test_one_row_has_no_r2():
    scores = score_predictions(np.array([1.0]), np.array([2.0]))
    assert math.isnan(scores.r2)
    assert scores.to_dict() == {"r2": None, "rmse": 1.0, "mae": 1.0}


def test_folds_agree_with_scikit_learn():
    (line,) = cross_validate({"line": ab.TableRegressor("line")}, X, Y, folds=5, random_state=3)
    expected = sklearn_cross_validate(
        LinearRegression(), X.to_numpy(), Y, cv=KFold(5, shuffle=True, random_state=3),
        scoring=("r2", "neg_root_mean_squared_error", "neg_mean_absolute_error"),
    )  # fmt: skip
    np.testing.assert_allclose([s.r2 for s in line.folds], expected["test_r2"])
    np.testing.assert_allclose(
        [s.rmse for s in line.folds], -expected["test_neg_root_mean_squared_error"]
    )
    assert line.spread.mae == pytest.approx(
        np.std(expected["test_neg_mean_absolute_error"], ddof=1)
    )


def test_each_row_is_predicted_once_by_a_model_that_did_not_see_it():
    (line,) = cross_validate({"line": ab.TableRegressor("line")}, X, Y, folds=4, random_state=0)
    for (_, held_out), model in zip(make_folds(90, 4, 0), line.models, strict=True):
        np.testing.assert_array_equal(model.predict(X[held_out]), line.predictions[held_out])


def test_weights_count_in_fitting_and_scoring():
    weights = np.where(np.arange(90) % 3 == 0, 0.0, 1.0)
    spoilt = np.where(weights == 0, 1e6, Y)
    (line,) = cross_validate(
        {"line": ab.TableRegressor("line")}, X, spoilt, sample_weight=weights, folds=3,
        random_state=0,
    )  # fmt: skip
    assert line.mean.rmse < 2


@pytest.mark.parametrize(
    ("rows", "folds", "message"),
    [(7, 5, "take 3 folds"), (3, 5, "more rows"), (100, 1, "2 or more"), (9, 5, "take 4 folds")],
)
def test_too_few_rows(rows, folds, message):
    with pytest.raises(ab.AblineError, match=message):
        make_folds(rows, folds)
