"""Both programs against SIPp over TCP, and over TLS, which Debian's SIPp does not speak: stunnel puts it on and takes it off."""
import socket
import subprocess

from calls import UAS_BEGIN, UAS_END, UAS_REINVITE, case, counters, every, first, one_dialog, scenario_file
from harness import briefs, check, free_port, same, without_100
import scenario as s

LOAD_CALLS, LOAD_RATE = 2000, 100


def papers(run, name="localhost"):
    """An authority, and a certificate of `name` and 127.0.0.1 that it has signed."""
    def openssl(files, subject, *more):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", f"/CN={subject}", "-keyout", run.path(files + ".key"), "-out", run.path(files + ".pem"), *more],
                       check=True, capture_output=True, stdin=subprocess.DEVNULL)
    openssl("authority", "authority", "-addext", "keyUsage=critical,keyCertSign")
    openssl("server", "server", "-CA", run.path("authority.pem"), "-CAkey", run.path("authority.key"),
            "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")


def stunnel(run, connect, *more):
    """From a free port, which it gives, to the port `connect`."""
    port = free_port(socket.SOCK_STREAM)
    with open(run.path("stunnel.conf"), "w", encoding="ascii") as file:
        file.write("\n".join(["foreground = yes", "pid =", "debug = warning", "[sip]", f"accept = 127.0.0.1:{port}",
                              f"connect = 127.0.0.1:{connect}", "TIMEOUTclose = 0", *more, ""]))
    process = run.start("/usr/bin/stunnel4", run.path("stunnel.conf"), name="stunnel")
    run.wait_until_bound(process, port, "tcp")
    check(process.poll() is None, f"stunnel: {run.output(process)}")
    return port


def over(transport, steps, port="[local_port]", parameter=";transport=tcp", scheme="sip"):
    """The steps with the transport in Via and Contact; `port`: where SIPp is reached. RFC 5630 section 3.1.4: no transport=tls."""
    def told(line):
        if line.startswith("Contact: "):
            line = line.replace("[local_port]>", f"{port}{parameter if scheme == 'sip' else ''}>")
        return line.replace("[transport]", transport.upper()).replace("sip:", scheme + ":")
    return ["\n".join(map(told, step.split("\n"))) for step in steps]


class Called:
    """call_server, to be called by SIPp."""

    def __init__(self, run, transport, *options):
        self.run, self.transport = run, transport
        if transport == "tls":
            papers(run)
            options += ("--tls-certificate", run.path("server.pem"), "--tls-key", run.path("server.key"))
        # Another transport is there too: nothing may go by it.
        self.process = run.start("call_server", "--listen", "udp:127.0.0.1:0", "--listen", f"{transport}:127.0.0.1:0", "--quiet", *options)
        self.port = self.listens = run.listening(self.process, transport)
        if transport == "tls":
            self.port = stunnel(run, self.port, "client = yes", f"CAfile = {run.path('authority.pem')}", "verifyChain = yes",
                                "checkHost = localhost")

    def call(self, steps, *options, calls=1, **more):
        sipp = self.run.sipp(f"127.0.0.1:{self.port}", "-sf", scenario_file(self.run, "uac", steps), "-m", calls, *options,
                             protocol="tcp", **more)
        return self.run.finish_sipp(sipp, 120, calls)

    def stop(self, calls=1):
        words = counters(self.run.stop(self.process))
        same([words[name] for name in ("calls", "confirmed", "errors", "retransmissions received", "retransmissions sent")],
             [calls, calls, 0, 0, 0], "counters of the server")


def call_sipp(run, transport, steps, *options, calls=1, **more):
    """call_client calls SIPp, which answers by these steps: SIPp's trace."""
    port = free_port(socket.SOCK_STREAM)
    reached, uri = port, f"sip:bob@127.0.0.1:{port};transport=tcp"
    if transport == "tls":
        papers(run)
        reached = stunnel(run, port, f"cert = {run.path('server.pem')}", f"key = {run.path('server.key')}")
        uri = f"sips:bob@localhost:{reached}"
        options += ("--tls-authorities", run.path("authority.pem"))
    steps = over(transport, steps, reached, scheme=uri.split(":")[0])
    sipp = run.sipp("-sf", scenario_file(run, "uas", steps), "-m", calls, port=port, protocol="tcp", **more)
    client = run.start("call_client", "--to", uri, "--calls", calls, *options)
    words = counters(run.finish(client, 120))
    same((words["completed"], words["retransmissions sent"], words["retransmissions received"]), (calls, 0, 0), "counters of the client")
    return run.finish_sipp(sipp, 120, calls)


def by_connection(function):
    """The case over TCP and over TLS."""
    for transport in ("tcp", "tls"):
        def attempt(run, transport=transport):
            function(run, transport)
        attempt.__name__ = f"{function.__name__}_{transport}"
        case(attempt)
    return function


@by_connection
def server_is_called_over(run, transport):
    server = Called(run, transport)
    steps = s.placed_call() + [
        s.request("INVITE", 2, body=s.sdp("sendonly", 2)), s.recv(100, optional=True), s.recv(200, rrs=True), s.request("ACK", 2),
        s.request("INFO", 3, body="Signal=5", content_type="application/dtmf-relay"), s.recv(200),
        s.request("INVITE", 4, body=s.sdp("sendrecv", 3)), s.recv(100, optional=True), s.recv(200, rrs=True), s.request("ACK", 4),
        s.request("BYE", 5), s.recv(200)]
    schemes = ("sip",) if transport == "tcp" else ("sip", "sips")
    for scheme in schemes:
        trace = server.call(over(transport, steps, scheme=scheme), name=scheme)
        one_dialog(trace)
        same(briefs(without_100(trace)), ["> INVITE", "< 180 INVITE", "< 200 INVITE", "> ACK", "> INVITE", "< 200 INVITE", "> ACK",
                                          "> INFO", "< 200 INFO", "> INVITE", "< 200 INVITE", "> ACK", "> BYE", "< 200 BYE"], "trace")
        contacts = {answer.get("Contact") for answer in every(trace, "< 200 INVITE")}
        parameter = ";transport=tcp" if scheme == "sip" else ""
        same(contacts, {f"<{scheme}:server@127.0.0.1:{server.listens}{parameter}>"}, "Contacts")
    server.stop(len(schemes))


@by_connection
def server_hangs_up_over(run, transport):
    """Its BYE goes by the connection of the call (RFC 5923 section 1), also where the peer's Contact names no transport, or a port of
    nobody."""
    server = Called(run, transport, "--bye-ms", 100)
    steps = s.placed_call() + [s.recv_request("BYE"), s.response_in_dialog("200 OK")]
    for number, wanted in enumerate((over(transport, steps), over(transport, steps, 9), over(transport, steps, parameter=""))):
        trace = server.call(wanted, name=f"sipp{number}")
        same(briefs(without_100(trace))[-2:], ["< BYE", "> 200 BYE"], f"the end of call {number}")
        check(first(trace, "< BYE").get("Via").startswith(f"SIP/2.0/{transport.upper()} "), "Via of the BYE")
    server.stop(3)


@by_connection
def client_calls_over(run, transport):
    trace = call_sipp(run, transport, UAS_BEGIN + UAS_REINVITE + UAS_REINVITE
                      + [s.recv_request("INFO"), s.response_in_dialog("200 OK")] + UAS_END, "--hold", "--info")
    one_dialog(trace)
    invites = every(trace, "< INVITE")
    same(["sendonly" in message.body for message in invites], [False, True, False], "hold")
    for message in trace:
        check(message.status() or message.get("Via").startswith(f"SIP/2.0/{transport.upper()} "), f"Via of {message.start}")
    scheme = "sips" if transport == "tls" else "sip"
    for message in invites:
        check(message.start.startswith(f"INVITE {scheme}:") and f"<{scheme}:" in message.get("Contact"), message.text)


@by_connection
def client_is_hung_up_over(run, transport):
    """The called side's BYE comes by the connection that the client has opened."""
    begin = [s.recv_request("INVITE", rrs=True, keep_addresses=True)] + UAS_BEGIN[1:]
    trace = call_sipp(run, transport, begin + [s.pause(200), s.request_of_callee("BYE", 1), s.recv(200)], "--peer-hangs-up")
    same(briefs(trace)[-2:], ["> BYE", "< 200 BYE"], "the end")


@case
def client_trusts_only_whom_it_should(run):
    """A certificate of another name, and of an authority that is not trusted: no call, and at once. With --tls-insecure: a call."""
    papers(run, "elsewhere.invalid")
    server = run.start("call_server", "--listen", "tls:127.0.0.1:0", "--tls-certificate", run.path("server.pem"),
                       "--tls-key", run.path("server.key"), "--quiet")
    port = run.listening(server, "tls")
    trusted = ["--tls-authorities", run.path("authority.pem")]
    for host, options, status in (("localhost", trusted, 1), ("127.0.0.1", [], 1), ("127.0.0.1", trusted, 0),
                                  ("localhost", ["--tls-insecure"], 0)):
        client = run.start("call_client", "--to", f"sips:bob@{host}:{port}", *options)
        words = run.finish(client, 10, status)
        same((counters(words)["completed"], "503 (made here)" in words), (1 - status, bool(status)), f"{host} {options}")
    same(counters(run.stop(server))["confirmed"], 2, "confirmed")


@by_connection
def load_on_server_over(run, transport):
    server = Called(run, transport)
    steps = s.placed_call() + [s.pause(200), s.request("BYE", 2), s.recv(200)]
    server.call(over(transport, steps), "-r", LOAD_RATE, "-l", LOAD_CALLS, calls=LOAD_CALLS, trace=False)
    server.stop(LOAD_CALLS)


@by_connection
def load_by_client_over(run, transport):
    call_sipp(run, transport, UAS_BEGIN + UAS_END, "--rate", LOAD_RATE, "--duration-ms", 200, "--quiet", calls=LOAD_CALLS, trace=False)
