"""Read a table from a file, a pipe or standard input into columns of plain types."""

from __future__ import annotations

import io
import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from abline.errors import DataError, one_of
from abline.tables.csv_read import read_text
from abline.tables.delimiter import check_delimiter
from abline.tables.frames import as_table
from abline.tables.source import content_format, open_source, refuse_foreign
from abline.tables.text_columns import MISSING_WORDS, blank_words
from abline.tables.text_encoding import check_encoding

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from abline.tables.source import Source

_log = logging.getLogger(__name__)

FORMATS = ("csv", "tsv", "parquet", "arrow", "feather")
_ENDINGS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet",
    ".arrow": "arrow", ".ipc": "arrow", ".feather": "feather",
}  # fmt: skip


@dataclass(frozen=True)
class ReadOptions:
    r"""What a person says about a file; None is to be found out.

    Attributes
    ----------
    format : {"csv", "tsv", "parquet", "arrow", "feather"} or None
    delimiter : str or None
        A character, or its name ("tab").
    decimal : {".", ","} or None
    encoding : str or None
        As Python names it ("latin-1").
    na : tuple of str or None
        Words for a missing cell, in every format and in number columns too (``-999``), besides
        pandas' usual ones for text formats (``NA``, ``null``, …). An empty tuple takes those
        away; an empty cell is missing always.

    Raises
    ------
    ParameterError
        If one has a value that it cannot take.

    Examples
    --------
    >>> ReadOptions(delimiter="tab").delimiter
    '\t'
    """

    format: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    na: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.format is not None:
            one_of("--format", self.format, FORMATS)
        if self.decimal is not None:
            one_of("--decimal", self.decimal, (".", ","))
        # the only place where a frozen object may still be set
        object.__setattr__(self, "delimiter", check_delimiter(self.delimiter))
        object.__setattr__(self, "encoding", check_encoding(self.encoding))

    @property
    def na_words(self) -> tuple[str, ...]:
        """The person's own words for a missing cell, without blanks around them."""
        return tuple(dict.fromkeys(word.strip() for word in self.na or ()))


@dataclass(frozen=True)
class Table:
    """A table as read.

    Attributes
    ----------
    frame : polars.DataFrame
        Columns of numbers, booleans, text, dates and naive UTC datetimes; missing cells are
        nulls.
    notes : tuple of str
        What was found or decided on the way, one sentence each.
    name : str
        Of the file, as the person wrote it.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...]
    name: str


def read_table(
    source: str | os.PathLike[str],
    *,
    format: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    na: Sequence[str] | None = None,
) -> pl.DataFrame:
    r"""Read a table: CSV, TSV, Parquet or Arrow/Feather, also compressed with gzip or zstd.

    Parameters
    ----------
    source : str or path
        ``"-"`` is standard input.
    format : {"csv", "tsv", "parquet", "arrow", "feather"}, optional
        By the content where not given.
    delimiter : str, optional
        Between the cells of a text table: a character, or "tab". Found where not given.
    decimal : {".", ","}, optional
        A comma is recognised where the cells are not separated by commas.
    encoding : str, optional
        Of a text table ("latin-1"); by its byte order mark, or UTF-8, where not given.
    na : sequence of str, optional
        Further words for a missing cell, in number columns too (``["-999"]``); ``[]`` takes
        the usual ones (``NA``, ``null``, …) away.

    Returns
    -------
    polars.DataFrame
        Columns of numbers, booleans, text, dates (ISO 8601) and naive UTC datetimes.

    Raises
    ------
    DataError
        If there is no such file, or it is no table; the message names the file, the row and
        the remedy.
    ParameterError
        If an option has a value that it cannot take.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "homes.csv"
    ...     _ = path.write_text("rooms;price\n3;1,5\n4;NA\n")
    ...     read_table(path).to_dict(as_series=False)
    {'rooms': [3, 4], 'price': [1.5, None]}
    """
    words = None if na is None else tuple(na)
    return load_table(source, ReadOptions(format, delimiter, decimal, encoding, words)).frame


def load_table(source: str | os.PathLike[str], options: ReadOptions | None = None) -> Table:
    """Read a table, and tell what was found out about it.

    Parameters
    ----------
    source : str or path
        ``"-"`` is standard input.
    options : ReadOptions, optional

    Returns
    -------
    Table

    Raises
    ------
    DataError
        As `read_table`.
    """
    options = options or ReadOptions()
    opened = open_source(source)
    content = content_format(opened)
    meant = options.format or _ENDINGS.get(opened.ending)
    notes: tuple[str, ...] = ()
    if content == "text":
        _check_text(opened, options.format, meant)
        words = options.na_words if options.na == () else (*MISSING_WORDS, *options.na_words)
        frame, notes = read_text(
            opened,
            delimiter=options.delimiter or ("\t" if options.format == "tsv" else None),
            decimal=options.decimal,
            encoding=options.encoding,
            words=tuple(dict.fromkeys(("", *words))),
            usual="\t" if meant == "tsv" else None,
        )
    else:
        frame = _read_binary(opened, content)
        if meant in ("csv", "tsv"):
            notes = (f"{opened.name} holds {_spoken(content)}, not text, and is read as such",)
    frame = _plain(frame, opened.name, options.na_words, text=content == "text")
    for note in notes:
        _log.info(note)
    return Table(frame, notes, opened.name)


def _check_text(source: Source, given: str | None, meant: str | None) -> None:
    if given is None or given not in ("csv", "tsv"):
        refuse_foreign(source)
    if meant in ("parquet", "arrow", "feather"):
        raise DataError(
            f"{source.name} is not {_spoken(meant)}: check how it was made, or pass "
            "--format csv if it is text"
        )


def _read_binary(source: Source, content: str) -> pl.DataFrame:
    origin: Any = source.path or io.BytesIO(source.data)
    try:
        if content == "parquet":
            # no patterns in names, no columns out of the folders' names
            return pl.read_parquet(origin, glob=False, hive_partitioning=False)
        with source.open() as stream:  # a path would be taken for a pattern
            read = pl.read_ipc if content == "arrow" else pl.read_ipc_stream
            return read(stream)
    except pl.exceptions.DuplicateError as error:
        raise DataError(
            f"{source.name} has two columns of one name ({_first_line(error)}): rename one"
        ) from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        # polars does not say so of Arrow
        twins = "" if content == "parquet" else ", or one with two columns of one name"
        raise DataError(
            f"{source.name} is a damaged or incomplete {_spoken(content)} file{twins}: "
            "fetch or make it again"
        ) from error


def _plain(frame: pl.DataFrame, name: str, words: tuple[str, ...], *, text: bool) -> pl.DataFrame:
    """Bring all columns to plain types, and a person's words for missing cells to nulls."""
    if frame.width == 0:
        raise DataError(f"{name} has no columns: name a file with some")
    if frame.height == 0:
        raise DataError(f"{name} has columns and no rows: name a file with some")
    frame = as_table(frame)
    wide = [key for key, kind in frame.schema.items() if kind in (pl.Null, pl.Int128, pl.UInt128)]
    frame = frame.with_columns(pl.col(wide).cast(pl.Float64))
    if not text and words:
        columns = [
            blank_words(column, words) for column in frame if isinstance(column.dtype, pl.String)
        ]
        frame = frame.with_columns(columns)
    numbers = _numbers_among(words)
    if numbers:
        frame = frame.with_columns(
            pl.when(~column.cast(pl.Float64).is_in(numbers)).then(column).name.keep()
            for column in (pl.col(key) for key, kind in frame.schema.items() if kind.is_numeric())
        )
    return frame


def _numbers_among(words: Iterable[str]) -> list[float]:
    numbers = []
    for word in words:
        try:
            numbers.append(float(word.replace(",", ".")))
        except ValueError:
            continue
    return [number for number in numbers if not math.isnan(number)]


def _spoken(content: str) -> str:
    return "Parquet" if content == "parquet" else "Arrow"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
