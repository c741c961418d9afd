"""Find the role of each column of a table.

The rules look at one column at a time and give the same answer for most of its rows as for
all of them, so that the folds of a cross-validation agree with the whole table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from abline.errors import DataError, ParameterError
from abline.tables.dates import find_formats, looks_like_dates
from abline.tables.number import check_finite, parse_numbers
from abline.tables.schema import Column, Role, Schema
from abline.tables.target import check_known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: text with this share of distinct cells, in this many rows or more, names the rows
_DISTINCT_SHARE = 0.95
_DISTINCT_ROWS = 20

#: names of row numbers (R and pandas write them without a name, readers then invent one)
_ROW_NAME = re.compile(
    r"^(|_|index|idx|rows?|rownames?|row[ _.]?(id|index|names?|num|number|no|nr)"
    r"|unnamed.*|column_\d+|s[ .]?no|no|nr|#)$",
    re.IGNORECASE,
)
#: names of keys: id, ID, customer_id, "Order ID", PassengerId, uuid
#: dates that may be of either order, which a person must settle
_OTHER_DATES = r"^\s*\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b"
_KEY_NAME = re.compile(r"(?i:(^|[ _.\-])(id|ids|key|uuid|guid)$)|[a-z]I[dD]$")


def infer_schema(
    table: pl.DataFrame,
    *,
    features: Iterable[str] | None = None,
    ignore: Iterable[str] = (),
    numeric: Iterable[str] = (),
    categorical: Iterable[str] = (),
    date: Iterable[str] = (),
    id: Iterable[str] = (),
) -> Schema:
    """Find what each column of a table is to a model.

    Numbers and booleans are numbers; text is a category, or a date where every cell is an ISO
    date; one value in every row is a constant. Text that is different in (nearly) every row
    is an identifier, and so are whole numbers all different in a column whose name says so
    (``id``, ``order_id``, ``row``); any other column of numbers is kept.

    Parameters
    ----------
    table : polars.DataFrame
        Without the target; from `as_table`.
    features : iterable of str, optional
        The only columns to use.
    ignore, numeric, categorical, date, id : iterable of str, optional
        Columns whose role a person knows better. Cells of a ``numeric`` column of text that
        are no numbers count as missing.

    Returns
    -------
    Schema

    Raises
    ------
    DataError
        If a name is not in the table, a column cannot take the role chosen for it, holds
        infinite values, or none is left to learn from.
    ParameterError
        If a column is named twice, for two roles.

    Examples
    --------
    >>> homes = pl.DataFrame({"id": [7, 8, 9], "rooms": [2, 3, 3], "sold": ["2024-01-05"] * 3})
    >>> {role.value: names for role, names in infer_schema(homes).by_role.items()}
    {'number': ('rooms',), 'constant': ('sold',), 'identifier': ('id',)}
    """
    chosen = {
        "--ignore": tuple(ignore),
        "--numeric": tuple(numeric),
        "--categorical": tuple(categorical),
        "--date": tuple(date),
        "--id": tuple(id),
    }
    only = None if features is None else tuple(features)
    options = _options(table.columns, chosen, only)
    columns = []
    for series in table:
        option = options.get(series.name)
        facts = _look(series)
        if only is not None and series.name not in only:
            column = facts.column(Role.IGNORED, "not among --features", chosen=True)
        elif option is not None:
            column = _CHOSEN[option](facts)
        else:
            column = _find_role(facts)
        if column.role is Role.NUMBER:
            check_finite(series)
        columns.append(column)
    schema = Schema(tuple(columns))
    _check_some_used(schema, table.height)
    return schema


@dataclass(frozen=True)
class _Facts:
    """A column, its missing cells and its distinct values (None where it has no such thing)."""

    series: pl.Series
    missing: int
    levels: int | None

    @property
    def present(self) -> int:
        return len(self.series) - self.missing

    def column(self, role: Role, why: str, *, chosen: bool = False) -> Column:
        name, dtype = self.series.name, str(self.series.dtype.base_type())
        return Column(name, role, dtype, self.missing, self.levels or 0, why, chosen)


def _look(series: pl.Series) -> _Facts:
    if series.dtype.is_float():
        series = series.fill_nan(None)
    missing = series.null_count()
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        return _Facts(series, missing, None)
    return _Facts(series, missing, series.n_unique() - (missing > 0))


def _options(
    known: Sequence[str], chosen: dict[str, tuple[str, ...]], only: tuple[str, ...] | None
) -> dict[str, str]:
    """The option that names each column, where one does."""
    options: dict[str, str] = {}
    if only is not None:
        check_known(only, known, "--features")
    for option, names in chosen.items():
        check_known(names, known, option)
        for name in names:
            other = options.setdefault(name, option)
            if other != option:
                raise ParameterError(f"{other} and {option} both name {name!r}: choose one")
            if only is not None and (name in only) == (option in ("--ignore", "--id")):
                what = "both name" if name in only else "do not both name"
                raise ParameterError(f"--features and {option} {what} {name!r}: settle on one")
    return options


def _find_role(facts: _Facts) -> Column:
    series, levels = facts.series, facts.levels
    if levels is None:
        return facts.column(Role.IGNORED, f"cells of type {series.dtype.base_type()}")
    if facts.present == 0:
        return facts.column(Role.CONSTANT, "missing in every row")
    if levels == 1 and facts.missing == 0:
        return facts.column(Role.CONSTANT, f"{series[0]!r} in every row")
    if series.dtype == pl.Boolean:
        return facts.column(Role.NUMBER, "true and false")
    if series.dtype.is_numeric():
        if _is_row_key(facts):
            return facts.column(Role.IDENTIFIER, "a key, different in every row")
        return facts.column(Role.NUMBER, "numbers")
    if series.dtype.is_temporal():
        return facts.column(Role.DATE, "dates")
    if looks_like_dates(series):
        found = facts.column(Role.DATE, "text, every cell an ISO date")
        return replace(found, formats=find_formats(series))
    if len(series) >= _DISTINCT_ROWS and levels >= _DISTINCT_SHARE * facts.present:
        share = "every row" if levels == facts.present else "nearly every row"
        return facts.column(Role.IDENTIFIER, f"text, different in {share}")
    if series.drop_nulls().str.contains(_OTHER_DATES).all():
        return facts.column(Role.CATEGORY, "text like dates not in ISO order: name it with --date")
    return facts.column(Role.CATEGORY, f"text with {levels:,} level{'s' if levels > 1 else ''}")


def _is_row_key(facts: _Facts) -> bool:
    """Whole numbers, all different, under a name that says what they are."""
    series, name = facts.series, facts.series.name.strip()
    if facts.missing or facts.levels != len(series) or len(series) < 2:
        return False
    counts_rows = _ROW_NAME.match(name) is not None
    if not counts_rows and _KEY_NAME.search(name) is None:
        return False
    if series.dtype.is_float() and not (series == series.round()).all():
        return False
    span = float(np.ptp(series.cast(pl.Float64).to_numpy()))
    return not counts_rows or span <= 2 * len(series) + 10


def _ignored(facts: _Facts) -> Column:
    return facts.column(Role.IGNORED, "named by --ignore", chosen=True)


def _identifier(facts: _Facts) -> Column:
    return facts.column(Role.IDENTIFIER, "named by --id", chosen=True)


def _category(facts: _Facts) -> Column:
    _refuse_nested(facts, "--categorical")
    return facts.column(Role.CATEGORY, "named by --categorical", chosen=True)


def _number(facts: _Facts) -> Column:
    _refuse_nested(facts, "--numeric")
    series, why = facts.series, "named by --numeric"
    numbers = parse_numbers(series, lenient=True)
    lost = int(numbers.is_nan().sum()) - facts.missing
    if lost and lost == facts.present:
        raise DataError(
            f"column {series.name!r} has no number in any row ({series.drop_nulls()[0]!r}, say): "
            "drop it from --numeric"
        )
    if lost:
        cells = (
            "1 cell that is no number counts"
            if lost == 1
            else (f"{lost:,} cells that are no numbers count")
        )
        why = f"{why}, {cells} as missing"
    return facts.column(Role.NUMBER, why, chosen=True)


def _date(facts: _Facts) -> Column:
    _refuse_nested(facts, "--date")
    column = facts.column(Role.DATE, "named by --date", chosen=True)
    return replace(column, formats=find_formats(facts.series))


def _refuse_nested(facts: _Facts, option: str) -> None:
    if facts.levels is None:
        raise DataError(
            f"column {facts.series.name!r} holds cells of type {facts.series.dtype.base_type()}, "
            f"of which no model can learn: drop it from {option}"
        )


#: what a person's word does
_CHOSEN: dict[str, Callable[[_Facts], Column]] = {
    "--ignore": _ignored,
    "--numeric": _number,
    "--categorical": _category,
    "--date": _date,
    "--id": _identifier,
}


def _check_some_used(schema: Schema, n_rows: int) -> None:
    if schema.used:
        return
    if n_rows <= 1:
        raise DataError(
            f"the table has only {n_rows} sample{'s' if n_rows != 1 else ''}, of which nothing can "
            "be learnt: give it more rows"
        )
    columns = [column for column in schema.columns if not column.chosen] or schema.columns
    reasons = "; ".join(f"{column.name!r}: {column.why}" for column in columns[:5])
    more = "; …" if len(columns) > 5 else ""
    raise DataError(
        f"the table has no usable feature ({reasons}{more}): add a column, or give one a role with "
        "--categorical or --numeric"
    )
