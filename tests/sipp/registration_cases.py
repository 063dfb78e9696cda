"""The phone against a registrar that does as a case says: what it asks, when it asks again, what it does when it is refused or lost."""
import re
import socket
import threading
import time

from calls import case
from harness import Failed, Message, check, free_port, same

REALM = 'Digest realm="example.com", qop="auth", algorithm=MD5'


class Registrar:
    """Over UDP or TCP, on loopback. `answer(number, request)` gives status, header lines, or None for silence; "close" hangs up."""

    def __init__(self, transport, answer):
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.transport, self.answer = transport, answer
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.uri = f"sip:127.0.0.1:{self.port}" + ("" if transport == "udp" else ";transport=tcp")
        self.requests, self.pings, self.connections = [], [], []
        self.over = False
        if transport == "tcp":
            self.socket.listen()
        self.thread = threading.Thread(target=self.serve_datagrams if transport == "udp" else self.serve_connections, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.over = True
        for one in (self.socket, *self.connections):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        self.thread.join(5)

    def reply(self, text):
        """The bytes of the answer to a request; None: none; b"": the connection goes."""
        request = Message(time.monotonic(), False, text.replace("\r", ""))
        if request.start.startswith("SIP/2.0"):
            return None
        self.requests.append(request)
        said = self.answer(len(self.requests), request)
        if said is None or said == "close":
            return None if said is None else b""
        status, *lines = said
        kept = [f"{name}: {value}" for name, value in request.headers if name in ("Via", "From", "Call-ID", "CSeq")]
        head = [f"SIP/2.0 {status} Said", *kept, f"To: {request.get('To')};tag=registrar", *lines, "Content-Length: 0", "", ""]
        return "\r\n".join(head).encode()

    def serve_datagrams(self):
        while not self.over:
            try:
                data, sender = self.socket.recvfrom(65535)
            except OSError:
                return
            if not data.strip():
                self.pings.append(time.monotonic())
                continue
            reply = self.reply(data.decode("latin-1"))
            if reply and not self.over:
                self.socket.sendto(reply, sender)

    def serve_connections(self):
        while not self.over:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        unread = b""
        while True:
            try:
                more = connection.recv(65536)
            except OSError:
                return
            unread += more
            if not more:
                return
            if unread == b"\r\n\r\n":
                self.pings.append(time.monotonic())
                if self.pongs:
                    connection.sendall(b"\r\n")
                unread = b""
            while b"\r\n\r\n" in unread:
                head, _, unread = unread.partition(b"\r\n\r\n")
                reply = self.reply(head.decode("latin-1") + "\r\n\r\n")
                if reply == b"":
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                if reply:
                    connection.sendall(reply)

    pongs = True

    def wait(self, count, seconds=20):
        """Until so many requests came."""
        deadline = time.monotonic() + seconds
        while len(self.requests) < count:
            if time.monotonic() > deadline:
                raise Failed(f"{len(self.requests)} requests in {seconds} s, wanted {count}")
            time.sleep(0.01)
        return self.requests[count - 1]


def until(run, phone, words, count=1, seconds=20):
    """Waits until the phone has said so."""
    deadline = time.monotonic() + seconds
    while run.output(phone).count(words) < count:
        check(phone.poll() is None, f"ended: {run.output(phone)}")
        check(time.monotonic() < deadline, f"not said: {words!r}\n{run.output(phone)}")
        time.sleep(0.01)


def bound(request, expires, *more):
    """A 200 that lists the binding, behind one of somebody else."""
    contact = request.get("Contact")
    return 200, "Contact: <sip:other@192.0.2.99>;expires=7", f"Contact: {contact};expires={expires}", *more


def expires_of(request):
    return int(request.get("Expires"))


def both(function):
    """Over UDP and TCP."""
    for transport in ("udp", "tcp"):
        def attempt(run, transport=transport):
            function(run, transport)
        attempt.__name__ = f"{function.__name__}_{transport}"
        case(attempt)
    return function


def phone_at(run, registrar, *options, name="phone"):
    return run.start("phone", "--registrar", registrar.uri, "--aor", "sip:alice@example.com", "--backoff-base", 1, "--backoff-most", 2,
                     *options, name=name)


def left(run, phone, registrar):
    """The phone ends and takes back what it had: its last REGISTER."""
    words = run.stop(phone, 10)
    check("unregistered" in words, words)
    last = registrar.requests[-1]
    same((last.start.split()[0], last.get("Expires")), ("REGISTER", "0"), "the last request")
    return words


@both
def phone_registers_and_refreshes(run, transport):
    """RFC 3261 section 10.2: before the binding expires, with the same Call-ID and Contact, each with a higher number."""
    with Registrar(transport, lambda number, request: bound(request, min(4, expires_of(request)))) as registrar:
        phone = phone_at(run, registrar, "--expires", 60)
        until(run, phone, "registered for 4 s, again in 2 s, 2 bound", 2)
        words = left(run, phone, registrar)
        requests = registrar.requests
        check(len(requests) >= 3 and words.count("not registered") == 0, words)
        check(1.5 < requests[1].at - requests[0].at < 4, "the time of the refresh")
        same([request.cseq() for request in requests], list(range(1, len(requests) + 1)), "numbers")
        for name in ("Call-ID", "Contact"):
            same(len({request.get(name) for request in requests}), 1, name)
        same({request.start for request in requests}, {f"REGISTER {registrar.uri} SIP/2.0"}, "start lines")
        same({request.get("To") for request in requests}, {"<sip:alice@example.com>"}, "To")
        if transport == "tcp":
            same(len(registrar.connections), 1, "connections")


@both
def phone_asks_for_longer_after_423(run, transport):
    with Registrar(transport, lambda number, request: (423, "Min-Expires: 120") if expires_of(request) in range(1, 120)
                   else bound(request, expires_of(request))) as registrar:
        phone = phone_at(run, registrar, "--expires", 60)
        until(run, phone, "registered for 120 s, again in 60 s")
        left(run, phone, registrar)
        same([expires_of(request) for request in registrar.requests], [60, 120, 0], "Expires")


@both
def phone_answers_challenges_again_and_again(run, transport):
    """A nonce that is stale is no wrong password (RFC 7616 section 3.3); numbers go on."""
    def answer(number, request):
        known = request.all("Authorization")
        if not known:
            return 401, f'WWW-Authenticate: {REALM}, nonce="first"'
        if number > 2 and 'nonce="first"' in known[0]:
            return 401, f'WWW-Authenticate: {REALM}, nonce="second", stale=true'
        return bound(request, min(2, expires_of(request)))

    with Registrar(transport, answer) as registrar:
        phone = phone_at(run, registrar, "--password", "secret")
        until(run, phone, "registered for 2 s", 3)
        words = left(run, phone, registrar)
        check("not registered" not in words, words)
        numbers = [request.cseq() for request in registrar.requests]
        same(numbers, sorted(set(numbers)), "numbers rise")
        check(sum('nonce="second"' in "".join(request.all("Authorization")) for request in registrar.requests) >= 2, "the new nonce")


@case
def phone_with_a_wrong_password_comes_later_and_later(run):
    def answer(number, request):
        return 401, f'WWW-Authenticate: {REALM}, nonce="n{number}"'

    with Registrar("udp", answer) as registrar:
        phone = phone_at(run, registrar, "--password", "wrong")
        until(run, phone, "not registered: 401", 3)
        waits = [int(wait) for wait in re.findall(r"registering again in (\d+) ms", run.output(phone))]
        check(all(1000 <= wait <= 2000 for wait in waits[:3]), f"waits {waits}")
        phone.terminate()
        run.finish(phone, 10)


@both
def phone_waits_as_long_as_it_is_told(run, transport):
    with Registrar(transport, lambda number, request: (503, "Retry-After: 3") if number == 1 else bound(request, 300)) as registrar:
        phone = phone_at(run, registrar)
        until(run, phone, "registered for 300 s")
        left(run, phone, registrar)
        check(2.9 < registrar.requests[1].at - registrar.requests[0].at < 6, "it waited")
        check("not registered: 503" in run.output(phone), run.output(phone))


@case
def phone_whose_binding_is_not_taken(run):
    """A 200 that does not list our Contact: the binding has expired, or never was."""
    with Registrar("udp", lambda number, request: (200, "Contact: <sip:other@192.0.2.99>;expires=60") if number == 1
                   else bound(request, 300)) as registrar:
        phone = phone_at(run, registrar)
        until(run, phone, "registered for 300 s")
        check("not registered: 200" in run.output(phone), run.output(phone))
        left(run, phone, registrar)


@case
def phone_registers_again_over_a_new_connection(run):
    """The connection is lost: at once it is known, and after a drawn while there is another."""
    with Registrar("tcp", lambda number, request: bound(request, min(300, expires_of(request)))) as registrar:
        phone = phone_at(run, registrar, "--outbound")
        until(run, phone, "registered for 300 s")
        for number in (1, 2):
            began = time.monotonic()
            registrar.connections[-1].shutdown(socket.SHUT_RDWR)
            until(run, phone, "connection lost", number, 5)
            until(run, phone, "registered for 300 s", number + 1)
            check(0.4 < time.monotonic() - began < 5, "it waited a little")
        left(run, phone, registrar)
        contacts = {request.get("Contact") for request in registrar.requests}
        check(all('+sip.instance="<urn:uuid:' in contact and contact.endswith(";reg-id=1") for contact in contacts), str(contacts))
        same((len(registrar.connections), len({request.get("Call-ID") for request in registrar.requests})), (3, 1), "connections, Call-IDs")
        check({"path", "outbound"} <= {tag.strip() for tag in registrar.requests[0].get("Supported").split(",")}, "Supported")


@case
def phone_whose_registrar_was_not_there(run):
    """A port of nobody is known at once, by ICMP and by RST; the phone goes on until somebody is there."""
    for transport in ("udp", "tcp"):
        port = free_port(socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
        uri = f"sip:127.0.0.1:{port}" + (";transport=tcp" if transport == "tcp" else "")
        phone = run.start("phone", "--registrar", uri, "--backoff-base", 1, "--backoff-most", 1, name=f"phone_{transport}")
        until(run, phone, "not registered: 503 (made here)", 2, 5)
        phone.terminate()
        run.finish(phone, 10)


@case
def phone_keeps_its_connection_alive(run):
    """Flow-Timer of the registrar (RFC 5626 section 4.4); a connection without pongs is dead after ten seconds, and replaced."""
    with Registrar("tcp", lambda number, request: bound(request, min(300, expires_of(request)), "Flow-Timer: 1")) as registrar:
        phone = phone_at(run, registrar, "--outbound")
        until(run, phone, "registered for 300 s")
        time.sleep(3.5)
        check(3 <= len(registrar.pings) <= 4, f"{len(registrar.pings)} pings")
        check("connection lost" not in run.output(phone), run.output(phone))
        registrar.pongs, began = False, time.monotonic()
        until(run, phone, "connection lost", 1, 15)
        check(9 < time.monotonic() - began < 13, "ten seconds after the first ping without a pong")
        registrar.pongs = True
        until(run, phone, "registered for 300 s", 2)
        left(run, phone, registrar)


@case
def phone_keeps_a_binding_of_a_nat_open(run):
    with Registrar("udp", lambda number, request: bound(request, min(300, expires_of(request)))) as registrar:
        phone = phone_at(run, registrar, "--keep-alive", 1)
        until(run, phone, "registered for 300 s")
        time.sleep(2.5)
        check(2 <= len(registrar.pings) <= 3, f"{len(registrar.pings)} datagrams")
        left(run, phone, registrar)


@case
def phone_keeps_its_instance(run):
    """RFC 5626 section 4.1: the URN is that of the device, in whatever life of the program."""
    with Registrar("udp", lambda number, request: bound(request, min(300, expires_of(request)))) as registrar:
        for number in (1, 2):
            phone = phone_at(run, registrar, "--outbound", "--instance-file", run.path("urn"), name=f"phone{number}")
            until(run, phone, "registered for 300 s")
            left(run, phone, registrar)
        urns = {re.search(r'\+sip\.instance="<(urn:uuid:[0-9a-f-]{36})>"', request.get("Contact")).group(1) for request in registrar.requests}
        same((len(urns), len({request.get("Call-ID") for request in registrar.requests})), (1, 2), "URNs, Call-IDs")


@case
def phone_says_what_it_takes(run):
    check("--registrar" in run.finish(run.start("phone", "--help", name="help")), "help")
    for number, wrong in enumerate((["--nonsense"], [], ["--registrar", "sip:x", "--instance-file", "y"])):
        run.finish(run.start("phone", *wrong, name=f"wrong{number}"), status=2)
    words = run.finish(run.start("phone", "--registrar", "nothing", name="no_uri"), 10, status=0)
    check("REGISTER: " in words, words)
