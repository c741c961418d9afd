"""Formulas such as ``price ~ log(area) + C(district)``, read and evaluated by formulaic.

A formula is code: what stands in it is evaluated by Python, on the table's columns, formulaic's
own functions and what a caller names in ``context``.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError, ParameterError, did_you_mean
from abline.linear.inference.clusters import label_columns, labels
from abline.linear.inference.columns import column_or_array, formula_columns
from abline.linear.inference.design import Design, evaluate, without_intercept

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = NDArray[np.float64]

_EXAMPLE = "'price ~ log(area) + C(district)'"


@dataclass(frozen=True)
class FormulaTable:
    """What a formula makes of the complete rows of a table.

    Attributes
    ----------
    design : Design
    X : array of shape (n, p)
        Without a column for the intercept.
    y : array of shape (n,)
    target_name : str
        The left side.
    weights : array of shape (n,), or None
    groups : array of shape (n,), list of two, or None
    notes : tuple of str
        What was left out.
    """

    design: Design
    X: Array
    y: Array
    target_name: str
    weights: NDArray[Any] | None
    groups: Any
    notes: tuple[str, ...]


def read_formula(
    formula: str, table: Any, *, groups: Any, sample_weight: Any, context: Mapping[str, Any]
) -> FormulaTable:
    """Evaluate a formula on a table.

    Parameters
    ----------
    formula : str
        Target and terms, in Wilkinson's notation.
    table : dataframe or dict of columns
    groups, sample_weight : arrays, names of columns, or None
        Rows where one is missing are left out as well.
    context : mapping
        Further names that the formula may use.

    Returns
    -------
    FormulaTable

    Raises
    ------
    ParameterError
        If the formula cannot be read, or uses a name that is not there.
    DataError
        If a column cannot be used, or no row is complete.
    """
    columns = formula_columns(table)
    parsed = _parse(formula, columns.names)
    needed = _needed(parsed, columns.names, context)
    n_rows = columns.table.height
    weights = column_or_array(sample_weight, columns.table, "sample_weight")
    groups = column_or_array(groups, columns.table, "groups")
    further = [labels(weights)] if weights is not None else []
    ways = label_columns(groups, n_rows) if groups is not None else []
    frame, complete = columns.complete(needed, [*further, *ways])
    if not complete.any():
        raise DataError("no row of the table has all the cells that the formula needs: fill some")
    y, X, design, name = _matrices(formula, parsed, frame, context)
    usable = ~(np.isnan(X).any(axis=1) | np.isnan(y[:, 0]))
    used = np.flatnonzero(complete)[usable]
    if len(used) == 0:
        raise DataError(f"no row of the table gives {formula!r} a number for each part: fill some")
    if len(used) < len(X):
        X, y = X[usable], y[usable]
    _refuse_infinite(y, [name], used)
    _refuse_infinite(X, list(design.features), used)
    own = [way[used] for way in ways]
    right = _names(parsed.rhs, columns.names)
    return FormulaTable(
        Design(design.spec, context, tuple(n for n in needed if n in right), used),
        X,
        y[:, 0],
        name,
        further[0][used] if further else None,
        own if len(own) > 1 else own[0] if own else None,
        _left_out(n_rows - int(complete.sum()), int(complete.sum()) - len(used)),
    )


def _parse(formula: str, names: tuple[str, ...]) -> Any:
    from formulaic import Formula
    from formulaic.errors import FormulaParsingError

    try:
        parsed = Formula(formula, _context={"__formulaic_variables_available__": list(names)})
    except FormulaParsingError as error:
        said = str(error).splitlines()[0].rstrip(".")
        raise ParameterError(
            f"the formula {formula!r} cannot be read ({said}): write it as in {_EXAMPLE}"
        ) from None
    sides = [getattr(parsed, side, None) for side in ("lhs", "rhs")]
    if any(side is None or isinstance(side, tuple) or len(side) == 0 for side in sides):
        raise ParameterError(
            f"the formula {formula!r} does not say what to fit on what: write one target, ~, and "
            f"its terms, as in {_EXAMPLE}"
        )
    return parsed


def _needed(parsed: Any, names: tuple[str, ...], context: Mapping[str, Any]) -> tuple[str, ...]:
    """Find the columns that a formula uses, and refuse a name that nothing has."""
    from formulaic.transforms import TRANSFORMS

    known = {*context, *TRANSFORMS, *dir(builtins)}
    used: dict[str, None] = {}
    for name in [*_names(parsed.lhs, names), *_names(parsed.rhs, names)]:
        if name in names:
            used[name] = None
        elif name not in known:
            near = did_you_mean(name, names) or "name a column, or give a function by context="
            raise ParameterError(
                f"the formula uses {name!r}, which is no column of the table: {near}"
            )
    return tuple(used)


def _names(side: Any, columns: tuple[str, ...]) -> list[str]:
    """Give the names that a side of a formula uses, in their order."""
    found: list[str] = []
    for term in side:
        for factor in term.factors:
            if factor.eval_method.value == "lookup":
                found.append(factor.expr)
            elif factor.eval_method.value == "python":
                found.extend(_names_in_code(factor.expr, columns))
    return found


def _names_in_code(code: str, columns: tuple[str, ...]) -> list[str]:
    found = [name for name in columns if f"`{name}`" in code]
    for name in found:
        code = code.replace(f"`{name}`", "0")
    try:
        tree = ast.parse(code.strip(), mode="eval")
    except SyntaxError:
        return found
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.Constant) and node.value in columns:  # Q("a name")
            found.append(str(node.value))
    return found


def _matrices(
    formula: str, parsed: Any, frame: Any, context: Mapping[str, Any]
) -> tuple[Array, Array, Design, str]:
    from formulaic import ModelSpec
    from formulaic.materializers import NAAction

    options: dict[str, Any] = {"na_action": NAAction.IGNORE, "output": "numpy"}
    y, left = evaluate(ModelSpec(formula=parsed.lhs, **options), frame, context)
    X, right = evaluate(ModelSpec(formula=parsed.rhs, **options), frame, context)
    if y.shape[1] != 1:
        raise ParameterError(
            f"the left side of {formula!r} makes {y.shape[1]} columns: name one target of numbers"
        )
    design = Design(right, context, (), np.empty(0, dtype=np.intp))
    if not design.features:
        raise ParameterError(
            f"the formula {formula!r} has no term but a constant: name at least one"
        )
    return y, without_intercept(X, right), design, str(left.column_names[0])


def _refuse_infinite(cells: Array, names: list[str], used: NDArray[np.intp]) -> None:
    infinite = np.isinf(cells)
    if infinite.any():
        row, column = (int(i) for i in np.argwhere(infinite)[0])
        raise DataError(
            f"{names[column]!r} is infinite in row {int(used[row])} (a logarithm of zero?): leave "
            "such rows out, or write the term so that it is finite"
        )


def _left_out(missing: int, undefined: int) -> tuple[str, ...]:
    said = []
    if missing:
        were = "row with missing cells was" if missing == 1 else "rows with missing cells were"
        said.append(f"{missing:,} {were} left out.")
    if undefined:
        were = "row was" if undefined == 1 else "rows were"
        said.append(
            f"{undefined:,} {were} left out for which the formula has no value (a logarithm or "
            "root of a negative number?)."
        )
    return tuple(said)
