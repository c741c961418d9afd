"""Text as dates."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abline.errors import DataError
from abline.tables.dates import ISO, find_formats, looks_like_dates, parse_dates

NINE = dt.datetime(2024, 3, 1, 9, 30)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-03-01", dt.datetime(2024, 3, 1)),
        (" 2024-03-01 ", dt.datetime(2024, 3, 1)),
        ("2024-03-01 09:30", NINE),
        ("2024-03-01T09:30:00", NINE),
        ("2024-03-01T09:30:00.250", NINE + dt.timedelta(milliseconds=250)),
        ("2024-03-01T09:30Z", NINE),
        ("2024-03-01T11:30+02:00", NINE),
        ("2024-03-01 11:30:00 +0200", NINE),
        ("2024-02-30", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_iso(text, date):
    cells = pl.Series("d", [text, "2024-01-01"])
    assert parse_dates(cells)[0] == date
    assert looks_like_dates(cells) == (date is not None or text is None)


@given(st.lists(st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)), min_size=1))
def test_python_writes_what_is_read(dates):
    cells = pl.Series([date.isoformat() for date in dates])
    assert looks_like_dates(cells)
    assert parse_dates(cells).to_list() == dates


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["31.01.2024", None], ("%d.%m.%Y",)),
        (["31/01/2024", "01/02/2024"], ("%d/%m/%Y",)),
        (["01/31/2024", "01/02/2024"], ("%m/%d/%Y",)),
        (["2024/01/31"], ("%Y/%m/%d",)),
        ([20240131, None], ("%Y%m%d",)),
        (["2024-01-31"], ISO),
        ([dt.date(2024, 1, 31)], ISO),
    ],
)
def test_other_habits(cells, formats):
    series = pl.Series("d", cells)
    assert find_formats(series) == formats
    assert parse_dates(series, formats)[0] == dt.datetime(2024, 1, 31)


def test_day_and_month_are_not_guessed():
    with pytest.raises(DataError, match="cannot be told apart"):
        find_formats(pl.Series("d", ["01/02/2024"]))
    # the same either way
    assert parse_dates(
        pl.Series(["01/01/2024"]), find_formats(pl.Series(["01/01/2024"]))
    ).to_list() == [dt.datetime(2024, 1, 1)]
