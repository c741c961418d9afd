"""Rows given again must be those of the fit."""

import numpy as np
import pytest

from abline.errors import DataError, DataWarning, ParameterError
from abline.linear import LinearRegression, ols


@pytest.fixture
def fitted(load):
    data = load("penguins")
    return data, LinearRegression().fit(data.X, data.y, data.weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y, w: (X[:-1], y[:-1], w[:-1]), "341 have a weight, .* fitted on 342"),
        (lambda X, y, w: (X, y, np.r_[w[:-1], 0.0]), "341 have a weight"),
        (lambda X, y, w: (X, y, None), "weights add up to 342"),
        (lambda X, y, w: (X, y, 2 * w), "weights add up to"),
        (lambda X, y, w: (X + 1, y, w), "'x0' has mean .* and had"),
        (lambda X, y, w: (X[:, [0, 2, 1]], y, w), "'x1' has mean"),
        (lambda X, y, w: (2 * X.mean(axis=0) - X, y, w), "'x0' has mean|add up"),
        (lambda X, y, w: (X, y + 1, w), "y is another"),
        (lambda X, y, w: (X, y[::-1], w), "y is another"),
        (lambda X, y, w: (X, y, w[::-1]), "has mean"),
        (lambda X, y, w: (np.where(X.max() == X, X + 1e-4, X), y, w), "has mean"),
    ],
)
def test_other_rows_are_refused(fitted, change, message):
    data, model = fitted
    X, y, w = change(data.X, data.y, data.weights)
    with pytest.raises(DataError, match=f"not those that the model was fitted on .*({message})"):
        model.summary(X, y, sample_weight=w)


def test_rows_with_the_same_means_but_other_products_are_refused(load):
    data = load("penguins")
    model = LinearRegression().fit(data.X, data.y)
    turned = data.X.copy()
    turned[:, 1] = turned[::-1, 1]
    with pytest.raises(DataError, match="squares and products of X's columns"):
        model.summary(turned, data.y)


def test_without_an_intercept_too(load):
    data = load("penguins")
    model = LinearRegression(fit_intercept=False).fit(data.X, data.y)
    model.summary(data.X, data.y, "HC1")
    with pytest.raises(DataError, match="squares and products"):
        model.summary(data.X * 1.001, data.y, "HC1")


def test_another_order_of_all_is_the_same_table(fitted):
    data, model = fitted
    order = np.random.default_rng(0).permutation(len(data.y))
    shuffled = model.summary(data.X[order], data.y[order], "HC3", sample_weight=data.weights[order])
    expected = model.summary(data.X, data.y, "HC3", sample_weight=data.weights)
    np.testing.assert_allclose(shuffled.bse, expected.bse, rtol=1e-12)


@pytest.mark.parametrize("shift", [0.0, 1e8, 1e14])
def test_columns_far_from_zero_are_recognised(shift):
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(5000, 3)) * 64) / 64  # exact wherever they are moved
    y = X @ [1.0, -1.0, 2.0] + rng.normal(size=5000)
    moved = np.add(X, [shift, 0.0, 0.0])
    result = LinearRegression().fit(moved, y).summary(moved, y, "HC3")
    expected = LinearRegression().fit(X, y).summary(X, y, "HC3")
    np.testing.assert_allclose(result.bse.array[1:], expected.bse.array[1:], rtol=1e-6)
    np.testing.assert_allclose(result.params.array[1:], expected.params.array[1:], rtol=1e-5)


def test_nearly_dependent_columns_are_recognised():
    x = np.linspace(0, 1, 300)
    X = x[:, None] ** np.arange(1, 9)
    y = np.sin(5 * x) + np.random.default_rng(0).normal(size=300)
    result = LinearRegression().fit(X, y).summary(X, y, "HC1")
    assert result.scaled_condition_number > 1e4
    with pytest.raises(DataError, match="not those that the model was fitted on"):
        LinearRegression().fit(X, y).summary(X * (1 + 1e-5), y)


def test_missing_cells_are_named(load):
    data = load("penguins")
    model = LinearRegression().fit(data.X, data.y)
    data.X[3, 1] = np.nan
    with pytest.raises(DataError, match=r"'x1' has 1 missing .* row 3"):
        model.summary(data.X, data.y)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, X, y: m.summary(cov="HC1"), r'cov="HC1" needs the rows .* model\.summary\(X, y'),
        (lambda m, X, y: m.summary(X, y, "cluster"), 'cov="cluster" needs groups'),
        (lambda m, X, y: m.summary(X, y, "HC1", groups=y), 'groups are for cov="cluster"'),
        (lambda m, X, y: m.summary(X, y, "HC4"), "cov cannot be 'HC4': did you mean 'HC"),
        (lambda m, X, y: m.summary(X, y, "robust"), "cov cannot be 'robust'"),
        (lambda m, X, y: m.summary(X), "X and y come together"),
        (lambda m, X, y: m.summary(y=y), "X and y come together"),
        (lambda m, X, y: m.summary(sample_weight=y), "sample_weight comes with rows"),
        (lambda m, X, y: m.summary(use_t="yes"), "use_t is 'yes'"),
        (lambda m, X, y: m.summary(target=1), "target is 1: give a number from 0 to 0"),
    ],
)
def test_options_that_do_not_go_together(load, call, message):
    data = load("mpg")
    model = LinearRegression().fit(data.X, data.y)
    with pytest.raises(ParameterError, match=message):
        call(model, data.X, data.y)


def test_several_targets_need_a_choice(load):
    data = load("mpg")
    y = np.column_stack([data.y, data.y**2, data.y])
    model = LinearRegression().fit(data.X, y)
    with pytest.raises(ParameterError, match="3 targets: say which one with target=0 to 2"):
        model.summary()
    with pytest.raises(ParameterError, match="3 targets"):
        model.predict_interval(data.X)
    with pytest.raises(DataError, match="y has 2 columns and the model 3 targets"):
        model.summary(data.X, y[:, :2], target=0)
    one = LinearRegression().fit(data.X, y[:, 1])
    np.testing.assert_allclose(model.summary(target=1).bse, one.summary().bse)
    for given in (y, y[:, 1]):
        found = model.summary(data.X, given, "HC1", target=1)
        np.testing.assert_allclose(found.bse, one.summary(data.X, y[:, 1], "HC1").bse)
    np.testing.assert_allclose(
        model.predict_interval(data.X, target=1), one.predict_interval(data.X)
    )
    np.testing.assert_allclose(model.summary(target=1).predict(data.X), one.predict(data.X))


def test_a_model_that_is_not_fitted_and_one_with_signs(load):
    from sklearn.exceptions import NotFittedError

    data = load("mpg")
    with pytest.raises(NotFittedError):
        LinearRegression().summary()
    model = LinearRegression(positive=True).fit(data.X, data.y)
    with pytest.raises(ParameterError, match="positive=True"):
        model.summary()


def test_few_clusters_are_warned_about(load):
    data = load("mpg")
    with pytest.warns(DataWarning, match="only 15 clusters") as caught:
        ols(data.X, data.y, cov="cluster", groups=data.groups[0])
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([1, 2, 3], "groups has 3 labels for 234 rows"),
        (np.zeros((234, 3)), "groups has 3 columns"),
        (np.zeros(234), "only one cluster"),
        (np.where(np.arange(234) == 7, np.nan, 1.0), "1 missing labels, the first in row 7"),
        ([None] + ["a"] * 233, "1 missing labels, the first in row 0"),
    ],
)
def test_labels_that_are_none(load, groups, message):
    data = load("mpg")
    with pytest.raises(DataError, match=message):
        ols(data.X, data.y, cov="cluster", groups=groups)


def test_labels_of_any_kind(load):
    import pandas as pd
    import polars as pl

    data = load("mpg")
    text = data.groups[0]
    one_way = [
        text,
        list(text),
        pl.Series(text),
        pd.Series(text).astype("category"),
        text[:, None],
        pl.DataFrame({"g": text}),
        np.unique(text, return_inverse=True)[1],
    ]
    two_ways = [data.groups, tuple(data.groups), np.column_stack(data.groups)]
    for ways in (one_way, two_ways):
        found = []
        for groups in ways:
            with pytest.warns(DataWarning, match="clusters"):
                found.append(ols(data.X, data.y, cov="cluster", groups=groups).bse.array)
        np.testing.assert_allclose(found, np.tile(found[0], (len(ways), 1)), rtol=1e-12)


def test_clusters_longer_than_a_block_of_rows(monkeypatch):
    from abline.linear import rows

    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(5000, 3)), rng.integers(0, 60, 5000)
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=60)[groups] + rng.normal(size=5000)
    expected = ols(X, y, cov="cluster", groups=groups)
    model = LinearRegression().fit(X, y)
    for size in (7, 64, 1000):
        monkeypatch.setattr(rows, "block_rows", lambda n_columns, size=size: size)
        got = model.summary(X, y, "cluster", groups=groups)
        np.testing.assert_allclose(got.cov_params(), expected.cov_params(), rtol=1e-9, atol=1e-15)


def test_no_digit_depends_on_the_number_of_threads():
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(30_000, 20)), rng.integers(0, 100, 30_000)
    y = X @ rng.normal(size=20) + rng.normal(size=30_000)
    model = LinearRegression().fit(X, y)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(
                [
                    model.summary(X, y, "HC1").bse.array,
                    model.summary(X, y, "HC3").bse.array,
                    model.summary(X, y, "cluster", groups=groups).bse.array,
                    model.predict_interval(X).ravel(),
                ]
            )
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_model_fitted_from_a_factor(load):
    from abline.linear import RFactor

    data = load("yacht")
    factor = RFactor.from_blocks((data.X[i::3], data.y[i::3], data.weights[i::3]) for i in range(3))
    model = LinearRegression().fit_factor(factor)
    expected = LinearRegression().fit(data.X, data.y, data.weights)
    for cov in ("nonrobust", "HC2"):
        got = model.summary(data.X, data.y, cov, sample_weight=data.weights)
        whole = expected.summary(data.X, data.y, cov, sample_weight=data.weights)
        np.testing.assert_allclose(got.bse, whole.bse, rtol=1e-10)
        assert got.llf == pytest.approx(whole.llf, rel=1e-12)
    np.testing.assert_allclose(model.summary().bse, expected.summary().bse, rtol=1e-10)


def test_a_model_read_from_a_file(load, tmp_path):
    import abline as ab

    data = load("yacht")
    model = LinearRegression().fit(data.X, data.y, data.weights)
    model.save(tmp_path / "line.model")
    again = ab.load(tmp_path / "line.model")
    assert str(again.summary()) == str(model.summary())
    seen = again.summary(data.X, data.y, "HC3", sample_weight=data.weights)
    assert np.isfinite(seen.bse.array).all()


def test_names_come_from_frames_and_series(load):
    import pandas as pd
    import polars as pl

    data = load("mpg")
    frame = pd.DataFrame(data.X, columns=["displ", "year", "cyl"])
    result = ols(frame, pd.Series(data.y, name="hwy"), cov="HC1")
    assert result.params.labels == ("Intercept", "displ", "year", "cyl")
    assert result.target_name == result.endog_names == "hwy"
    polars = ols(pl.from_pandas(frame), pl.Series("hwy", data.y), cov="HC1")
    np.testing.assert_array_equal(polars.bse, result.bse)
    np.testing.assert_allclose(result.predict(frame), result.fittedvalues)


def test_a_table_too_wide_for_a_factor():
    from scipy import sparse

    X = sparse.random_array((30, 5_001), density=0.01, rng=0, format="csr")
    model = LinearRegression().fit(X, np.arange(30.0))
    assert model.engine_ == "lsqr"
    with pytest.raises(ParameterError, match="keeps no factor of its table"):
        model.summary()


@pytest.mark.parametrize("cov", ["nonrobust", "HC1", "HC3", "cluster"])
@pytest.mark.parametrize(("units", "shifts"), [(1e-9, 0.0), (1e9, 0.0), (1.0, 1e5), (1e-4, 3.0)])
def test_tests_do_not_depend_on_units_and_origins(load, cov, units, shifts):
    data = load("penguins")
    groups = np.arange(len(data.y)) // 5 if cov == "cluster" else None
    plain = ols(data.X, data.y, cov=cov, groups=groups)
    moved = ols(data.X * units + shifts * units, 3 * data.y - 7, cov=cov, groups=groups)
    np.testing.assert_allclose(moved.tvalues.array[1:], plain.tvalues.array[1:], rtol=1e-7)
    np.testing.assert_allclose(moved.bse.array[1:] * units / 3, plain.bse.array[1:], rtol=1e-7)
    assert moved.fvalue == pytest.approx(plain.fvalue, rel=1e-8)
    np.testing.assert_allclose(moved.influence().leverage, plain.influence().leverage, rtol=1e-7)


def test_rows_without_weight_do_not_hide_a_level():
    # as many features as rows that count, some of which see nothing but zeros
    X = np.column_stack([np.eye(4)[[0, 0, 1, 2, 3]], np.arange(5.0)])
    w = np.array([1.0, 2.0, 1.0, 1.0, 0.0])
    result = ols(X, [1.0, 2.0, 3.0, 4.0, 5.0], sample_weight=w)
    assert result.nobs == 4
    assert np.isnan(result.params["x3"])
