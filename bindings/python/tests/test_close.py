"""close() ends the agent, whatever loop or thread reads its events, and wakes who waits."""

from __future__ import annotations

import asyncio
import gc
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from runtime import started

import sipdlg
from sipdlg import Event
from sipdlg.message import Message


@pytest.fixture(autouse=True)
def all_ends() -> Iterator[None]:
    """What a test opens is closed again."""
    gc.collect()
    before = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    yield
    gc.collect()
    # A thread that was joined may still be leaving.
    deadline = time.monotonic() + 5
    while True:
        after = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
        if after <= before or time.monotonic() > deadline:
            break
    assert after <= before


def read(agent: sipdlg.Agent) -> Any:
    async def reading() -> int:
        return len([event async for event in agent.events()])

    return reading()


def left_waiting(loop: asyncio.AbstractEventLoop, agent: sipdlg.Agent) -> asyncio.Task[Any]:
    """A reader that waits on a loop that does not run any more."""
    task = loop.create_task(read(agent))
    loop.run_until_complete(asyncio.sleep(0.02))
    return task


def forget(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    loop.set_exception_handler(lambda loop, context: None)  # "Task was destroyed but it is pending"
    task._log_destroy_pending = False  # type: ignore[attr-defined]


def is_free(address: str) -> bool:
    host, _, port = address.removeprefix("udp:").partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        try:
            other.bind((host, int(port)))
        except OSError:
            return False
        return True


@contextmanager
def on_thread(call: Callable[[], object]) -> Iterator[None]:
    """Calls it on another thread; what it raises is raised here."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join(20)
    assert not thread.is_alive() and not failed, failed


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("context", [True, False])
def test_a_loop_that_ended_while_a_reader_waited(closed: bool, context: bool) -> None:
    before = len(os.listdir("/proc/self/fd"))
    agent, loop = started(), asyncio.new_event_loop()
    address = agent.local_addresses()[0]
    task = left_waiting(loop, agent)
    if closed:
        forget(loop, task)
        loop.close()
    if context:
        with agent:
            pass
    else:
        agent.close()
    agent.close()
    assert agent.closed and not agent.started and is_free(address)
    if closed:  # nothing is left, though the task is still there
        assert len(os.listdir("/proc/self/fd")) == before and not task.done()
    else:  # it may run once more
        assert loop.run_until_complete(asyncio.wait_for(task, 5)) == 0
        loop.close()


@pytest.mark.parametrize("debug", [True, False])
def test_another_thread_wakes_the_reader(debug: bool) -> None:
    async def run() -> None:
        agent = started()
        reader = asyncio.create_task(read(agent))
        await asyncio.sleep(0.02)
        with on_thread(agent.close):
            assert await asyncio.wait_for(reader, 5) == 0

    asyncio.run(run(), debug=debug)


def test_a_reader_that_begins_while_another_thread_closes() -> None:
    """At each moment: no wait that nobody ends, no StaleError."""

    async def run(delay: float) -> None:
        agent = started()

        def close() -> None:
            time.sleep(delay)
            agent.close()

        with on_thread(close):
            await asyncio.wait_for(read(agent), 5)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for step in range(100):
            asyncio.run(run(step * 2e-6))
    finally:
        sys.setswitchinterval(before)


def test_a_thread_that_waits_on_the_descriptor_is_woken() -> None:
    agent = started()
    poll = select.poll()
    poll.register(agent.event_fd(), select.POLLIN)
    woken: list[Any] = []
    thread = threading.Thread(target=lambda: woken.append(poll.poll(10_000)))
    thread.start()
    time.sleep(0.05)
    agent.close()
    thread.join(20)
    assert woken and woken[0]


def test_the_descriptors_number_may_be_anothers_at_once() -> None:
    """Closed by another thread, while the loop is busy; its number then belongs to a socket of the same loop."""

    async def run() -> None:
        agent = started()
        reader = asyncio.create_task(read(agent))
        await asyncio.sleep(0.02)
        loop, number = asyncio.get_running_loop(), agent.event_fd()
        with on_thread(agent.close):
            time.sleep(0.1)
        ours, theirs = socket.socketpair()
        files = [ours, theirs]
        while number not in (ours.fileno(), theirs.fileno()):
            ours, theirs = socket.socketpair()
            files += [ours, theirs]
        mine, other = (ours, theirs) if ours.fileno() == number else (theirs, ours)
        readable = asyncio.Event()
        loop.add_reader(mine.fileno(), readable.set)
        assert await asyncio.wait_for(reader, 5) == 0
        other.send(b"x")
        await asyncio.wait_for(readable.wait(), 5)
        loop.remove_reader(mine.fileno())
        for file in files:
            file.close()

    asyncio.run(run())


@pytest.mark.parametrize("closed", [True, False])
def test_a_new_loop_reads_after_a_dead_one(closed: bool) -> None:
    agent, former = started(), asyncio.new_event_loop()
    task = left_waiting(former, agent)
    if closed:
        forget(former, task)
        former.close()

    async def run() -> None:
        reader = asyncio.create_task(until_options(agent.events()))
        await asyncio.sleep(0.02)
        agent.request("OPTIONS", f"sip:{agent.local_addresses()[0].removeprefix('udp:')}")
        assert (await asyncio.wait_for(reader, 5)).kind is sipdlg.EventKind.OPTIONS

    asyncio.run(run())
    if not closed:  # the one that lost its place says so
        with pytest.raises(RuntimeError, match="another loop"):
            former.run_until_complete(asyncio.wait_for(task, 5))
        former.close()
    agent.close()


def test_a_reader_that_lost_its_place_is_told_without_an_event() -> None:
    agent, former = started(), asyncio.new_event_loop()
    task = left_waiting(former, agent)

    async def run() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(read(agent), 0.02)

    asyncio.run(run())
    with pytest.raises(RuntimeError, match="another loop"):
        former.run_until_complete(asyncio.wait_for(task, 5))
    former.close()
    agent.close()


async def until_options(events: AsyncIterator[Event]) -> Event:
    async for event in events:
        if event.kind is sipdlg.EventKind.OPTIONS:
            return event
        event.default()
    raise AssertionError("closed")


def test_a_loop_that_runs_on_another_thread_keeps_its_place() -> None:
    agent, loop = started(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    reader = asyncio.run_coroutine_threadsafe(read(agent), loop)
    deadline = time.monotonic() + 5
    while agent._waiting is None and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(RuntimeError, match="another task"):
        asyncio.run(read(agent))
    agent.close()
    assert reader.result(5) == 0
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def test_close_waits_for_a_poll_that_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """What poll_event lends is good until the agent ends: another thread's close() comes after the copy."""
    agent = started()
    agent.request("OPTIONS", f"sip:{agent.local_addresses()[0].removeprefix('udp:')}")
    retained = Message._borrowed
    seen: list[str] = []

    def close() -> None:
        agent.close()
        seen.append("closed")

    closing = threading.Thread(target=close)

    def slowly(pointer: int) -> Message:
        if not closing.ident:
            closing.start()
            time.sleep(0.2)
            seen.append("copied")
        return retained(pointer)

    monkeypatch.setattr(Message, "_borrowed", slowly)
    deadline = time.monotonic() + 5
    while not seen and time.monotonic() < deadline:
        for event in agent.poll_events():
            assert event.message is None or bytes(event.message)
            break
    closing.join(5)
    assert seen == ["copied", "closed"]


def test_two_threads_that_poll_get_whole_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second poll ends what the first lent: it waits until that is copied."""
    agent = started()
    target = f"sip:{agent.local_addresses()[0].removeprefix('udp:')}"
    inside, most = 0, 0
    retained = Message._borrowed

    def counting(pointer: int) -> Message:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.001)
        message = retained(pointer)
        inside -= 1
        return message

    monkeypatch.setattr(Message, "_borrowed", counting)
    for _ in range(20):
        agent.request("OPTIONS", target)
    polled: list[Event] = []

    def poll() -> None:
        deadline = time.monotonic() + 5
        while len(polled) < 30 and time.monotonic() < deadline:
            for event in agent.poll_events():
                event.default()
                polled.append(event)

    with on_thread(poll), on_thread(poll):
        poll()
    assert most == 1 and len(polled) >= 30
    agent.close()


def test_a_signal_handler_may_close_and_may_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """It interrupts the poll of its own thread: neither waits for the other."""
    retained = Message._borrowed
    handled: list[object] = []

    def interrupted(pointer: int) -> Message:
        monkeypatch.setattr(Message, "_borrowed", retained)
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.01)
        return retained(pointer)

    def handle(number: int, frame: object) -> None:
        with pytest.raises(sipdlg.BusyError):
            agent.poll_event()
        agent.close()
        handled.append(agent.closed)

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        agent = started()
        address = agent.local_addresses()[0]
        agent.request("OPTIONS", f"sip:{address.removeprefix('udp:')}")
        monkeypatch.setattr(Message, "_borrowed", interrupted)
        deadline = time.monotonic() + 5
        while not handled and time.monotonic() < deadline:
            event = agent.poll_event()
        assert handled == [True] and event is not None and event.message is not None and bytes(event.message)
        assert is_free(address)
        with pytest.raises(sipdlg.StaleError):
            agent.poll_event()
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_close_that_was_interrupted_is_made_up_for(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    agent = started()
    address = agent.local_addresses()[0]
    free = sipdlg.Agent._c_free

    def interrupted(token: int) -> int:
        monkeypatch.setattr(sipdlg.Agent, "_c_free", staticmethod(free))
        if moment == "after":
            free(token)
        raise KeyboardInterrupt

    monkeypatch.setattr(sipdlg.Agent, "_c_free", staticmethod(interrupted))
    with pytest.raises(KeyboardInterrupt):
        agent.close()
    assert agent.closed
    agent.close()
    assert is_free(address)


def test_many_threads_close_one_agent() -> None:
    for _ in range(20):
        agent = started()
        address = agent.local_addresses()[0]

        def close(agent: sipdlg.Agent = agent, address: str = address) -> None:
            agent.close()
            assert is_free(address)

        with on_thread(agent.close), on_thread(agent.close), on_thread(agent.close):
            close()


def test_a_message_is_closed_while_another_thread_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
    raw += b"To: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n"
    raw += b"Content-Length: 1\r\n\r\nx"
    reads: list[Callable[[Message], object]] = [
        bytes,
        lambda message: message.method,
        lambda message: message.uri,
        lambda message: message.header("call-id"),
        lambda message: message.name_addr("from"),
        lambda message: message.cseq,
        lambda message: message.via(),
        lambda message: message.body,
        lambda message: message.session_body,
    ]
    order: list[str] = []
    copied, release = sipdlg._convert.bytes_of, sipdlg.message._Kept._release

    def released(pointer: int) -> None:
        order.append("released")
        release(pointer)

    monkeypatch.setattr(sipdlg.message._Kept, "_release", staticmethod(released))
    for reading in reads:
        message = Message.parse(raw)
        order.clear()

        def while_reading(view: Any, message: Message = message) -> bytes:
            """Between the call that lends and the copy."""
            message.close()
            data = copied(view)
            order.append("copied")
            return data

        for module in (sipdlg.message, sipdlg._convert, sipdlg.options):
            monkeypatch.setattr(module, "bytes_of", while_reading)
        reading(message)
        for module in (sipdlg.message, sipdlg._convert, sipdlg.options):
            monkeypatch.setattr(module, "bytes_of", copied)
        assert "copied" in order and order.index("released") == len(order) - 1
        with pytest.raises(sipdlg.StaleError):
            reading(message)


def test_messages_closed_at_any_moment() -> None:
    raw = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
    raw += b"To: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 3000\r\n\r\n" + b"x" * 3000
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(300):
            message = Message.parse(raw)

            def close(message: Message = message) -> None:
                message.close()
                for _ in range(4):
                    Message.parse(raw.replace(b"x", b"y")).close()

            with on_thread(close):
                try:
                    for _ in range(50):
                        assert bytes(message) == raw
                except sipdlg.StaleError:
                    pass
    finally:
        sys.setswitchinterval(before)


def test_a_loop_over_what_there_is_ends_where_the_agent_is_closed() -> None:
    """By its own body, or by another thread: but one that begins afterwards is told."""
    agent, other = started(), started()
    target = f"sip:{agent.local_addresses()[0].removeprefix('udp:')}"
    for _ in range(3):
        other.invite(target)
    deadline = time.monotonic() + 5
    asked: list[Event] = []
    while len(asked) < 3 and time.monotonic() < deadline:
        asked += [event for event in agent.poll_events() if event.kind is sipdlg.EventKind.INVITE]
    for event in asked:
        assert event.incoming is not None
        event.incoming.progress()
    polled = agent.poll_events()
    assert next(polled).kind is sipdlg.EventKind.STATE
    left = agent.sessions()
    next(left)
    with on_thread(agent.close):
        pass
    assert list(left) == [] and list(polled) == []
    for begins in (agent.sessions, agent.poll_events):
        with pytest.raises(sipdlg.StaleError):
            list(begins())
    other.close()


def test_a_reader_without_a_loop_leaves_nothing() -> None:
    agent = started()
    agent.event_fd()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        reading = agent.events()
        with pytest.raises(RuntimeError, match="no running event loop"):
            reading.__anext__().__await__().__next__()
    assert len(os.listdir("/proc/self/fd")) == before
    agent.close()
