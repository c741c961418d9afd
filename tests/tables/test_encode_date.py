"""Dates as years and places in the year, the week and the day."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from abline.errors import DataError
from abline.tables import TableEncoder, infer_schema
from abline.tables.date import DateEncoder

START = dt.datetime(2023, 1, 2)  # a Monday


def dates(days=0, hours=0, n=1000):
    return pl.Series("d", [START + dt.timedelta(days=days * i, hours=hours * i) for i in range(n)])


def fit(cells):
    return DateEncoder.fit(cells, np.ones(len(cells)))


def column(encoder, cells, name):
    return encoder.transform(cells)[:, encoder.feature_names.index(name)]


@pytest.mark.parametrize(
    ("cells", "cycles"),
    [
        (dates(hours=5), ("year", "week", "day")),
        (dates(days=1), ("year", "week")),
        (dates(days=7), ("year",)),
        (dates(days=1, n=60), ("week",)),
        (dates(hours=1, n=24), ("day",)),
        (dates(n=5), ()),
    ],
)
def test_only_cycles_that_vary(cells, cycles):
    assert fit(cells).cycles == cycles


def test_years_are_standardised_and_name_their_origin():
    cells = dates(days=3)
    years = column(fit(cells), cells, "d (years since 2023-01-02)")
    steps = np.diff(years)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
    assert years.mean() == pytest.approx(0, abs=1e-12)
    assert years.std() == pytest.approx(1)


@pytest.mark.parametrize(
    ("cycle", "moment", "place"),
    [
        ("day", dt.datetime(2030, 5, 5, 6), 0.25),
        ("day", dt.datetime(1960, 5, 5, 18), 0.75),
        ("week", dt.datetime(2024, 2, 29), 3 / 7),
        ("year", dt.datetime(2024, 1, 1), 0.0),
        ("year", dt.datetime(2024, 7, 2), 183 / 366),
        ("year", dt.datetime(2023, 12, 31, 12), 364.5 / 365),
    ],
)
def test_places_in_the_cycles(cycle, moment, place):
    encoder = fit(dates(hours=5, n=3000))
    new = pl.Series("d", [moment])
    sine, cosine = (column(encoder, new, f"d ({cycle} {w})")[0] for w in ("sine", "cosine"))
    assert (sine, cosine) == pytest.approx(
        (np.sin(2 * np.pi * place), np.cos(2 * np.pi * place)), abs=1e-9
    )


def test_text_dates_and_datetimes_are_the_same():
    cells = dates(days=1)
    encoder = fit(cells)
    for same in (cells.dt.strftime("%Y-%m-%d"), cells.cast(pl.Date), cells.cast(pl.Datetime("ns"))):
        np.testing.assert_array_equal(encoder.transform(same), encoder.transform(cells))


def test_missing_cells_get_the_median_and_a_mark():
    cells = dates(days=1, n=61)
    encoder = fit(cells.extend(pl.Series("d", [None], dtype=cells.dtype)))
    assert "d (years since 2023-01-02) (missing)" in encoder.feature_names
    row, median = encoder.transform(pl.Series("d", [None, START + dt.timedelta(days=30)]))
    mark = encoder.feature_names.index("d (years since 2023-01-02) (missing)")
    np.testing.assert_allclose(np.delete(row, mark), np.delete(median, mark), atol=1e-9)
    assert (row[mark], median[mark]) == (1, 0)


def test_notes_on_new_dates():
    encoder = fit(dates(days=1, n=365))
    notes = encoder.notes_on(pl.Series("d", ["9999-12-31", None, "2023-06-01"]))
    assert notes == (
        "1 cell of 'd' is far outside the dates of the training rows (2023-01-02 … 2024-01-01): "
        "the years are clipped",
        "1 cell is missing in 'd', which had none in training: 2023-07-03, the median, takes the "
        "place",
    )


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["2024-01-01", "soon"], "'d' holds 'soon' in row 2, which is no date"),
        ([True], "'d' holds cells of type Boolean, not dates"),
        ([[1]], "'d' holds cells of type List, not dates"),
    ],
)
def test_what_is_no_date_is_refused(cells, message):
    with pytest.raises(DataError, match=message):
        fit(dates(days=1)).transform(pl.Series("d", cells))


def test_days_that_many_rows_share_have_effects():
    rng = np.random.default_rng(0)
    day = rng.integers(0, 50, 1000)
    effect = rng.normal(size=50)
    table = pl.DataFrame({"d": [START + dt.timedelta(days=int(i)) for i in day]})
    encoder = TableEncoder(infer_schema(table), random_state=0)
    encoder.fit_transform(table, effect[day] + rng.normal(0, 0.1, 1000))
    assert encoder.feature_names_out_[-1] == "d (day) (effect)"
    days = pl.DataFrame({"d": [START + dt.timedelta(days=i) for i in range(51)]})
    encoded = encoder.transform(days)[:, -1]
    trend = np.column_stack([np.ones(50), encoder.transform(days)[:50, :-1]])
    residual = effect - trend @ np.linalg.lstsq(trend, effect, rcond=None)[0]
    assert np.corrcoef(encoded[:50], residual)[0, 1] > 0.98
    # a new day has none: as far from the others' mean as the training days on average
    assert abs(encoded[50]) < 0.3
    assert encoder.transform_notes(days) == ()
