"""Formulas: against statsmodels' own, on every kind of table, and what they say when wrong."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import statsmodels.formula.api as smf

import abline as ab
from abline.errors import DataError, ParameterError

FORMULAS = [
    ("penguins", "body_mass_g ~ flipper_length_mm + bill_depth_mm"),
    ("penguins", "body_mass_g ~ flipper_length_mm * C(species)"),
    ("penguins", "np.log(body_mass_g) ~ bill_length_mm + I(bill_length_mm**2)"),
    ("penguins", "body_mass_g ~ flipper_length_mm:C(island) - 1"),
    ("mpg", "hwy ~ displ + C(drv) + C(cyl)"),
    ("mpg", "hwy ~ np.log(displ) + C(year) - 1"),
    ("yacht", "np.log(resistance) ~ x6 + np.power(x6, 2) + x2:x6"),
    ("airquality", "Ozone ~ Temp + Wind + C(Month)"),
]


@pytest.mark.parametrize(("table", "formula"), FORMULAS)
@pytest.mark.parametrize("cov", ["nonrobust", "HC3"])
def test_agrees_with_statsmodels(data, table, formula, cov):
    frame = pd.read_parquet(data / f"{table}.parquet")
    expected = smf.ols(formula, frame).fit(cov_type=cov, method="qr")
    got = ab.ols(formula, frame, cov=cov, context={"np": np})
    # interactions of levels may be written in another order
    assert sorted(got.params.labels) == sorted(expected.params.index)
    for name in ("params", "bse", "tvalues"):
        ours, theirs = getattr(got, name), getattr(expected, name)
        np.testing.assert_allclose([ours[term] for term in theirs.index], theirs, rtol=1e-7)
    for name in ("rsquared", "fvalue", "aic", "bic", "llf"):
        np.testing.assert_allclose(getattr(got, name), getattr(expected, name), rtol=1e-7)
    assert got.target_name == expected.model.endog_names
    np.testing.assert_allclose(got.predict(frame), expected.predict(frame), rtol=1e-9)


KINDS = {
    "pandas": lambda frame: frame.to_pandas(),
    "polars": lambda frame: frame,
    "pyarrow": lambda frame: frame.to_arrow(),
    "dict": lambda frame: frame.to_dict(as_series=False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_table(data, kind):
    frame = pl.read_parquet(data / "penguins.parquet")
    table = KINDS[kind](frame)
    if kind == "pyarrow":
        assert isinstance(table, pa.Table)
    formula = "log(body_mass_g) ~ poly(flipper_length_mm, 2) + sex + species"
    got = ab.ols(formula, table, cov="HC1")
    expected = ab.ols(formula, frame, cov="HC1")
    np.testing.assert_allclose(got.bse, expected.bse, rtol=1e-12)
    assert got.nobs == frame.drop_nulls("sex").height
    assert got.notes == (f"{frame.height - got.nobs} rows with missing cells were left out.",)
    assert got.notes[0] in str(got)
    np.testing.assert_allclose(got.predict(table), expected.predict(frame), equal_nan=True)
    interval = got.predict_interval(table, kind="observation")
    assert np.isnan(interval).any(axis=1).sum() == frame.height - got.nobs


def test_missing_cells(data):
    frame = pd.DataFrame(
        {
            "y": [1.0, 2, 3, np.nan, 5, 6, 7, 9],
            "x": [1.0, np.nan, 2, 3, 4, 5, 7, 6],
            "level": ["a", "b", "c", "c", "a", None, "b", "a"],
            "unused": [None] * 8,
            "w": [1, 1, 1, 1, None, 1, 1, 1.0],
            "g": ["p", "q", "p", "q", "p", "q", None, "q"],
        }
    )
    result = ab.ols("y ~ x", frame)
    assert result.augment()["row"].to_list() == [0, 2, 4, 5, 6, 7]
    assert result.notes == ("2 rows with missing cells were left out.",)
    assert ab.ols("y ~ x", frame, sample_weight="w").nobs == 5
    with pytest.warns(ab.DataWarning, match="only 2 clusters") as caught:
        clustered = ab.ols("y ~ x", frame, cov="cluster", groups="g")
    assert clustered.nobs == 5
    assert caught[0].filename == __file__
    levels = ab.ols("y ~ level", frame.iloc[[0, 2, 3, 4, 5, 7]])
    # b is on no complete row, and has no term
    assert levels.params.labels == ("Intercept", "level[T.c]")
    assert np.isnan(result.predict(frame)[1])
    assert ab.ols("y ~ x", frame.iloc[[0, 2, 4, 5, 6, 7]]).notes == ()


def test_levels_keep_their_order():
    y = [3.0, 1, 2, 5, 4, 6, 2, 8]
    order = ["low", "mid", "high", "none"]
    cells = ["high", "low", "mid", "high", "mid", "high", "low", "low"]
    expected = ("Intercept", "size[T.mid]", "size[T.high]")
    frame = pd.DataFrame({"y": y, "size": pd.Categorical(cells, categories=order)})
    assert ab.ols("y ~ size", frame).params.labels == expected
    enum = pl.DataFrame({"y": y, "size": pl.Series(cells, dtype=pl.Enum(order))})
    assert ab.ols("y ~ size", enum).params.labels == expected
    text = pl.DataFrame({"y": y, "size": cells})
    assert ab.ols("y ~ size", text).params.labels == ("Intercept", "size[T.low]", "size[T.mid]")
    assert ab.ols("y ~ size", enum).predict({"size": ["low"]})[0] == pytest.approx(11 / 3)


def test_all_other_columns(data):
    frame = pl.read_parquet(data / "airquality.parquet")
    got = ab.ols("Ozone ~ .", frame)
    assert set(got.params.labels) == {"Intercept", *frame.columns} - {"Ozone"}


def test_weights_and_clusters_by_name(data):
    frame = pl.read_parquet(data / "mpg.parquet").with_columns(w=pl.col("cyl") + 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        named = ab.ols(
            "hwy ~ displ", frame, cov="cluster", groups=["manufacturer", "year"], sample_weight="w"
        )
        arrays = ab.ols(
            "hwy ~ displ",
            frame,
            cov="cluster",
            groups=[frame["manufacturer"], frame["year"]],
            sample_weight=frame["w"],
        )
        one = ab.ols("hwy ~ displ", frame, cov="cluster", groups="manufacturer")
        same = ab.ols("hwy ~ displ", frame, cov="cluster", groups=frame["manufacturer"].to_list())
    np.testing.assert_array_equal(named.bse, arrays.bse)
    np.testing.assert_array_equal(one.bse, same.bse)
    assert named.covariance.clusters == (15, 2)


def test_functions_by_context():
    frame = {"y": [1.0, 2, 4, 3, 5], "x": [1.0, 2, 3, 4, 5]}
    got = ab.ols("y ~ half(x)", frame, context={"half": lambda x: x / 2})
    assert got.params["half(x)"] == pytest.approx(2 * ab.ols("y ~ x", frame).params["x"])
    assert got.predict({"x": [2.0]})[0] == pytest.approx(ab.ols("y ~ x", frame).predict(frame)[1])


def test_odd_names_and_hypotheses():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"y": rng.normal(size=30), "a b": rng.normal(size=30), "g": ["u", "v w", "x"] * 10}
    )
    result = ab.ols("y ~ `a b` * C(g)", frame)
    assert "a b" in result.params
    name = "C(g)[T.v w]"
    test = result.wald_test(f"{name} = a b, C(g)[T.x] = 0")
    assert test.df == (2, 24)
    assert result.wald_test("a b:C(g)[T.x]").estimate == result.params["a b:C(g)[T.x]"]
    assert ab.ols("y ~ Q('a b')", frame).df_model == 1


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("prize ~ area", "'prize', which is no column of the table: did you mean 'price'"),
        ("price ~ aera", "'aera', .*did you mean 'area'"),
        ("price ~ log(aera)", "'aera', .*did you mean 'area'"),
        ("price ~ lgo(area)", "'lgo', which is no column"),
        ("price ~ area +", "cannot be read .*: write it as in 'price ~ log"),
        ("price area", "cannot be read"),
        ("~ area", "does not say what to fit on what"),
        ("area", "does not say what to fit on what"),
        ("price ~ area | where", "does not say what to fit on what"),
        ("price + area ~ where", "left side .* makes 2 columns"),
        ("where ~ area", "left side .* makes 3 columns"),
        ("price ~ area + where.x", "'where.x', .*did you mean 'where'"),
        ("price ~ 1", "no term but a constant"),
        ("price ~ 0", "does not say|no term"),
    ],
)
def test_formulas_that_are_wrong(formula, message):
    frame = {"price": [1.0, 2, 3], "area": [1.0, 3, 2], "where": ["a", "b", "c"]}
    with pytest.raises(ParameterError, match=message) as caught:
        ab.ols(formula, frame)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ log(x)", r"'log\(x\)' is infinite in row 1"),
        ("I(1 / x) ~ y", "infinite in row 1"),
        ("y ~ log(text)", "cannot be evaluated"),
        ("y ~ nothing", "no row of the table has all the cells"),
    ],
)
def test_tables_that_cannot_be_used(formula, message):
    frame = {"x": [1.0, 0, 3], "y": [1.0, 3, 2], "text": ["a", "b", "a"], "nothing": [None] * 3}
    with pytest.raises(DataError, match=message) as caught:
        ab.ols(formula, frame)
    assert "\n" not in str(caught.value)


def test_numbers_that_a_formula_makes_missing_are_left_out():
    frame = {"x": [1.0, -1, 3, 2, 5], "y": [1.0, 3, 2, 2, 4]}
    result = ab.ols("y ~ log(x)", frame)
    assert result.nobs == 4
    assert result.augment()["row"].to_list() == [0, 2, 3, 4]
    assert np.isnan(result.predict(frame)[1])


def test_new_rows(data):
    frame = pl.read_parquet(data / "mpg.parquet")
    result = ab.ols("hwy ~ displ + C(drv)", frame)
    with pytest.raises(DataError, match="has no column 'displ'"):
        result.predict(frame.drop("displ"))
    with pytest.raises(DataError, match=r"levels that the fit has not seen .*'x'"):
        result.predict({"displ": [2.0], "drv": ["x"]})
    # the target need not be there
    assert result.predict(frame.select("displ", "drv")).shape == (234,)
    assert np.isnan(result.predict({"displ": [None], "drv": ["f"]})).all()
    assert result.predict_interval({"displ": [None], "drv": ["f"]}).shape == (1, 2)


def test_options_that_belong_to_the_other_call():
    frame = {"x": [1.0, 2, 3], "y": [1.0, 3, 2]}
    with pytest.raises(ParameterError, match="write '- 1' in the formula"):
        ab.ols("y ~ x", frame, fit_intercept=False)
    with pytest.raises(ParameterError, match="context is for formulas"):
        ab.ols(np.ones((3, 1)), [1.0, 2.0, 3.0], context={})
    with pytest.raises(ParameterError, match="groups is 'z', which is no column of the table"):
        ab.ols("y ~ x", frame, cov="cluster", groups="z")
    with pytest.raises(ParameterError, match=r"sample_weight is 'yy', .*did you mean 'y'"):
        ab.ols("y ~ x", frame, sample_weight="yy")


def test_arrays_do_not_load_what_formulas_need():
    import subprocess
    import sys

    code = (
        "import sys, numpy as np, abline as ab\n"
        "r = ab.ols(np.arange(8.0).reshape(4, 2) ** 2, [1., 2., 4., 3.], cov='HC1')\n"
        "str(r), r._repr_html_()\n"
        "print([m for m in ('torch', 'formulaic', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
