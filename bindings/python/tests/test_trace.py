"""What passes can be seen: polled, in a file that tshark reads, by a collector of HEP3 with a decoder of its own."""

from __future__ import annotations

import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest
from confirmed import confirmed
from pair import ANSWER, OFFER, Pair
from runtime import address

import sipdlg
from sipdlg import Agent, Config, Direction, Endpoint, Event, EventKind, Flow, LogLevel, Redact, TraceEntry, TraceKind, Transport

PROGRAMS = Path(__file__).parents[3] / "target" / "examples-c"
BOTH = TraceKind.MESSAGE | TraceKind.LINE


def messages(agent: Agent) -> list[TraceEntry]:
    return [entry for entry in agent.poll_traces() if entry.kind is TraceKind.MESSAGE]


def tshark(path: Path, wanted: str, *fields: str) -> list[list[str]]:
    """The packets that a display filter wants, some fields of each."""
    chosen = [word for field in fields for word in ("-e", field)]
    sums = [word for layer in ("ip", "udp", "tcp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
    command = ["tshark", "-n", *sums, "-r", str(path), "-Y", wanted, "-T", "fields", *chosen]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_a_call_is_traced_on_both_sides() -> None:
    with Pair(trace=BOTH, trace_level=LogLevel.DEBUG) as pair:
        invite, accepted = confirmed(pair)
        assert accepted.session
        accepted.session.hangup()
        pair.exchange()
        pair.bob.take(EventKind.BYE).default()
        pair.exchange()
        ours, theirs = list(pair.alice.agent.poll_traces()), list(pair.bob.agent.poll_traces())
        assert [entry.id for entry in ours] == list(range(1, len(ours) + 1)) and not any(entry.lost for entry in ours)
        lines = [entry for entry in ours if entry.kind is TraceKind.LINE]
        mine = [entry for entry in ours if entry.kind is TraceKind.MESSAGE]
        assert len(lines) == len(mine) and {line.level for line in lines} == {LogLevel.DEBUG}
        assert "INVITE sip:bob@" in str(lines[0]) and lines[0].flow is None and lines[0].direction is Direction.NONE
        other = [entry for entry in theirs if entry.kind is TraceKind.MESSAGE]
        assert [entry.data for entry in mine] == [entry.data for entry in other] == pair.wire
        assert all(one.direction + two.direction == Direction.IN + Direction.OUT for one, two in zip(mine, other))
        assert mine[0].flow == Flow(Transport.UDP, pair.alice.here, pair.bob.here, mine[0].flow.link if mine[0].flow else 0)
        stats = pair.alice.agent.stats()
        assert len(mine) == stats.messages_received + stats.messages_sent and stats.trace_lost == 0
        assert pair.alice.agent.poll_trace() is None


def test_what_is_kept_is_bounded_and_left_out_by_choice() -> None:
    with Pair() as pair, pytest.raises(sipdlg.StateError):
        pair.alice.agent.poll_trace()
    for redact, shown in ((None, True), (Redact.IDENTITIES, False), (Redact(0), True)):
        with Pair(trace=TraceKind.MESSAGE, trace_entries=2, redact=redact) as pair:
            for call in range(4):
                pair.alice.agent.request("OPTIONS", "sip:bob@192.0.2.2", headers={"X-Call": str(call)})
            first = pair.alice.agent.poll_trace()
            assert first and first.lost == 2 and first.id == 3 and (b"alice" in first.data) == shown
            assert pair.alice.agent.stats().trace_lost == 2
    for wrong in ({"trace": 4}, {"redact": 8}, {"trace": 1, "trace_level": 5}):
        with pytest.raises(sipdlg.ArgumentError):
            Agent(Config(**wrong))  # type: ignore[arg-type]


def test_started_agents_are_traced_too() -> None:
    with Agent(Config(trace=TraceKind.MESSAGE)) as caller, Agent(Config(trace=BOTH)) as callee:
        for agent in (caller, callee):
            agent.listen("udp:127.0.0.1:0")
            agent.start()
        caller.request("OPTIONS", f"sip:bob@{address(callee)}")
        ours: list[TraceEntry] = []
        theirs: list[TraceEntry] = []
        end = time.monotonic() + 10
        while (len(ours) < 2 or len(theirs) < 2) and time.monotonic() < end:
            for event in callee.poll_events():
                event.default()
            ours += messages(caller)
            theirs += messages(callee)
            time.sleep(0.01)
        assert [entry.data for entry in ours] == [entry.data for entry in theirs]
        assert str(ours[0]).startswith("OPTIONS sip:bob@") and str(ours[1]).startswith("SIP/2.0 ")


def test_a_stream_is_shown_message_by_message() -> None:
    """In whatever pieces it comes; keep-alives are not, the header of what is too long is."""
    options = (
        "OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK{0}\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:bob@b>\r\nCall-ID: {0}\r\nCSeq: 1 OPTIONS\r\nContent-Length: {1}\r\n\r\n"
    )
    first, second, long = options.format(1, 4) + "\r\n\r\n", options.format(2, 0), options.format(3, 5_000)
    stream = f"\r\n\r\n{first}\r\n{second}\r\n\r\n{long}".encode()
    flow = Flow(Transport.TCP, Endpoint("192.0.2.2", 5060), Endpoint("192.0.2.1", 40000), 7)
    for step in (1, 7, 300, len(stream)):
        with Agent(Config(manual_clock=True, seed=1, message_bytes=1_300, trace=TraceKind.MESSAGE)) as agent:
            agent.add_transport(flow)
            with pytest.raises(sipdlg.LimitError):
                for at in range(0, len(stream), step):
                    agent.receive(flow, stream[at : at + step])
            seen = messages(agent)
            assert [str(entry) for entry in seen if entry.direction is Direction.IN] == [first, second, long]
            assert str(seen[-1]).startswith("SIP/2.0 513 ")


class Wire:
    """Two agents whose host has streams and WebSockets, in memory."""

    def __init__(self, transport: Transport, hosts: tuple[str, str]) -> None:
        self.agents: list[Agent] = []
        ports = {Transport.UDP: 5060, Transport.TCP: 5060, Transport.TLS: 5061, Transport.WS: 80, Transport.WSS: 443}
        ends = [Endpoint(hosts[0], 40000), Endpoint(hosts[1], ports[transport])]
        self.flows = [Flow(transport, ends[0], ends[1], 7), Flow(transport, ends[1], ends[0], 7)]
        for side, host in enumerate(hosts):
            config = Config(aor=f"sip:side{side}@example.com", seed=side + 1, manual_clock=True, trace=TraceKind.MESSAGE)
            self.agents.append(Agent(config))
            self.agents[side].set_time(1_000_000, 1_700_000_000_000_000)
            self.agents[side].add_transport(self.flows[side])

    def exchange(self) -> list[Event]:
        events, busy = [], True
        while busy:
            busy = False
            for side, agent in enumerate(self.agents):
                events += list(agent.poll_events())
                while (out := agent.poll_transmit()) is not None:
                    busy = True
                    self.agents[1 - side].receive(self.flows[1 - side], out.data)
        return events

    def call(self, body: str) -> None:
        self.agents[0].invite("sip:bob@example.com", body=body, flow=self.flows[0])
        session = None
        for _ in range(3):
            for event in self.exchange():
                if event.kind is EventKind.INVITE and event.incoming:
                    event.incoming.accept(body=ANSWER)
                elif event.kind is EventKind.BYE:
                    event.default()
                session = event.session or session
        assert session
        session.hangup()
        for event in self.exchange():
            if event.kind is EventKind.BYE:
                event.default()
        self.exchange()


V4, V6 = ("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")


@pytest.mark.parametrize("hosts", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP, Transport.TLS, Transport.WS, Transport.WSS])
def test_tshark_reads_the_file(tmp_path: Path, transport: Transport, hosts: tuple[str, str]) -> None:
    path = tmp_path / "call.pcap"
    wire = Wire(transport, hosts)
    wire.agents[0].capture_pcap(path)
    wire.call(OFFER)
    # Longer than a segment, where streams carry it.
    if transport is not Transport.UDP:
        wire.call(OFFER + "a=x:" + "y" * 50_000 + "\r\n")
    wire.agents[0].capture_pcap(None)
    seen = messages(wire.agents[0])
    for agent in wire.agents:
        agent.close()
    assert path.stat().st_mode & 0o777 == 0o600
    fields = ("sip.Call-ID", "sip.Method", "sip.Status-Code", "ip.src", "ipv6.src", "_ws.malformed", "tcp.analysis.flags", "_ws.expert.severity")
    packets = tshark(path, "frame", *fields)
    found = [row for row in packets if row[0]]
    assert len(found) == len(seen) >= 5
    for (call_id, method, status, v4, v6, *_), entry in zip(found, seen):
        text = str(entry)
        assert f"Call-ID: {call_id}\r\n" in text
        assert text.startswith(f"SIP/2.0 {status} " if status else f"{method} ")
        assert (v4 or v6) == hosts[entry.direction == Direction.IN]
    warning = 0x600000
    for *_, malformed, analysis, severities in packets:
        assert not malformed and not analysis
        assert all(int(severity) < warning for severity in severities.split(",") if severity)


def test_broken_messages_are_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.pcap"
    with Pair() as pair:
        pair.bob.agent.capture_pcap(str(path))
        for data in (b"hello", b"INVITE sip:bob@192.0.2.2 SIP/2.0\r\n\r\n", b"x" * 70_000, b"\r\n\r\n"):
            pair.bob.agent.receive(pair.bob.flow_from(pair.alice), data)
        assert pair.bob.agent.stats().capture_lost == 0
    lengths = [row[0] for row in tshark(path, "udp", "udp.length")]
    assert lengths[:1] == ["13"] and len(lengths) == 3


def hep(packet: bytes) -> dict[int, bytes]:
    """The chunks of a packet of HEP3, by type."""
    magic, length = struct.unpack_from("!4sH", packet)
    assert magic == b"HEP3" and length == len(packet)
    chunks, at = {}, 6
    while at < length:
        vendor, kind, size = struct.unpack_from("!HHH", packet, at)
        assert vendor == 0 and size >= 6 and kind not in chunks and at + size <= length
        chunks[kind] = packet[at + 6 : at + size]
        at += size
    return chunks


class Collector:
    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def packets(self) -> list[dict[int, bytes]]:
        found = []
        while True:
            try:
                found.append(hep(self.socket.recv(70_000)))
            except BlockingIOError:
                return found


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TLS, Transport.WSS])
@pytest.mark.parametrize("hosts", [V4, V6], ids=["IPv4", "IPv6"])
def test_a_collector_gets_every_message(transport: Transport, hosts: tuple[str, str]) -> None:
    with Collector() as collector:
        wire = Wire(transport, hosts)
        wire.agents[1].capture_hep(collector.address, 2001, "secret")
        wire.call(OFFER)
        wire.agents[1].capture_hep(None)
        wire.call(OFFER)
        seen, found = messages(wire.agents[1]), collector.packets()
    for agent in wire.agents:
        agent.close()
    assert 5 <= len(found) == len(seen) / 2
    family = socket.AF_INET if hosts is V4 else socket.AF_INET6
    for chunks, entry in zip(found, seen):
        call_id = str(entry).split("\r\nCall-ID: ")[1].split("\r\n")[0]
        assert chunks[15] == entry.data and chunks[17].decode() == call_id
        assert chunks[1] == bytes([2 if hosts is V4 else 10])
        assert chunks[2] == bytes([6 if transport is Transport.TLS else 17])
        assert chunks[11] == b"\x01" and chunks[12] == struct.pack("!I", 2001) and chunks[14] == b"secret"
        assert struct.unpack("!I", chunks[9])[0] * 1_000_000 + struct.unpack("!I", chunks[10])[0] == entry.unix_us
        local, remote = hosts[1], hosts[0]
        source, target = (remote, local) if entry.direction is Direction.IN else (local, remote)
        kinds = (3, 4) if hosts is V4 else (5, 6)
        assert [socket.inet_ntop(family, chunks[kind]) for kind in kinds] == [source, target]
        ports = [struct.unpack("!H", chunks[kind])[0] for kind in (7, 8)]
        assert entry.flow and entry.flow.local and entry.flow.remote
        here, there = entry.flow.local.port, entry.flow.remote.port
        assert ports == ([there, here] if entry.direction is Direction.IN else [here, there])


def test_captures_say_what_is_wrong(tmp_path: Path) -> None:
    with Agent() as agent:
        with pytest.raises(sipdlg.SystemRefusedError):
            agent.capture_pcap(tmp_path / "no" / "file")
        with pytest.raises(sipdlg.BadSyntaxError):
            agent.capture_hep("nowhere")
        with pytest.raises(sipdlg.ArgumentError):
            agent.capture_hep("127.0.0.1:9060", password="x" * 256)
        fifo = tmp_path / "fifo"
        subprocess.run(["mkfifo", str(fifo)], check=True)
        with pytest.raises(sipdlg.SystemRefusedError):
            agent.capture_pcap(fifo)


def run(program: str, *arguments: Any) -> subprocess.Popen[str]:
    words = [str(word) for word in (PROGRAMS / program, *arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_programs_show_their_calls(tmp_path: Path) -> None:
    files = [tmp_path / "server.pcap", tmp_path / "client.pcap"]
    with Collector() as collector, run("call_server", "--listen", "udp:127.0.0.1:0", "--pcap", files[0], "--trace") as server:
        try:
            assert server.stdout
            uri = "sip:bob@" + server.stdout.readline().split("udp:")[1].strip()
            with run("call_client", "--to", uri, "--pcap", files[1], "--hep", collector.address, "--trace") as client:
                _, shown = client.communicate(timeout=30)
            assert client.returncode == 0
        finally:
            server.terminate()
            _, traced = server.communicate(timeout=30)
        packets = collector.packets()
    methods = [[row[1] or row[0] for row in tshark(path, "sip", "sip.Method", "sip.Status-Code")] for path in files]
    assert methods[0] == methods[1] and methods[0].count("INVITE") == 1 and methods[0][-2:] == ["BYE", "200"]
    assert shown.count("---- ") == traced.count("---- ") == len(methods[0]) == len(packets)
    assert " -> udp 127.0.0.1:" in shown and f"INVITE {uri} SIP/2.0" in shown
