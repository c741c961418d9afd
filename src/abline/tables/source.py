"""The bytes behind a table's name: a file, a pipe or standard input, compressed or not.

What a file is gets decided by its first bytes, since endings lie: a ``.csv`` that is Parquet
inside is read as Parquet. The ending only says what a person meant, for a better sentence
when the content is none of the formats read here.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard

from abline.errors import DataError, did_you_mean

READABLE = "CSV, TSV, Parquet and Arrow/Feather files, also as .gz or .zst"

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_COMPRESSED = (".gz", ".zst", ".zstd")

_FORMATS = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow stream"),
)
_FOREIGN_CONTENT = (
    (b"PK\x03\x04", "an Excel workbook or zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"FEA1", "a Feather file of version 1"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a numpy array"),
    (b"$FL2", "an SPSS file"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML document"),
    (b'{"', "JSON"),
    (b"[{", "JSON"),
)
_FOREIGN_ENDINGS = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"), "a spreadsheet"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "JSON"),
    **dict.fromkeys((".sas7bdat", ".xpt"), "a SAS file"),
    **dict.fromkeys((".rds", ".rda", ".rdata"), "an R file"),
    **dict.fromkeys((".pkl", ".pickle"), "a pickle"),
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), "an HDF5 file"),
    **dict.fromkeys((".npy", ".npz"), "a numpy array"),
    ".dta": "a Stata file",
    ".sav": "an SPSS file",
    ".mat": "a Matlab file",
    ".orc": "an ORC file",
    ".avro": "an Avro file",
}


@dataclass(frozen=True)
class Source:
    """Uncompressed bytes, on disk or in memory.

    Attributes
    ----------
    name : str
        As the person wrote it, for messages; "standard input" for ``-``.
    ending : str
        In lower case, without that of a compression (``".csv"`` for ``houses.csv.gz``).
    path : Path or None
        Where the bytes are a file's as they are; it can be read again and again.
    data : bytes
        All bytes where there is no such file.
    """

    name: str
    ending: str
    path: Path | None = None
    data: bytes = b""

    def open(self) -> BinaryIO:
        """Open the bytes from their start."""
        return io.BytesIO(self.data) if self.path is None else self.path.open("rb")

    def head(self, size: int) -> bytes:
        """Return the first bytes."""
        with self.open() as stream:
            return stream.read(size)


def open_source(source: str | os.PathLike[str]) -> Source:
    """Find a file, and uncompress it where it is compressed.

    A regular file that is not compressed stays on disk; a pipe, standard input (``-``) or a
    gzip or zstd file is held in memory.

    Parameters
    ----------
    source : str or path
        ``"-"`` is standard input.

    Returns
    -------
    Source

    Raises
    ------
    DataError
        If there is no such file, it is a folder, is empty, may not be read, or its compressed
        content is damaged.
    """
    if os.fspath(source) == "-":
        return _uncompress(Source("standard input", "", data=sys.stdin.buffer.read()))
    name, path = os.fspath(source), Path(source)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DataError(f"{name!r} is a folder: name one file in it")
        if stat.S_ISREG(mode):
            return _uncompress(Source(name, _ending(path), path=path))
        return _uncompress(Source(name, _ending(path), data=path.read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"there is no file {name!r}{_nearby(path)}") from None
    except PermissionError:
        raise DataError(f"{name} may not be read: ask for the permission to") from None
    except OSError as error:
        raise DataError(f"{name} cannot be read ({error.strerror}): check the name") from error
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name!r} is not the name of a file: check it") from error


def content_format(source: Source) -> str:
    """Tell a source's format by its first bytes.

    Parameters
    ----------
    source : Source

    Returns
    -------
    str
        ``"parquet"``, ``"arrow"``, ``"arrow stream"``, or ``"text"`` for anything else.
    """
    head = source.head(8)
    return next((name for magic, name in _FORMATS if head.startswith(magic)), "text")


def refuse_foreign(source: Source) -> None:
    """Refuse what is known to be neither a text table nor Parquet nor Arrow.

    Parameters
    ----------
    source : Source

    Raises
    ------
    DataError
        Naming what it is and what to do about it.
    """
    head = source.head(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    kind = next((kind for magic, kind in _FOREIGN_CONTENT if head.startswith(magic)), None)
    kind = kind or _FOREIGN_ENDINGS.get(source.ending)
    if kind is not None:
        raise DataError(
            f"{source.name} is {kind}, which is not read here: export the table as CSV "
            f"(abline reads {READABLE})"
        )


def _ending(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _nearby(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f": there is no folder {str(folder)!r} either, check the path"
    try:
        hint = did_you_mean(path.name, sorted(entry.name for entry in folder.iterdir()))
    except OSError:
        hint = ""
    # the whole list of a folder's files would be noise
    return f": {hint}" if hint.startswith("did") else ": check the name and the folder"


def _uncompress(source: Source) -> Source:
    head = source.head(4)
    if not head:
        raise DataError(f"{source.name} is empty: name a file with a header and rows")
    if not head.startswith((_GZIP, _ZSTD)):
        return source
    out = io.BytesIO()
    try:
        with source.open() as stream:
            if head.startswith(_GZIP):
                with gzip.GzipFile(fileobj=stream) as unpacked:
                    shutil.copyfileobj(unpacked, out, _CHUNK)
            else:
                _copy_zstd(stream, out)
    except (gzip.BadGzipFile, zlib.error, EOFError, zstandard.ZstdError) as error:
        kind = "gzip" if head.startswith(_GZIP) else "zstd"
        raise DataError(
            f"{source.name} is a damaged or incomplete {kind} file: fetch or make it again"
        ) from error
    if not out.tell():
        raise DataError(f"{source.name} is empty inside: name a file with a header and rows")
    return Source(source.name, source.ending, data=out.getvalue())


def _copy_zstd(stream: BinaryIO, out: BinaryIO) -> None:
    # frame by frame, because zstandard's own reader takes a file cut short for a whole one
    decoder = zstandard.ZstdDecompressor().decompressobj()
    while chunk := stream.read(_CHUNK):
        while chunk:
            if decoder.eof:
                decoder = zstandard.ZstdDecompressor().decompressobj()
            out.write(decoder.decompress(chunk))
            chunk = decoder.unused_data if decoder.eof else b""
    if not decoder.eof:
        raise EOFError
