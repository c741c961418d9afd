"""Small real tables through the commands, held against scikit-learn on one-hot columns."""

from __future__ import annotations

import json

import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, cross_val_score

from abline.cli.main import run

TARGETS = {"airquality": "Ozone", "mpg": "hwy", "penguins": "body_mass_g", "yacht": "resistance"}


def one_hot_line(table: pl.DataFrame, target: str) -> float:
    """R² of a plain line over the same folds: medians for missing cells, rare levels kept."""
    frame = table.drop_nulls(target).to_pandas()
    features = pd.get_dummies(frame.drop(columns=target), dummy_na=False).astype(float)
    features = features.fillna(features.median())
    folds = KFold(5, shuffle=True, random_state=0)
    return cross_val_score(LinearRegression(), features, frame[target], cv=folds).mean()


@pytest.mark.parametrize("name", TARGETS)
def test_the_line_is_as_good_as_a_line_by_hand(name, data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table = pl.read_parquet(data / f"{name}.parquet")
    table.write_csv("t.csv")
    assert run(["fit", "t.csv", "-t", TARGETS[name], "-m", "line", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    by_hand = one_hot_line(table, TARGETS[name])
    assert result["scores"]["r2"] > by_hand - result["spread"]["r2"]
    assert run(["predict", "t.model", "t.csv", "-o", "p.csv"]) == 0
    assert pl.read_csv("p.csv").height == table.height
    assert pl.read_csv("p.csv")["prediction"].is_finite().all()
