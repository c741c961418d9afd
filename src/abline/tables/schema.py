"""What each column of a table is taken for, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Role(StrEnum):
    """What a column can be to a model."""

    NUMBER = "number"
    CATEGORY = "category"
    DATE = "date"
    CONSTANT = "constant"
    IDENTIFIER = "identifier"
    IGNORED = "ignored"

    @property
    def is_used(self) -> bool:
        """Whether a model gets to see such a column."""
        return self in (Role.NUMBER, Role.CATEGORY, Role.DATE)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
    role : Role
    dtype : str
        The name of its polars type (``"Int64"``, ``"String"``).
    missing : int
        The number of its missing cells.
    levels : int
        The number of its distinct values, missing cells not counted.
    why : str
        A short phrase for people: ``"text with 38 levels"``.
    chosen : bool
        Whether a person chose the role.
    formats : tuple of str
        How a date column of text writes its dates; empty otherwise.
    """

    name: str
    role: Role
    dtype: str
    missing: int
    levels: int
    why: str
    chosen: bool = False
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in its order.

    Attributes
    ----------
    columns : tuple of Column

    Examples
    --------
    >>> import polars as pl
    >>> from abline.tables import infer_schema
    >>> schema = infer_schema(pl.DataFrame({"size": [1.0, 2.0], "unit": ["m", "m"]}))
    >>> [(column.name, str(column.role), column.why) for column in schema.columns]
    [('size', 'number', 'numbers'), ('unit', 'constant', "'m' in every row")]
    """

    columns: tuple[Column, ...]

    @property
    def used(self) -> tuple[Column, ...]:
        """The columns that a model gets to see."""
        return tuple(column for column in self.columns if column.role.is_used)

    @property
    def by_role(self) -> dict[Role, tuple[str, ...]]:
        """The names of the columns of each role that occurs."""
        return {
            role: names
            for role in Role
            if (names := tuple(column.name for column in self.columns if column.role is role))
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each column that a person may want to know about."""
        return tuple(
            f"{column.name!r} is left out as {_AS[column.role]}: {column.why}"
            for column in self.columns
            if not column.role.is_used and not column.chosen
        ) + tuple(
            f"{column.name!r} is taken for a {column.role}: {column.why}"
            for column in self.used
            if column.chosen
        )

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Give plain data, which `from_dict` reads.

        Returns
        -------
        dict
            With one key, ``columns``.
        """
        columns = [asdict(column) for column in self.columns]
        for column in columns:
            column["role"] = str(column["role"])
            column["formats"] = list(column["formats"])
        return {"columns": columns}

    @classmethod
    def from_dict(cls, tree: dict[str, Any]) -> Self:
        """Make a schema from what `to_dict` gave.

        Parameters
        ----------
        tree : dict

        Returns
        -------
        Schema
        """
        return cls(
            tuple(
                Column(
                    **column | {"role": Role(column["role"]), "formats": tuple(column["formats"])}
                )
                for column in tree["columns"]
            )
        )


_AS = {
    Role.CONSTANT: "constant",
    Role.IDENTIFIER: "an identifier",
    Role.IGNORED: "unusable",
}
