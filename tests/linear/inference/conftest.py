"""Real tables as plain arrays, with weights and clusters."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

#: target, features and clusters (two ways) of each table
TABLES = {
    "penguins": ("body_mass_g", ["bill_length_mm", "bill_depth_mm", "flipper_length_mm"]),
    "mpg": ("hwy", ["displ", "year", "cyl"]),
    "airquality": ("Ozone", ["Solar.R", "Wind", "Temp"]),
    "yacht": ("resistance", ["x2", "x3", "x6"]),
}
CLUSTERS = {
    "penguins": ("island", "year"),
    "mpg": ("manufacturer", "class"),
    "airquality": ("Month", "Day"),
    "yacht": ("x1", "x6"),
}


@pytest.fixture(scope="session")
def load(data):
    """Read one of the tables: X, y, weights, two ways of clustering."""

    def read(name):
        target, features = TABLES[name]
        frame = pl.read_parquet(data / f"{name}.parquet").drop_nulls([target, *features])
        weights = np.random.default_rng(len(name)).uniform(0.2, 3.0, len(frame))
        groups = [frame[column].cast(pl.String).to_numpy() for column in CLUSTERS[name]]
        X = frame[features].to_numpy().astype(float)
        return SimpleNamespace(
            X=X,
            y=frame[target].to_numpy().astype(float),
            weights=weights,
            groups=groups,
            frame=frame,
        )

    return read
