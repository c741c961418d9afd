"""Writing: every format read back by this package and by pandas or pyarrow."""

from __future__ import annotations

import datetime as dt
import io
import sys

import pandas as pd
import polars as pl
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abline.errors import OutputError, ParameterError
from abline.tables import read_table, write_table
from abline.tables.write import find_output_format

FRAME = pl.DataFrame(
    {
        "id": [1, 2, 3],
        "price": [0.1, None, 1e-300],
        "where": ['a "b", c', None, "d\ne"],
        "when": [dt.datetime(2024, 1, 2, 3, 4, 5), None, dt.datetime(1999, 12, 31)],
        "day": [dt.date(2024, 1, 2), dt.date(1850, 1, 1), None],
        "new": [True, None, False],
    }
)
ENDINGS = [".csv", ".tsv", ".csv.gz", ".csv.zst", ".tsv.gz", ".parquet", ".arrow", ".feather"]
OTHERS = {
    ".csv": lambda path: pl.from_pandas(pd.read_csv(path)),
    ".tsv": lambda path: pl.from_pandas(pd.read_csv(path, sep="\t")),
    ".csv.gz": lambda path: pl.from_pandas(pd.read_csv(path)),
    ".csv.zst": lambda path: pl.from_pandas(pd.read_csv(path)),
    ".tsv.gz": lambda path: pl.from_pandas(pd.read_csv(path, sep="\t")),
    ".parquet": lambda path: pl.from_arrow(pyarrow.parquet.read_table(path)),
    ".arrow": lambda path: pl.from_arrow(pyarrow.feather.read_table(path)),
    ".feather": lambda path: pl.from_arrow(pyarrow.feather.read_table(path)),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_table_comes_back(tmp_path, ending):
    path = tmp_path / f"out{ending}"
    write_table(FRAME, path)
    assert read_table(path).equals(FRAME)
    numbers = ["id", "price"]
    assert OTHERS[ending](path).select(numbers).equals(FRAME.select(numbers))
    first = path.read_bytes()
    write_table(FRAME, str(path))
    assert path.read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(numbers=st.lists(st.none() | st.floats(allow_nan=False), min_size=1, max_size=30))
def test_one_column_of_numbers_comes_back_to_the_last_bit(tmp_path, numbers):
    path = tmp_path / "predictions.csv"
    write_table(pl.DataFrame({"prediction": numbers}, {"prediction": pl.Float64}), path)
    assert read_table(path)["prediction"].cast(pl.Float64).to_list() == numbers


@pytest.mark.parametrize(
    ("given", "text"), [(None, "a,b\n1,x\n"), ("csv", "a,b\n1,x\n"), ("tsv", "a\tb\n1\tx\n")]
)
def test_standard_output(monkeypatch, given, text):
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    write_table(pl.DataFrame({"a": [1], "b": ["x"]}), "-", given)
    assert out.buffer.getvalue().decode() == text


def test_a_given_format_overrules_the_ending(tmp_path):
    write_table(FRAME, tmp_path / "out.dat", "parquet")
    assert (tmp_path / "out.dat").read_bytes().startswith(b"PAR1")
    assert find_output_format("out.csv", "parquet") == ("parquet", None)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("out.xlsx", "the ending of 'out.xlsx' says no format: use .csv"),
        ("out", "the ending of 'out' says no format"),
        ("out.parquet.gz", "would be compressed twice.*leave out the .gz"),
        ("no/out.csv", "no.* does not exist"),
    ],
)
def test_places_where_nothing_can_be_written(tmp_path, monkeypatch, name, sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match=sentence):
        write_table(FRAME, name)
    assert not list(tmp_path.iterdir())


def test_an_unknown_format():
    with pytest.raises(ParameterError, match="--format cannot be 'cvs': did you mean 'csv'"):
        write_table(FRAME, "out.csv", "cvs")


def test_lists_do_not_fit_into_text_and_leave_nothing_behind(tmp_path):
    frame = pl.DataFrame({"a": [[1, 2]]})
    with pytest.raises(OutputError, match=r"column 'a' holds .* cells, which csv cannot"):
        write_table(frame, tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())
    write_table(frame, tmp_path / "out.parquet")
    assert read_table(tmp_path / "out.parquet").equals(frame)
