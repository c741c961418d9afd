"""Records of a text table, one by one, by the standard library's reader."""

from __future__ import annotations

import contextlib
import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from abline.tables.source import Source


@contextlib.contextmanager
def open_records(source: Source, delimiter: str) -> Iterator[Any]:
    """Open a text for reading record by record; a misplaced quote is an error.

    Parameters
    ----------
    source : Source
        UTF-8 text, with or without a byte order mark.
    delimiter : str

    Yields
    ------
    csv.reader
    """
    with io.TextIOWrapper(source.open(), encoding="utf-8-sig", newline="") as text:
        yield csv.reader(text, delimiter=delimiter, strict=True)


def from_header(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Leave out the blank lines above the header.

    Parameters
    ----------
    reader : iterator of records

    Yields
    ------
    list of str
        The header first; a blank line below it is an empty list, or one cell of blanks.
    """
    for record in reader:
        if not is_blank(record):
            yield record
            break
    yield from reader


def is_blank(record: list[str]) -> bool:
    """Say whether a record is a line with nothing on it.

    Parameters
    ----------
    record : list of str

    Returns
    -------
    bool
    """
    return not record or (len(record) == 1 and not record[0].strip())
