"""Python values to C and back: the only place that knows about buffers and borrowed memory."""

from __future__ import annotations

import ctypes as C
import dataclasses
import operator
import re
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from . import _ffi
from .errors import ArgumentError, check

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    Octets = ReadableBuffer
else:
    Octets = Any
    """Whatever has bytes: bytes, bytearray, memoryview, array, mmap, ..."""

Text = str | bytes
"""Text as it goes into messages. A str is UTF-8; other bytes come out as surrogates and go in again as they were."""

Headers = Mapping[str, Text] | Iterable[tuple[str, Text] | Text]
"""Header lines: a mapping, pairs, or "Name: value" strings."""

T = TypeVar("T")

NONE = _ffi.Status.NONE

STR = struct.Struct("@PN")
"""`sipdlg_str_t`."""


def wrong(name: str, wanted: str, value: object) -> TypeError:
    """Says which argument has the wrong type; never its value, which may be a secret."""
    return TypeError(f"{name}: {wanted} expected, not {type(value).__name__}")


def instance(value: T, kind: type[T], name: str) -> T:
    """The object, if it is one of `kind`."""
    if not isinstance(value, kind):
        raise wrong(name, kind.__name__, value)
    return value


def utf8(text: str, name: str) -> bytes:
    """The bytes that a text stands for."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ArgumentError(_ffi.Status.ERR_ARGUMENT, f"{name}: a surrogate that stands for no byte") from None


def encode(text: Text, name: str) -> bytes:
    """Bytes for a `const char *`, which cannot hold a NUL."""
    if isinstance(text, str):
        data = utf8(text, name)
    elif isinstance(text, bytes):
        data = text
    else:
        raise wrong(name, "str or bytes", text)
    if b"\0" in data:
        raise ArgumentError(_ffi.Status.ERR_ARGUMENT, f"{name}: text with a NUL inside")
    return data


def encode_or_none(text: Text | None, name: str) -> bytes | None:
    return None if text is None else encode(text, name)


def octets(data: Octets, name: str) -> bytes:
    """A copy of whatever has bytes, unless it is bytes."""
    if isinstance(data, bytes):
        return data
    try:
        return memoryview(data).tobytes()
    except TypeError:
        raise wrong(name, "bytes, or an object that holds some,", data) from None


def fits(value: int, name: str, bits: int = 32, signed: bool = False) -> int:
    """The number, if the C type can hold it: ctypes would cut it silently."""
    number = value
    if not isinstance(value, int):
        try:
            number = operator.index(value)
        except TypeError:
            raise wrong(name, "int", value) from None
    if number >> bits if not signed else not -(1 << bits - 1) <= number < 1 << bits - 1:
        # Python refuses to write a very long one in decimal.
        told = str(number) if number.bit_length() <= 256 else f"a number of {number.bit_length()} bits"
        raise ArgumentError(_ffi.Status.ERR_ARGUMENT, f"{name}: {told} is out of range")
    return number


def code(value: int, name: str = "status_code") -> int:
    """A SIP status code."""
    return fits(value, name, signed=True)


def truth(value: bool, name: str) -> bool:
    """A yes or no; a text would always be yes."""
    if not isinstance(value, int):
        raise wrong(name, "bool", value)
    return bool(value)


def hide(text: str) -> str:
    """For people: without the passwords of its URIs (RFC 3261 section 19.1.1)."""
    return WORD.sub(_hide_password, text)


# A word is looked at once, and again only where it ends in "@": a peer's long line costs no more than its length.
WORD = re.compile(r"[^\s<>@]+@?")
PASSWORD = re.compile(r"(?i)(\bsips?:[^:]*:).*@")


def _hide_password(word: re.Match[str]) -> str:
    return PASSWORD.sub(r"\1***@", word[0], count=1) if word[0][-1] == "@" else word[0]


def shown(value: Any) -> str:
    """The `repr` of a dataclass, without passwords."""
    told = ", ".join(f"{one.name}={getattr(value, one.name)!r}" for one in dataclasses.fields(value))
    return hide(f"{type(value).__name__}({told})")


CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\r\n"}
"""What a terminal would obey."""


def legible(data: bytes) -> str:
    """For people: bytes that are no text, and what a terminal would obey, are written as numbers."""
    return data.decode("utf-8", "backslashreplace").translate(CONTROLS)


def brief(text: str) -> str:
    """One quoted line for people: no password, nothing that moves a terminal's cursor, and not all of a long one."""
    told = hide(text)
    return repr(told if len(told) <= 200 else f"{told[:200]}...")


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def bytes_of(view: _ffi.Str) -> bytes:
    """A copy of borrowed bytes. The pointer is read as one: as a `c_char_p` its text would end at the first NUL."""
    pointer, length = STR.unpack_from(view)
    return C.string_at(pointer, length) if pointer else b""


def text_of(view: _ffi.Str) -> str:
    return decode(bytes_of(view))


def text_or_none(function: Callable[..., Any], *arguments: object) -> str | None:
    """Calls a "Text out" function, with a larger buffer when the first was too small."""
    needed, capacity = C.c_size_t(), 256
    while True:
        buffer = C.create_string_buffer(capacity)
        status: int = function(*arguments, buffer, capacity, C.byref(needed))
        if status != _ffi.Status.ERR_BUFFER:
            return None if check(status) == NONE else decode(buffer.raw[: needed.value])
        capacity = needed.value + 1


def text(function: Callable[..., Any], *arguments: object) -> str:
    return text_or_none(function, *arguments) or ""


def token_or_none(function: Callable[..., Any], *arguments: object) -> int | None:
    """Calls a function with an out-parameter for a token, the last one."""
    out = C.c_uint64()
    return None if check(function(*arguments, C.byref(out))) == NONE or out.value == 0 else out.value


def token(function: Callable[..., Any], *arguments: object) -> int:
    return token_or_none(function, *arguments) or 0


def string_array(items: Iterable[bytes]) -> Any:
    """An array of strings with NULL at the end, or None for an empty one."""
    strings = list(items)
    return (C.c_char_p * (len(strings) + 1))(*strings, None) if strings else None


def header_lines(headers: Headers | None) -> Iterable[bytes]:
    if headers is None:
        return
    if isinstance(headers, str | bytes) or not isinstance(headers, Iterable):
        raise wrong("headers", "a mapping or a list", headers)
    for item in headers.items() if isinstance(headers, Mapping) else headers:
        if isinstance(item, str | bytes):
            yield encode(item, "headers")
        elif isinstance(item, tuple | list) and len(item) == 2:
            name = encode(item[0], "headers, a name")
            yield name + b": " + encode(item[1], f"headers, {decode(name)}")
        else:
            raise wrong("headers", 'a pair, or "Name: value",', item)
