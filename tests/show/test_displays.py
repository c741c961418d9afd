"""Displays keep their data, draw what they say, and leave nothing behind."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from matplotlib import pyplot as plt
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from abline import FitDisplay, LossDisplay, ParameterError, TorchRegressor
from abline.errors import DataError
from abline.show import PredictionDisplay
from abline.show.axes import new_axes
from abline.show.feature import single_feature


@pytest.fixture
def rows():
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 3))
    return X, X @ [1.0, -2.0, 0.5] + random.normal(size=60)


def labels(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


@pytest.fixture(scope="module")
def trained():
    X = np.linspace(0, 1, 20, dtype=np.float32)[:, None]
    model = TorchRegressor(max_epochs=7, lr=0.1, random_state=0)
    return model.fit(X, 2 * X[:, 0], eval_set=(X[:5], X[:5, 0]))


# losses


def test_losses_are_those_of_the_history(trained):
    display = LossDisplay.from_estimator(trained, ax=new_axes())
    np.testing.assert_array_equal(display.epochs, np.arange(7))
    for line, column in zip(display.lines_, ["train_loss", "valid_loss"], strict=True):
        np.testing.assert_array_equal(line.get_ydata(), trained.history_[column])
    assert labels(display) == ["training", "validation"]
    assert display.ax_.get_ylabel() == "loss: mean squared error"


def test_losses_are_found_within_a_pipeline(trained):
    X = np.linspace(0, 1, 20, dtype=np.float32)[:, None]
    pipeline = make_pipeline(StandardScaler(), TorchRegressor(max_epochs=3)).fit(X, X[:, 0])
    display = LossDisplay.from_estimator(pipeline, ax=new_axes())
    assert len(display.train) == 3
    assert display.valid is None
    assert labels(display) == ["training"]


def test_a_model_without_losses_is_refused_by_name(rows):
    model = LinearRegression().fit(*rows)
    with pytest.raises(ParameterError, match="a LinearRegression has no losses to draw"):
        LossDisplay.from_estimator(model)
    with pytest.raises(NotFittedError):
        LossDisplay.from_estimator(TorchRegressor())


@pytest.mark.parametrize(
    ("train", "log", "scale"),
    [
        ([20.0, 4.0, 1.9], "auto", "log"),
        ([20.0, 4.0, 2.1], "auto", "linear"),
        ([20.0, 4.0, 0.0], "auto", "linear"),
        ([20.0, 4.0, -1.0], "auto", "linear"),
        ([2.0, 1.9, 1.8], True, "log"),
        ([20.0, 4.0, 0.1], False, "linear"),
    ],
)
def test_the_loss_axis_is_logarithmic_over_more_than_a_decade(train, log, scale):
    display = LossDisplay([0, 1, 2], train, [np.nan] * 3).plot(new_axes(), log=log)
    assert display.ax_.get_yscale() == scale


def test_the_validation_losses_count_for_the_decade():
    display = LossDisplay([0, 1], [5.0, 4.0], [50.0, 4.0]).plot(new_axes())
    assert display.ax_.get_yscale() == "log"


# fits


def test_one_feature_is_drawn_with_the_curve(rows):
    X, y = rows[0][:, :1], rows[1]
    line, other = LinearRegression().fit(X, y), LinearRegression(fit_intercept=False).fit(X, y)
    display = FitDisplay.from_estimator(
        line, X, y, name="line", others={"through 0": other}, ax=new_axes()
    )
    grid = display.feature.grid
    assert grid[0] == X.min()
    assert grid[-1] == X.max()
    np.testing.assert_allclose(display.curves["through 0"], other.coef_[0] * grid)
    np.testing.assert_array_equal(display.ax_.lines[0].get_ydata(), display.curves["line"])
    np.testing.assert_array_equal(display.ax_.collections[0].get_offsets(), np.column_stack([X, y]))
    assert display.r2["line"] == pytest.approx(line.score(X, y))
    assert labels(display)[:2] == ["data", f"line, R² = {line.score(X, y):.3f}"]


def test_several_features_are_drawn_as_predicted_against_observed(rows):
    X, y = rows
    model = LinearRegression().fit(X, y)
    display = FitDisplay.from_estimator(model, X, y, ax=new_axes())
    points = display.ax_.collections[0].get_offsets()
    np.testing.assert_allclose(points, np.column_stack([y, model.predict(X)]))
    assert display.feature is None
    assert display.ax_.get_xlabel() == "observed y"
    assert labels(display) == [f"LinearRegression, R² = {model.score(X, y):.3f}", "1:1"]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table])
def test_a_dataframe_gives_the_axes_their_names(rows, frame):
    table = frame({"age (years)": rows[0][:, 0]})
    y = pl.Series("price (€)", rows[1])
    model = LinearRegression().fit(pd.DataFrame({"age (years)": rows[0][:, 0]}), rows[1])
    line = _TakesOnly(type(table), model)
    display = FitDisplay.from_estimator(line, table, y, ax=new_axes())
    assert display.ax_.get_xlabel() == "age (years)"
    assert display.ax_.get_ylabel() == "price (€)"


class _TakesOnly(BaseEstimator):
    """A model that insists on the kind of table that it was fitted on."""

    def __init__(self, kind, model):
        self.kind, self.model_ = kind, model

    def fit(self, X, y): ...

    def predict(self, X):
        assert isinstance(X, self.kind)
        values = X["age (years)"].to_numpy()
        return self.model_.predict(pd.DataFrame({"age (years)": values}))


def test_tensors_and_columns_are_taken_and_the_precision_is_kept(rows):
    X = torch.tensor(rows[0][:, :1], dtype=torch.float32)
    y = torch.tensor(rows[1], dtype=torch.float32)[:, None]
    model = TorchRegressor(max_epochs=1).fit(X, y)
    display = FitDisplay.from_estimator(model, X, y, ax=new_axes())
    assert display.observed.shape == display.predicted["TorchRegressor"].shape == (60,)
    assert display.feature.grid.dtype == np.float32


@pytest.mark.parametrize(
    "X",
    [
        [[0.0, 1.0]],
        [["a"], ["b"]],
        np.full((3, 1), np.nan),
        pl.DataFrame({"town": ["a", "b"]}),
        pl.DataFrame({"a": [1.0], "b": [2.0]}),
    ],
)
def test_only_one_feature_of_numbers_has_a_curve(X):
    assert single_feature(X) is None


def test_missing_cells_do_not_spoil_the_grid():
    feature = single_feature(pl.DataFrame({"a": [1, None, 3]}))
    assert feature.grid[[0, -1]].tolist() == [1.0, 3.0]
    assert feature.grid_rows.columns == ["a"]


def test_wrong_pictures_are_refused(rows):
    X, y = rows
    model = LinearRegression().fit(X, y)
    with pytest.raises(ParameterError, match="two models are called 'line'"):
        FitDisplay.from_estimator(model, X, y, name="line", others={"line": model})
    with pytest.raises(DataError, match="y has 2 targets"):
        FitDisplay.from_estimator(model, X, np.column_stack([y, y]))
    with pytest.raises(DataError, match="X has 60 rows and y has 59"):
        FitDisplay.from_estimator(model, X, y[:-1])
    with pytest.raises(NotFittedError):
        FitDisplay.from_estimator(model, X, y, others={"other": LinearRegression()})


# predictions


def test_predictions_made_before_are_drawn(rows):
    y, predicted = rows[1], rows[1] + 0.1
    display = PredictionDisplay.from_predictions(
        pd.Series(y, name="mpg"), predicted[:, None], name="own", ax=new_axes()
    )
    np.testing.assert_array_equal(display.observed, y)
    np.testing.assert_array_equal(display.predicted["own"], predicted)
    assert display.r2["own"] == pytest.approx(r2_score(y, predicted))
    assert display.ax_.get_ylabel() == "predicted mpg"
    ends = display.ax_.lines[0].get_xdata()
    np.testing.assert_array_equal(ends, display.ax_.lines[0].get_ydata())
    assert tuple(ends) == (y.min(), y.max())


def test_lengths_must_agree():
    with pytest.raises(DataError, match="2 predictions for 3 observed values"):
        PredictionDisplay.from_predictions([1.0, 2.0, 3.0], [1.0, 2.0])


def test_one_row_has_no_r2():
    display = PredictionDisplay.from_predictions([1.0], [2.0], ax=new_axes())
    assert np.isnan(display.r2["model"])
    assert labels(display) == ["model", "1:1"]


# many rows


def test_many_rows_are_thinned_and_the_picture_says_so():
    random = np.random.default_rng(0)
    y = random.normal(size=20_000)
    predicted = y + random.normal(size=20_000)
    displays = [
        PredictionDisplay.from_predictions(y, predicted, ax=new_axes(), **options)
        for options in ({}, {}, {"random_state": 1}, {"subsample": None})
    ]
    points = [display.ax_.collections[0].get_offsets() for display in displays]
    assert [len(drawn) for drawn in points] == [5_000, 5_000, 5_000, 20_000]
    np.testing.assert_array_equal(points[0], points[1])
    assert not np.array_equal(points[0], points[2])
    assert displays[0].ax_.texts[0].get_text() == "5,000 of 20,000 rows drawn, chosen at random"
    assert not displays[3].ax_.texts
    assert displays[0].ax_.collections[0].get_rasterized()
    assert displays[0].r2["model"] == pytest.approx(r2_score(y, predicted))


def test_subsample_must_be_positive():
    with pytest.raises(ParameterError, match="subsample is 0"):
        PredictionDisplay.from_predictions([1.0, 2.0], [1.0, 2.0], subsample=0, ax=new_axes())


# manners


def test_drawing_leaves_matplotlib_as_it_was(rows, trained):
    before, figures = dict(mpl.rcParams), plt.get_fignums()
    X, y = rows
    model = LinearRegression().fit(X, y)
    FitDisplay.from_estimator(model, X, y, ax=new_axes())
    LossDisplay.from_estimator(trained, ax=new_axes())
    assert plt.get_fignums() == figures
    own = PredictionDisplay.from_estimator(model, X, y)
    assert len(plt.get_fignums()) == len(figures) + 1
    plt.close(own.figure_)
    assert dict(mpl.rcParams) == before


def test_the_axes_given_are_drawn_on(rows):
    X, y = rows
    figure, (left, right) = plt.subplots(1, 2)
    display = PredictionDisplay.from_estimator(LinearRegression().fit(X, y), X, y, ax=left)
    assert display.ax_ is left
    assert display.figure_ is figure
    assert display.plot(right).ax_ is right
    plt.close(figure)


@pytest.mark.parametrize("n_models", [1, 2, 3, 4])
def test_the_legend_covers_no_data(rows, n_models):
    X, y = rows[0][:, :1], rows[1]
    model = LinearRegression().fit(X, y)
    others = {f"another model, number {number}": model for number in range(n_models - 1)}
    display = FitDisplay.from_estimator(model, X, y, name="line", others=others, ax=new_axes())
    display.figure_.draw_without_rendering()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.y0 >= display.ax_.get_window_extent().y1
    assert legend.y1 <= display.figure_.bbox.y1
    assert legend.x1 <= display.figure_.bbox.x1


def test_blocks_and_displays_load_only_what_they_need():
    code = (
        "import sys, abline.show; abline.show.Table\n"
        "assert not {'matplotlib', 'torch', 'sklearn', 'jinja2'} & set(sys.modules)\n"
        "abline.show.FitDisplay, abline.show.LossDisplay\n"
        "assert not {'matplotlib.pyplot', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
