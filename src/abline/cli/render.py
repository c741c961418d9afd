"""Tables of results for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from abline.linear.inference.result import LinearResult

#: a table of terms longer than this shows those that are surest
MOST_TERMS = 30


def plain_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int = 1
) -> Table:
    """Make a table with text on the left and numbers on the right.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequences of str
    numbers_from : int, default=1
        The first column that is aligned to the right.

    Returns
    -------
    rich.table.Table
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for position, heading in enumerate(headings):
        right = position >= numbers_from
        table.add_column(
            heading, justify="right" if right else "left", no_wrap=right, overflow="fold"
        )
    for row in rows:
        table.add_row(*row)
    return table


def number(value: float | None, digits: int = 4) -> str:
    """Write a number with so many significant digits, and 12,000 rather than 1.2e+04.

    Parameters
    ----------
    value : float or None
    digits : int, default=4

    Returns
    -------
    str

    Examples
    --------
    >>> number(54321.9), number(0.012345), number(None)
    ('54,322', '0.01235', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    if abs(value) >= 1e12:
        return f"{value:.{digits - 1}e}"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    if value != 0 and abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{digits}g}"


def scores_table(models: Iterable[dict[str, Any]]) -> Table:
    """Lay models' scores side by side.

    Parameters
    ----------
    models : iterable of dict
        As `ModelScores.to_dict` gives them.

    Returns
    -------
    rich.table.Table
    """
    rows = [
        [model["name"], *(_with_spread(model, key) for key in ("r2", "rmse", "mae"))]
        for model in models
    ]
    return plain_table(["model", "R²", "RMSE", "MAE"], rows)


def _with_spread(model: dict[str, Any], key: str) -> str:
    mean, spread = model["scores"][key], model["spread"][key]
    if key == "r2":
        if mean is None:
            return "–"
        return f"{mean:.3f} ± {spread:.3f}" if spread is not None else f"{mean:.3f}"
    return f"{number(mean)} ± {number(spread, 2)}"


def columns_table(columns: Iterable[dict[str, Any]]) -> Table:
    """Say what each column was taken for.

    Parameters
    ----------
    columns : iterable of dict
        As `Schema.to_dict` gives them.

    Returns
    -------
    rich.table.Table
    """
    rows = [
        [
            column["name"],
            str(column["role"]),
            f"{column['missing']:,}" if column["missing"] else "",
            column["why"],
        ]
        for column in columns
    ]
    return plain_table(["column", "taken as", "missing", "because"], rows, numbers_from=9)


def summary_text(summary: LinearResult) -> Text:
    """Print a line's table of terms, the surest where they are many.

    Parameters
    ----------
    summary : LinearResult

    Returns
    -------
    rich.text.Text
        Lines that are not broken.
    """
    from abline.linear.inference.text import text_table

    return Text(text_table(summary, most=MOST_TERMS), no_wrap=True, overflow="ignore")


def without_nan(terms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put null in the place of numbers that do not exist, for JSON.

    Parameters
    ----------
    terms : list of dict

    Returns
    -------
    list of dict
    """
    return [
        {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in term.items()
        }
        for term in terms
    ]
