"""registrar.py CERTIFICATE KEY [--wait-bye]: takes one registration over WSS and calls who came by it, by the same connection:
INFO, MESSAGE, hold and resume, BYE, or that of the phone. Each step is a line of the output."""
import asyncio
import os
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "bindings", "python", "src"))
os.environ.setdefault("SIPDLG_LIBRARY", os.path.join(ROOT, "target", "release", "libsipdlg.so"))

import sipdlg  # noqa: E402
from sipdlg import Body, EventKind  # noqa: E402


def offer(version, direction):
    lines = ["v=0", f"o=- 1 {version} IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4002 RTP/AVP 0", f"a={direction}"]
    return "\r\n".join(lines) + "\r\n"


def say(line):
    print(line, flush=True)


class Registrar:
    def __init__(self, agent, waits):
        self.agent, self.waits, self.steps, self.held = agent, waits, [], 0

    def registered(self, event):
        message = event.message
        contact = message.header("Contact")
        gone = "expires=0" in contact or message.header("Expires") == "0"
        event.incoming.accept(headers=[] if gone else [f"Contact: {contact}"])
        if gone:
            say("unregistered")
            return True
        link = message.flow.link
        say(f"registered by {self.agent.upgrade_path(link)} of {self.agent.upgrade_headers(link, 'Origin')[0]}, "
            f"{self.agent.upgrade_headers(link, 'Cookie')[0]}")
        self.agent.invite(contact[contact.index("<") + 1:contact.index(">")], body=offer(1, "sendrecv"), flow=message.flow)
        return False

    def accepted(self, event):
        say(f"{event.method.name} {event.status_code}")
        session = event.session
        if event.method is sipdlg.Method.INVITE and not self.steps:
            self.steps = [lambda: session.info(body=Body("Signal=1", "application/dtmf-relay")),
                          lambda: session.message(body=Body("Grüße", "text/plain")),
                          lambda: session.invite(body=offer(2, "sendonly")),
                          lambda: session.invite(body=offer(3, "sendrecv")),
                          lambda: None if self.waits else session.hangup()]
            self.steps.reverse()
        if self.steps:
            self.steps.pop()()

    async def run(self):
        async for event in self.agent.events():
            if event.kind is EventKind.REGISTER:
                if self.registered(event):
                    return
            elif event.kind is EventKind.ACCEPT:
                self.accepted(event)
            elif event.kind is EventKind.REINVITE:
                self.held += 1
                event.incoming.accept(body=offer(3 + self.held, "recvonly" if self.held == 1 else "sendrecv"))
            else:
                say(event.kind.name)
                event.default()


def main():
    certificate, key, *options = sys.argv[1:]
    methods = "INVITE, ACK, CANCEL, BYE, INFO, MESSAGE, OPTIONS, REGISTER"
    papers = sipdlg.Tls(certificates=certificate, key=key)
    with sipdlg.Agent(sipdlg.Config(aor="sip:bob@example.com", allow=methods, tls=papers)) as agent:
        agent.listen("wss:127.0.0.1:0")
        agent.start()
        say(f"listening on {agent.local_addresses()[0]}")
        asyncio.run(asyncio.wait_for(Registrar(agent, "--wait-bye" in options).run(), 70))


main()
