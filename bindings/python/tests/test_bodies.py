"""Bodies and data: whatever has bytes, as it was at the call; all bytes of it."""

from __future__ import annotations

import array
import mmap
from collections.abc import Callable
from typing import Any

import pytest
from confirmed import confirmed
from pair import Pair

import sipdlg
from sipdlg import Body, EventKind, Message

CONTENT = b"\0\xff\r\n\0end\0\0"


def mapped(data: bytes) -> mmap.mmap:
    held = mmap.mmap(-1, len(data))
    held[:] = data
    return held


KINDS: list[Callable[[bytes], Any]] = [
    bytes,
    bytearray,
    memoryview,
    lambda data: memoryview(bytes(byte for pair in zip(data, data, strict=True) for byte in pair))[::2],
    lambda data: array.array("B", data),
    lambda data: array.array("H", data),
    mapped,
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_body_of_any_bytes_arrives_whole(kind: Callable[[bytes], Any], wrapped: bool) -> None:
    with Pair() as pair:
        _, accepted = confirmed(pair)
        assert accepted.session is not None
        content = kind(CONTENT)
        accepted.session.info(body=Body(content, "application/x") if wrapped else content)
        pair.exchange()
        message = pair.bob.take(EventKind.INFO).message
        assert message is not None and message.body is not None
        assert message.body.data == message.body.content == CONTENT


def test_a_body_is_what_it_was_when_it_was_made() -> None:
    content = bytearray(b"before")
    body = Body(content)
    content[:] = b"after!"
    assert body.data == b"before" and hash(body) == hash(Body(b"before")) and body == Body(memoryview(b"before"))


@pytest.mark.parametrize("kind", KINDS)
def test_messages_are_parsed_from_any_bytes(kind: Callable[[bytes], Any]) -> None:
    with Pair() as pair:
        asked, _ = confirmed(pair)
        assert asked.message is not None
        raw = bytes(asked.message)
        raw += b"" if len(raw) % 2 == 0 else b"\n"
        assert Message.parse(kind(raw)).uri == asked.message.uri
        pair.alice.agent.receive(pair.alice.flow_from(pair.bob), kind(b"\r\n\r\n"))


def test_empty_is_a_body_too() -> None:
    for empty in (b"", bytearray(), memoryview(b""), array.array("i"), ""):
        assert Body(empty).data == b""


def test_a_number_is_no_body() -> None:
    for wrong in (5, None, [1, 2], 1.5):
        with pytest.raises(TypeError, match="content: bytes, or an object that holds some, expected, not"):
            Body(wrong)  # type: ignore[arg-type]
    with Pair() as pair, pytest.raises(TypeError, match="body: .* not int"):
        pair.alice.agent.invite("sip:bob@192.0.2.2", body=5)  # type: ignore[arg-type]


def test_text_with_bytes_that_are_not_utf_8_goes_round() -> None:
    with Pair() as pair:
        _, accepted = confirmed(pair)
        assert accepted.session is not None
        accepted.session.info(headers={"X-Raw": b"caf\xe9 \xc3\xa9"})
        pair.exchange()
        message = pair.bob.take(EventKind.INFO).message
        assert message is not None
        value = message.header("X-Raw")
        assert value == "caf\udce9 \u00e9" and sipdlg.Body(value).data == b"caf\xe9 \xc3\xa9"
