"""A formula's right side with what it learnt from a table, ready for new rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abline.errors import DataError
from abline.linear.inference.columns import formula_columns
from abline.linear.inference.estimates import INTERCEPT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from formulaic import ModelSpec

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Design:
    """A formula's terms: its levels, knots and scales are those of the fitted table.

    Attributes
    ----------
    spec : formulaic.ModelSpec
        Of the right side.
    context : mapping
        Further names that the formula uses.
    columns : tuple of str
        Those of the table that the right side uses.
    used : array of int
        The rows of the table that were fitted.
    """

    spec: ModelSpec
    context: Mapping[str, Any]
    columns: tuple[str, ...]
    used: NDArray[np.intp]

    @property
    def fit_intercept(self) -> bool:
        """Whether the formula has an intercept."""
        return INTERCEPT in self.spec.column_names

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, without the intercept."""
        return tuple(name for name in self.spec.column_names if name != INTERCEPT)

    def rows(self, table: Any) -> tuple[Array, Mask]:
        """Turn new rows into features.

        Parameters
        ----------
        table : dataframe or dict of columns

        Returns
        -------
        features : array of shape (c, p)
            Of the rows without missing cells.
        complete : array of bool of shape (n,)

        Raises
        ------
        DataError
            If a column is missing, or has a level that was not there in the fit.
        """
        columns = formula_columns(table)
        for name in self.columns:
            if name not in columns.names:
                raise DataError(
                    f"the table has no column {name!r}, which the formula needs: add it"
                )
        frame, complete = columns.complete(self.columns)
        if not complete.any():
            return np.empty((0, len(self.features))), complete
        matrix, _ = evaluate(self.spec, frame, self.context)
        usable = np.isfinite(matrix).all(axis=1)
        complete[complete] = usable
        return without_intercept(matrix[usable], self.spec), complete


def evaluate(spec: ModelSpec, frame: Any, context: Mapping[str, Any]) -> tuple[Array, ModelSpec]:
    """Evaluate one side of a formula.

    Parameters
    ----------
    spec : formulaic.ModelSpec
    frame : pandas.DataFrame
        Without missing cells.
    context : mapping

    Returns
    -------
    matrix : array of shape (n, m)
    spec : formulaic.ModelSpec
        With what was learnt from the frame.

    Raises
    ------
    DataError
        If that fails, or a level was not there before.
    """
    from formulaic.errors import DataMismatchWarning, FormulaicError

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", DataMismatchWarning)
        try:
            matrix = spec.get_model_matrix(frame, context=dict(context))
            return np.asarray(matrix, dtype=np.float64), matrix.model_spec
        except DataMismatchWarning as warning:
            levels = str(warning).partition("{")[2].partition("}")[0]
            raise DataError(
                f"the table has levels that the fit has not seen ({levels}): leave those rows out, "
                "or fit rows that have them"
            ) from None
        except (FormulaicError, TypeError, ValueError) as error:
            said = " ".join(str(error).split()).rstrip(".")
            raise DataError(
                f"the formula cannot be evaluated ({said}): change that part of it"
            ) from error


def without_intercept(matrix: Array, spec: ModelSpec) -> Array:
    """Take out the column of ones that formulaic puts in.

    Parameters
    ----------
    matrix : array of shape (n, m)
    spec : formulaic.ModelSpec

    Returns
    -------
    array of shape (n, m - 1), or (n, m) where there is none
    """
    names = list(spec.column_names)
    if INTERCEPT not in names:
        return matrix
    place = names.index(INTERCEPT)
    return matrix[:, 1:] if place == 0 else np.delete(matrix, place, axis=1)
