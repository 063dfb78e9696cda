"""The library's network thread, the event fd, asyncio; loopback UDP."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pair import ANSWER, HOLD, OFFER

import sipdlg
from sipdlg import Body, EventKind


def started() -> sipdlg.Agent:
    agent = sipdlg.Agent()
    agent.listen("udp:127.0.0.1:0")
    agent.start()
    return agent


def address(agent: sipdlg.Agent) -> str:
    (only,) = agent.local_addresses()
    return only.removeprefix("udp:")


async def serve(agent: sipdlg.Agent, seen: list[EventKind]) -> None:
    """Takes every call and every hold; the rest gets its default."""
    async for event in agent.events():
        seen.append(event.kind)
        if event.kind in (EventKind.INVITE, EventKind.REINVITE) and event.incoming:
            event.incoming.accept(body=ANSWER)
        elif event.kind is EventKind.INFO and event.incoming:
            event.incoming.accept()
        else:
            event.default()


async def until(events: Any, kind: EventKind) -> sipdlg.Event:
    async for event in events:
        if event.kind is kind:
            assert isinstance(event, sipdlg.Event)
            return event
        event.default()
    raise AssertionError("the agent was closed")


def test_call_hold_info_hangup() -> None:
    async def run() -> None:
        seen: list[EventKind] = []
        with started() as alice, started() as bob:
            serving = asyncio.create_task(serve(bob, seen))
            events = alice.events()
            alice.invite(f"sip:bob@{address(bob)}", body=OFFER)
            session = (await until(events, EventKind.ACCEPT)).session
            assert session is not None
            session.invite(body=HOLD)
            assert (await until(events, EventKind.ACCEPT)).session == session
            session.info(body=Body("Signal=1", "application/dtmf-relay"))
            assert (await until(events, EventKind.ACCEPT)).session == session
            session.hangup()
            ended = await until(events, EventKind.TERMINATED)
            assert ended.reason is sipdlg.Reason.LOCAL_HANGUP
            bob.close()
            await serving
        assert [kind for kind in seen if kind < 20] == [
            EventKind.INVITE,
            EventKind.ACK,
            EventKind.REINVITE,
            EventKind.ACK,
            EventKind.INFO,
            EventKind.BYE,
        ]

    asyncio.run(asyncio.wait_for(run(), 20))


def test_a_second_reader_is_refused_and_cancelling_the_first_frees_its_place() -> None:
    async def run() -> None:
        with started() as agent:
            first = asyncio.create_task(until(agent.events(), EventKind.INVITE))
            await asyncio.sleep(0.01)
            with pytest.raises(RuntimeError, match="another task"):
                await until(agent.events(), EventKind.INVITE)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            third = asyncio.create_task(until(agent.events(), EventKind.INVITE))
            await asyncio.sleep(0.01)
            agent.close()
            with pytest.raises(AssertionError, match="closed"):
                await third

    asyncio.run(asyncio.wait_for(run(), 20))


def test_the_example_in_the_readme() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    source = readme.split("```python\n", 1)[1].split("```", 1)[0].rsplit("asyncio.run", 1)[0]
    names: dict[str, Any] = {}
    exec(source, names)

    async def run() -> None:
        seen: list[EventKind] = []
        with started() as bob:
            serving = asyncio.create_task(serve(bob, seen))
            await names["call"](f"sip:bob@{address(bob)}")
            bob.close()
            await serving
        assert EventKind.BYE in seen

    asyncio.run(asyncio.wait_for(run(), 20))


def test_a_forgotten_agent_sends_nothing() -> None:
    async def run() -> None:
        with started() as bob:
            serving = asyncio.create_task(serve(bob, []))
            alice = started()
            events = alice.events()
            alice.invite(f"sip:bob@{address(bob)}", body=OFFER)
            await until(events, EventKind.ACCEPT)
            await events.aclose()  # type: ignore[attr-defined]
            (theirs,) = bob.sessions()
            while theirs.state is not sipdlg.SessionState.CONFIRMED:
                await asyncio.sleep(0.01)
            received = bob.stats().messages_received
            with pytest.warns(ResourceWarning):
                del alice, events
                gc.collect()
            await asyncio.sleep(0.2)
            assert theirs.state is sipdlg.SessionState.CONFIRMED
            assert bob.stats().messages_received == received
            bob.close()
            await serving

    asyncio.run(asyncio.wait_for(run(), 20))


def sketch() -> ModuleType:
    """tests/api/sip.py, the ctypes program that the API was designed with, unchanged."""
    path = Path(__file__).parent / "api" / "sip.py"
    spec = importlib.util.spec_from_file_location("sip_sketch", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["sip_sketch"] = module
    spec.loader.exec_module(module)
    return module


def library_path() -> str:
    from sipdlg._loader import lib

    return str(lib._name)


def test_the_sketch_runs_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its main(): a call, a hold, the end. Only the port is another one: 5070 may be taken."""
    sip = sketch()

    async def run() -> None:
        seen: list[EventKind] = []
        with started() as bob:
            serving = asyncio.create_task(serve(bob, seen))
            invite: Callable[..., Any] = sip.Agent.invite
            monkeypatch.setattr(
                sip.Agent,
                "invite",
                lambda self, target, sdp: invite(self, target.replace("127.0.0.1:5070", address(bob)), sdp),
            )
            monkeypatch.setattr(sys, "argv", ["sip.py", library_path()])
            await sip.main()
            bob.close()
            await serving
        assert [kind for kind in seen if kind < 20 and kind is not EventKind.ACK] == [
            EventKind.INVITE,
            EventKind.REINVITE,
            EventKind.BYE,
        ]

    asyncio.run(asyncio.wait_for(run(), 20))


def test_the_sketch_takes_and_refuses_calls() -> None:
    sip = sketch()

    async def run() -> None:
        bob = sip.Agent(sip.Library(library_path()), "udp:127.0.0.1:0")
        shown = sipdlg.Agent()  # borrows the token to ask for the address, which the sketch does not declare
        shown.token, kept = bob.token, shown.token
        target = f"sip:bob@{address(shown)}"
        shown.token = kept
        shown.close()
        with started() as alice:
            events = alice.events()
            alice.invite(target, body=OFFER)
            calls = bob.incoming()
            call = await anext(calls)
            assert call.body == OFFER.encode()
            call.ring()
            theirs = call.accept(ANSWER.encode())
            ours = (await until(events, EventKind.ACCEPT)).session
            assert ours is not None and theirs.call_id == ours.call_id
            hanging = asyncio.create_task(theirs.hangup())
            (await until(events, EventKind.BYE)).default()
            await hanging
            alice.invite(target, body=OFFER)
            (await anext(calls)).reject(486)
            assert (await until(events, EventKind.REJECT)).status_code == 486
        bob.close()

    asyncio.run(asyncio.wait_for(run(), 20))
