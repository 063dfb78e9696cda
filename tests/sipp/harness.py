"""Starts our programs and SIPp, each stopped by its own process id, and reads SIPp's trace of messages."""
import csv
import os
import re
import socket
import subprocess
import tempfile
import time


class Failed(Exception):
    """What a check saw."""


def check(good, what):
    if not good:
        raise Failed(what)


def same(seen, wanted, what):
    if seen != wanted:
        raise Failed(f"{what}: saw {seen!r}, wanted {wanted!r}")


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_bound(port, protocol="udp"):
    """Whether somebody listens on this port over UDP or TCP."""
    states = ("07",) if protocol == "udp" else ("0A",)  # SS_UNCONNECTED, TCP_LISTEN
    with open("/proc/net/" + protocol, encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] in states for row in rows)


class Message:
    """One message of a trace, seen from SIPp."""

    def __init__(self, at, sent, text):
        self.at, self.sent, self.text = at, sent, text
        head, _, self.body = text.partition("\n\n")
        lines = head.split("\n")
        self.start = lines[0]
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if ":" in line]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name):
        values = self.all(name)
        check(len(values) == 1, f"{len(values)} {name} in {self.start}")
        return values[0]

    def status(self):
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    def method(self):
        return self.get("CSeq").split()[1]

    def cseq(self):
        return int(self.get("CSeq").split()[0])

    def tag(self, name):
        found = re.search(r";\s*tag=([^;>\s]+)", self.get(name))
        return found.group(1) if found else None

    def brief(self):
        """'> INVITE', '< 200 INVITE': > is what SIPp sent."""
        what = f"{self.status()} {self.method()}" if self.status() else self.start.split()[0]
        return (">" if self.sent else "<") + " " + what


def read_trace(path):
    messages = []
    with open(path, encoding="latin-1") as file:
        parts = re.split(r"^-{20,} (\d+-\d+-\d+) (\d+):(\d+):([\d.]+)$", file.read(), flags=re.M)
    for _, hour, minute, second, text in zip(*[iter(parts[1:])] * 5):
        header, _, rest = text.strip("\n").partition("\n\n")
        at = int(hour) * 3600 + int(minute) * 60 + float(second)
        messages.append(Message(at, " sent " in header, rest.replace("\r", "")))
    return messages


class Case:
    """The processes and files of one test; `with` stops and removes what is left."""

    def __init__(self, programs):
        self.programs = programs
        self.running = []

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sipdlg-")
        return self

    def __exit__(self, *unused):
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def start(self, program, *arguments, name=None):
        """Starts one of our programs, or another by its path; its output goes to a file."""
        name = name or program
        with open(self.path(name), "wb") as out:
            process = subprocess.Popen([os.path.join(self.programs, program), *map(str, arguments)], stdout=out,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        process.output = self.path(name)
        self.running.append(process)
        return process

    def listening(self, process, transport="udp"):
        """The port that it says it listens on."""
        for _ in range(200):
            found = re.search(rf"listening on {transport}:[^\s]*:(\d+)$", self.output(process), flags=re.M)
            if found:
                return int(found.group(1))
            check(process.poll() is None, f"ended at once: {self.output(process)}")
            time.sleep(0.05)
        raise Failed("never listened")

    def server(self, *arguments):
        """call_server on a free port: (process, port)."""
        process = self.start("call_server", "--listen", "udp:127.0.0.1:0", *arguments)
        return process, self.listening(process)

    @staticmethod
    def output(process):
        with open(process.output, encoding="utf-8", errors="replace") as file:
            return file.read()

    def finish(self, process, seconds=60, status=0):
        """Waits for its end; gives its output."""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed(f"still running after {seconds} s:\n{self.output(process)}") from None
        check(process.returncode == status, f"exit status {process.returncode}, wanted {status}:\n{self.output(process)}")
        return self.output(process)

    def stop(self, process, seconds=60):
        process.terminate()
        return self.finish(process, seconds)

    @staticmethod
    def wait_until_bound(process, port, protocol):
        """On a machine with much to do it takes its time, and the first request would be refused."""
        deadline = time.monotonic() + 10
        while not is_bound(port, protocol) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)

    def sipp(self, *arguments, port=None, trace=True, name="sipp", protocol="udp"):
        """Starts SIPp; as a caller when the arguments name a remote address."""
        kind, mode = (socket.SOCK_DGRAM, "u1") if protocol == "udp" else (socket.SOCK_STREAM, "t1")
        command = ["sipp", *map(str, arguments), "-i", "127.0.0.1", "-p", str(port or free_port(kind)), "-nostdin", "-t", mode,
                   "-trace_stat", "-stf", self.path(name + ".csv"), "-trace_err", "-error_file", self.path(name + ".err")]
        if trace:
            command += ["-trace_msg", "-message_file", self.path(name + ".messages")]
        with open(self.path(name), "wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                       cwd=self.folder.name)
        process.output, process.files = self.path(name), self.path(name)
        self.running.append(process)
        if port:
            self.wait_until_bound(process, port, protocol)
        return process

    def finish_sipp(self, process, seconds=60, calls=1):
        """Waits; every call must have succeeded. Gives the trace."""
        try:
            self.finish(process, seconds)
        except Failed as failure:
            raise Failed(self.sipp_problem(process, failure)) from None
        with open(process.files + ".csv", encoding="ascii") as file:
            rows = list(csv.reader(file, delimiter=";"))
        good, bad = (int(rows[-1][rows[0].index(column)]) for column in ("SuccessfulCall(C)", "FailedCall(C)"))
        same((good, bad), (calls, 0), "calls of SIPp that succeeded and failed")
        messages = process.files + ".messages"
        return read_trace(messages) if os.path.exists(messages) else []

    @staticmethod
    def sipp_problem(process, failure):
        text = str(failure).split("\n", 1)[0]
        for ending in (".err", ".messages"):
            if os.path.exists(process.files + ending):
                with open(process.files + ending, encoding="latin-1") as file:
                    content = file.read()
                text += "\n" + content[:3000]
        return text


class Peer:
    """A peer of few words, for what SIPp cannot do: it takes an identical message for a repeated one and repeats its own last."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.trace = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def send(self, text, to):
        self.trace.append(Message(time.monotonic(), True, text))
        self.socket.sendto(text.replace("\n", "\r\n").encode("latin-1"), ("127.0.0.1", to))

    def receive(self, wanted, seconds=5):
        """The next message, which must be this one ('< ACK')."""
        message = self.receive_any(wanted, seconds)
        same(message.brief(), wanted, "message")
        return message

    def receive_any(self, wanted, seconds=5):
        """The next message."""
        self.socket.settimeout(seconds)
        try:
            data, self.sender = self.socket.recvfrom(65535)
        except TimeoutError:
            raise Failed(f"no {wanted} in {seconds} s; trace: {briefs(self.trace)}") from None
        self.trace.append(Message(time.monotonic(), False, data.decode("latin-1").replace("\r", "")))
        return self.trace[-1]

    def silence(self, seconds):
        self.socket.settimeout(seconds)
        try:
            data, _ = self.socket.recvfrom(65535)
        except TimeoutError:
            return
        raise Failed("unexpected: " + data.decode("latin-1").split("\r")[0])

    def reply(self, to, status, body="", tag=""):
        kept = [f"{name}: {value}" for name, value in to.headers if name.lower() in ("via", "from", "call-id", "cseq", "record-route")]
        tag = f";tag={tag}" if tag else ""
        head = [f"SIP/2.0 {status}", *kept, f"To: {to.get('To')}{tag}", f"Contact: <sip:127.0.0.1:{self.port}>"]
        if body:
            head.append("Content-Type: application/sdp")
        self.send("\n".join([*head, f"Content-Length: {len(body) + body.count(chr(10))}", "", body]), self.sender[1])

    def request(self, method, cseq, port, branch, to_tag="", body="", call_id="peer", headers=()):
        tag = f";tag={to_tag}" if to_tag else ""
        head = [f"{method} sip:bob@127.0.0.1:{port} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{branch}",
                "Max-Forwards: 70", f"From: <sip:peer@127.0.0.1:{self.port}>;tag=peer", f"To: <sip:bob@127.0.0.1:{port}>{tag}",
                f"Call-ID: {call_id}-{self.port}", f"CSeq: {cseq} {method}", f"Contact: <sip:peer@127.0.0.1:{self.port}>",
                *headers]
        if body:
            head.append("Content-Type: application/sdp")
        self.send("\n".join([*head, f"Content-Length: {len(body) + body.count(chr(10))}", "", body]), port)


def briefs(trace):
    return [message.brief() for message in trace]


def without_100(trace):
    return [message for message in trace if message.status() != 100]
