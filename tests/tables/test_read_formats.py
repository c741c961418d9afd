"""Parquet, Arrow, compression, pipes and standard input, against pyarrow's own files."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import io
import os
import sys
import threading

import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
import zstandard

from abline.tables import ReadOptions, load_table, read_table

TABLE = pa.table({"a": [1, None, 3], "b": ["x", "NA", None], "c": [0.1, float("nan"), -999.0]})
PLAIN = {"a": [1, None, 3], "b": ["x", "NA", None], "c": [0.1, None, -999.0]}


def content_of(kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "parquet":
        pyarrow.parquet.write_table(TABLE, out)
    elif kind == "arrow stream":
        with pa.ipc.new_stream(out, TABLE.schema) as writer:
            writer.write_table(TABLE)
    elif kind == "arrow":
        pyarrow.feather.write_feather(TABLE, out, compression="zstd")
    else:
        # a text has no way to tell the word from the missing cell, so it is quoted to no avail
        out.write(b"a,b,c\n1,x,0.1\n,NA,nan\n3,,-999\n")
    return out.getvalue()


def expected_of(kind: str) -> dict[str, list]:
    return PLAIN | {"b": ["x", None, None]} if kind == "csv" else PLAIN


KINDS = ["parquet", "arrow", "arrow stream", "csv"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("name", ["homes[1]*.{}", "homes", "homes.csv"])
def test_formats_are_known_by_their_content(tmp_path, kind, packing, name):
    content = content_of(kind)
    if packing == ".gz":
        content = gzip.compress(content[:9]) + gzip.compress(content[9:])
    elif packing == ".zst":
        compress = zstandard.ZstdCompressor().compress
        content = compress(content[:9]) + compress(content[9:])
    path = tmp_path / (name.format(kind.split()[0]) + packing)
    path.write_bytes(content)
    table = load_table(path)
    assert table.frame.to_dict(as_series=False) == expected_of(kind)
    misnamed = name == "homes.csv" and kind != "csv"
    assert any("not text" in note for note in table.notes) == misnamed


@pytest.mark.parametrize("kind", KINDS)
def test_standard_input(monkeypatch, kind):
    stream = io.TextIOWrapper(io.BytesIO(gzip.compress(content_of(kind))))
    monkeypatch.setattr(sys, "stdin", stream)
    table = load_table("-")
    assert table.name == "standard input"
    assert table.frame.to_dict(as_series=False) == expected_of(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pipe_is_read_once(tmp_path, kind):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content_of(kind),))
    writer.start()
    frame = read_table(pipe)
    writer.join()
    assert frame.to_dict(as_series=False) == expected_of(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_words_for_missing_cells_hold_in_every_format(tmp_path, kind):
    path = tmp_path / "homes"
    path.write_bytes(content_of(kind))
    frame = load_table(path, ReadOptions(na=("-999", "NA"))).frame
    assert frame.to_dict(as_series=False) == {
        "a": [1, None, 3],
        "b": ["x", None, None],
        "c": [0.1, None, None],
    }


def test_types_of_parquet_become_plain(tmp_path):
    noon = dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC)
    table = pa.table(
        {
            "category": pa.array(["x", "y"]).dictionary_encode(),
            "decimal": [decimal.Decimal("1.25"), None],
            "duration": [dt.timedelta(seconds=1.5), None],
            "time": [dt.time(0, 1, 1), None],
            "zoned": pa.array([noon, None], pa.timestamp("us", "Europe/Berlin")),
            "nothing": pa.nulls(2),
            "nested": [[1], [2, 3]],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    frame = read_table(tmp_path / "a.parquet")
    seconds = pytest.approx(61.0)  # a product with 1e-9 at its last bit
    assert frame.row(0) == ("x", 1.25, 1.5, seconds, noon.replace(tzinfo=None), None, [1])
    assert frame.schema["category"] == pl.String
    assert frame.schema["nothing"] == pl.Float64


def test_folders_named_like_partitions_add_no_column(tmp_path):
    folder = tmp_path / "year=2024"
    folder.mkdir()
    (folder / "a.parquet").write_bytes(content_of("parquet"))
    assert read_table(folder / "a.parquet").columns == ["a", "b", "c"]


@pytest.mark.parametrize("given", ["csv", "tsv"])
def test_a_given_format_reads_text_of_any_ending(tmp_path, given):
    path = tmp_path / "homes.json"
    path.write_text("a,b\n1,2\n" if given == "csv" else "a\tb\n1\t2\n")
    assert read_table(path, format=given).to_dict(as_series=False) == {"a": [1], "b": [2]}
