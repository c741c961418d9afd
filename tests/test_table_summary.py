"""A table's line in the columns' own units, against statsmodels on the columns themselves."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

import abline as ab
from abline.errors import ParameterError


@pytest.fixture
def homes():
    rng = np.random.default_rng(0)
    town = rng.choice(["north", "south", "west"], 90)
    area = rng.uniform(30, 200, 90)
    frame = pl.DataFrame({"area": area, "town": town, "rooms": rng.integers(1, 6, 90)})
    frame = frame.with_columns(
        rooms=pl.when(pl.int_range(90) % 9 == 0).then(None).otherwise("rooms")
    )
    price = 3 * area + 40 * (town == "north") + rng.normal(0, 9, 90)
    return frame, pl.Series("price", price)


@pytest.mark.parametrize("weighted", [False, True])
def test_it_agrees_with_statsmodels(homes, weighted):
    frame, price = homes
    weights = np.random.default_rng(1).uniform(0.5, 2, 90) if weighted else None
    model = ab.TableRegressor("line").fit(frame, price, weights)
    result = model.summary()
    fill = model.encoder_._encoders[2].fill
    columns = {"Intercept": np.ones(90), "area": frame["area"].to_numpy()}
    for name in result.params:
        if name.startswith("town = "):
            columns[name] = (frame["town"] == name.removeprefix("town = ")).to_numpy().astype(float)
    columns["rooms"] = frame["rooms"].fill_null(fill).to_numpy().astype(float)
    columns["rooms (missing)"] = frame["rooms"].is_null().to_numpy().astype(float)
    design = np.column_stack([columns[name] for name in result.params])
    theirs = sm.WLS(price.to_numpy(), design, weights=1.0 if weights is None else weights).fit()
    np.testing.assert_allclose(result.params, theirs.params, rtol=1e-8)
    np.testing.assert_allclose(result.bse, theirs.bse, rtol=1e-8)
    np.testing.assert_allclose(result.rsquared, theirs.rsquared, rtol=1e-10)
    assert "Least squares: price" in str(result) or "Weighted least squares: price" in str(result)


def test_effects_of_levels_are_said_to_be_estimated():
    rng = np.random.default_rng(0)
    who = rng.integers(0, 150, 900)
    y = rng.normal(size=150)[who] + rng.normal(size=900)
    frame = pl.DataFrame({"who": [f"p{i}" for i in who], "x": rng.normal(size=900)})
    result = ab.TableRegressor("line", random_state=0).fit(frame, y).summary()
    assert "effects of levels were estimated: 'who (effect)'" in " ".join(str(result).split())


@pytest.mark.parametrize("estimator", ["ridge", "lasso", ab.LinearRegression(positive=True)])
def test_a_penalty_or_a_bound_leaves_no_standard_errors(homes, estimator):
    frame, price = homes
    with pytest.raises(ParameterError, match="only a line without penalty has valid"):
        ab.TableRegressor(estimator).fit(frame, price).summary()


def test_it_survives_a_file(homes, tmp_path):
    frame, price = homes
    model = ab.TableRegressor("line").fit(frame, price)
    model.save(tmp_path / "line.model")
    back = ab.load(tmp_path / "line.model")
    assert str(back.summary()) == str(model.summary())
