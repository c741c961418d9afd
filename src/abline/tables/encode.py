"""From the columns of a table to numbers, learnt on training rows alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from abline.errors import DataError, did_you_mean
from abline.tables.category import CategoryEncoder, Levels
from abline.tables.date import DateEncoder, days_of
from abline.tables.dates import ISO
from abline.tables.level_effects import fit_level_effects
from abline.tables.number import NumberEncoder
from abline.tables.one_hot import common_levels, fit_one_hot, rare_share
from abline.tables.schema import Column, Role, Schema

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.float64]
ColumnEncoder = NumberEncoder | CategoryEncoder | DateEncoder

#: a category of more levels than this stands as its levels' effects
MAX_LEVELS = 100
#: so does one whose rare levels, which would share a column, hold more of the rows than this
MAX_RARE_SHARE = 0.5
#: so do the categories of most levels while the one-hot columns of all are more than this
MAX_COLUMNS = 1000
#: days have effects where there are this many of them, each of this many rows on average
MIN_DAYS = 10
ROWS_PER_DAY = 5

#: the encoders, by the name that a saved model gives them
_KINDS: dict[str, type[ColumnEncoder]] = {
    "number": NumberEncoder,
    "category": CategoryEncoder,
    "date": DateEncoder,
}


class TableEncoder:
    """Numbers for the columns of a table, as its training rows taught.

    Numbers are standardised, their impossible cells clipped; missing cells get the median
    and a column that marks them. Categories are one-hot, the commonest level the reference, and
    rare or unseen levels share a place; those of very many levels stand as their shrunken effect
    on the target. Dates become years and places in the year, the week and the day.

    Parameters
    ----------
    schema : Schema
        From `infer_schema`.
    random_state : int or RandomState, optional
        Of the folds that the effects of levels are cross-fitted on.

    Attributes
    ----------
    feature_names_out_ : list of p str
    notes_ : tuple of str
        What was decided, one sentence each.

    Examples
    --------
    >>> import polars as pl
    >>> from abline.tables import infer_schema
    >>> homes = pl.DataFrame({"rooms": [1, 3, 5], "town": ["a", "b", "b"]})
    >>> encoder = TableEncoder(infer_schema(homes))
    >>> encoder.fit_transform(homes, np.array([1.0, 2.0, 3.0])).round(2)
    array([[-1.22,  1.  ],
           [ 0.  ,  0.  ],
           [ 1.22,  0.  ]])
    >>> encoder.feature_names_out_
    ['rooms', 'town = a']
    """

    schema: Schema
    feature_names_out_: list[str]
    notes_: tuple[str, ...]

    def __init__(
        self, schema: Schema, *, random_state: int | np.random.RandomState | None = None
    ) -> None:
        self.schema = schema
        self.random_state = random_state

    def fit_transform(
        self, table: pl.DataFrame, y: NDArray[Any], sample_weight: NDArray[Any] | None = None
    ) -> Floats:
        """Learn the encoding, and encode the rows that it was learnt on.

        Parameters
        ----------
        table : polars.DataFrame of n rows
        y : array of shape (n,) or (n, t)
            What levels have effects on.
        sample_weight : array of shape (n,), optional
            A weight of 2 counts a row twice; one of 0 leaves it out.

        Returns
        -------
        array of shape (n, p), float64
            Effects of levels as learnt on other rows (see `level_effects`), so not quite what
            `transform` gives.

        Raises
        ------
        DataError
            If a column of the schema is missing or holds something else, or none is left.
        """
        random = check_random_state(self.random_state)
        table = self._pick(table)
        weights = np.ones(table.height) if sample_weight is None else np.asarray(sample_weight)
        seen = weights > 0
        rows, weights = table.filter(seen), weights[seen].astype(np.float64)
        targets = np.asarray(y, dtype=np.float64).reshape(table.height, -1)[seen]

        levels = {
            column.name: Levels.of(rows[column.name])
            for column in self.schema.used
            if column.role is Role.CATEGORY
        }
        averaged = _levels_too_many(levels)
        encoders = {
            column.name: _fit(column, rows, levels, weights)
            for column in self.schema.used
            if column.name not in averaged
        }
        groups = {name: levels[name] for name in averaged} | _shared_days(rows, encoders)
        trained: dict[str, Floats] = {}
        if groups:
            rest = _stack([each.transform(rows[name]) for name, each in encoders.items()], rows)
            effects = fit_level_effects([*groups.values()], rest, targets, weights, random)
            for name, effect in zip(groups, effects, strict=True):
                date = encoders.get(name)
                if isinstance(date, DateEncoder):
                    encoders[name] = replace(date, effects=effect.encoder)
                else:
                    encoders[name] = effect.encoder
                trained[name] = effect.training
        self._encoders = [encoders[column.name] for column in self.schema.used]
        self._describe()
        if not self.feature_names_out_:
            raise DataError(f"no column is left to learn from: {'; '.join(self.notes_)}")
        return self._encode(table, trained, seen)

    def transform(self, table: pl.DataFrame) -> Floats:
        """Encode rows.

        Parameters
        ----------
        table : polars.DataFrame of n rows
            Columns in any order, and any others.

        Returns
        -------
        array of shape (n, p), float64

        Raises
        ------
        DataError
            If a column that the model needs is missing or holds something else.
        """
        table = self._pick(table)
        return self._encode(table, {}, np.zeros(table.height, dtype=bool))

    def transform_notes(self, table: pl.DataFrame) -> tuple[str, ...]:
        """Say what is unusual about rows to encode.

        Parameters
        ----------
        table : polars.DataFrame

        Returns
        -------
        tuple of str
            One sentence each: levels not seen in training, cells far outside it.

        Raises
        ------
        DataError
            As `transform`.
        """
        table = self._pick(table)
        return tuple(
            note for encoder in self._encoders for note in encoder.notes_on(table[encoder.name])
        )

    @property
    def estimated_(self) -> list[str]:
        """Names of the encoded columns that are estimates themselves: effects of levels."""
        names: list[str] = []
        for encoder in self._encoders:
            levels = encoder.effects if isinstance(encoder, DateEncoder) else encoder
            if isinstance(levels, CategoryEncoder) and levels.estimated:
                names += levels.feature_names
        return names

    @property
    def units_(self) -> tuple[Floats, Floats]:
        """What a step of each encoded column is in the table's own units, and where each is 0.

        Returns
        -------
        scale, center : arrays of shape (p,)
        """
        units = np.array([pair for encoder in self._encoders for pair in encoder.units])
        return units[:, 0], units[:, 1]

    def _encode(
        self, table: pl.DataFrame, trained: dict[str, Floats], seen: NDArray[np.bool_]
    ) -> Floats:
        """Encode rows; those seen in training have their own effects, a column's last ones."""
        blocks = []
        for encoder in self._encoders:
            block = encoder.transform(table[encoder.name])
            if encoder.name in trained:
                width = trained[encoder.name].shape[1]
                block[np.ix_(seen, np.arange(block.shape[1] - width, block.shape[1]))] = trained[
                    encoder.name
                ]
            blocks.append(block)
        return _stack(blocks, table)

    def _pick(self, table: pl.DataFrame) -> pl.DataFrame:
        """Take the columns that the schema uses, in its order."""
        needed = [column.name for column in self.schema.used]
        absent = [name for name in needed if name not in table.columns]
        if absent:
            others = [name for name in table.columns if name not in needed]
            what = "a column" if len(absent) == 1 else f"{len(absent)} columns"
            listed = ", ".join(_with_near(name, others) for name in absent)
            raise DataError(
                f"the table lacks {what} that the model needs, {listed}: add what is missing"
            )
        return table.select(needed)

    def _describe(self) -> None:
        self.feature_names_out_ = [
            name for encoder in self._encoders for name in encoder.feature_names
        ]
        self.notes_ = self.schema.notes + tuple(
            note for encoder in self._encoders for note in encoder.notes
        )

    def _get_state(self) -> dict[str, Any]:
        kinds = {cls: kind for kind, cls in _KINDS.items()}
        whole = isinstance(self.random_state, int | np.integer)
        return {
            "schema": self.schema.to_dict(),
            "random_state": int(self.random_state) if whole else None,  # type: ignore[arg-type]
            "encoders": [
                {"kind": kinds[type(encoder)], "state": encoder.get_state()}
                for encoder in self._encoders
            ],
        }

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> Self:
        encoder = cls(Schema.from_dict(state["schema"]), random_state=state["random_state"])
        encoder._encoders = [
            _KINDS[each["kind"]].from_state(each["state"]) for each in state["encoders"]
        ]
        encoder._describe()
        return encoder


def _with_near(name: str, others: list[str]) -> str:
    hint = did_you_mean(name, others)
    return f"{name!r} ({hint})" if hint.startswith("did you mean") else repr(name)


def _stack(blocks: list[Floats], table: pl.DataFrame) -> Floats:
    return np.hstack(blocks) if blocks else np.empty((table.height, 0))


def _fit(
    column: Column, rows: pl.DataFrame, levels: dict[str, Levels], weights: Floats
) -> ColumnEncoder:
    cells = rows[column.name]
    if column.role is Role.NUMBER:
        lenient = column.chosen and column.dtype in ("String", "Date", "Datetime")
        return NumberEncoder.fit(cells, weights, lenient=lenient)
    if column.role is Role.DATE:
        return DateEncoder.fit(cells, weights, formats=column.formats or ISO)
    return fit_one_hot(levels[column.name], weights)


def _shared_days(rows: pl.DataFrame, encoders: dict[str, ColumnEncoder]) -> dict[str, Levels]:
    """Find the date columns where days can have effects of their own."""
    days = {
        name: Levels.of(days_of(rows[name], encoder.formats))
        for name, encoder in encoders.items()
        if isinstance(encoder, DateEncoder)
    }
    return {
        name: levels
        for name, levels in days.items()
        if MIN_DAYS <= levels.count <= rows.height / ROWS_PER_DAY
    }


def _levels_too_many(levels: dict[str, Levels]) -> list[str]:
    """Choose the categories that stand as their levels' effects."""
    columns = {name: common_levels(each) for name, each in levels.items()}
    averaged = [
        name
        for name, each in levels.items()
        if each.count > MAX_LEVELS or rare_share(each) > MAX_RARE_SHARE
    ]
    for name in sorted(columns, key=lambda name: -columns[name]):
        if sum(count for other, count in columns.items() if other not in averaged) <= MAX_COLUMNS:
            break
        if name not in averaged:
            averaged.append(name)
    return averaged
