"""Agents with the library's network thread, on loopback UDP."""

from __future__ import annotations

from typing import Any

from pair import ANSWER

import sipdlg
from sipdlg import EventKind


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
