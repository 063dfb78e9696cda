"""Python values to C and back: the only place that knows about buffers and borrowed memory."""

from __future__ import annotations

import ctypes as C
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import _ffi
from .errors import ArgumentError, check

Text = str | bytes
"""Text as it goes into messages. A str is UTF-8; other bytes come out as surrogates and go in again as they were."""

Headers = Mapping[str, Text] | Iterable[tuple[str, Text] | Text]
"""Header lines: a mapping, pairs, or "Name: value" strings."""

NONE = _ffi.Status.NONE


def encode(text: Text) -> bytes:
    """Bytes for a `const char *`, which cannot hold a NUL."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    if b"\0" in data:
        raise ArgumentError(_ffi.Status.ERR_ARGUMENT, "text with a NUL inside")
    return data


def encode_or_none(text: Text | None) -> bytes | None:
    return None if text is None else encode(text)


def fits(value: int, name: str, bits: int = 32, signed: bool = False) -> int:
    """The number, if the C type can hold it: ctypes would cut it silently."""
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    if not low <= value < high:
        raise ArgumentError(_ffi.Status.ERR_ARGUMENT, f"{name}: {value} is out of range")
    return value


def code(value: int) -> int:
    """A SIP status code."""
    return fits(value, "status_code", signed=True)


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def bytes_of(view: _ffi.Str) -> bytes:
    """A copy of borrowed bytes."""
    return C.string_at(view.data, view.len) if view.data else b""


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
    if isinstance(headers, str | bytes):
        raise TypeError("headers: a mapping or a list, not one string")
    for item in headers.items() if isinstance(headers, Mapping) else headers:
        yield encode(item) if isinstance(item, str | bytes) else encode(item[0]) + b": " + encode(item[1])
