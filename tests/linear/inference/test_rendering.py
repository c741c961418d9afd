"""What a result looks like: text, HTML, frames, LaTeX."""

import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import abline as ab
from abline.linear.inference.labelled import Labelled
from abline.linear.inference.numbers import align, cells, p_cell


@pytest.fixture
def result(data):
    frame = pl.read_parquet(data / "mpg.parquet")
    return ab.ols("hwy ~ displ + C(drv)", frame, cov="HC3")


def test_text(result):
    lines = str(result).splitlines()
    assert lines[0] == "Least squares: hwy"
    assert lines[1].split("   ")[:2] == ["n 234", "df 230"]
    assert "R² 0.7" in lines[1]
    header = next(line for line in lines if "estimate" in line)
    assert header.split() == ["estimate", "std.", "error", "z", "p", "95", "%", "from", "to"]
    row = next(line for line in lines if line.startswith("displ"))
    estimate, error, z, p, low, high = row.split()[1:]
    assert float(estimate) == pytest.approx(result.params["displ"], abs=1e-4)
    assert float(error) == pytest.approx(result.bse["displ"], abs=1e-4)
    assert (p, float(z)) == ("<1e-16", pytest.approx(result.tvalues["displ"], abs=0.01))
    assert [float(low), float(high)] == pytest.approx(result.conf_int()["displ"].array, abs=1e-3)
    said = " ".join(str(result).split())
    assert "Standard errors are robust to unequal variances (HC3)" in said
    assert "p-values and intervals from the normal distribution." in said
    assert max(map(len, lines)) <= 80
    assert repr(result) == str(result)
    assert all(line == line.rstrip() for line in lines)


def test_decimal_points_stand_below_each_other(result):
    rows = [line for line in str(result).splitlines() if re.match(r"Int|displ|C\(", line)]
    places = {row.index(".", 14) for row in rows}
    assert len(rows) == 4
    assert len(places) == 1


def test_the_footer_says_the_conventions(data):
    frame = pl.read_parquet(data / "mpg.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clustered = ab.ols("hwy ~ displ", frame, cov="cluster", groups="manufacturer", use_t=True)
    said = " ".join(str(clustered).split())
    assert "robust within 15 clusters, with factor G/(G-1)·(n-1)/df" in said
    assert "t with 14 df" in said
    assert "Fewer than about 40 clusters" in said
    bare = " ".join(str(ab.ols("hwy ~ displ - 1", frame, sample_weight="cyl")).split())
    assert "Weighted least squares: hwy" in bare
    assert "R² is about zero, not about the mean" in bare
    assert "inverse variances" in bare
    twins = frame.with_columns(twin=pl.col("displ") + 0.001 * pl.col("cyl"))
    said = " ".join(str(ab.ols("hwy ~ displ + twin", twins)).split())
    assert re.search(r"hard to tell apart .* '(displ|twin)'", said)
    assert "hard to tell apart" not in str(ab.ols("hwy ~ displ + cyl", frame))


def test_html_escapes_names():
    frame = pl.DataFrame({"y": [1.0, 2, 4, 3], "<b>&x": [1.0, 2, 3, 5]})
    html = ab.ols("y ~ `<b>&x`", frame)._repr_html_()
    assert "&lt;b&gt;&amp;x" in html
    assert "<b>" not in html
    assert html.count("<tr>") == 3
    assert html.startswith('<div class="abline-result">')


def test_frames(result):
    terms = result.to_frame()
    assert terms.columns == [
        "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high",
    ]  # fmt: skip
    assert terms["term"].to_list() == ["Intercept", "displ", "C(drv)[T.f]", "C(drv)[T.r]"]
    np.testing.assert_array_equal(terms["std_error"], result.bse)
    narrow = result.to_frame(level=0.5)
    assert (narrow["conf_low"] > terms["conf_low"]).all()
    glance = result.glance()
    assert glance.height == 1
    assert glance["r_squared"][0] == result.rsquared
    assert glance["sigma"][0] == pytest.approx(np.sqrt(result.scale))
    assert glance["nobs"][0] == 234


def test_maketables_makes_latex_word_and_html(result, tmp_path):
    import maketables

    X, y = [[1.0], [2.0], [3.0], [5.0]], [1.0, 3.0, 2.0, 4.0]
    other = ab.LinearRegression().fit(X, y).summary()
    table = maketables.ETable([result, other], coef_fmt="b (se) [ci95l, ci95u]")
    latex, html = str(table.make(type="tex")), str(table.make(type="html"))
    table.save(type="docx", file_name=str(tmp_path / "table.docx"))
    assert (tmp_path / "table.docx").stat().st_size > 10_000
    low, high = other.conf_int()["x0"].array
    for text in (latex, html):
        assert "displ" in text
        assert f"{result.params['displ']:.3f}" in text
        assert f"[{low:.3f}, {high:.3f}]" in text  # t with two degrees of freedom, not 1.96
        assert "hwy" in text
        assert "234" in text
    assert r"\begin{tab" in latex


def test_the_hooks_have_what_the_format_asks_for(result):
    frame = result.__maketables_coef_table__
    assert {"b", "se", "t", "p", "ci95l", "ci95u"} <= set(frame.columns)
    assert frame.index.name == "Coefficient"
    assert result.__maketables_stat__("N") == 234
    assert result.__maketables_stat__("rmse") == pytest.approx(np.sqrt(result.scale))
    assert result.__maketables_stat__("unheard of") is None
    assert result.__maketables_vcov_info__ == {"vcov_type": "HC3"}
    assert result.__maketables_depvar__ == "hwy"


def test_numbers_keep_the_digits_that_their_error_leaves():
    assert cells([1.00211682, 0.00042979685], 0.00042979685) == ["1.0021168", "0.0004298"]
    assert cells([-12345.6, 789.4], 789.4) == ["-12345.6", "789.4"]
    assert cells([1e-12, 2e-13], 2e-13) == ["1.000e-12", "2.000e-13"]
    assert cells([3e12, 2e10], 2e10) == ["3.000e+12", "2.000e+10"]
    assert cells([1.5, np.nan, np.inf], np.nan) == ["1.5", "–", "∞"]
    assert cells([0.0, 0.0], 0.0) == ["0", "0"]
    assert align(["1.25", "–", "-3", "1e+10"]) == ["    1.25", "    –   ", "   -3   ", "1e+10   "]
    assert [p_cell(p) for p in (0.5, 0.0009, 1e-17, np.nan)] == ["0.500", "9.0e-04", "<1e-16", "–"]


def test_labels_read_like_a_series(result):
    params = result.params
    assert params["displ"] == params[1] == np.asarray(params)[1]
    assert list(params) == list(params.labels)
    assert dict(params.items())["displ"] == params["displ"]
    assert "displ" in params
    assert "nothing" not in params
    assert (len(params), params.shape) == (4, (4,))
    np.testing.assert_array_equal(list(params.values()), params.array)
    series = pd.Series(params)
    assert (list(series.index), series["displ"]) == (list(params), params["displ"])
    assert params.iloc[1] == params.loc["displ"] == params["displ"]
    np.testing.assert_array_equal(params[1:3], params.array[1:3])
    np.testing.assert_array_equal(params / result.bse, result.tvalues)
    np.testing.assert_array_equal(np.exp(params), np.exp(params.array))
    with pytest.raises(KeyError, match="there is no term 'disp': did you mean 'displ'"):
        params["disp"]
    covariance = result.cov_params()
    assert covariance["displ", "Intercept"] == covariance.array[1, 0]
    assert covariance["displ"]["displ"] == pytest.approx(result.bse["displ"] ** 2)
    ends = result.conf_int()
    assert ends["displ", "low"] == ends["displ"]["low"] == ends[1, 0]
    assert "displ" in repr(params)
    assert "low" in repr(ends)
    assert isinstance(ends["displ"], Labelled)
    assert np.asarray(params, dtype=np.float32).dtype == np.float32
