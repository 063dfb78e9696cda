"""Calls over WebSockets of the library's sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pair import ANSWER, OFFER
from runtime import until
from test_tls import OURS

import sipdlg
from sipdlg import ArgumentError, BadSyntaxError, Config, EventKind, StaleError, Transport


@pytest.mark.parametrize("transport", [Transport.WS, Transport.WSS])
def test_a_call_and_where_its_page_comes_from(transport: Transport) -> None:
    scheme = transport.name.lower()

    async def call() -> None:
        page = Config(
            tls=OURS,
            websocket_path="/sip?room=7",
            websocket_headers={"Origin": "https://phone.example", "Cookie": "a=b"},
            websocket_ping_s=5,
        )
        with sipdlg.Agent(page) as alice, sipdlg.Agent(Config(tls=OURS)) as bob:
            alice.listen(f"{scheme}:127.0.0.1")
            bob.listen(f"{scheme}:127.0.0.1:0")
            for agent in alice, bob:
                agent.start()
            (address,) = bob.local_addresses()
            alice.invite(f"sip:bob@{address.removeprefix(scheme + ':')};transport={scheme}", body=OFFER)
            invite = await until(bob.events(), EventKind.INVITE)
            assert invite.incoming and invite.message and invite.message.flow
            flow = invite.message.flow
            assert flow.transport is transport
            # RFC 7118: who cannot be reached has a name that nobody has.
            assert ".invalid" in str(invite.message.header("Contact")) and ".invalid" in str(invite.message.header("Via"))
            assert bob.upgrade_path(flow.link) == "/sip?room=7"
            assert bob.upgrade_headers(flow.link, "origin") == ["https://phone.example"]
            assert bob.upgrade_headers(flow.link, b"Cookie") == ["a=b"] and bob.upgrade_headers(flow.link, "X") == []
            invite.incoming.accept(body=ANSWER)
            accept = await until(alice.events(), EventKind.ACCEPT)
            assert accept.session and accept.message and accept.message.flow
            assert alice.upgrade_path(accept.message.flow.link) is None
            # The callee ends it, by the connection of the caller.
            confirmed = await until(bob.events(), EventKind.ACK)
            assert confirmed.session
            confirmed.session.hangup()
            await until(alice.events(), EventKind.TERMINATED)
            with pytest.raises(StaleError):
                bob.upgrade_path(4711)

    asyncio.run(call())


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"websocket_path": "sip"}, BadSyntaxError),
        ({"websocket_headers": {"Host": "example.com"}}, BadSyntaxError),
        ({"websocket_headers": ["Origin: a\r\nB: c"]}, BadSyntaxError),
        ({"websocket_headers": "Origin: a"}, TypeError),
        ({"websocket_ping_s": -2}, ArgumentError),
    ],
)
def test_what_is_no_upgrade(wrong: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        sipdlg.Agent(Config(**wrong))
