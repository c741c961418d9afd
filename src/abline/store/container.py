"""One JSON text and named arrays in one file, sealed by a checksum over every byte of it.

The file is a valid safetensors file: eight bytes with the length of a JSON header, the header,
the arrays. In the header's metadata stand the JSON text (``"abline"``) and the SHA-256
(``"sha256"``) of the whole file as it is with 64 zeros in the checksum's place, so no byte can
change, go or come unseen. Safetensors itself writes metadata in random order; here the header
is put in one fixed order, so equal content gives equal bytes, and only that order is read.

The checksum is compared before anything is parsed. It finds accidents; a forger could make one
that fits, so what then is parsed may still raise nothing but `ModelFileError`.

References
----------
Safetensors, *Format*, https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from abline.errors import DataError, ModelFileError
from abline.store.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

#: the newest format that this version reads, and the one that it writes
FORMAT = 1

#: bytes; safetensors reads no longer header
MAX_HEADER = 100_000_000

_START = b'{"__metadata__":{"abline":"'
# quotes within a JSON text have a backslash before them, so no text can look like this
_SEAL = b'","sha256":"'
_BLANK = "0" * 64


def write_container(path: str | Path, content: dict[str, Any], arrays: Arrays) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path : str or Path
    content : dict
        JSON, with no NaN in it; ``"format"`` is an integer and ``"versions"`` a dictionary.
    arrays : mapping of str to array
        Numeric, up to 64 bits; of any byte order and layout. They come back in the machine's
        byte order and C-contiguous.

    Raises
    ------
    OutputError
        If the file cannot be written.
    DataError
        If the JSON text is too long for the format.
    """
    data = pack(content, arrays)
    with atomic_write(path) as file:
        file.write(data)


def read_container(path: str | Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a file back.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    content : dict
    arrays : dict of str to array
        Writable copies.

    Raises
    ------
    ModelFileError
        If the file does not exist, is no model, is damaged or cut short, or was written in a
        newer format.
    """
    try:
        with Path(path).open("rb") as file:
            beginning = file.read(8 + len(_START))
            _check_beginning(beginning, str(path))  # before a large file of another kind is read
            data = beginning + file.read()
    except FileNotFoundError:
        raise ModelFileError(f"there is no file {path}: check the path to the model") from None
    except IsADirectoryError:
        raise ModelFileError(f"{path} is a folder: give the model file itself") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelFileError(
            f"cannot read {path} ({reason}): check the path and its permissions"
        ) from error
    return unpack(data, str(path))


def pack(content: dict[str, Any], arrays: Arrays) -> bytes:
    """Put content and arrays into the bytes of a file.

    Parameters
    ----------
    content : dict
    arrays : mapping of str to array

    Returns
    -------
    bytes
        The same for the same content and arrays.

    Raises
    ------
    DataError
        If the JSON text is too long for the format.

    Examples
    --------
    >>> unpack(pack({"format": 1}, {"coef": np.array([0.5])}))
    ({'format': 1}, {'coef': array([0.5])})
    """
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    native = {
        name: np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        for name, array in arrays.items()
    }
    raw = memoryview(save(native, {"abline": text, "sha256": _BLANK}))
    end = 8 + int.from_bytes(raw[:8], "little")
    head = _encode_head(json.loads(bytes(raw[8:end])))
    if len(head) > MAX_HEADER:
        raise DataError(
            f"the model holds {len(head):,} bytes of text, more than the {MAX_HEADER:,} "
            "that a file takes: use fewer or shorter levels of its text columns"
        )
    checksum = _checksum(head, raw[end:])
    return b"".join([head.replace(_SEAL + _BLANK.encode("ascii"), _SEAL + checksum, 1), raw[end:]])


def unpack(data: bytes, source: str = "the data") -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Take the bytes of a file apart, after checking each of them.

    Parameters
    ----------
    data : bytes
    source : str
        The file's name, for messages.

    Returns
    -------
    content : dict
    arrays : dict of str to array

    Raises
    ------
    ModelFileError
        If the bytes are not, all of them, what `pack` gave, or are of a newer format.
    """
    _check_beginning(data, source)
    header = _check_seal(data, source)
    try:
        parsed = json.loads(header)
        if _encode_head(parsed)[8:] != header:  # keys twice, or in another order
            raise ValueError("header is not in the fixed order")
        content = json.loads(parsed["__metadata__"]["abline"])
        if type(content["format"]) is not int or content["format"] < 1:
            raise ValueError("no format")
        _check_format(content, source)
        arrays = {name: np.array(array) for name, array in load(data).items()}
    except ModelFileError:
        raise
    except (
        AttributeError,
        KeyError,
        RecursionError,
        SafetensorError,
        TypeError,
        ValueError,
    ) as error:
        raise ModelFileError(
            f"{source} was not written by abline, though its checksum matches: save the model again"
        ) from error
    return content, arrays


def _encode_head(header: dict[str, Any]) -> bytes:
    """Length and header in the fixed order, the metadata first, padded as safetensors pads."""
    ordered = {"__metadata__": dict(sorted(header["__metadata__"].items()))}
    ordered.update(sorted((name, header[name]) for name in header if name != "__metadata__"))
    text = json.dumps(ordered, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _checksum(head: bytes, data: memoryview) -> bytes:
    digest = sha256(head)
    digest.update(data)
    return digest.hexdigest().encode("ascii")


def _check_beginning(data: bytes, source: str) -> None:
    if not data:
        raise ModelFileError(f"{source} is empty: copy or save the model again")
    if data[8 : 8 + len(_START)] != _START:
        raise ModelFileError(
            f"{source} is not a model of abline, or its beginning is damaged: "
            "give a file that abline saved, or copy or save it again"
        )


def _check_seal(data: bytes, source: str) -> bytes:
    """Give the header of a file whose checksum matches."""
    end = 8 + int.from_bytes(data[:8], "little")
    place = data.find(_SEAL, 8, end) + len(_SEAL)
    found = data[place : place + len(_BLANK)]
    blank = data[:place] + _BLANK.encode("ascii") + data[place + len(_BLANK) : end]
    # a length beyond the end is caught here too: slices stop at what there is
    if place < len(_SEAL) or _checksum(blank, memoryview(data)[end:]) != found:
        raise ModelFileError(
            f"{source} is damaged: its checksum does not match, so copy or save it again"
        )
    return data[8:end]


def _check_format(content: dict[str, Any], source: str) -> None:
    if content["format"] > FORMAT:
        raise ModelFileError(
            f"{source} was written by a newer abline (format {content['format']}, "
            f"version {content['versions']['abline']}): upgrade abline to read it"
        )
