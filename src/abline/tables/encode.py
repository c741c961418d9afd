"""From the columns of a table to numbers, learnt on training rows alone."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from abline.errors import DataError, did_you_mean
from abline.tables.category import CategoryEncoder, Levels
from abline.tables.date import DateEncoder
from abline.tables.dates import ISO
from abline.tables.number import NumberEncoder
from abline.tables.one_hot import common_levels, fit_one_hot
from abline.tables.schema import Column, Role, Schema
from abline.tables.target_means import fit_target_means

Floats = NDArray[np.float64]

#: a category of more common levels than this stands as target means
MAX_LEVELS = 100
#: so do the categories of most levels while the one-hot columns of all are more than this
MAX_COLUMNS = 1000

#: the encoders, by the name that a saved model gives them
_KINDS: dict[str, type[NumberEncoder | CategoryEncoder | DateEncoder]] = {
    "number": NumberEncoder,
    "category": CategoryEncoder,
    "date": DateEncoder,
}


class TableEncoder:
    """Numbers for the columns of a table, as its training rows taught.

    Numbers are standardised, their impossible cells clipped; missing cells get the median
    and a column that marks them. Categories are one-hot, the commonest level the reference, and
    rare or unseen levels share a place; those of very many levels stand as shrunken means of the
    target. Dates become years and places in the year, the week and the day.

    Parameters
    ----------
    schema : Schema
        From `infer_schema`.
    random_state : int or RandomState, optional
        Of the folds that target means are cross-fitted on.

    Attributes
    ----------
    feature_names_out_ : list of p str
    notes_ : tuple of str
        What was decided, one sentence each.

    Examples
    --------
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
            What target means are of.
        sample_weight : array of shape (n,), optional
            A weight of 2 counts a row twice; one of 0 leaves it out.

        Returns
        -------
        array of shape (n, p), float64
            Target means as learnt on the other rows (see `target_means`), so not what
            `transform` would give.

        Raises
        ------
        DataError
            If a column of the schema is missing or holds something else.
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
        self._encoders: list[NumberEncoder | CategoryEncoder | DateEncoder] = []
        blocks = []
        for column in self.schema.used:
            if column.name in averaged:
                encoder, crossed = fit_target_means(levels[column.name], targets, weights, random)
                block = encoder.transform(table[column.name])
                block[seen] = crossed
                self._encoders.append(encoder)
            else:
                self._encoders.append(_fit(column, rows, levels, weights))
                block = self._encoders[-1].transform(table[column.name])
            blocks.append(block)
        self._describe()
        return np.hstack(blocks)

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
        return np.hstack([encoder.transform(table[encoder.name]) for encoder in self._encoders])

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

    def _pick(self, table: pl.DataFrame) -> pl.DataFrame:
        """The columns that the schema uses, in its order."""
        needed = [column.name for column in self.schema.used]
        absent = [name for name in needed if name not in table.columns]
        if absent:
            others = [name for name in table.columns if name not in needed]
            near = [hint for name in absent[:3] if (hint := did_you_mean(name, others))]
            what = "a column" if len(absent) == 1 else f"{len(absent)} columns"
            hint = f" ({'; '.join(dict.fromkeys(near))})" if near else ""
            raise DataError(
                f"the table lacks {what} that the model needs, "
                f"{', '.join(repr(name) for name in absent)}{hint}: add what is missing"
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


def _fit(
    column: Column, rows: pl.DataFrame, levels: dict[str, Levels], weights: Floats
) -> NumberEncoder | CategoryEncoder | DateEncoder:
    cells = rows[column.name]
    if column.role is Role.NUMBER:
        lenient = column.chosen and column.dtype not in _NUMERIC
        return NumberEncoder.fit(cells, weights, lenient=lenient)
    if column.role is Role.DATE:
        return DateEncoder.fit(cells, weights, formats=column.formats or ISO)
    return fit_one_hot(levels[column.name], weights)


#: the types whose columns hold numbers already
_NUMERIC = {
    str(dtype)
    for dtype in (
        pl.Boolean,
        pl.Float32,
        pl.Float64,
        pl.Int8,
        pl.Int16,
        pl.Int32,
        pl.Int64,
        pl.UInt8,
        pl.UInt16,
        pl.UInt32,
        pl.UInt64,
        pl.Int128,
    )
}


def _levels_too_many(levels: dict[str, Levels]) -> set[str]:
    """The categories that stand as target means."""
    columns = {name: common_levels(each) for name, each in levels.items()}
    averaged = {name for name, count in columns.items() if count > MAX_LEVELS}
    for name in sorted(columns, key=lambda name: -columns[name]):
        if sum(count for other, count in columns.items() if other not in averaged) <= MAX_COLUMNS:
            break
        averaged.add(name)
    return averaged
