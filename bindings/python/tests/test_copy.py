"""Copies, pickles, other processes: none ends or frees the original."""

from __future__ import annotations

import concurrent.futures
import copy
import dataclasses
import gc
import multiprocessing
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from confirmed import confirmed
from pair import Pair

import sipdlg
from sipdlg import Body, Config, Credentials, Endpoint, Flow, Message, Quirk, SessionState, Transport

RAW = (
    b"OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)
COPIES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy]


@dataclasses.dataclass
class Row:
    name: str
    thing: Any


def as_row(thing: Any) -> Any:
    return dataclasses.asdict(Row("row", thing))["thing"]


@pytest.mark.parametrize("copied", [*COPIES, as_row])
def test_a_handle_is_its_own_copy(copied: Callable[[Any], Any]) -> None:
    with Pair() as pair:
        asked, accepted = confirmed(pair)
        for handle in (accepted.session, accepted.outgoing, asked.incoming):
            assert handle is not None and copied(handle) is handle
        gc.collect()
        assert accepted.session is not None and accepted.session.state is SessionState.CONFIRMED


@pytest.mark.parametrize("copied", [*COPIES, as_row])
@pytest.mark.parametrize("first", ["original", "copy"])
def test_a_message_and_its_copy_end_by_themselves(copied: Callable[[Any], Any], first: str) -> None:
    message = Message.parse(RAW)
    twin = copied(message)
    assert twin is not message
    one, other = (message, twin) if first == "original" else (twin, message)
    for _ in range(2):
        one.close()
    del one
    junk = [Message.parse(RAW.replace(b"bob", b"eve")) for _ in range(200)]
    assert bytes(other) == RAW and other.header("call-id") == "1"
    other.close()
    assert repr(copied(other)) == "<sipdlg.Message, closed>"
    del junk


class Marked(Message):
    mark = ""


def test_a_copy_of_a_subclass_is_one() -> None:
    message = Marked.parse(RAW)
    message.mark = "x"
    twin = copy.copy(message)
    assert type(twin) is Marked and twin.mark == "x"


@pytest.mark.parametrize("copied", [*COPIES, as_row])
def test_an_events_copy_has_a_message_of_its_own(copied: Callable[[Any], Any]) -> None:
    with Pair() as pair:
        _, accepted = confirmed(pair)
        twin = copied(accepted)
        assert twin.session is accepted.session and twin.kind is accepted.kind
        assert twin.message is not None and twin.message is not accepted.message
        twin.message.close()
        twin.default()
        del twin
        gc.collect()
        assert accepted.message is not None and accepted.message.status_code == 200
        assert accepted.session is not None and accepted.session.state is SessionState.CONFIRMED


@pytest.mark.parametrize("copied", [*COPIES, as_row])
def test_an_agent_has_one_owner(copied: Callable[[Any], Any]) -> None:
    with Pair() as pair:
        with pytest.raises(TypeError, match=r"sipdlg\.Agent cannot be copied"):
            copied(pair.alice.agent)
        gc.collect()
        assert pair.alice.agent.stats().sessions == 0


def things(pair: Pair) -> list[Any]:
    asked, accepted = confirmed(pair)
    return [pair.alice.agent, accepted.session, accepted.outgoing, asked.incoming, accepted, accepted.message]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_that_lives_here_is_pickled(protocol: int) -> None:
    with Pair() as pair:
        found = things(pair)
        for thing in found:
            with pytest.raises(TypeError, match=rf"a sipdlg\.{type(thing).__name__} lives in its process"):
                pickle.dumps(thing, protocol)
        gc.collect()
        assert found[1].state is SessionState.CONFIRMED and found[-1].status_code == 200


def taken(thing: object) -> None:
    raise AssertionError("it went to another process")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_nothing_that_lives_here_goes_to_another_process(method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    with Pair() as pair:
        for thing in things(pair):
            with pytest.raises(TypeError, match="lives in its process"):
                context.Process(target=taken, args=(thing,)).start()
        assert len(list(pair.alice.agent.sessions())) == 1


VALUES = [
    Body(b"\0x", "a/b", "render"),
    Config(aor="sip:a@b", tolerance=Quirk.HASH_IN_USER, credentials=(Credentials(user="u", secret="s"),)),
    Flow(Transport.TCP, Endpoint("192.0.2.1", 5060), Endpoint("2001:db8::1", 1, 2), 7),
    sipdlg.EventFlag.LAST | sipdlg.EventFlag.LOCAL,
    sipdlg.EventKind.INVITE,
]


@pytest.mark.parametrize("value", VALUES)
def test_values_are_copied_and_pickled(value: Any) -> None:
    pickled: Callable[[Any], Any] = lambda value: pickle.loads(pickle.dumps(value))  # noqa: E731
    for copied in (*COPIES, pickled):
        assert copied(value) == value and type(copied(value)) is type(value)


@pytest.mark.parametrize("status", [int(status) for status in sipdlg.Status if status < 0])
def test_errors_are_copied_and_pickled(status: int) -> None:
    error = sipdlg.errors.BY_STATUS[status](status, "listen (os error 98)")
    error.add_note("a note")
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is type(error) and str(twin) == str(error) and repr(twin) == repr(error)
        assert (twin.status, twin.detail, twin.__notes__) == (error.status, error.detail, ["a note"])
        assert getattr(twin, "errno", None) == getattr(error, "errno", None)


def failing() -> None:
    sipdlg.Message.parse(b"nonsense\r\n\r\n")


def test_an_error_comes_back_from_a_pool() -> None:
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        with pytest.raises(sipdlg.BadSyntaxError):
            pool.submit(failing).result(60)
