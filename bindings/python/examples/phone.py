"""Two agents on loopback UDP: a registrar of few words, and alice, who registers there, again before the binding expires, and takes it
back. When to ask again is hers; the numbers come from the library.

    python examples/phone.py
"""

from __future__ import annotations

import asyncio

import sipdlg
from sipdlg import EventKind, RegisterAsks

LONGEST_S = 2


async def registrar(agent: sipdlg.Agent) -> None:
    """Binds whatever Contact comes, for two seconds at most."""
    async for event in agent.events():
        if event.kind is not EventKind.REGISTER or event.incoming is None:
            continue
        with event.incoming.message as request:
            contact, wanted = request.header("Contact"), int(request.header("Expires") or LONGEST_S)
        seconds = min(wanted, LONGEST_S)
        print(f"registrar: alice for {seconds} s")
        event.incoming.accept(headers=[f"Contact: {contact};expires={seconds}"])


async def alice(agent: sipdlg.Agent, target: str, times: int) -> None:
    """Stays registered so many times, then leaves."""
    call_id, instance = sipdlg.new_instance(), sipdlg.new_instance()  # the latter is to be kept for ever
    cseq, failures, asks = 1, 0, RegisterAsks.BIND

    def ask() -> None:
        agent.register(target, asks=asks, expires_s=300, cseq=cseq, instance=instance, reg_id=1, call_id=call_id)

    ask()
    async for event in agent.events():
        if event.kind not in (EventKind.ACCEPT, EventKind.REJECT) or event.outgoing is None:
            continue
        request = event.outgoing.message
        assert request is not None
        with request:
            found = request.registered(event.message)
        cseq = found.next_cseq
        if asks is RegisterAsks.UNBIND:
            print("alice: unregistered")
            return
        if event.kind is EventKind.ACCEPT and found.expires_s > 0:
            print(f"alice: registered for {found.expires_s} s, again in {found.refresh_s} s")
            times, failures, wait_s = times - 1, 0, float(found.refresh_s)
            if times == 0:
                asks, wait_s = RegisterAsks.UNBIND, 0.0
        else:
            failures += 1
            wait_s = max(agent.backoff_ms(failures) / 1000, found.retry_after_s)
        await asyncio.sleep(wait_s)
        ask()


async def main() -> None:
    with sipdlg.Agent(sipdlg.Config(aor="sip:alice@example.com")) as one, sipdlg.Agent(
        sipdlg.Config(aor="sip:registrar@example.com", allow="REGISTER")
    ) as other:
        for agent in (one, other):
            agent.listen("udp:127.0.0.1:0")
            agent.start()
        (address,) = other.local_addresses()
        serving = asyncio.create_task(registrar(other))
        await asyncio.wait_for(alice(one, f"sip:{address.removeprefix('udp:')}", 2), 20)
        serving.cancel()


if __name__ == "__main__":
    asyncio.run(main())
