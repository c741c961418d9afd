"""Whatever a person passes as X and y, checked.

Numpy arrays, torch tensors (with gradients, in bfloat16, on a GPU), nested lists and any
eager dataframe that narwhals knows all come in here, are checked once, and leave as plain
arrays; the estimators behind need no checks of their own. SciPy's sparse matrices stay sparse for
those estimators that say they take them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from abline.errors import CellTypeError, DataError
from abline.tables.conversion import (
    Floats,
    as_floats,
    eager_frame,
    frame_to_numpy,
    from_tensor,
    is_dataframe,
    is_sparse,
    series_to_numpy,
)

_DOUBLE_OR_SINGLE = (np.dtype(np.float64), np.dtype(np.float32))


@dataclass(frozen=True)
class TrainingArrays:
    """Checked training data.

    Attributes
    ----------
    X : array of shape (n, p), float16, float32 or float64 as it came (integers as float64)
        Or a sparse one by rows or columns (CSR, CSC), where the estimator takes such.
    y : array of shape (n, t), float64, or float32 where it came so
    sample_weight : array of shape (n,), float64, or None where every row counts the same
    y_ndim : int
        1 where y came as (n,), 2 where it came as (n, t): predictions take the same shape.
    """

    X: Any
    y: Floats
    sample_weight: Floats | None
    y_ndim: int


def check_training(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    reset: bool = True,
    accept_sparse: bool = False,
    finite: bool = True,
) -> TrainingArrays:
    """Check training data and remember the features' number and names on the estimator.

    Parameters
    ----------
    estimator : object
        Gets ``n_features_in_`` and, for a dataframe, ``feature_names_in_``.
    X : array, tensor or dataframe of shape (n, p)
    y : array, tensor, series or dataframe of shape (n,) or (n, t)
    sample_weight : array of shape (n,), optional
        None negative.
    reset : bool, default=True
        False for further rows (a validation set), whose features must match those fitted.
    accept_sparse : bool, default=False
        Whether X may be a sparse matrix or array of SciPy's.
    finite : bool, default=True
        False where the caller sees NaN and infinities in X for itself, in a pass over the cells
        that it makes anyway, and then calls `check_finite`.

    Returns
    -------
    TrainingArrays

    Raises
    ------
    DataError
        If something is missing, infinite, not a number, or of another length.
    """
    if y is None:
        raise DataError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target "
            "y is None: pass one number per row of X"
        )
    features = _features(estimator, X, reset=reset, accept_sparse=accept_sparse, finite=finite)
    target = check_target(y)
    n_rows = features.shape[0]
    if len(target) != n_rows:
        raise DataError(
            f"X has {n_rows} rows and y has {len(target)}: Found input variables with inconsistent "
            f"numbers of samples: [{n_rows}, {len(target)}], pass one y per row"
        )
    weights = check_weights(sample_weight, n_rows)
    y_ndim = target.ndim
    return TrainingArrays(features, target.reshape(len(target), -1), weights, y_ndim)


def check_features(estimator: Any, X: Any, *, accept_sparse: bool = False) -> Any:
    """Check rows to predict against the features that an estimator was fitted on.

    Parameters
    ----------
    estimator : object
        Fitted; a dataframe must have its feature names, in its order.
    X : array, tensor or dataframe of shape (n, p)
    accept_sparse : bool, default=False
        Whether X may be a sparse matrix or array of SciPy's.

    Returns
    -------
    array of shape (n, p), float16, float32 or float64 as it came (integers as float64)
        Or a sparse one by rows or columns.

    Raises
    ------
    DataError
        If the features do not match, or a cell is missing, infinite or not a number.
    """
    return _features(estimator, X, reset=False, accept_sparse=accept_sparse, finite=True)


def check_table(X: Any) -> Any:
    """Check the features of rows that no estimator asks for; their cells are not looked at.

    Parameters
    ----------
    X : array, tensor, dataframe or sparse matrix of shape (n, p)

    Returns
    -------
    array, or sparse matrix by rows or columns, of shape (n, p), float32 or float64

    Raises
    ------
    DataError
        If it has not two dimensions, no row or no column, or holds anything but numbers.
    """
    if _is_plain(X):
        return X
    from sklearn.base import BaseEstimator

    return _features(BaseEstimator(), X, reset=True, accept_sparse=True, finite=False)


def check_target(y: Any) -> Floats:
    """Check a target: numbers only, every one finite.

    Parameters
    ----------
    y : array, tensor, series or dataframe of shape (n,) or (n, t)

    Returns
    -------
    array of shape (n,) or (n, t)

    Raises
    ------
    DataError
        If it is text, missing, infinite, or has more than two dimensions.
    """
    raw = np.asarray(from_tensor(series_to_numpy(y)))
    if raw.ndim not in (1, 2):
        raise DataError(
            f"y has {raw.ndim} dimensions: y should be a 1d array of shape (n,), "
            "or (n, targets) for several targets"
        )
    target = as_floats(raw, "the target y")
    if raw.ndim == 2 and raw.shape[1] == 0:
        raise DataError("y has no column: pass at least one target")
    bad = ~np.isfinite(target)
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        raise DataError(
            f"the target y has {int(bad.sum())} missing or infinite values (NaN or inf), the first "
            f"in row {row}: leave those rows out"
        )
    return target


def check_weights(sample_weight: Any, n_rows: int) -> Floats | None:
    """Check the weights of rows.

    Parameters
    ----------
    sample_weight : array of shape (n,), a number, or None
    n_rows : int

    Returns
    -------
    array of shape (n,), float64, or None

    Raises
    ------
    DataError
        If a weight is negative or not finite, all are zero, or their number is not that
        of the rows.
    """
    if sample_weight is None:
        return None
    weights = as_floats(
        np.asarray(from_tensor(series_to_numpy(sample_weight))), "sample_weight"
    ).astype(np.float64)
    if weights.ndim == 0:
        weights = np.full(n_rows, float(weights))
    if weights.ndim == 2 and weights.shape[1] == 1 and is_dataframe(sample_weight):
        weights = weights[:, 0]
    if weights.ndim != 1:
        raise DataError("Sample weights must be 1D array or scalar: pass one weight per row")
    if len(weights) != n_rows:
        raise DataError(
            f"sample_weight has {len(weights)} values for {n_rows} rows "
            f"(sample_weight.shape == {weights.shape}, expected {(n_rows,)}): pass one per row"
        )
    wrong = ~np.isfinite(weights) | (weights < 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"sample_weight is {weights[row]} in row {row}: weights must be finite and not negative"
        )
    if not weights.any():
        raise DataError("sample_weight is zero in every row: give at least one row a weight")
    return weights


def check_finite(X: Any, names: Any = None) -> None:
    """Refuse cells that are missing or infinite, and say where the first is.

    Parameters
    ----------
    X : array, or sparse matrix or array, of shape (n, p)
    names : array of str of shape (p,), optional
        The columns', for the message.

    Raises
    ------
    DataError
        If there is such a cell.
    """
    cells = X.data if is_sparse(X) else X
    with np.errstate(over="ignore", invalid="ignore"):
        total = cells.sum()
    if np.isfinite(total):  # one pass; a sum is finite only if every term is
        return
    bad = ~np.isfinite(cells)
    if not bad.any():
        return
    if is_sparse(X):
        places = X.tocoo()
        row, column = int(places.row[bad][0]), int(places.col[bad][0])
        value, count = cells[bad][0], int((places.col[bad] == column).sum())
    else:
        row, column = (int(i) for i in np.argwhere(bad)[0])
        value, count = cells[row, column], int(bad[:, column].sum())
    name = f"column {names[column]!r}" if names is not None else f"column {column} of X"
    what = "NaN" if np.isnan(value) else "infinity"
    raise DataError(
        f"{name} has {count} missing or infinite cells (contains {what}, first "
        f"in row {row}): fill or drop them, or use TableRegressor, which takes missing cells"
    )


def _features(estimator: Any, X: Any, *, reset: bool, accept_sparse: bool, finite: bool) -> Any:
    if reset and _is_plain(X):
        # what follows would find nothing wrong, in a time longer than that of a small fit
        estimator.n_features_in_ = X.shape[1]
        if hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
        if finite:
            check_finite(X)
        return X
    from sklearn.utils.validation import validate_data

    if isinstance(X, nw.DataFrame | nw.LazyFrame):
        X = nw.to_native(X)
    X = from_tensor(X)
    try:
        if hasattr(X, "collect") or is_dataframe(X):
            frame = eager_frame(X)
            array = frame_to_numpy(frame)
            names: Any = X
            validate_data(estimator, X=names, reset=reset, skip_check_array=True)
        else:
            _check_two_dimensions(X)
            array = validate_data(
                estimator,
                X=X,
                reset=reset,
                accept_sparse=("csr", "csc") if accept_sparse else False,
                dtype=[np.float64, np.float32, np.float16],
                ensure_all_finite=False,
            )
            names = None
    except DataError:
        raise
    except (TypeError, ValueError) as error:
        # scikit-learn's sentences are good; its line breaks and arrays are not
        kind = CellTypeError if isinstance(error, TypeError) else DataError
        raise kind(_one_sentence(error)) from error
    if array.shape[0] == 0:
        raise DataError("X has no rows (0 sample(s)) while a minimum of 1 is required: pass some")
    if array.shape[1] == 0:
        raise DataError("X has 0 feature(s) while a minimum of 1 is required: pass some columns")
    if finite:
        check_finite(array, getattr(estimator, "feature_names_in_", None))
    return array


def _is_plain(X: Any) -> bool:
    """Say whether X is a table of floats and nothing else, and has a cell."""
    return type(X) is np.ndarray and X.ndim == 2 and X.dtype in _DOUBLE_OR_SINGLE and X.size > 0


def _check_two_dimensions(X: Any) -> None:
    if isinstance(X, str | Path):
        raise DataError(f"X is the name {str(X)!r}: read it first, with abline.read_table")
    if isinstance(X, np.ndarray) and X.ndim != 2:
        raise DataError(
            f"Expected 2D array, got {X.ndim}D array instead, where X is rows by features. Reshape "
            "your data with X.reshape(-1, 1) for one feature or X.reshape(1, -1) for one row"
        )


def _one_sentence(error: Exception) -> str:
    """Take the arrays out of one of scikit-learn's messages."""
    lines = [line.strip() for line in str(error).splitlines()]
    return " ".join(line for line in lines if line and not line.startswith(("array", "[", "dtype")))
