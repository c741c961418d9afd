"""Tables: reading and writing them, what their columns are, and their columns as numbers.

Names are resolved on first use, so that checking arrays does not load polars.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abline.tables.encode import TableEncoder
    from abline.tables.frames import as_table
    from abline.tables.infer import infer_schema
    from abline.tables.read import ReadOptions, Table, load_table, read_table
    from abline.tables.schema import Column, Role, Schema
    from abline.tables.write import write_table

#: where each public name lives; the only list of them
_HOMES = {
    "Column": "schema",
    "ReadOptions": "read",
    "Role": "schema",
    "Schema": "schema",
    "Table": "read",
    "TableEncoder": "encode",
    "as_table": "frames",
    "infer_schema": "infer",
    "load_table": "read",
    "read_table": "read",
    "write_table": "write",
}

__all__ = [
    "Column",
    "ReadOptions",
    "Role",
    "Schema",
    "Table",
    "TableEncoder",
    "as_table",
    "infer_schema",
    "load_table",
    "read_table",
    "write_table",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value = getattr(import_module(f"abline.tables.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'abline.tables' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
