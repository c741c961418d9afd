"""Arrays and JSON to one checksummed file and back, written whole or not at all.

Nothing in here knows a model: `Saveable` asks an object for its state as a tree of plain
values, `tree` parts the tree into JSON and arrays, `container` seals both in one file and
`atomic` puts the file in its place.
"""

from __future__ import annotations

from abline.store.atomic import atomic_write, check_writable
from abline.store.saveable import Content, Saveable, read_model

__all__ = ["Content", "Saveable", "atomic_write", "check_writable", "read_model"]
