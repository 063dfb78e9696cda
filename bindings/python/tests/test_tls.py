"""Calls over TLS by the library's sockets."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from pathlib import Path

import pytest
from pair import ANSWER, OFFER
from runtime import until

import sipdlg
from sipdlg import ArgumentError, BadSyntaxError, Config, EventKind, StaleError, StateError, Tls, TlsVerify

SOURCE = (Path(__file__).parents[3] / "tests" / "c" / "papers.h").read_text()
CERTIFICATE, KEY = (
    "".join(line + "\n" for line in re.findall(r'"(.*)\\n"', text)) for text in SOURCE.split("#define PAPERS_")[2:]
)
OURS = Tls(certificates=CERTIFICATE, key=KEY, authorities=CERTIFICATE)


def test_a_call_and_who_answered_it(tmp_path: Path) -> None:
    """One side by texts, the other by paths; both show a certificate, and both are read by name."""
    (certificate, key) = (tmp_path / "certificate.pem", tmp_path / "key.pem")
    certificate.write_text(CERTIFICATE)
    key.write_text(KEY)
    theirs = Tls(
        certificates=certificate,
        key=str(key),
        authorities=bytes(certificate),
        clients=sipdlg.Policy.REQUIRED,
        only_tls13=True,
    )

    async def call() -> tuple[list[str], list[str]]:
        with sipdlg.Agent(Config(tls=OURS)) as alice, sipdlg.Agent(Config(tls=theirs)) as bob:
            alice.listen("tls:127.0.0.1")
            bob.listen("tls:127.0.0.1:0")
            for agent in alice, bob:
                agent.start()
            (address,) = bob.local_addresses()
            alice.invite(f"sip:bob@{address.removeprefix('tls:')};transport=tls", body=OFFER)
            invite = await until(bob.events(), EventKind.INVITE)
            assert invite.incoming and invite.message and invite.message.flow
            assert invite.message.flow.transport is sipdlg.Transport.TLS
            callers = bob.peer_names(invite.message.flow.link)
            invite.incoming.accept(body=ANSWER)
            accept = await until(alice.events(), EventKind.ACCEPT)
            assert accept.session and accept.message and accept.message.flow
            called = alice.peer_names(accept.message.flow.link)
            with pytest.raises(StaleError):
                alice.peer_names(4711)
            # New papers end no call.
            bob.set_tls(OURS)
            with pytest.raises(BadSyntaxError):
                bob.set_tls(dataclasses.replace(OURS, key=certificate))
            bob.set_tls(None)
            accept.session.hangup()
            await until(bob.events(), EventKind.TERMINATED)
            return callers, called

    callers, called = asyncio.run(call())
    assert callers == called == ["sip:localhost", "localhost"]


def test_nobody_who_is_not_trusted_is_spoken_to() -> None:
    async def call(tls: Tls | None) -> int:
        with sipdlg.Agent(Config(tls=tls)) as alice, sipdlg.Agent(Config(tls=OURS)) as bob:
            alice.listen("tls:127.0.0.1")
            bob.listen("tls:127.0.0.1:0")
            for agent in alice, bob:
                agent.start()
            (address,) = bob.local_addresses()
            alice.invite(f"sip:bob@{address.removeprefix('tls:')};transport=tls", body=OFFER)
            ours = asyncio.create_task(until(alice.events(), EventKind.REJECT))
            theirs = asyncio.create_task(until(bob.events(), EventKind.INVITE))
            done, others = await asyncio.wait([ours, theirs], return_when=asyncio.FIRST_COMPLETED)
            for other in others:
                other.cancel()
            return done.pop().result().status_code

    assert asyncio.run(call(Tls(verify=TlsVerify.NAME))) == 503
    assert asyncio.run(call(Tls(verify=TlsVerify.NOTHING))) == 0


def test_what_is_no_set_of_papers() -> None:
    for wrong, kind in [
        (Tls(certificates=CERTIFICATE), ArgumentError),
        (Tls(certificates="-----BEGIN nothing", key=KEY), BadSyntaxError),
        (Tls(authorities=Path("/nowhere/at/all.pem")), sipdlg.SystemRefusedError),
        (Tls(clients=sipdlg.Policy.REQUIRED), ArgumentError),
        (Tls(verify=3), ArgumentError),  # type: ignore[arg-type]
        (Tls(key="a\0b"), ArgumentError),
        (Tls(key=5), TypeError),  # type: ignore[arg-type]
        (Tls(only_tls13="no"), TypeError),  # type: ignore[arg-type]
        ("papers", TypeError),
    ]:
        with pytest.raises(kind) as raised:
            sipdlg.Agent(Config(tls=wrong))  # type: ignore[arg-type]
        assert "PRIVATE" not in str(raised.value)
    # A text that is no file may have been meant as a key: which one it was is said, and not what stands in it.
    with pytest.raises(sipdlg.SystemRefusedError, match="key: No such file") as refused:
        sipdlg.Agent(Config(tls=Tls(certificates=CERTIFICATE, key="c2VjcmV0")))
    assert "c2VjcmV0" not in str(refused.value)
    with sipdlg.Agent() as agent, pytest.raises(StateError):
        agent.listen("tls:127.0.0.1:0")


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(Config(tls=OURS)) and "key=***" in repr(OURS)
    assert repr(Tls()) == "Tls(key=***)" and repr(Tls(only_tls13=True)).endswith("only_tls13=True)")
