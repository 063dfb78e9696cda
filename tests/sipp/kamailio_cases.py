"""Kamailio as registrar of two phones, and as proxy that stays in the way between UDP, TCP and TLS, with one of our programs on each side."""
import glob
import os
import re
import socket
import tempfile
import time

from calls import case, counters
from connection_cases import papers
from harness import check, free_port, same
from registration_cases import until

MODULES = next(iter(glob.glob("/usr/lib/*/kamailio/modules")), "")
TRANSPORTS = ("udp", "tcp", "tls")


class Proxy:
    """Kamailio by kamailio.cfg, of this folder; in the foreground, stopped by its process id, and so are its children."""

    def __init__(self, run):
        self.run = run
        papers(run)
        folder = tempfile.mkdtemp(prefix="kamailio-", dir=run.folder.name)
        while True:  # UDP and TCP at one port, TLS at another
            self.port, self.tls = free_port(), free_port(socket.SOCK_STREAM)
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", self.port))
                    break
                except OSError:
                    pass
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "kamailio.cfg"), encoding="ascii") as file:
            text = file.read()
        values = {"UDP": self.port, "TCP": self.port, "TLS": self.tls, "MODULES": MODULES, "KEY": run.path("server.key"),
                  "CERTIFICATE": run.path("server.pem"), "AUTHORITY": run.path("authority.pem")}
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        config = os.path.join(folder, "kamailio.cfg")
        with open(config, "w", encoding="ascii") as file:
            file.write(text)
        self.process = run.start("/usr/sbin/kamailio", "-DD", "-E", "-f", config, "-Y", folder, "-P", os.path.join(folder, "pid"),
                                 "-m", 16, "-M", 4, name=os.path.basename(folder) + ".out")
        run.wait_until_bound(self.process, self.tls, "tcp")
        run.wait_until_bound(self.process, self.port, "tcp")
        run.wait_until_bound(self.process, self.port, "udp")
        check(self.process.poll() is None, f"kamailio: {run.output(self.process)[-3000:]}")

    def __enter__(self):
        return self

    def children(self):
        """Its processes, found by who is their parent."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]

    def kill(self):
        """As a crash: it and its children at once."""
        family = [self.process.pid, *self.children()]
        for process in family:
            os.kill(process, 9)
        self.process.wait()

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except Exception:
                self.kill()

    def uri(self, transport, user=""):
        """How one reaches it."""
        host = f"localhost:{self.tls}" if transport == "tls" else f"127.0.0.1:{self.port}"
        return f"sip:{user}{host};transport={transport}"


def trusts(run):
    return "--tls-authorities", run.path("authority.pem")


def papers_of(run):
    return "--tls-certificate", run.path("server.pem"), "--tls-key", run.path("server.key"), *trusts(run)


def phone(run, proxy, name, transport, *options, aor=None):
    listen = {"udp": "udp:127.0.0.1:0", "tcp": "tcp:127.0.0.1", "tls": "tls:127.0.0.1"}[transport]
    return run.start("phone", "--registrar", "sip:example.com", "--proxy", proxy.uri(transport), "--aor", aor or f"sip:{name}@example.com",
                     "--user", name, "--password", "secret", "--listen", listen, "--expires", 30, "--outbound", "--backoff-base", 1,
                     "--backoff-most", 2, *trusts(run), *options, name=name)


def phones_call_each_other(run, of_caller, of_callee):
    with Proxy(run) as proxy:
        bob = phone(run, proxy, "bob", of_callee)
        until(run, bob, "registered for 30 s")
        # Both sides hang up once; alice changes the session through the proxy.
        alice = phone(run, proxy, "alice", of_caller, "--call", "sip:bob@example.com", "--reinvite-ms", 100, "--bye-ms", 400)
        words = run.finish(alice, 20)
        check("registered for 30 s" in words and "call confirmed" in words and "unregistered" in words, words)
        until(run, bob, "call ended, reason", 1)
        carol = phone(run, proxy, "carol", of_caller)
        until(run, carol, "registered for 30 s")
        bob_calls = phone(run, proxy, "dave", of_callee, "--call", "sip:carol@example.com", "--reinvite-ms", 100)
        until(run, carol, "call confirmed")
        time.sleep(0.5)
        words = run.stop(carol, 20)  # ends the call, then its registration
        check("unregistered" in words, words)
        words = run.finish(bob_calls, 20)
        check("call ended" in words and "unregistered" in words, words)
        check("unregistered" in run.stop(bob, 20), run.output(bob))


for _caller, _callee in (("udp", "udp"), ("tcp", "tcp"), ("tls", "tls"), ("tls", "udp"), ("udp", "tcp")):
    def attempt(run, caller=_caller, callee=_callee):
        phones_call_each_other(run, caller, callee)
    attempt.__name__ = f"phones_registered_at_kamailio_{_caller}_to_{_callee}"
    case(attempt)


@case
def phone_with_a_wrong_password_is_refused_by_kamailio(run):
    with Proxy(run) as proxy:
        alice = run.start("phone", "--registrar", "sip:example.com", "--proxy", proxy.uri("udp"), "--aor", "sip:alice@example.com",
                          "--password", "wrong", "--backoff-base", 1, "--backoff-most", 1, name="alice")
        until(run, alice, "not registered: 401", 2)
        alice.terminate()
        run.finish(alice, 10)


def server_behind(run, transport, *options):
    """call_server on one transport, and how the proxy reaches it."""
    server = run.start("call_server", "--listen", f"{transport}:127.0.0.1:0", *papers_of(run), "--quiet", *options, name=f"server_{transport}")
    return server, f"sip:bob@127.0.0.1:{run.listening(server, transport)};transport={transport}"


def client_behind(run, proxy, transport, uri, *options, name):
    listen = {"udp": "udp:127.0.0.1:0", "tcp": "tcp:127.0.0.1:0", "tls": "tls:127.0.0.1:0"}[transport]
    return run.start("call_client", "--listen", listen, "--to", uri, "--route", f"<{proxy.uri(transport)};lr>", *papers_of(run), *options,
                     "--trace", name=name)


def calls_through_kamailio(run, of_caller, of_callee):
    """With re-INVITEs and INFO, hung up by either side; all goes through the proxy."""
    with Proxy(run) as proxy:
        for number, (of_server, of_client) in enumerate((((), ("--hold", "--info")), (("--reinvite-ms", 100, "--bye-ms", 500), ("--peer-hangs-up",)))):
            server, uri = server_behind(run, of_callee, *of_server)
            client = client_behind(run, proxy, of_caller, uri, *of_client, name=f"client{number}")
            words = run.finish(client, 30)
            same(counters(words)["completed"], 1, "completed")
            peers = set(re.findall(r"^---- \S+ (?:->|<-) (\w+) 127\.0\.0\.1:(\d+)", words, flags=re.M))
            same({transport for transport, _ in peers}, {of_caller}, "transports")
            check((of_caller, str(proxy.tls if of_caller == "tls" else proxy.port)) in peers, f"whom the client speaks with: {peers}")
            check((of_caller, re.search(r":(\d+);", uri).group(1)) not in peers, f"it speaks with the server: {peers}")
            last = counters(run.stop(server))
            same([last[what] for what in ("confirmed", "errors")], [1, 0], "counters of the server")


for _caller in TRANSPORTS:
    for _callee in TRANSPORTS:
        def attempt(run, caller=_caller, callee=_callee):
            calls_through_kamailio(run, caller, callee)
        attempt.__name__ = f"calls_through_kamailio_{_caller}_to_{_callee}"
        case(attempt)


@case
def kamailio_is_killed_in_a_call(run):
    """Nobody hangs: the next request has a clear end, and so have the call, the programs and the registration."""
    for transport in TRANSPORTS:
        with Proxy(run) as proxy:
            server, uri = server_behind(run, transport, "--trace")
            client = client_behind(run, proxy, transport, uri, "--duration-ms", 1500, name=f"client_{transport}")
            deadline = time.monotonic() + 10
            while "ACK sip:" not in run.output(server):  # before it no BYE may go out (RFC 3261 section 15)
                check(time.monotonic() < deadline, run.output(server)[-3000:])
                time.sleep(0.01)
            began = time.monotonic()
            proxy.kill()
            words = run.finish(client, 10)  # the BYE that cannot arrive ends the call
            check(time.monotonic() - began < 5, "at once")
            same(counters(words)["completed"], 1, words[-1000:])
            began = time.monotonic()
            run.stop(server, 10)
            check(time.monotonic() - began < 5, "at once")


@case
def phone_whose_kamailio_is_killed(run):
    with Proxy(run) as proxy:
        alice = phone(run, proxy, "alice", "tcp")
        until(run, alice, "registered for 30 s")
        proxy.kill()
        until(run, alice, "connection lost", 1, 5)
        until(run, alice, "not registered: 503 (made here)", 1, 10)
        alice.terminate()
        run.finish(alice, 10)
