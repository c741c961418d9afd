"""TableRegressor: the encoder and any estimator."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

import abline as ab


def homes(n: int = 200, seed: int = 0) -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.RandomState(seed)
    town = rng.choice(["north", "south", "west"], n)
    area = rng.uniform(30, 200, n)
    built = pl.Series(rng.randint(0, 20_000, n)).cast(pl.Date)
    price = 3 * area + 100 * (town == "north") + rng.normal(0, 5, n)
    area = pl.Series(area)
    area = pl.select(pl.when(pl.Series(rng.rand(n) < 0.1)).then(None).otherwise(area)).to_series()
    return pl.DataFrame({"town": town, "area": area, "built": built}), price


#: what scikit-learn's checks ask that these do otherwise, on purpose
BY_NAME = {"check_dataframe_column_names_consistency": "columns are found by name, in any order"}
EXPECTED = {
    "mean": BY_NAME | {"check_regressors_train": "the mean explains nothing"},
    "ridge": BY_NAME
    | {
        "check_sample_weight_equivalence_on_dense_data": "leave-one-out leaves out a row of weight "
        "two whole, but of two equal rows only one"
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mean", "ridge"])
def test_check_estimator(name):
    check_estimator(ab.TableRegressor(name), on_skip=None, expected_failed_checks=EXPECTED[name])


@pytest.mark.parametrize("to", [lambda f: f, lambda f: f.to_pandas(), lambda f: f.to_arrow()])
def test_any_dataframe_gives_the_same_predictions(to):
    X, y = homes()
    expected = ab.TableRegressor("line", random_state=0).fit(X, y).predict(X)
    got = ab.TableRegressor("line", random_state=0).fit(to(X), y).predict(to(X))
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_columns_in_another_order_extra_ones_unseen_levels_and_missing_cells():
    X, y = homes()
    model = ab.TableRegressor("line", random_state=0).fit(X, y)
    expected = model.predict(X)
    shuffled = X.select("built", "area", "town").with_columns(extra=pl.lit("x"))
    assert (model.predict(shuffled) == expected).all()
    odd = pl.DataFrame({"town": ["nowhere", None], "area": [None, 50.0], "built": [None, None]})
    odd = odd.with_columns(pl.col("built").cast(pl.Date))
    assert np.isfinite(model.predict(odd)).all()
    assert any("town" in note for note in model.notes(odd))
    with pytest.raises(ab.DataError, match="area"):
        model.predict(X.drop("area"))


def test_the_line_agrees_with_dummies_made_by_pandas():
    X, y = homes()
    X = X.drop("built").with_columns(pl.col("area").fill_null(100.0))
    got = ab.TableRegressor("line").fit(X, y).predict(X)
    dummies = pd.get_dummies(X.to_pandas()).astype(float)
    expected = LinearRegression().fit(dummies, y).predict(dummies)
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_encoding_is_learnt_on_training_rows_only():
    """A noise column of many levels must gain nothing on held-out rows."""
    rng = np.random.RandomState(0)
    X = pl.DataFrame(
        {"who": [f"p{i}" for i in rng.randint(0, 300, 1500)], "x": rng.normal(size=1500)}
    )
    y = rng.normal(size=1500)
    scores = cross_val_score(ab.TableRegressor("line", random_state=0), X.to_pandas(), y, cv=5)
    assert scores.mean() < 0.02


def test_it_clones_and_is_searched():
    X, y = homes()
    search = GridSearchCV(ab.TableRegressor(random_state=0), {"estimator": ["mean", "line"]}, cv=3)
    search.fit(X.to_pandas(), y)
    assert search.best_params_ == {"estimator": "line"}
    nested = ab.TableRegressor(ab.Ridge(alpha=3.0))
    assert clone(nested).get_params()["estimator__alpha"] == 3.0


@pytest.mark.parametrize("estimator", ["mean", "line", "ridge", ab.Ridge(alpha=2.0)])
def test_a_saved_model_predicts_the_same_bits(tmp_path, estimator):
    X, y = homes()
    model = ab.TableRegressor(estimator, random_state=0).fit(X, pl.Series("price", y))
    model.save(tmp_path / "m.model")
    back = ab.load(str(tmp_path / "m.model"))
    assert (back.predict(X) == model.predict(X)).all()
    assert back.target_names_ == ["price"]
    assert back.schema_ == model.schema_
    assert back.encoder_.feature_names_out_ == model.encoder_.feature_names_out_
    assert repr(back) == repr(model)
    assert back.fit(X, y).predict(X) == pytest.approx(model.predict(X))


def test_somebody_elses_estimator_works_but_is_not_saved(tmp_path):
    X, y = homes()
    model = ab.TableRegressor(RandomForestRegressor(n_estimators=5), random_state=0).fit(X, y)
    assert model.score(X, y) > 0.5
    assert model.estimator_.random_state == 0
    with pytest.raises(ab.DataError, match="RandomForestRegressor cannot be saved"):
        model.save(tmp_path / "m.model")
    assert list(tmp_path.iterdir()) == []


def test_several_targets_keep_their_names_and_shape():
    X, y = homes()
    both = pd.DataFrame({"price": y, "rent": y / 2})
    model = ab.TableRegressor("line").fit(X, both)
    assert model.predict(X).shape == (200, 2)
    assert model.target_names_ == ["price", "rent"]
    assert ab.TableRegressor("line").fit(X, y[:, None]).predict(X).shape == (200, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ignore": ["twon"]}, "town"),
        ({"features": ["nothing"]}, "nothing"),
        ({"features": ["town"], "ignore": ["town"]}, "town"),
        ({"estimator": "lines"}, "line"),
    ],
)
def test_wrong_parameters_are_named(change, message):
    X, y = homes()
    with pytest.raises(ab.AblineError, match=message):
        ab.TableRegressor(**change).fit(X, y)


def test_wrong_targets_are_named():
    X, y = homes()
    with pytest.raises(ab.DataError, match="199"):
        ab.TableRegressor().fit(X, y[:-1])
    with pytest.raises(ab.DataError, match="not a number"):
        ab.TableRegressor().fit(X, ["a"] * 200)
    with pytest.raises(ab.DataError, match="missing or infinite"):
        ab.TableRegressor().fit(X, np.where(y == y[0], np.nan, y))
