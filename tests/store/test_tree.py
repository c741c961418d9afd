import enum
import json
import math
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from abline.errors import DataError, ModelFileError
from abline.store.container import pack, unpack
from abline.store.tree import MAX_DEPTH, flatten, unflatten

NUMERIC = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="="),
    hnp.unsigned_integer_dtypes(endianness="="),
    hnp.floating_dtypes(endianness="=", sizes=(16, 32, 64)),
)
ARRAY = hnp.arrays(NUMERIC, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
TEXT = st.text() | st.sampled_from(["$", "__metadata__", "a/b", "a", "b", "\ud800", "array"])
TEXTS = hnp.arrays(object, hnp.array_shapes(min_dims=0, min_side=0, max_side=3), elements=TEXT)
LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**62, max_value=2**70),
    st.floats(),
    TEXT,
    TEXT.map(np.str_),
    ARRAY,
    ARRAY.map(np.asfortranarray).filter(lambda a: a.ndim > 1),
    TEXTS,
    NUMERIC.flatmap(hnp.from_dtype),
)
TREE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(TEXT, inner, max_size=4),
    ),
    max_leaves=12,
)


def identical(a, b):
    """Equal in value, type, order and the bits of every number."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, np.ndarray) and a.dtype == object:
        return b.dtype == object and a.shape == b.shape and identical(list(a.flat), list(b.flat))
    if isinstance(a, np.ndarray | np.number | np.bool):
        layout = not isinstance(a, np.ndarray) or a.flags.f_contiguous == b.flags.f_contiguous
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() and layout
    if isinstance(a, float) and not isinstance(a, np.generic):
        return repr(a) == repr(b)
    return a == b


def through_a_file(tree):
    json_tree, arrays = flatten(tree)
    content, arrays = unpack(pack({"format": 1, "state": json_tree}, arrays))
    return unflatten(content["state"], arrays)


@settings(max_examples=300, deadline=None)
@given(TREE)
def test_any_tree_comes_back_identical(tree):
    assert identical(through_a_file(tree), tree)


@pytest.mark.parametrize(
    "tree",
    [
        True,
        1,
        1.0,
        -0.0,
        math.nan,
        -math.inf,
        10**5000,
        -(2**63) - 1,
        2**64,
        (),
        [(), {}, []],
        {"$": "tuple", "items": [1]},
        {"$": {"$": ("$",)}},
        np.float32(0.1),
        np.float16("nan"),
        np.uint8(255),
        np.bool(True),
        np.str_("auto"),
        np.str_("a\0"),
        np.array(["b", "a"], dtype=object),
        np.array("b", dtype=object),
        np.empty((0, 2), dtype=object),
    ],
    ids=lambda tree: type(tree).__name__,
)
def test_types_that_json_lacks_come_back(tree):
    assert identical(through_a_file(tree), tree)


def test_json_has_no_nan_and_reads_as_written():
    text = json.dumps(flatten({"a": [math.nan, (math.inf, 0.1)]})[0], allow_nan=False)
    assert json.loads(text) == {
        "a": [
            {"$": "float", "value": "nan"},
            {"$": "tuple", "items": [{"$": "float", "value": "inf"}, 0.1]},
        ]
    }


def test_arrays_get_the_names_of_their_places():
    tree = {
        "a": {"b": np.zeros(1)},
        "a/b": np.ones(2),
        "c": [np.zeros(3)],
        "__metadata__": np.ones(4),
    }
    _, arrays = flatten(tree)
    sizes = {name: array.size for name, array in arrays.items()}
    assert sizes == {"a/b": 1, "a/b#2": 2, "c/0": 3, "__metadata__#2": 4}
    assert identical(through_a_file(tree), tree)


def test_products_are_bit_identical_whatever_the_layout():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 50))
    for weights in (rng.normal(size=(50, 7)), rng.normal(size=(7, 50)).T):
        assert np.array_equal(X @ through_a_file(weights), X @ weights)
        assert through_a_file(weights).strides == weights.strides


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    "value",
    [
        Fraction(1, 2),
        {1, 2},
        b"bytes",
        1j,
        Colour.RED,
        np.complex128(1j),
        np.longdouble(1),
        np.array([1j]),
        np.array(["a", 1], dtype=object),
        np.array(["a"]),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.zeros(2, dtype=[("a", "f8")]),
        np.ma.array([1.0], mask=[True]),
        np.random.RandomState(0),
        lambda: None,
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_is_refused_by_the_name_of_its_place(value):
    with pytest.raises(DataError, match=r"^params\.steps\[1\]\.x is a ") as caught:
        flatten({"params": {"steps": [0, {"x": value}]}})
    assert "\n" not in str(caught.value)


def test_keys_are_text():
    with pytest.raises(DataError, match=r"^params\.a has the key 1"):
        flatten({"params": {"a": {1: 2}}})


def nested(levels):
    tree = 0
    for _ in range(levels):
        tree = (tree,)
    return tree


def test_depth_has_an_end_for_writer_and_reader():
    assert through_a_file(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    circle = []
    circle.append(circle)
    for tree in (nested(MAX_DEPTH + 1), circle):
        with pytest.raises(DataError, match="nested more than"):
            flatten({"params": tree})
    deep = json.loads("[" * 200 + "]" * 200)
    with pytest.raises(ModelFileError):
        unflatten(deep, {})


MALFORMED = [
    {"$": "code"},
    {"$": None},
    {"$": ["tuple"]},
    {"$": "array"},
    {"$": "array", "name": "missing"},
    {"$": "array", "name": ["a"]},
    {"$": "scalar", "name": "a"},
    {"$": "text", "shape": [2], "items": ["a"]},
    {"$": "text", "shape": [2**80], "items": []},
    {"$": "text", "shape": [1], "items": [1]},
    {"$": "text", "shape": None, "items": "ab"},
    {"$": "text", "items": ["a"]},
    {"$": "str_", "value": 1},
    {"$": "tuple"},
    {"$": "tuple", "items": "ab"},
    {"$": "float", "value": "x"},
    {"$": "float", "value": None},
    {"$": "int", "value": "x"},
    {"$": "int", "value": 3},
    {"$": "dict", "items": [["a"]]},
    {"$": "dict", "items": [[1, 2]]},
    {"$": "dict", "items": 3},
]


@pytest.mark.parametrize("node", MALFORMED, ids=json.dumps)
def test_malformed_json_is_a_model_file_error(node):
    with pytest.raises(ModelFileError, match="not what abline writes"):
        unflatten({"inner": [node]}, {"a": np.zeros(2)})


KINDS = st.sampled_from(["array", "scalar", "text", "str_", "tuple", "float", "int", "dict", "x"])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["a", "nan", "0x1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {},
            optional={
                "$": KINDS | inner,
                "name": inner,
                "items": inner,
                "value": inner,
                "shape": inner,
                "order": st.just("F"),
            },
        )
    ),
    max_leaves=10,
)


@settings(max_examples=500, deadline=None)
@given(ANY_JSON)
def test_any_json_gives_a_tree_or_a_model_file_error(node):
    with suppress(ModelFileError):
        unflatten(node, {"a": np.zeros(2)})
