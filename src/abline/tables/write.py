"""Write a table to a file or to standard output."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import polars as pl
import zstandard

from abline.errors import OutputError, one_of
from abline.store.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ("csv", "tsv", "parquet", "arrow", "feather")
_ENDINGS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet",
    ".pq": "parquet", ".arrow": "arrow", ".ipc": "arrow", ".feather": "feather",
}  # fmt: skip
_COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
_NESTED = (pl.List, pl.Array, pl.Struct, pl.Binary, pl.Object)

#: rows that go to standard output together
_ROWS_AT_ONCE = 65_536


def write_table(
    frame: pl.DataFrame, destination: str | os.PathLike[str], format: str | None = None
) -> None:
    """Write a table by the ending of its file's name.

    A file appears whole or not at all. Numbers in text are as short as reads back to the
    same number; a missing cell is an empty one.

    Parameters
    ----------
    frame : polars.DataFrame
    destination : str or path
        Ending in ``.csv``, ``.tsv``, ``.parquet``, ``.arrow`` or ``.feather``, where text may
        also be compressed (``.csv.gz``, ``.csv.zst``); ``"-"`` is standard output, CSV unless
        ``format`` says otherwise.
    format : {"csv", "tsv", "parquet", "arrow", "feather"}, optional
        Instead of what the ending says.

    Raises
    ------
    OutputError
        If the ending says no format, the place cannot be written, or a column of lists is to
        become text.
    ParameterError
        If there is no such format.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "predictions.csv"
    >>> write_table(pl.DataFrame({"prediction": [0.1, None]}), place)
    >>> place.read_text().split()
    ['prediction', '0.1', '""']
    """
    kind, compression = find_output_format(destination, format)
    if kind in ("csv", "tsv"):
        _refuse_nested(frame, kind)
    if os.fspath(destination) == "-":
        _print(frame, kind)
        return
    with atomic_write(Path(destination)) as file, _compressed(file, compression) as stream:
        _write(frame, stream, kind)


def find_output_format(
    destination: str | os.PathLike[str], format: str | None = None
) -> tuple[str, str | None]:
    """Tell how a table would be written, so that a wrong ending is found before the work.

    Parameters
    ----------
    destination : str or path
    format : str, optional

    Returns
    -------
    format : str
    compression : {"gzip", "zstd"} or None

    Raises
    ------
    OutputError
        If the ending says no format.
    ParameterError
        If there is no such format.

    Examples
    --------
    >>> find_output_format("predictions.csv.gz")
    ('csv', 'gzip')
    """
    if format is not None:
        one_of("--format", format, FORMATS)
    if os.fspath(destination) == "-":
        return format or "csv", None
    suffixes = [suffix.lower() for suffix in Path(destination).suffixes]
    compression = _COMPRESSED.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    kind = format or _ENDINGS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise OutputError(
            f"the ending of {os.fspath(destination)!r} says no format: use .csv, .tsv, .parquet, "
            ".arrow or .feather (and .csv.gz or .csv.zst)"
        )
    if compression and kind not in ("csv", "tsv"):
        raise OutputError(
            f"{os.fspath(destination)!r} would be compressed twice, as {kind} files are already: "
            f"leave out the {Path(destination).suffix}"
        )
    return kind, compression


def _print(frame: pl.DataFrame, kind: str) -> None:
    # through memory: polars would turn a closed pipe into an error of its own
    parts = frame.iter_slices(_ROWS_AT_ONCE) if kind in ("csv", "tsv") else [frame]
    for number, part in enumerate(parts):
        memory = io.BytesIO()
        _write(part, memory, kind, header=number == 0)
        sys.stdout.buffer.write(memory.getbuffer())
    sys.stdout.buffer.flush()


def _write(frame: pl.DataFrame, stream: BinaryIO, kind: str, *, header: bool = True) -> None:
    if kind == "parquet":
        frame.write_parquet(stream)
    elif kind in ("arrow", "feather"):
        frame.write_ipc(stream, compression="zstd")
    else:
        # in a single column an empty line would be taken for no row at all
        frame.write_csv(
            stream,
            include_header=header,
            separator="\t" if kind == "tsv" else ",",
            null_value='""' if frame.width == 1 else None,
        )


def _refuse_nested(frame: pl.DataFrame, kind: str) -> None:
    nested = [name for name, dtype in frame.schema.items() if isinstance(dtype, _NESTED)]
    if nested:
        raise OutputError(
            f"column {nested[0]!r} holds {frame.schema[nested[0]]} cells, which {kind} cannot: "
            "leave it out or write Parquet"
        )


@contextlib.contextmanager
def _compressed(file: BinaryIO, compression: str | None) -> Iterator[BinaryIO]:
    if compression == "gzip":
        # no time in it: the same table gives the same bytes
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as stream:
            yield cast("BinaryIO", stream)
    elif compression == "zstd":
        with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as stream:
            yield cast("BinaryIO", stream)
    else:
        yield file
