"""Linear restrictions: how they are read, and their tests against statsmodels."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm

from abline.errors import ParameterError
from abline.linear import LinearRegression, ols
from abline.linear.inference.restrictions import read_restrictions

TERMS = ["Intercept", "area", "log(area)", "C(where)[T.by sea]", "rooms", "a:b", "class", "x.1"]


@pytest.mark.parametrize(
    ("text", "rows", "values"),
    [
        ("area = 2 * rooms", [{"area": 1, "rooms": -2}], [0]),
        ("area = 2 * rooms, rooms = 0", [{"area": 1, "rooms": -2}, {"rooms": 1}], [0, 0]),
        ("area", [{"area": 1}], [0]),
        ("log(area) == 1", [{"log(area)": 1}], [1]),
        ("C(where)[T.by sea] = -0.5", [{"C(where)[T.by sea]": 1}], [-0.5]),
        ("`C(where)[T.by sea]` - rooms = 3", [{"C(where)[T.by sea]": 1, "rooms": -1}], [3]),
        ("a:b = area/2", [{"a:b": 1, "area": -0.5}], [0]),
        ("class - x.1 = 1e-3", [{"class": 1, "x.1": -1}], [1e-3]),
        ("-(area + rooms) * 2 + 1 = 4", [{"area": -2, "rooms": -2}], [3]),
        ("3 = +area", [{"area": -1}], [-3]),
        (["area = 1", "rooms = 2"], [{"area": 1}, {"rooms": 1}], [1, 2]),
        ({"area": 1, "a:b": 0}, [{"area": 1}, {"a:b": 1}], [1, 0]),
    ],
)
def test_text_is_read(text, rows, values):
    found = read_restrictions(text, TERMS)
    expected = [[row.get(term, 0.0) for term in TERMS] for row in rows]
    np.testing.assert_allclose(found.matrix, expected)
    np.testing.assert_allclose(found.values, values)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("areaa = 0", "there is no term 'areaa': did you mean 'area'"),
        ("`a:c` = 0", "there is no term 'a:c': did you mean 'a:b'"),
        ("log(rooms) = 0", r"there is no term 'log\(rooms\)'"),
        ("a:c = 0", "cannot be read"),
        ("area = rooms = 0", "several signs of equality"),
        ("area = ", "cannot be read"),
        ("area * rooms = 0", "is not linear"),
        ("1 / area = 0", "is not linear"),
        ("area / 0 = 1", "is not linear"),
        ("area ** 2 = 1", "is not linear"),
        ("1 = 1", "names no term"),
        ([[1.0, 2.0]], r"shape \(1, 2\) and there are 8 terms"),
        (["area", 3], "neither text nor numbers"),
        (object(), "neither text nor numbers"),
    ],
)
def test_what_cannot_be_read(spec, message):
    with pytest.raises(ParameterError, match=message):
        read_restrictions(spec, TERMS)


@pytest.mark.parametrize("cov", ["nonrobust", "HC1", "HC3", "cluster"])
@pytest.mark.parametrize("use_t", [True, False])
def test_agrees_with_statsmodels(load, cov, use_t):
    data = load("airquality")
    groups = data.groups[1] if cov == "cluster" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = ols(data.X, data.y, cov=cov, groups=groups, use_t=use_t)
        kwds = {"groups": groups.astype(int)} if cov == "cluster" else {}
        fit = sm.OLS(data.y, sm.add_constant(data.X)).fit(
            cov_type=cov, use_t=use_t, **({"cov_kwds": kwds} if kwds else {})
        )
    expected = fit.t_test("2*x1 = x2 + 1")
    got = result.wald_test("2*x0 = x1 + 1")
    np.testing.assert_allclose(got.statistic, expected.tvalue.item(), rtol=1e-8)
    np.testing.assert_allclose(got.p_value, expected.pvalue.item(), rtol=1e-7)
    np.testing.assert_allclose(got.std_error, expected.sd.item(), rtol=1e-8)
    np.testing.assert_allclose(got.estimate + 1, expected.effect.item(), rtol=1e-8)
    assert got.letter == ("t" if use_t else "z")
    several = result.wald_test("x0 = x1, x2 = 1")
    expected = fit.f_test("x1 = x2, x3 = 1")
    np.testing.assert_allclose(several.statistic, expected.fvalue, rtol=1e-8)
    np.testing.assert_allclose(several.p_value, expected.pvalue, rtol=1e-6)
    assert several.df == (expected.df_num, expected.df_denom)


def test_matrices_are_the_same_as_text(load):
    data = load("mpg")
    result = LinearRegression().fit(data.X, data.y).summary()
    matrix = np.array([[0, 1, -2, 0], [0, 0, 0, 1.0]])
    text = result.wald_test("x0 = 2 * x1, x2 = 3")
    assert result.wald_test((matrix, [0, 3])).statistic == pytest.approx(text.statistic)
    slopes = result.wald_test(np.eye(4)[1:])
    assert slopes.statistic == pytest.approx(result.fvalue)
    assert slopes.p_value == pytest.approx(result.f_pvalue)
    assert slopes.name == "3 linear restrictions"
    one = result.wald_test({"x0": 0})
    assert one.statistic == pytest.approx(result.tvalues["x0"])
    assert str(result.wald_test("x0")).startswith("x0: t(230) = -")


def test_restrictions_that_say_the_same_twice(load):
    data = load("mpg")
    result = LinearRegression().fit(data.X, data.y).summary()
    with pytest.raises(ParameterError, match="repeat or contradict each other"):
        result.wald_test("x0 = x1, 2*x0 = 2*x1")


def test_units_do_not_matter(load):
    data = load("penguins")
    plain = ols(data.X, data.y, cov="HC3")
    scaled = ols(data.X * [1e8, 1.0, 1e-8], data.y, cov="HC3")
    assert scaled.fvalue == pytest.approx(plain.fvalue, rel=1e-10)
