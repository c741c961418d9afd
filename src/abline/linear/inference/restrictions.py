"""Linear restrictions on terms: read from text, a mapping or a matrix."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abline.errors import ParameterError, did_you_mean

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Restrictions:
    """Linear combinations of terms, each said to have a value.

    Attributes
    ----------
    matrix : array of shape (q, m)
        One row a restriction, one column a term.
    values : array of shape (q,)
    name : str
        How they are written.
    """

    matrix: Array
    values: Array
    name: str


def read_restrictions(spec: Any, terms: Sequence[str]) -> Restrictions:
    """Read restrictions in any of the forms in which people write them.

    Parameters
    ----------
    spec : str, sequence of str, mapping from term to value, matrix, or pair of matrix and values
        Text such as ``"area = 2 * rooms, age = 0"``; without ``=`` a side is said to be zero.
        Names with characters that could be read as something else may stand in backticks.
    terms : sequence of str of length m

    Returns
    -------
    Restrictions

    Raises
    ------
    ParameterError
        If they cannot be read, are not linear, or name an unknown term.

    Examples
    --------
    >>> found = read_restrictions("area = 2 * rooms + 1, age", ["area", "rooms", "age"])
    >>> found.matrix, found.values
    (array([[ 1., -2.,  0.],
           [ 0.,  0.,  1.]]), array([1., 0.]))
    """
    if isinstance(spec, str):
        return _from_texts([spec], terms)
    if isinstance(spec, Mapping):
        return _from_texts([f"`{name}` = {float(value)!r}" for name, value in spec.items()], terms)
    if isinstance(spec, Sequence) and spec and all(isinstance(one, str) for one in spec):
        return _from_texts(spec, terms)
    return _from_matrix(spec, terms)


def _from_matrix(spec: Any, terms: Sequence[str]) -> Restrictions:
    pair = isinstance(spec, tuple) and len(spec) == 2 and np.ndim(spec[0]) >= 1
    given, right = spec if pair else (spec, 0.0)
    try:
        matrix = np.atleast_2d(np.asarray(given, dtype=np.float64))
        values = np.broadcast_to(np.asarray(right, dtype=np.float64).ravel(), len(matrix))
    except (TypeError, ValueError):
        raise ParameterError(
            "the restrictions are neither text nor numbers: write them as "
            "'area = 2 * rooms, age = 0', or as a matrix with one column a term"
        ) from None
    if matrix.ndim != 2 or matrix.shape[1] != len(terms):
        raise ParameterError(
            f"the matrix of restrictions has shape {matrix.shape} and there are {len(terms)} terms "
            f"({', '.join(terms[:6])}{', …' if len(terms) > 6 else ''}): give it a column for each"
        )
    return Restrictions(matrix, np.array(values), f"{len(matrix)} linear restrictions")


def _from_texts(texts: Sequence[str], terms: Sequence[str]) -> Restrictions:
    rows, values = [], []
    for text in texts:
        for equation in _hide_names(text, terms).split(","):
            sides = equation.replace("==", "=").split("=")
            if len(sides) > 2:
                raise ParameterError(
                    f"the restriction {text!r} has several signs of equality in one: write each "
                    "apart, as in 'area = rooms, rooms = 0'"
                )
            left, right = (_linear(side, terms, text) for side in [*sides, "0"][:2])
            rows.append(left[:-1] - right[:-1])
            values.append(right[-1] - left[-1])
    matrix = np.array(rows)
    if not matrix.any(axis=1).all():
        raise ParameterError(
            f"a restriction of {', '.join(texts)!r} names no term: name at least one"
        )
    return Restrictions(matrix, np.array(values), ", ".join(text.strip() for text in texts))


def _hide_names(text: str, terms: Sequence[str]) -> str:
    """Put words that Python can parse in place of terms, which may contain anything."""
    places = {name: place for place, name in enumerate(terms)}

    def hide(match: re.Match[str]) -> str:
        name = match[0].strip("`")
        if name not in places:
            raise _unknown(name, terms)
        return f"_{places[name]}_"

    longest_first = sorted(filter(None, terms), key=len, reverse=True)
    names = "|".join(map(re.escape, longest_first))
    return re.sub(rf"`[^`]*`|(?<![\w.:])(?:{names})(?![\w.:(\[])", hide, text)


def _linear(side: str, terms: Sequence[str], text: str) -> Array:
    """Give the coefficients of the terms, the constant last."""
    try:
        tree = ast.parse(side.strip(), mode="eval").body
    except SyntaxError:
        raise ParameterError(
            f"the restriction {text!r} cannot be read: write it as in 'area = 2 * rooms, age = 0', "
            "with names that have other characters between backticks"
        ) from None
    return _value(tree, terms, text)


def _value(node: ast.expr, terms: Sequence[str], text: str) -> Array:
    m = len(terms)
    match node:
        case ast.Constant(value=int() | float() as number):
            return np.append(np.zeros(m), float(number))
        case ast.Name(id=name) if re.fullmatch(r"_\d+_", name):
            return np.asarray(np.eye(m + 1)[int(name.strip("_"))])
        case ast.UnaryOp(op=ast.USub(), operand=inside):
            return np.negative(_value(inside, terms, text))
        case ast.UnaryOp(op=ast.UAdd(), operand=inside):
            return _value(inside, terms, text)
        case ast.BinOp(left=one, op=operation, right=other):
            a, b = _value(one, terms, text), _value(other, terms, text)
            match operation:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult() if not b[:-1].any():
                    return a * float(b[-1])
                case ast.Mult() if not a[:-1].any():
                    return b * float(a[-1])
                case ast.Div() if not b[:-1].any() and b[-1] != 0:
                    return a / float(b[-1])
            raise ParameterError(
                f"the restriction {text!r} is not linear: use sums of terms times numbers"
            )
    raise _unknown(_shown(node, terms), terms)


def _shown(node: ast.expr, terms: Sequence[str]) -> str:
    return re.sub(r"_(\d+)_", lambda match: terms[int(match[1])], ast.unparse(node))


def _unknown(name: str, terms: Sequence[str]) -> ParameterError:
    near = did_you_mean(name, terms)
    return ParameterError(
        f"there is no term {name!r}: {near or 'see params.labels for their names'}"
    )
