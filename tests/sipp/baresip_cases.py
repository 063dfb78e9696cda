"""A phone: baresip, over TCP and TLS, calls call_server and is called by call_client; led by its control socket."""
import json
import os
import socket
import subprocess
import time

from connection_cases import by_connection, papers
from calls import counters
from harness import check, free_port, same

MODULES = next((folder for folder in ("/usr/lib/baresip/modules",) if os.path.isdir(folder)), "")


class Phone:
    """baresip with an account of its own, which answers by itself."""

    def __init__(self, run, transport):
        self.run, control = run, free_port(socket.SOCK_STREAM)
        while True:  # TLS is one port further
            self.port = free_port(socket.SOCK_STREAM)
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", self.port + 1))
                    break
                except OSError:
                    pass
        papers(run)
        with open(run.path("phone.pem"), "w", encoding="ascii") as both:
            for ending in (".pem", ".key"):
                with open(run.path("server" + ending), encoding="ascii") as file:
                    both.write(file.read())
        lines = [f"sip_listen 127.0.0.1:{self.port}", f"sip_certificate {run.path('phone.pem')}", f"sip_cafile {run.path('authority.pem')}",
                 *(f"audio_{what} aubridge,sipdlg" for what in ("player", "source", "alert")), f"module_path {MODULES}",
                 "module g711.so", "module aubridge.so", "module ctrl_tcp.so", "module_tmp account.so", "module_app menu.so",
                 f"ctrl_tcp_listen 127.0.0.1:{control}"]
        self.reached = self.port + (transport == "tls")
        for name, text in (("config", "\n".join(lines)), ("contacts", ""), ("current_contact", ""),
                           ("accounts", f"<sip:phone@127.0.0.1:{self.port};transport={transport}>;regint=0;answermode=auto")):
            with open(run.path(name), "w", encoding="ascii") as file:
                file.write(text + "\n")
        self.process = run.start("/usr/bin/baresip", "-4", "-s", "-f", run.folder.name, name="phone")
        run.wait_until_bound(self.process, control, "tcp")
        check(self.process.poll() is None, f"baresip: {run.output(self.process)}")
        self.control = socket.create_connection(("127.0.0.1", control))
        self.heard, self.events = b"", []

    def says(self, wanted, seconds=10):
        """Waits until it tells of this event or response, after those that were waited for before."""
        deadline = time.monotonic() + seconds
        while True:
            while self.events:
                event = self.events.pop(0)
                if event.get("type") == wanted or (wanted == "response" and event.get("response")):
                    return event
            self.control.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                more = self.control.recv(65536)
            except TimeoutError:
                more = b""
            check(more, f"the phone did not say {wanted}:\n{self.run.output(self.process)[-3000:]}")
            self.heard += more
            while b":" in self.heard:
                size, rest = self.heard.split(b":", 1)
                if len(rest) <= int(size):
                    break
                self.events.append(json.loads(rest[:int(size)]))
                self.heard = rest[int(size) + 1:]

    def does(self, command, parameters, *events):
        text = json.dumps({"command": command, "params": parameters}).encode()
        self.control.sendall(b"%d:%s," % (len(text), text))
        return [self.says(event) for event in events]

    def stop(self):
        self.control.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def of_server(run):
    return ["--tls-certificate", run.path("server.pem"), "--tls-key", run.path("server.key"),
            "--tls-authorities", run.path("authority.pem")]


@by_connection
def phone_calls_over(run, transport):
    """It holds the call, takes it back, hangs up; and is hung up on."""
    phone = Phone(run, transport)
    for ended_by, options in (("phone", []), ("server", ["--bye-ms", 1000])):
        server = run.start("call_server", "--listen", "udp:127.0.0.1:0", "--listen", f"{transport}:127.0.0.1:0", *of_server(run),
                           "--trace", *options, name=f"server_{ended_by}")
        phone.does("dial", f"sip:bob@127.0.0.1:{run.listening(server, transport)}", "CALL_RINGING", "CALL_ESTABLISHED")
        if ended_by == "phone":
            phone.does("hold", "", "CALL_REMOTE_SDP")
            phone.does("resume", "", "CALL_REMOTE_SDP")
            phone.does("hangup", "", "CALL_CLOSED")
        else:
            phone.says("CALL_CLOSED")
        words = run.stop(server)
        same([counters(words)[name] for name in ("confirmed", "errors", "retransmissions sent")], [1, 0, 0], words[-3000:])
        same(sorted(set(line.split()[3] for line in words.split("\n") if line.startswith("---- "))), [transport], "transports")
        if ended_by == "phone":
            same([direction in words for direction in ("a=sendonly", "a=recvonly")], [True, True], "hold and its answer")
    phone.stop()


@by_connection
def phone_is_called_over(run, transport):
    """With hold and INFO of the caller's, and hung up by the phone."""
    phone = Phone(run, transport)
    for options in (["--hold", "--info"], ["--peer-hangs-up"]):
        client = run.start("call_client", "--to", f"sip:phone@127.0.0.1:{phone.reached};transport={transport}", *of_server(run),
                           *options, name=f"client{len(options)}")
        phone.says("CALL_ESTABLISHED")
        if len(options) == 1:
            phone.does("hangup", "", "CALL_CLOSED")
        words = counters(run.finish(client))
        same((words["completed"], words["retransmissions sent"]), (1, 0), "counters of the client")
    phone.stop()
