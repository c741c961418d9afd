import hashlib
import json
import os
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from abline.errors import DataError, ModelFileError
from abline.store import container
from abline.store.container import pack, read_container, unpack, write_container

CONTENT = {"format": 1, "kind": "Ridge", "versions": {"abline": "0.1.0"}, "state": {"é": [0.1]}}
ARRAYS = {"coef": np.array([1.5, -0.0]), "n": np.array(7, np.uint8)}
WHOLE = pack(CONTENT, ARRAYS)

DTYPES = [np.bool, *(np.dtype(code) for code in "bBhHiIqQefd")]


def damaged(data):
    with pytest.raises(ModelFileError) as caught:
        unpack(data, "m.model")
    sentence = str(caught.value)
    assert "m.model" in sentence
    assert "\n" not in sentence
    return sentence


def forge(header, data=b""):
    """Seal any header with a checksum that fits, written apart from the module."""
    header = header.replace(b"SEAL", b"0" * 64)
    header += b" " * (-len(header) % 8)
    whole = struct.pack("<Q", len(header)) + header + data
    return whole.replace(b"0" * 64, hashlib.sha256(whole).hexdigest().encode(), 1)


def meta(text, rest=b"}"):
    escaped = json.dumps(text)[1:-1].encode()
    return b'{"__metadata__":{"abline":"' + escaped + b'","sha256":"SEAL"}' + rest


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def test_file_is_a_valid_safetensors_file(tmp_path):
    write_container(tmp_path / "m.model", CONTENT, ARRAYS)
    loaded = load_file(tmp_path / "m.model")
    assert loaded.keys() == ARRAYS.keys()
    assert all(same(loaded[name], ARRAYS[name]) for name in ARRAYS)


def test_file_is_laid_out_as_the_format_says():
    (length,) = struct.unpack("<Q", WHOLE[:8])
    header = json.loads(WHOLE[8 : 8 + length])
    assert (8 + length) % 8 == 0
    assert json.loads(header["__metadata__"]["abline"]) == CONTENT
    start, end = header["coef"]["data_offsets"]
    assert WHOLE[8 + length :][start:end] == struct.pack("<2d", 1.5, -0.0)
    seal = header["__metadata__"]["sha256"].encode()
    assert hashlib.sha256(WHOLE.replace(seal, b"0" * 64)).hexdigest().encode() == seal


def test_same_content_gives_the_same_bytes():
    # safetensors orders its metadata anew each time
    assert {pack(CONTENT, dict(reversed(ARRAYS.items()))) for _ in range(20)} == {WHOLE}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3), (2, 3, 4)], ids=str)
def test_every_dtype_and_shape_comes_back_exactly(dtype, shape):
    size = int(np.prod(shape))
    noise = np.random.default_rng(0).bytes(size * np.dtype(dtype).itemsize)
    array = np.frombuffer(noise, np.uint8 if dtype == np.bool else dtype)  # NaNs of all kinds
    array = (array % 2).astype(np.bool) if dtype == np.bool else array
    array = array.reshape(shape)
    _, back = unpack(pack(CONTENT, {"a": array}))
    assert same(back["a"], array)
    assert back["a"].flags.writeable
    back["a"][...] = 0


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).astype(">f8").reshape(2, 3),
        np.arange(6).astype(">i2"),
        np.arange(12.0).reshape(3, 4)[::2, ::-1],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.broadcast_to(np.float32(2), (2, 3)),
    ],
    ids=["big-endian float", "big-endian int", "strided", "fortran", "broadcast"],
)
def test_any_layout_comes_back_with_equal_values(array):
    _, back = unpack(pack(CONTENT, {"a": array}))
    np.testing.assert_array_equal(back["a"], array, strict=array.dtype.isnative)
    assert back["a"].dtype == array.dtype.newbyteorder("=")


@pytest.mark.parametrize("names", [["__x", "A", "0", "", "é", '","sha256":"', "a/b"], []], ids=str)
def test_any_names_and_none(names, tmp_path):
    arrays = {name: np.array([float(i)]) for i, name in enumerate(names)}
    write_container(tmp_path / "m", CONTENT, arrays)
    content, back = read_container(tmp_path / "m")
    assert content == CONTENT
    assert back == arrays
    assert load_file(tmp_path / "m") == arrays


@pytest.mark.parametrize("text", ['","sha256":"' + "0" * 64, "\ud800", "\0\\", "𝄞 é", ""])
def test_any_text_comes_back(text):
    content = {**CONTENT, text: text}
    assert unpack(pack(content, ARRAYS))[0] == content


@pytest.mark.parametrize("value", [0.1, 1e22, 5e-324, 1.7976931348623157e308, -0.0, 2**64 - 1])
def test_numbers_come_back_exactly(value):
    back = unpack(pack({"format": 1, "x": value}, {}))[0]["x"]
    assert (repr(back), type(back)) == (repr(value), type(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_is_no_json(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack({"format": 1, "x": value}, {})


def test_too_much_text_is_refused_when_writing(monkeypatch):
    monkeypatch.setattr(container, "MAX_HEADER", 100)
    with pytest.raises(DataError, match="bytes of text"):
        pack(CONTENT, ARRAYS)


@pytest.mark.parametrize("pattern", [0x01, 0x20, 0x80, 0xFF])
def test_every_flipped_byte_is_found(pattern):
    for place in range(len(WHOLE)):
        broken = bytearray(WHOLE)
        broken[place] ^= pattern
        assert "damaged" in damaged(bytes(broken)), place


def test_every_truncation_is_found():
    for length in range(len(WHOLE)):
        assert "damaged" in damaged(WHOLE[:length]) or length == 0


def test_every_lost_or_doubled_byte_is_found():
    for place in range(len(WHOLE)):
        if WHOLE[place : place + 1] != WHOLE[place + 1 : place + 2]:
            damaged(WHOLE[:place] + WHOLE[place + 1 :])
        damaged(WHOLE[:place] + WHOLE[place : place + 1] + WHOLE[place:])


@pytest.mark.parametrize("more", [b"\0", b" ", b"\n", b"0" * 4096, WHOLE])
def test_appended_bytes_are_found(more):
    damaged(WHOLE + more)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_damage_to_a_larger_file_is_found(data):
    whole = pack(CONTENT, {"weights": np.random.default_rng(0).normal(size=(50, 40))})
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start, len(whole)))
    broken = whole[:start] + data.draw(st.binary(max_size=64)) + whole[end:]
    if broken != whole:
        damaged(broken)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_one_sentence(noise):
    damaged(noise)
    damaged(struct.pack("<Q", len(noise)) + noise)
    damaged(forge(meta("x") + noise))


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**60, 2**63, 2**64 - 1])
def test_absurd_header_length_is_damage(length):
    assert "damaged" in damaged(struct.pack("<Q", length) + WHOLE[8:])


GOOD = '{"format":1}'
F64 = b'{"dtype":"F64","shape":[1],"data_offsets":[0,8]}'


def test_forger_can_make_a_good_file():
    # so what the forgeries below are refused for is what each of them has wrong
    content, arrays = unpack(forge(meta(GOOD, b',"a":' + F64 + b"}"), bytes(8)))
    assert content == {"format": 1}
    assert arrays == {"a": np.zeros(1)}


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (meta(GOOD, b""), b""),
        (meta(GOOD, b',"a":' + F64 + b',"a":' + F64 + b"}"), bytes(8)),
        (meta(GOOD, b',"__metadata__":{"abline":"{}","sha256":""}}'), b""),
        (meta(GOOD, b', "a":' + F64 + b"}"), bytes(8)),
        (meta(GOOD, b',"a":' + F64 + b"}"), b""),
        (meta(GOOD, b',"a":' + F64 + b"}"), bytes(16)),
        (
            meta(GOOD, b',"a":' + F64.replace(b"F64", b"BF16").replace(b"[1]", b"[4]") + b"}"),
            bytes(8),
        ),
        (meta(GOOD, b',"a":' + F64.replace(b"[1]", b"[4611686018427387904,4]") + b"}"), bytes(8)),
        (meta(GOOD, b',"a":' + F64.replace(b"[1]", b"[-1]") + b"}"), bytes(8)),
        (meta(GOOD, b',"a":' + F64.replace(b"[1]", b"[1e999]") + b"}"), bytes(8)),
        (meta(GOOD, b',"a":' + F64.replace(b"0,8", b"8,0") + b"}"), bytes(8)),
        (meta(GOOD, b',"a":' + b"9" * 5000 + b"}"), b""),
        (meta(GOOD, b',"a":' + b"[" * 100_000), b""),
        (meta(GOOD, b',"a":"\xff"}'), b""),
        (meta(GOOD, b',"\xc3\xa9":' + F64 + b"}"), bytes(8)),
        (meta(GOOD, b',"\\ud800":' + F64 + b"}"), bytes(8)),
        (meta("not JSON"), b""),
        (meta("[" * 100_000), b""),
        (meta("9" * 5000), b""),
        (meta("null"), b""),
        (meta("[]"), b""),
        (meta("{}"), b""),
        (meta('{"format":true}'), b""),
        (meta('{"format":0}'), b""),
        (meta('{"format":"1"}'), b""),
        (meta('{"format":2}'), b""),
        (meta('{"format":2,"versions":[]}'), b""),
    ],
    ids=range(27),
)
def test_forged_files_raise_nothing_else(header, data):
    assert "though its checksum matches" in damaged(forge(header, data))


def test_newer_format_says_to_upgrade():
    newer = pack({**CONTENT, "format": 2, "versions": {"abline": "3.1.0"}}, ARRAYS)
    assert damaged(newer) == (
        "m.model was written by a newer abline (format 2, version 3.1.0): upgrade abline to read it"
    )
    broken = newer[:-1] + bytes([newer[-1] ^ 1])
    assert "checksum" in damaged(broken)  # damage comes first


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"x,y\n1,2\n" * 20, "is not a model of abline"),
        (b"PK\x03\x04" + bytes(100), "is not a model of abline"),
        (b"short", "is not a model of abline"),
        (WHOLE[:-1], "is damaged: its checksum does not match, so copy or save it again"),
    ],
    ids=["empty", "csv", "zip", "short", "cut"],
)
def test_other_files_are_told_apart(tmp_path, data, sentence):
    (tmp_path / "m.model").write_bytes(data)
    with pytest.raises(ModelFileError, match=rf"m\.model {sentence}"):
        read_container(tmp_path / "m.model")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_plain_safetensors_file_is_not_a_model(tmp_path, metadata):
    from safetensors.numpy import save_file

    save_file(ARRAYS, tmp_path / "m", metadata)
    with pytest.raises(ModelFileError, match="is not a model of abline"):
        read_container(tmp_path / "m")


def test_places_without_a_file(tmp_path):
    with pytest.raises(ModelFileError, match=r"there is no file .*nothing"):
        read_container(tmp_path / "nothing")
    with pytest.raises(ModelFileError, match="is a folder"):
        read_container(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ModelFileError, match=r"cannot read .*file/m"):
        read_container(tmp_path / "file" / "m")


def test_large_file_of_another_kind_is_not_read(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        os.truncate(file.fileno(), 2**36)  # a hole, which takes no space
    with pytest.raises(ModelFileError, match="is not a model"):
        read_container(tmp_path / "large")
