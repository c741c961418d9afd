"""Which character stands between the cells of a text table."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from abline.errors import ParameterError
from abline.tables.csv_records import from_header

if TYPE_CHECKING:
    from abline.tables.source import Source

_SAMPLE = 1 << 16
_SAMPLE_ROWS = 200

#: from the most to the least usual
_DELIMITERS = (",", ";", "\t", "|")
_DELIMITER_NAMES = {
    "\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " ",
}  # fmt: skip


def check_delimiter(delimiter: str | None) -> str | None:
    r"""Turn what a person calls a delimiter into the character.

    Parameters
    ----------
    delimiter : str or None
        A character, or ``"tab"``, ``"\\t"``, ``"comma"``, ``"semicolon"``, ``"pipe"``,
        ``"space"``; None stays None.

    Returns
    -------
    str or None

    Raises
    ------
    ParameterError
        If it is no single plain character.

    Examples
    --------
    >>> check_delimiter("tab")
    '\t'
    """
    if delimiter is None:
        return None
    character = _DELIMITER_NAMES.get(delimiter.lower(), delimiter)
    if (
        len(character) != 1
        or not character.isascii()
        or character.isalnum()
        or character in '"\r\n'
    ):
        raise ParameterError(
            f"--delimiter cannot be {delimiter!r}: give one character such as ';', or 'tab'"
        )
    return character


def find_delimiter(source: Source, usual: str | None = None) -> str:
    """Find the delimiter that gives the first rows as many cells as the header.

    Parameters
    ----------
    source : Source
        UTF-8 text.
    usual : str, optional
        The one that the file's ending promises; it is taken where the header has it and no
        other agrees better.

    Returns
    -------
    str
        A comma, semicolon, tab or bar; a comma where there is a single column.
    """
    sample = source.head(_SAMPLE)
    text = sample.decode("utf-8-sig", errors="replace")
    if len(sample) == _SAMPLE:  # its last row may be cut
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text

    def merit(delimiter: str) -> tuple[float, bool, int]:
        agreement, width = _agreement(text, delimiter)
        return agreement, width > 1 and delimiter == usual, width

    best = max(_DELIMITERS, key=merit)  # the first where equal
    return best if merit(best)[2] > 1 else ","


def _agreement(text: str, delimiter: str) -> tuple[float, int]:
    """Share of rows as long as the header, and that length; nothing for a single column."""
    # not strict: a quote that one delimiter makes misplaced is in its place with another
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in from_header(reader):
            if row:
                rows.append(row)
            if len(rows) > _SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # a cell too long: judge by the rows before it
    if not rows or len(rows[0]) == 1:
        return 0.0, 1
    width = len(rows[0])
    same = sum(len(row) == width for row in rows[1:])
    return same / max(len(rows) - 1, 1), width


def spoken(delimiter: str) -> str:
    """Call a delimiter by its name.

    Parameters
    ----------
    delimiter : str

    Returns
    -------
    str
    """
    return {"\t": "tabs", ";": "semicolons", "|": "bars (|)"}.get(delimiter, repr(delimiter))
