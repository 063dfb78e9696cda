"""tests/api/sip.py, the ctypes program that the API was designed with, unchanged."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pair import ANSWER, OFFER
from runtime import address, serve, started, until

import sipdlg
from sipdlg import EventKind

SKETCH = Path(__file__).parent / "api" / "sip.py"
PROGRAMS = Path(__file__).parents[3] / "target" / "examples-c"


def sketch() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sip_sketch", SKETCH)
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


def test_the_sketch_calls_the_c_server(tmp_path: Path) -> None:
    """As a process of its own; the port is the server's, all else as it stands."""
    program = tmp_path / "sip.py"
    with subprocess.Popen(
        [PROGRAMS / "call_server", "--listen", "udp:127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            listening = re.fullmatch(r"listening on udp:(\S+)\n", server.stdout.readline())
            assert listening
            parts = SKETCH.read_text().split("127.0.0.1:5070")
            assert len(parts) == 2
            program.write_text(listening[1].join(parts))
            subprocess.run([sys.executable, program, library_path()], check=True, timeout=20)
        finally:
            server.send_signal(signal.SIGTERM)
            said = server.stdout.read()
    assert server.returncode == 0
    assert "calls 1, confirmed 1, " in said and said.endswith("errors 0\n"), said
