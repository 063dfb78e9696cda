"""call_client finds call_server by the records of a real name server, NSD (RFC 3263)."""
import contextlib
import os
import signal
import socket
import time

from calls import case, counters
from harness import check, free_port, same

ORIGIN = "voip.test"
SOA = f"$ORIGIN {ORIGIN}.\n$TTL 60\n@ SOA ns hostmaster {{serial}} 3600 600 86400 1\n@ NS ns\nns A 127.0.0.1\nhere A 127.0.0.1\n"


class Names:
    """NSD with one zone."""

    def __init__(self, run, records):
        self.run, self.serial, self.port = run, 0, free_port()
        self.write(records)
        with open(run.path("nsd.conf"), "w", encoding="ascii") as file:
            file.write(f"""server:
  ip-address: 127.0.0.1@{self.port}
  server-count: 1
  username: ""
  zonesdir: "{run.folder.name}"
  pidfile: "{run.path('nsd.pid')}"
  xfrdfile: "{run.path('xfrd')}"
  zonelistfile: "{run.path('zones')}"
  xfrdir: "{run.folder.name}"
  database: ""
  verbosity: 1
remote-control:
  control-enable: no
zone:
  name: {ORIGIN}
  zonefile: zone
""")
        self.process = run.start("/usr/sbin/nsd", "-d", "-c", run.path("nsd.conf"), name="nsd")
        run.wait_until_bound(self.process, self.port, "udp")
        check(self.process.poll() is None, f"nsd: {run.output(self.process)}")
        self.wait_for_serial()

    def write(self, records):
        self.serial += 1
        with open(self.run.path("zone.new"), "w", encoding="ascii") as file:
            file.write(SOA.format(serial=self.serial) + records + "\n")
        os.replace(self.run.path("zone.new"), self.run.path("zone"))
        stamp = time.time() + self.serial  # another one, however soon after the last
        os.utime(self.run.path("zone"), (stamp, stamp))

    def change(self, records):
        self.write(records)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for_serial()

    def wait_for_serial(self):
        """Until it has read the zone: its SOA has our serial."""
        name = b"".join(bytes([len(label)]) + label.encode() for label in ORIGIN.split(".")) + b"\0"
        deadline = time.monotonic() + 10
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.1)
            while time.monotonic() < deadline:
                asker.sendto(b"\0\7\0\0\0\1\0\0\0\0\0\0" + name + b"\0\6\0\1", ("127.0.0.1", self.port))
                with contextlib.suppress(TimeoutError):
                    if self.serial.to_bytes(4, "big") + (3600).to_bytes(4, "big") in asker.recv(512):
                        return
                time.sleep(0.02)
        check(False, f"nsd: {self.run.output(self.process)}")

    def stop(self):
        """Its children with it."""
        self.process.terminate()
        self.process.wait(10)


@contextlib.contextmanager
def names(run, records):
    server = Names(run, records)
    try:
        yield server
    finally:
        server.stop()


def servers(run, count, transport="udp"):
    """So many call_servers: (process, port)."""
    started = [run.start("call_server", "--listen", f"{transport}:127.0.0.1:0", "--quiet", name=f"server{number}") for number in range(count)]
    return [(process, run.listening(process, transport)) for process in started]


def call(run, name_server, uri, *options, calls=1):
    client = run.start("call_client", "--resolver", f"127.0.0.1:{name_server.port}", "--listen", "udp:127.0.0.1:0",
                       "--listen", "tcp:127.0.0.1", "--to", uri, "--quiet", "--calls", calls, *options)
    same(counters(run.finish(client))["completed"], calls, f"calls to {uri} completed")


def taken(run, started):
    """The calls that each has had; none may have failed."""
    words = [counters(run.stop(process)) for process, _ in started]
    for each in words:
        same((each["confirmed"], each["errors"]), (each["calls"], 0), "confirmed and errors")
    return [each["calls"] for each in words]


@case
def client_spreads_calls_by_weight(run):
    """SRV of one priority: the calls are shared by weight (RFC 2782); one of a lower priority gets none."""
    started = servers(run, 3)
    records = "\n".join(f"_sip._udp SRV {10 if number < 2 else 20} {(30, 10, 90)[number]} {port} here"
                        for number, (_, port) in enumerate(started))
    with names(run, records) as name_server:
        call(run, name_server, f"sip:bob@{ORIGIN}", "--rate", 100, calls=80)
    many, few, none = taken(run, started)
    same((many + few, none), (80, 0), "calls")
    check(40 <= many <= 78, f"{many} of 80 calls went to three quarters of the weight")


@case
def client_goes_by_naptr(run):
    """NAPTR prefers TCP, and so does the call, hold and INFO; the address of the name itself is nobody's."""
    (server, port), = started = servers(run, 1, "tcp")
    records = f"""@ NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp.other
@ NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp
@ A 127.0.0.1
_sip._tcp.other SRV 0 0 {port} alias
alias CNAME here"""
    with names(run, records) as name_server:
        call(run, name_server, f"sip:bob@{ORIGIN}", "--hold", "--info")
    same(taken(run, started), [1], "calls")
    check(server.returncode == 0, "server")


def passes_over_a_dead_target(run, transport, kind):
    """Nobody is at the first target: every call goes to the next, with ACK, re-INVITEs and BYE (RFC 3263 section 4.3)."""
    started = servers(run, 1, transport)
    records = f"_sip._{transport} SRV 1 0 {free_port(kind)} here\n_sip._{transport} SRV 2 0 {started[0][1]} here"
    with names(run, records) as name_server:
        call(run, name_server, f"sip:bob@{ORIGIN};transport={transport}", "--hold", "--info", "--rate", 50, calls=20)
    same(taken(run, started), [20], "calls")


@case
def client_passes_over_a_dead_target_tcp(run):
    passes_over_a_dead_target(run, "tcp", socket.SOCK_STREAM)


@case
def client_passes_over_a_dead_target_udp(run):
    passes_over_a_dead_target(run, "udp", socket.SOCK_DGRAM)


@case
def client_sees_a_record_that_changes(run):
    """With a TTL of 1 s calls go where the record leads by then; no call fails on the way."""
    started = servers(run, 2)
    record = "_sip._udp 1 SRV 0 0 {} here"
    with names(run, record.format(started[0][1])) as name_server:
        client = run.start("call_client", "--resolver", f"127.0.0.1:{name_server.port}", "--to", f"sip:bob@{ORIGIN}",
                           "--quiet", "--calls", 80, "--rate", 20)
        time.sleep(1)
        name_server.change(record.format(started[1][1]))
        same(counters(run.finish(client))["completed"], 80, "completed")
    before, after = taken(run, started)
    check(before + after == 80 and before >= 10 and after >= 10, f"{before} calls before, {after} after the change")


@case
def client_is_told_that_a_name_is_not_there(run):
    """No such name: a local 503 at once. A name server that is not there: the same."""
    with names(run, "_sip._udp SRV 0 0 5060 nowhere") as name_server:
        ports = [name_server.port, name_server.port, free_port()]
        for host, port in zip((ORIGIN, f"nobody.{ORIGIN}", ORIGIN), ports):
            client = run.start("call_client", "--resolver", f"127.0.0.1:{port}", "--to", f"sip:bob@{host}", name=f"client-{host}-{port}")
            check("503 (made here)" in run.finish(client, 10, 1), host)
