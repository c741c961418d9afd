"""What comes in as X, y and weights: every kind of array, and each fault named once."""

from decimal import Decimal

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from sklearn.base import BaseEstimator

from abline.errors import CellTypeError, DataError
from abline.tables.arrays import check_features, check_target, check_training, check_weights
from abline.tables.conversion import eager_frame, from_tensor, is_dataframe


class Fitted(BaseEstimator):
    """Something to remember the features on."""


ROWS = [[1.0, 4.0], [2.0, 5.0], [3.0, 6.5]]
FRAME = {"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.5]}


@pytest.mark.parametrize(
    "X",
    [
        ROWS,
        tuple(map(tuple, ROWS)),
        np.array(ROWS),
        np.asfortranarray(ROWS),
        np.array(ROWS, dtype=">f8"),
        np.array(ROWS, dtype=object),
        torch.tensor(ROWS, dtype=torch.float64, requires_grad=True),
        pd.DataFrame(FRAME),
        pd.DataFrame({"a": pd.array([1, 2, 3], "Int64"), "b": FRAME["b"]}),
        pl.DataFrame(FRAME),
        nw.from_native(pl.DataFrame(FRAME)),
        pa.table(FRAME),
        pl.DataFrame({"a": [Decimal(1), Decimal(2), Decimal(3)], "b": FRAME["b"]}),
    ],
    ids=lambda X: f"{type(X).__module__}.{type(X).__name__}",
)
def test_features_of_every_kind(X):
    data = check_training(Fitted(), X, [1, 2, 3])
    assert data.X.dtype == np.float64
    np.testing.assert_array_equal(data.X, ROWS)


@pytest.mark.parametrize("y", [[1, 2, 3], (1.0, 2.0, 3.0), range(1, 4), np.array([1, 2, 3], "u1")])
@pytest.mark.parametrize("to", [lambda y: y, lambda y: pl.Series(list(y)), pd.Series])
def test_targets_of_every_kind(y, to):
    data = check_training(Fitted(), ROWS, to(y))
    assert (data.y.shape, data.y_ndim, data.y.dtype) == ((3, 1), 1, np.float64)
    np.testing.assert_array_equal(data.y[:, 0], [1.0, 2.0, 3.0])


def test_truth_values_are_numbers():
    frame = pl.DataFrame({"yes": [True, False], "x": [1, 2]})
    np.testing.assert_array_equal(check_training(Fitted(), frame, [0, 1]).X, [[1, 1], [0, 2]])
    np.testing.assert_array_equal(check_target([True, False]), [1.0, 0.0])


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 2)])
def test_targets_keep_their_dimensions(shape):
    data = check_training(Fitted(), ROWS, np.arange(np.prod(shape)).reshape(shape))
    assert data.y.shape == (3, shape[1] if len(shape) == 2 else 1)
    assert data.y_ndim == len(shape)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_precision_is_kept(dtype):
    assert check_training(Fitted(), np.array(ROWS, dtype), [1, 2, 3]).X.dtype == dtype
    columns = {name: np.array(cells, dtype) for name, cells in FRAME.items()}
    assert check_training(Fitted(), pd.DataFrame(columns), [1, 2, 3]).X.dtype == dtype


def test_features_are_remembered_and_checked():
    model = Fitted()
    check_training(model, pd.DataFrame(FRAME), [1, 2, 3])
    assert (model.n_features_in_, list(model.feature_names_in_)) == (2, ["a", "b"])
    check_features(model, pl.DataFrame(FRAME))
    with pytest.raises(DataError, match="seen at fit time"):
        check_features(model, pl.DataFrame({"a": [1.0], "c": [1.0]}))
    with pytest.raises(DataError, match="unseen at fit time: - c"):
        check_features(model, pl.DataFrame({"a": [1.0], "b": [1.0], "c": [1.0]}))
    # further training rows are held to the same names, and leave them as they are
    with pytest.raises(DataError, match="seen at fit time"):
        check_training(model, pl.DataFrame({"c": [1.0], "a": [1.0]}), [1.0], reset=False)
    assert list(model.feature_names_in_) == ["a", "b"]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            [[1.0, np.nan], [1.0, 2.0]],
            "column 1 of X has 1 missing .*contains NaN, first in row 0",
        ),
        (np.array([[1.0], [-np.inf]]), "column 0 of X has 1 .*contains infinity, first in row 1"),
        (pl.DataFrame({"a": [1, 2], "b": [1, None]}), "column 'b' has 1 .* NaN, first in row 1"),
        (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), "column 'b' holds 'x', .* not a number"),
        ([["x"], ["y"]], "'x'"),
        ([1.0, 2.0], "Reshape your data"),
        (np.ones((2, 2, 2)), "3D array"),
        (np.ones((0, 2)), "0 sample"),
        (np.ones((2, 0)), "0 feature"),
        (pl.DataFrame(), "no columns"),
        (np.array([[1j], [2.0]]), "Complex data not supported"),
        (scipy.sparse.csr_array(np.eye(2)), "Sparse data"),
        (pl.DataFrame({"a": [1, 2]}).lazy(), "call .collect"),
        (np.array([[{"a": 1}], [2.0]], dtype=object), "argument must be"),
    ],
)
def test_features_that_cannot_be_used(X, message):
    with pytest.raises(DataError, match=message) as caught:
        check_training(Fitted(), X, [1.0, 2.0])
    assert "\n" not in str(caught.value)


def test_a_cell_of_a_wrong_kind_is_a_type_error_too():
    with pytest.raises(TypeError) as caught:
        check_training(Fitted(), np.array([[{"a": 1}], [2.0]], dtype=object), [1.0, 2.0])
    assert isinstance(caught.value, CellTypeError)


def test_cells_whose_sum_overflows_are_finite():
    assert check_training(Fitted(), np.full((3, 2), 1.5e308), [1, 2, 3]).X.shape == (3, 2)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        ([1.0, 2.0], "X has 3 rows and y has 2"),
        (["a", "b", "c"], "the target y holds 'a', which is not a number"),
        ([1.0, None, 3.0], "row 1|not a number"),
        ([1.0, 2.0, np.inf], "1 missing or infinite .* first in row 2"),
        (pl.Series([1, None, 3]), "1 missing or infinite .* first in row 1"),
        (np.ones((3, 0)), "y has no column"),
        (np.ones((3, 1, 1)), "y has 3 dimensions"),
        (5.0, "y has 0 dimensions"),
        ([1j, 2.0, 3.0], "Complex data not supported"),
        (pl.DataFrame({"y": [1, 2, 3]}).lazy(), "call .collect"),
    ],
)
def test_targets_that_cannot_be_used(y, message):
    with pytest.raises(DataError, match=message):
        check_training(Fitted(), ROWS, y)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (None, None),
        ([1, 2, 0], [1.0, 2.0, 0.0]),
        (np.float32(2), [2.0, 2.0, 2.0]),
        (pl.Series([1, 2, 3]), [1.0, 2.0, 3.0]),
        (pl.DataFrame({"w": [1, 2, 3]}), [1.0, 2.0, 3.0]),
        (torch.tensor([1.0, 2.0, 3.0], requires_grad=True), [1.0, 2.0, 3.0]),
    ],
)
def test_weights_of_every_kind(weights, expected):
    got = check_weights(weights, 3)
    assert (got is None) == (expected is None)
    if expected is not None:
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0], "2 values for 3 rows"),
        (np.ones((3, 2)), "1D array or scalar"),
        ([1.0, -2.0, 1.0], "sample_weight is -2.0 in row 1"),
        ([1.0, 2.0, np.nan], "sample_weight is nan in row 2"),
        ([0.0, 0.0, 0.0], "zero in every row"),
        (["a", "b", "c"], "sample_weight holds 'a'"),
    ],
)
def test_weights_that_cannot_be_used(weights, message):
    with pytest.raises(DataError, match=message):
        check_weights(weights, 3)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(torch.float64, "f8"), (torch.float16, "f2"), (torch.bfloat16, "f4"), (torch.int32, "i4")],
)
def test_tensors_become_arrays(dtype, expected):
    array = from_tensor(torch.tensor([1, 2]).to(dtype))
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.dtype(expected)
    np.testing.assert_array_equal(array, [1, 2])


def test_anything_else_stays_what_it_is():
    thing = object()
    assert from_tensor(thing) is thing


@pytest.mark.parametrize(
    ("value", "expected"),
    [(pl.DataFrame(), True), (pl.LazyFrame(), False), (pd.DataFrame(), True), ([[1]], False)],
)
def test_what_is_a_dataframe(value, expected):
    assert is_dataframe(value) == expected


def test_what_is_no_eager_frame():
    with pytest.raises(DataError, match="a list is not a dataframe"):
        eager_frame([1, 2])
    with pytest.raises(DataError, match=r"call .collect"):
        eager_frame(pl.LazyFrame({"a": [1]}))
