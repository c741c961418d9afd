"""Each thing that can be wrong with a file, in one sentence with its remedy."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
import zstandard

from abline.errors import DataError, ParameterError
from abline.tables import ReadOptions, read_table


def parquet(table) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()


TWINS = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
NO_ROWS = pa.table({"a": pa.array([], pa.int64())})
WHOLE = parquet(pa.table({"a": [1]}))
PACKED = zstandard.ZstdCompressor().compress(b"a,b\n1,2\n" * 99)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty: name a file"),
        (gzip.compress(b"", mtime=0), "is empty inside"),
        (b"\n \n\n", "holds nothing but blank lines"),
        (b"a,b\n", "has a header and no rows"),
        (b"a\n\n\n", "has a header and no rows"),
        (parquet(NO_ROWS), "has columns and no rows"),
        (b"a,b\n1,2\n3\n", r"has 1 cell in row 2 \(line 3\), where its header has 2: mend"),
        (b"a,b\n1,2\n\n3,4,5\n", r"has 3 cells in row 2 \(line 4\), where its header has 2"),
        (b'a,b\n1,"x\ny"\n3,"z\n",5\n', r"has 3 cells in row 2 \(line 4\)"),
        (b'a,b\n1,"x\n2,y\n', r'ends inside a quoted cell: close the quote \("\)'),
        (b'a,b\n1,"x\n' + b"2,y\n" * 50_000, "has a cell of more than 131,072 characters"),
        (b'a,b\n1,"x"y\n', r'has a quote \("\) inside a quoted cell in line 2: double it'),
        (b"x,y,x\n1,2,3\n", r"has two columns called 'x' \(columns 1 and 3\): rename one"),
        (parquet(TWINS), "has two columns of one name .*'a'.*: rename one"),
        ("a,b\n1,2\nö,3\n".encode("latin-1"), r"not UTF-8 text in line 3 \(byte 0xf6\): pass "
         "--encoding latin-1"),
        (b"\0\1\2\3", "is not a table: it holds bytes that no text has"),
        (bytes(range(1, 99)), "is not a table: it holds bytes that no text has"),
        (b"PK\x03\x04....", "is an Excel workbook or zip archive, .*: export the table as CSV"),
        (b'{"a": [1]}', "is JSON, which is not read here: export"),
        (b"\n<!DOCTYPE html><html>", "is a web page"),
        (b"\x1f\x8b\x08garbage", "damaged or incomplete gzip"),
        (gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-5], "damaged or incomplete gzip"),
        (PACKED[:-3], "damaged or incomplete zstd"),
        (PACKED[:12] + b"\xff" + PACKED[13:-9], "damaged or incomplete zstd"),
        (WHOLE[:-9], "damaged or incomplete Parquet"),
        (b"PAR1 and no more", "damaged or incomplete Parquet"),
        (b"ARROW1 and no more", "damaged or incomplete Arrow"),
        (b"\xff\xff\xff\xffand no more", "damaged or incomplete Arrow"),
    ],
)  # fmt: skip
def test_content_that_is_no_table(tmp_path, monkeypatch, content, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homes.csv").write_bytes(content)
    with pytest.raises(DataError, match=sentence) as caught:
        read_table("homes.csv")
    message = str(caught.value)
    assert message.startswith("homes.csv ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("book.xlsx", "is a spreadsheet, which is not read here: export the table as CSV"),
        ("book.sas7bdat.gz", "is a SAS file"),
        ("homes.parquet", "is not Parquet: .* pass --format csv"),
        ("homes.feather", "is not Arrow: .* pass --format csv"),
    ],
)
def test_endings_that_promise_something_else(tmp_path, name, sentence):
    (tmp_path / name).write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=sentence):
        read_table(tmp_path / name)


def test_no_such_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "houses.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"no file 'house.csv': did you mean 'houses.csv'\?"):
        read_table("house.csv")
    with pytest.raises(DataError, match=r"no file 'zzz.dat': check the name"):
        read_table("zzz.dat")
    with pytest.raises(DataError, match="there is no folder 'data' either"):
        read_table("data/houses.csv")
    with pytest.raises(DataError, match=r"there is no folder 'houses.csv' either"):
        read_table("houses.csv/x")
    with pytest.raises(DataError, match="is a folder"):
        read_table(".")
    with pytest.raises(DataError, match="is not the name of a file"):
        read_table("a\0b")
    with pytest.raises(DataError, match="cannot be read"):
        read_table("x" * 5000)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(13, "Permission denied"), "homes.csv may not be read"),
        (OSError(5, "Input/output error"), r"homes.csv cannot be read \(Input/output error\)"),
    ],
)
def test_a_file_that_cannot_be_opened(tmp_path, monkeypatch, error, sentence):
    # by a stand-in, since the superuser may read everything
    def refuse(*_, **__):
        raise error

    path = tmp_path / "homes.csv"
    path.write_text("a\n1\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=sentence):
        read_table(path)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("format", "cvs", "--format cannot be 'cvs': did you mean 'csv'"),
        ("delimiter", ";;", "--delimiter cannot be ';;'"),
        ("delimiter", "", "--delimiter cannot be ''"),
        ("delimiter", '"', "--delimiter cannot be"),
        ("decimal", ";", "--decimal cannot be ';'"),
        ("encoding", "latin-99", "--encoding cannot be 'latin-99'"),
        ("encoding", "rot13", "--encoding cannot be 'rot13'"),
        ("encoding", "a\0b", "--encoding cannot be"),
    ],
)
def test_options_with_a_value_they_cannot_take(option, value, sentence):
    with pytest.raises(ParameterError, match=sentence):
        ReadOptions(**{option: value})


def test_a_wrong_encoding_is_named(tmp_path):
    path = tmp_path / "homes.csv"
    path.write_bytes("a\nö\n".encode())
    with pytest.raises(DataError, match=r"is not ASCII text in line 2 \(byte 0xc3\)"):
        read_table(path, encoding="ascii")
    path.write_bytes(b"a\nb")
    with pytest.raises(DataError, match="is not UTF-16-LE text: pass --encoding utf-8"):
        read_table(path, encoding="utf-16-le")


def test_no_warning_about_a_good_table(tmp_path, recwarn):
    pl.DataFrame({"a": [1], "b": ["x"]}).write_csv(tmp_path / "a.csv")
    read_table(tmp_path / "a.csv")
    assert not recwarn.list


def test_a_text_that_polars_reads_otherwise_is_refused(tmp_path, monkeypatch):
    # none is known, so polars is made to drop a row
    monkeypatch.setattr(pl, "read_csv", lambda *_, **__: pl.DataFrame({"a": [1]}))
    (tmp_path / "homes.csv").write_text("a\n1\n2\n")
    with pytest.raises(DataError, match=r"homes.csv cannot be read as CSV: quote its cells"):
        read_table(tmp_path / "homes.csv")
