"""Numbers as a table of estimates prints them: as many digits as the standard error leaves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: digits of a standard error that are printed
_DIGITS = 4

#: decimals beyond which, and sizes from which, numbers are printed with an exponent
_MOST_DECIMALS, _LARGEST = 8, 1e9


def p_text(p: float) -> str:
    """Say a p-value with its sign of comparison.

    Examples
    --------
    >>> p_text(0.04321), p_text(2.5e-7), p_text(0.0), p_text(float("nan"))
    ('= 0.043', '= 2.5e-07', '< 1e-16', '= –')
    """
    cell = p_cell(p)
    return f"< {cell[1:]}" if cell.startswith("<") else f"= {cell}"


def p_cell(p: float) -> str:
    """Print a p-value in a table.

    Examples
    --------
    >>> p_cell(0.04321), p_cell(2.5e-7), p_cell(1e-300)
    ('0.043', '2.5e-07', '<1e-16')
    """
    if math.isnan(p):
        return "–"
    if p < 1e-16:
        return "<1e-16"
    return f"{p:.1e}" if p < 0.001 else f"{p:.3f}"


def plain(value: float, digits: int = 6) -> str:
    """Print a number with some significant digits and no exponent unless it is far from one.

    Examples
    --------
    >>> plain(1234.5678), plain(0.00012345678), plain(2e12), plain(float("nan"))
    ('1234.57', '0.000123457', '2e+12', '–')
    """
    if not math.isfinite(value):
        return _special(value)
    return f"{value:.{digits}g}"


def cells(values: Sequence[float], std_error: float) -> list[str]:
    """Print numbers that share a standard error with the decimals at which it has four digits.

    Parameters
    ----------
    values : sequence of float
        An estimate, its standard error, the ends of its interval.
    std_error : float

    Returns
    -------
    list of str

    Examples
    --------
    >>> cells([1.00211682, 0.00042979685], 0.00042979685)
    ['1.0021168', '0.0004298']
    >>> cells([39350.123, 5123.4], 5123.4)
    ['39350', '5123']
    """
    if not (math.isfinite(std_error) and std_error > 0):
        return [plain(value) for value in values]
    decimals = max(0, _DIGITS - 1 - math.floor(math.log10(std_error)))
    finite = [abs(value) for value in values if math.isfinite(value)]
    if decimals > _MOST_DECIMALS or max(finite, default=0.0) >= _LARGEST:
        return [_exponent(value) for value in values]
    return [f"{v:.{decimals}f}" if math.isfinite(v) else _special(v) for v in values]


def align(column: Sequence[str]) -> list[str]:
    """Pad cells so that their decimal points stand below each other.

    Examples
    --------
    >>> align(["1.5", "-20.25", "3", "–"])
    ['  1.5 ', '-20.25', '  3   ', '  –   ']
    """
    parts = [_split(cell) for cell in column]
    before = max((len(left) for left, _ in parts), default=0)
    after = max((len(right) for _, right in parts), default=0)
    return [left.rjust(before) + right.ljust(after) for left, right in parts]


def _split(cell: str) -> tuple[str, str]:
    place = cell.find(".")
    return (cell, "") if place < 0 else (cell[:place], cell[place:])


def _exponent(value: float) -> str:
    return f"{value:.{_DIGITS - 1}e}" if math.isfinite(value) else _special(value)


def _special(value: float) -> str:
    return "–" if math.isnan(value) else "∞" if value > 0 else "-∞"
