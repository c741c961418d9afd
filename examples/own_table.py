"""A table with text and missing cells: compare models, fit the one chosen, save it, use it.

    python examples/own_table.py [FOLDER] [--table TABLE --target COLUMN] [--epochs 200]

Without a table it makes one up. The model and a picture go to FOLDER (by default a new
temporary one).
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.figure import Figure

import abline as ab


def main(table: pl.DataFrame, target: str, folder: Path, epochs: int | None) -> None:
    if target not in table.columns:
        raise SystemExit(f"no column {target!r}: --target names one of {table.columns}")

    # 1. Keep some rows aside, to see at the end what the model is worth.
    table = table.drop_nulls(target).sample(fraction=1.0, shuffle=True, seed=0)
    new, known = table.head(table.height // 5), table.slice(table.height // 5)

    # 2. Does this table need more than a line? Every score comes from rows its model never saw.
    comparison = ab.compare(known, target=target, random_state=0, max_epochs=epochs)
    print(comparison)

    # 3. Fit the simplest model that nothing clearly beats. Columns are given as they are: text,
    #    dates and missing cells are turned into numbers inside.
    model = ab.TableRegressor(comparison.verdict.chosen, random_state=0)
    model.fit(known.drop(target), known[target])

    # 4. Save it, and bring it back: one file, the same predictions to the last bit.
    model.save(folder / "own.model")
    again = ab.load(folder / "own.model")
    assert np.array_equal(again.predict(new), model.predict(new))

    # 5. Predict new rows and look at them.
    print("first predictions:", again.predict(new.head(3)))
    print(f"R² on {new.height} new rows: {again.score(new, new[target]):.3f}")
    axes = Figure(figsize=(6, 4), layout="constrained").add_subplot()
    display = ab.FitDisplay.from_estimator(
        again, new.drop(target), new[target], name=comparison.verdict.chosen, ax=axes
    )
    display.figure_.savefig(folder / "own.png", dpi=150)
    print(f"model and picture in {folder}")


def made_up_houses(rows: int = 600) -> pl.DataFrame:
    """Make houses whose price bends with their age, some of them of unknown age."""
    random = np.random.default_rng(0)
    area = random.uniform(40, 220, rows).round()
    year = random.integers(1900, 2025, rows)
    town = random.choice(["Delft", "Gouda", "Leiden"], rows)
    extra = pl.Series(town).replace_strict({"Delft": 60, "Gouda": 0, "Leiden": 110}).to_numpy()
    # old and new houses are dear, those from between are not
    price = 2.1 * area + extra + 0.03 * (year - 1965) ** 2 + random.normal(0, 15, rows)
    unknown = random.random(rows) < 0.05
    return pl.DataFrame(
        {
            "area_m2": area,
            "year": pl.Series(year).scatter(np.flatnonzero(unknown), None),
            "town": town,
            "price": price.round(1),
        }
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where the results go")
    parser.add_argument("--table", type=Path, help="a CSV, Parquet or Arrow file")
    parser.add_argument("--target", default="price", help="the column to predict")
    parser.add_argument("--epochs", type=int, help="of the network, to shorten its training")
    arguments = parser.parse_args()
    results = arguments.folder or Path(tempfile.mkdtemp(prefix="abline-"))
    results.mkdir(parents=True, exist_ok=True)
    read = ab.read_table(arguments.table) if arguments.table else made_up_houses()
    main(read, arguments.target, results, arguments.epochs)
