"""A tree of plain values and arrays as JSON and named arrays, and back, exactly.

JSON has fewer types than Python, so what it lacks is written as an object with the key
``"$"`` that says what it stands for::

    {"$": "array", "name": "fitted/coef_"}    an array, which is kept beside the JSON
    {"$": "array", ..., "order": "F"}         the same, transposed in the file
    {"$": "scalar", "name": "fitted/best_"}   a numpy scalar, kept as an array of no dimension
    {"$": "text", "shape": [2], "items": […]} an array of text
    {"$": "str_", "value": "auto"}            numpy's text scalar
    {"$": "tuple", "items": […]}              a tuple
    {"$": "float", "value": "nan"}            a float that is not finite
    {"$": "int", "value": "-0x8000…"}         an integer beyond 64 bits
    {"$": "dict", "items": [[key, …], …]}     a dictionary that has the key "$" itself

Whether an array lies by rows or by columns is kept, because a product with it may round
differently and predictions must come back bit for bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from abline.errors import DataError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]
    Path = tuple[str | int, ...]

#: levels of nesting; far below where the recursion of Python or of its JSON reader ends
MAX_DEPTH = 100

_HOLDS = "numbers, text, lists, tuples, dictionaries with text keys and numeric arrays"


def flatten(tree: Any) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Part a tree into JSON and arrays.

    Parameters
    ----------
    tree : dict, list, tuple, str, bool, int, float, None, array or numpy scalar
        Dictionaries have text keys; arrays are numeric (up to 64 bits, not complex) or, as
        objects, all text.

    Returns
    -------
    json : object
        Ready for ``json.dumps``, with no NaN or infinity in it.
    arrays : dict of str to array
        Each under its way through the tree, ``"fitted/coef_"``; C-contiguous.

    Raises
    ------
    DataError
        If there is anything else in it; the message names where.

    Examples
    --------
    >>> flatten({"coef_": np.array([1.0, 2.0]), "alpha": (0.5, float("inf"))})
    ({'coef_': {'$': 'array', 'name': 'coef_'},
      'alpha': {'$': 'tuple', 'items': [0.5, {'$': 'float', 'value': 'inf'}]}},
     {'coef_': array([1., 2.])})
    """
    writer = _Writer()
    return writer.encode(tree, ()), writer.arrays


def unflatten(json: Any, arrays: Arrays) -> Any:
    """Put together what `flatten` parted.

    Parameters
    ----------
    json : object
        As ``json.loads`` gives it.
    arrays : mapping of str to array

    Returns
    -------
    tree
        Equal to the one that was flattened, in types too.

    Raises
    ------
    ModelFileError
        If `flatten` can not have given this.

    Examples
    --------
    >>> unflatten({"$": "tuple", "items": [1, 2.0]}, {})
    (1, 2.0)
    """
    return _decode(json, arrays, 0)


class _Writer:
    """Collects the arrays while it goes down the tree."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}

    def encode(self, value: Any, path: Path) -> Any:
        if len(path) > MAX_DEPTH:
            raise DataError(
                f"{_where(path[:3])}… is nested more than {MAX_DEPTH} levels deep, which a model "
                "file cannot hold: flatten it before saving"
            )
        # the exact type, since a subclass (an enum, a masked array) would come back as less
        kind = type(value)
        if kind in _PLAIN:
            return _PLAIN[kind](value)
        if kind is dict:
            return self.mapping(value, path)
        if kind is list or kind is tuple:
            return self.sequence(value, path)
        if kind is np.ndarray:
            return self.array(value, path)
        if isinstance(value, np.number | np.bool) and _storable(value.dtype):
            return self.keep("scalar", np.asarray(value), path)
        raise _refusal(value, path)

    def mapping(self, value: dict[Any, Any], path: Path) -> Any:
        for key in value:
            if type(key) is not str:
                raise DataError(
                    f"{_where(path)} has the key {key!r}, which is not text: "
                    "a model file cannot hold it, so rename it before saving"
                )
        items = {key: self.encode(item, (*path, key)) for key, item in value.items()}
        if "$" not in items:
            return items
        return {"$": "dict", "items": [[key, item] for key, item in items.items()]}

    def sequence(self, value: list[Any] | tuple[Any, ...], path: Path) -> Any:
        items = [self.encode(item, (*path, i)) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"$": "tuple", "items": items}

    def array(self, value: NDArray[Any], path: Path) -> Any:
        if value.dtype.kind == "O" and all(type(item) is str for item in value.flat):
            return {"$": "text", "shape": list(value.shape), "items": value.ravel().tolist()}
        if not _storable(value.dtype):
            raise _refusal(value, path)
        return self.keep("array", value, path)

    def keep(self, marker: str, value: NDArray[Any], path: Path) -> dict[str, str]:
        """Put an array beside the JSON, under a name that no other has."""
        name = "/".join(str(step) for step in path) or "array"
        name = wanted = name.encode("utf-8", "backslashreplace").decode("utf-8")
        number = 1
        while name in self.arrays or name == "__metadata__":  # that one is the format's own
            number += 1
            name = f"{wanted}#{number}"
        by_columns = value.flags.f_contiguous and not value.flags.c_contiguous
        self.arrays[name] = np.asarray(value.T if by_columns else value, order="C")
        node = {"$": marker, "name": name}
        return {**node, "order": "F"} if by_columns else node


def _integer(value: int) -> Any:
    return value if -(2**63) <= value < 2**64 else {"$": "int", "value": hex(value)}


def _real(value: float) -> Any:
    return value if math.isfinite(value) else {"$": "float", "value": repr(value)}


_PLAIN: dict[type, Callable[[Any], Any]] = {
    type(None): lambda value: value,
    bool: lambda value: value,
    str: lambda value: value,
    int: _integer,
    float: _real,
    # not str(value), which drops null characters from its end
    np.str_: lambda value: {"$": "str_", "value": "".join(value)},
}


def _storable(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "biuf" and dtype.itemsize <= 8


def _refusal(value: Any, path: Path) -> DataError:
    kind = type(value).__name__
    if isinstance(value, np.ndarray | np.generic):
        kind = f"{kind} of {value.dtype}"
    return DataError(
        f"{_where(path)} is a {kind}, which a model file cannot hold (it holds {_HOLDS}): "
        "set it to something plain before saving, or pickle the object"
    )


def _where(path: Path) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(steps).removeprefix(".") or "the state"


def _decode(node: Any, arrays: Arrays, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _malformed()
    if isinstance(node, list):
        return [_decode(item, arrays, depth + 1) for item in node]
    if not isinstance(node, dict):
        return node
    if "$" not in node:
        return {key: _decode(item, arrays, depth + 1) for key, item in node.items()}
    decoder = _DECODERS.get(node["$"]) if isinstance(node["$"], str) else None
    if decoder is None:
        raise _malformed()
    try:
        return decoder(node, arrays, depth)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise _malformed() from error


def _malformed() -> ModelFileError:
    return ModelFileError("its content is not what abline writes: save the model again")


def _read_array(node: dict[str, Any], arrays: Arrays, _: int) -> Any:
    stored = arrays[node["name"]]
    return stored.T if node.get("order") == "F" else stored


def _read_scalar(node: dict[str, Any], arrays: Arrays, _: int) -> Any:
    stored = arrays[node["name"]]
    if stored.ndim:
        raise ValueError("a scalar has no dimension")
    return stored[()]


def _read_text(node: dict[str, Any], _: Arrays, __: int) -> Any:
    items, shape = node["items"], node["shape"]
    if not isinstance(items, list) or not isinstance(shape, list):
        raise TypeError("items and shape are lists")
    if not all(isinstance(item, str) for item in items):
        raise TypeError("an array of text holds text alone")
    flat = np.empty(len(items), dtype=object)
    flat[:] = items
    return flat.reshape(shape)


def _read_items(node: dict[str, Any], arrays: Arrays, depth: int) -> list[Any]:
    items = node["items"]
    if not isinstance(items, list):
        raise TypeError("items are a list")
    return [_decode(item, arrays, depth + 1) for item in items]


def _read_dict(node: dict[str, Any], arrays: Arrays, depth: int) -> dict[str, Any]:
    items = {}
    for key, item in node["items"]:
        if not isinstance(key, str):
            raise TypeError("keys are text")
        items[key] = _decode(item, arrays, depth + 1)
    return items


def _read_str(node: dict[str, Any], _: Arrays, __: int) -> Any:
    if not isinstance(node["value"], str):
        raise TypeError("text expected")
    return np.str_(node["value"])


_DECODERS: dict[str, Callable[[dict[str, Any], Arrays, int], Any]] = {
    "array": _read_array,
    "scalar": _read_scalar,
    "text": _read_text,
    "str_": _read_str,
    "tuple": lambda node, arrays, depth: tuple(_read_items(node, arrays, depth)),
    "float": lambda node, _, __: float(node["value"]),
    "int": lambda node, _, __: int(node["value"], 16),
    "dict": _read_dict,
}
