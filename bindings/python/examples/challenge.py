"""Two agents on loopback UDP: bob wants to know who calls, alice calls him twice: with her password, and with a wrong one. Prints what
bob makes of each INVITE.

    python examples/challenge.py
"""

from __future__ import annotations

import asyncio

import sipdlg
from sipdlg import Credentials, Digest, EventKind

REALM = "example.com"
PASSWORDS = {"alice": "wonderland"}
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def answer(request: sipdlg.IncomingRequest) -> str:
    """Challenges whoever is not known; gives what is said of it."""
    with request.message as message:
        user = message.digest_username(REALM)
    # Who is unknown is checked like the others: the time that it takes tells nobody which users there are.
    password = PASSWORDS.get(user or "", "")
    known = Credentials(realm=REALM, user=user or "nobody", secret=password)
    verdict = request.check_digest(known)
    if verdict is Digest.GOOD and user in PASSWORDS:
        request.accept(body=SDP)
        return f"{user} may call"
    request.challenge(REALM)
    return f"{user or 'somebody'}: {verdict.name.lower()}, asked for a password"


async def bob(agent: sipdlg.Agent) -> None:
    async for event in agent.events():
        if event.kind is EventKind.INVITE and event.incoming is not None:
            print("bob:", answer(event.incoming))


async def alice(agent: sipdlg.Agent, target: str) -> list[int]:
    """Calls with two passwords, one after the other; gives the final codes."""
    codes: list[int] = []
    passwords = ["wonderland", "looking glass"]
    agent.invite(target, body=SDP, credentials=[Credentials(realm=REALM, user="alice", secret=passwords.pop(0))])
    async for event in agent.events():
        if event.kind is EventKind.ACCEPT and event.session is not None:
            codes.append(event.status_code)
            event.session.hangup()
        elif event.kind is EventKind.REJECT:
            codes.append(event.status_code)
            break
        elif event.kind is EventKind.CHALLENGE and event.outgoing is not None:
            event.outgoing.authenticate(None)  # she knows no other password
        elif event.kind is EventKind.TERMINATED and passwords:
            mine = Credentials(realm=REALM, user="alice", secret=passwords.pop(0))
            agent.invite(target, body=SDP, credentials=[mine])
    return codes


async def main() -> None:
    with sipdlg.Agent(sipdlg.Config(aor="sip:alice@example.com")) as one, sipdlg.Agent(
        sipdlg.Config(aor="sip:bob@example.com")
    ) as other:
        for agent in (one, other):
            agent.listen("udp:127.0.0.1:0")
            agent.start()
        (address,) = other.local_addresses()
        serving = asyncio.create_task(bob(other))
        codes = await asyncio.wait_for(alice(one, f"sip:bob@{address.removeprefix('udp:')}"), 20)
        serving.cancel()
    print("alice:", *codes)
    assert codes == [200, 401], codes


if __name__ == "__main__":
    asyncio.run(main())
