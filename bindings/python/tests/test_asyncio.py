"""The library's network thread, the event fd, asyncio; loopback UDP."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest
from pair import HOLD, OFFER
from runtime import address, serve, started, until

import sipdlg
from sipdlg import Body, EventKind


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
