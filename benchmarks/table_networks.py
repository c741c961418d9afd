"""The network for tables beside single perceptrons and their mean, on real tables.

    python benchmarks/table_networks.py FOLDER TABLE [TABLE …]

FOLDER holds Parquet files and ``tables.json`` (file and target of each). All see the same encoded
columns and the same five folds; R² is printed as Markdown. The perceptrons have the network's
layers, batches, epochs and share of validation rows.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

import abline as ab


class Perceptrons(RegressorMixin, BaseEstimator):
    """The mean of some `MLPRegressor`, on standardised columns."""

    def __init__(self, members: int = 1) -> None:
        self.members = members

    def fit(self, X: Any, y: Any) -> Self:
        """Train all members."""
        self.scaler_ = StandardScaler().fit(X)
        table = self.scaler_.transform(X).astype(np.float32)
        batch_size = int(min(1024, max(32, len(table) // 32)))
        epochs = int(min(300, max(10, 2000 // max(1, len(table) // batch_size))))
        self.models_ = [
            ab.MLPRegressor(
                hidden_layer_sizes=(64, 64, 64),
                alpha=0.01,
                batch_size=batch_size,
                max_iter=epochs,
                early_stopping=True,
                validation_fraction=0.15,
                n_iter_no_change=max(8, epochs // 5),
                target_scaling=True,
                random_state=seed,
                engine="fused",
            ).fit(table, np.asarray(y, dtype=np.float32))
            for seed in range(self.members)
        ]
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Average their predictions."""
        table = self.scaler_.transform(X).astype(np.float32)
        found = np.mean([model.predict(table) for model in self.models_], axis=0)
        return np.asarray(found, dtype=np.float64)


def one_table(path: Path, target: str) -> str:
    table = pl.read_parquet(path)
    models = ["network"], {"one": Perceptrons(1)}, {"eight": Perceptrons(8)}
    scores = []
    for each in models:
        (name,) = each
        found = ab.compare(table, target=target, models=each, random_state=0)[name]
        scores.append(f"{found.mean.r2:.3f}")
    return " | ".join(scores)


def main(folder: str, *names: str) -> None:
    warnings.simplefilter("ignore", ConvergenceWarning)  # epochs are limited on purpose
    root = Path(folder)
    tables = json.loads((root / "tables.json").read_text())
    print("| table | rows | network | one perceptron | the mean of eight |\n|---|---|---|---|---|")
    for name in names:
        cells = one_table(root / tables[name]["file"], tables[name]["target"])
        print(f"| {name} | {tables[name]['rows']:,} | {cells} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
