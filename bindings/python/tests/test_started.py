"""An agent that is not started says so where a reader would wait for ever."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from pair import Pair
from runtime import started

import sipdlg
from sipdlg import EventKind
from sipdlg._loader import lib


async def first(agent: sipdlg.Agent) -> sipdlg.Event:
    async for event in agent.events():
        return event
    raise AssertionError("closed")


@pytest.mark.parametrize("listening", [True, False])
def test_events_of_an_agent_that_is_not_started(listening: bool) -> None:
    with sipdlg.Agent() as agent:
        if listening:
            agent.listen("udp:127.0.0.1:0")
        with pytest.raises(sipdlg.StateError, match="the agent is not started"):
            asyncio.run(asyncio.wait_for(first(agent), 5))


def test_events_of_an_agent_that_was_stopped() -> None:
    with started() as agent:
        agent.stop()
        with pytest.raises(sipdlg.StateError, match="the agent is not started"):
            asyncio.run(asyncio.wait_for(first(agent), 5))
        agent.start()
        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(asyncio.wait_for(first(agent), 0.02))


def test_a_wait_goes_on_through_stop_and_start() -> None:
    async def run() -> None:
        with started() as agent:
            reader = asyncio.create_task(first(agent))
            await asyncio.sleep(0.02)
            agent.stop()
            agent.start()
            agent.request("OPTIONS", f"sip:{agent.local_addresses()[0].removeprefix('udp:')}")
            assert (await asyncio.wait_for(reader, 5)).kind in (EventKind.OPTIONS, EventKind.TRYING)

    asyncio.run(run())


def test_what_waits_is_given_first() -> None:
    with started() as agent:
        agent.request("OPTIONS", f"sip:{agent.local_addresses()[0].removeprefix('udp:')}")

        async def run() -> None:
            while not agent.next_timeout() == 0:
                await asyncio.sleep(0.01)
            agent.stop()
            assert (await asyncio.wait_for(first(agent), 5)).kind is EventKind.OPTIONS

        asyncio.run(asyncio.wait_for(run(), 10))


def test_a_host_with_a_network_of_its_own_reads_events() -> None:
    with Pair() as pair:

        async def run() -> None:
            reader = asyncio.create_task(first(pair.bob.agent))
            await asyncio.sleep(0.02)
            pair.alice.agent.invite("sip:bob@192.0.2.2", body="v=0")
            while (out := pair.alice.agent.poll_transmit()) is not None:
                pair.bob.agent.receive(pair.bob.flow_from(pair.alice), out.data)
            assert (await asyncio.wait_for(reader, 5)).kind is EventKind.INVITE

        asyncio.run(run())


def test_start_and_stop_of_two_threads_leave_what_the_last_one_did(monkeypatch: pytest.MonkeyPatch) -> None:
    """`events()` goes by it: a wait that nothing ends, or a refusal of an agent that runs."""
    agent = started()
    agent.stop()
    start = lib.sipdlg_agent_start
    stopping = threading.Thread(target=agent.stop)

    def slowly(*arguments: object) -> object:
        status = start(*arguments)
        stopping.start()
        time.sleep(0.1)
        return status

    monkeypatch.setattr(lib, "sipdlg_agent_start", slowly)
    agent.start()
    monkeypatch.undo()
    stopping.join(20)
    assert not agent.started
    agent.start()
    assert agent.started
    agent.close()
