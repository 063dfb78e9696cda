"""Names are looked up by the name servers of Config.resolver, and by no other."""

from __future__ import annotations

import socket
import time

import pytest

import sipdlg
from sipdlg import EventKind


def test_the_name_server_of_the_configuration_is_asked() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        config = sipdlg.Config(resolver="127.0.0.1:%d" % server.getsockname()[1])
        with sipdlg.Agent(config) as agent:
            agent.listen("udp:127.0.0.1:0")
            agent.start()
            agent.request("OPTIONS", "sip:nobody.invalid")
            agent.request("OPTIONS", "sip:sip.example")
            deadline = time.monotonic() + 10
            while (event := agent.poll_event()) is None or event.kind is not EventKind.REJECT:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert event.status_code == 503
            question, asker = server.recvfrom(2000)
            assert question[12:25] == b"\3sip\7example\0", "the first that is asked for"
            # NXDOMAIN, to this and all that follows.
            deadline = time.monotonic() + 10
            while (event := agent.poll_event()) is None or event.kind is not EventKind.REJECT:
                assert time.monotonic() < deadline
                name_end = question.index(b"\0", 12) + 5
                server.sendto(question[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + question[12:name_end], asker)
                server.settimeout(0.05)
                try:
                    question, asker = server.recvfrom(2000)
                except TimeoutError:
                    continue
            assert event.status_code == 503


@pytest.mark.parametrize("text", ["", "localhost", "127.0.0.1:0", "127.0.0.1,"])
def test_what_is_no_name_server(text: str) -> None:
    with pytest.raises(sipdlg.BadSyntaxError):
        sipdlg.Agent(sipdlg.Config(resolver=text))
