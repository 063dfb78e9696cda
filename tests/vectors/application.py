"""The application of a script: one agent with virtual time, a transport named WS, and callbacks that are recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from record import Recorder, Symbols
from script import Json, Text, decode
from sipdlg.options import RequestArguments, ResponseArguments

from sipdlg import (
    Agent,
    Body,
    Config,
    Credentials,
    Endpoint,
    Event,
    EventFlag,
    EventKind,
    Flow,
    ForkPolicy,
    IncomingRequest,
    Method,
    OutgoingRequest,
    OutgoingState,
    RequestFlag,
    ResponseFlag,
    Session,
    SessionState,
    SignalingState,
    StaleError,
    Transport,
)

MS = 1000
START = 1_000_000
UNIX_START = 1_767_225_600_000_000  # 2026-01-01
# A connection, and one for SIPS. As in a browser, the address that messages come from is not known.
WAYS = {
    False: Flow(Transport.WS, Endpoint("192.0.2.1", 80), link=1),
    True: Flow(Transport.WSS, Endpoint("192.0.2.1", 443), link=2),
}
NEXT_HOPS = {secure: replace(way, remote=Endpoint("192.0.2.2", way.local.port)) for secure, way in WAYS.items()}
DAY_MS = 86_400_000

DEFAULTS: Json = {
    "aor": "sip:alice@example.com",
    "contact": "sip:alice@alice-host.invalid;transport=ws",
    "via_host": "alice-host.invalid",
    "display_name": "",
    "supported": ["100rel", "outbound"],
    "route_set": [],
    "user_agent": "oracle",
    "credentials": None,
}
# What the application of the scripts takes in: SIP.js has no UPDATE.
ALLOW = "INVITE, ACK, CANCEL, BYE, INFO, MESSAGE, NOTIFY, OPTIONS, PRACK, REFER"

# Events, and their callbacks in the scripts.
REQUESTS = {
    EventKind.REINVITE: "on_invite",
    EventKind.PRACK: "on_prack",
    EventKind.BYE: "on_bye",
    EventKind.INFO: "on_info",
    EventKind.MESSAGE: "on_message",
    EventKind.NOTIFY: "on_notify",
    EventKind.REFER: "on_refer",
}
FATE = {
    EventKind.TRYING: "onTrying",
    EventKind.PROGRESS: "onProgress",
    EventKind.ACCEPT: "onAccept",
    EventKind.REDIRECT: "onRedirect",
    EventKind.REJECT: "onReject",
}
STATES = {
    SessionState.INITIAL: "Initial",
    SessionState.EARLY: "Early",
    SessionState.ACK_WAIT: "AckWait",
    SessionState.CONFIRMED: "Confirmed",
    SessionState.TERMINATED: "Terminated",
}
SIGNALING_STATES = {
    SignalingState.INITIAL: "Initial",
    SignalingState.HAVE_LOCAL_OFFER: "HaveLocalOffer",
    SignalingState.HAVE_REMOTE_OFFER: "HaveRemoteOffer",
    SignalingState.STABLE: "Stable",
    SignalingState.CLOSED: "Closed",
}


@dataclass
class Dialog:
    """A session under its name in the script."""

    label: str
    session: Session
    delegate: Json | None
    properties: Json
    reinvite: OutgoingRequest | None = None
    ended: bool = False


@dataclass(frozen=True)
class Watch:
    """The delegate that the script gave with a request."""

    label: str | None
    callbacks: frozenset[str]
    acts: Json


@dataclass(frozen=True)
class Held:
    """An initial INVITE of the peer; whether callbacks were set on it."""

    label: str | None
    has_delegate: bool


class Application:
    """What a script does not say step by step: callbacks, actions inside them, the clock and the wire."""

    def __init__(self, script: Json, text: str) -> None:
        settings = DEFAULTS | script.get("config", {})
        self.recorder = Recorder(Symbols(text, settings["credentials"]))
        self.labels: dict[str, Text] = {}
        self.dialogs: dict[str, Dialog] = {}
        self.outgoing: dict[str, OutgoingRequest] = {}
        self.incoming: dict[str, IncomingRequest] = {}
        self.promises: list[Session] = []
        self.transport_works = True
        self.label: str | None = None
        """What the script calls the message that is being received."""
        self.request_delegate = True
        self._on_invite: Any = script.get("core_delegate", {}).get("on_invite", "hold")
        self._delegate: Json | None = script.get("session_delegate")
        self._watches: dict[int, Watch] = {}
        self._held: dict[int, Held] = {}
        self._now_us = START
        self.agent = Agent(config(settings))
        self._way = WAYS[False]
        """The connection that the peer uses: the one on which we sent last."""
        for way in WAYS.values():
            self.agent.add_transport(way, settings["via_host"])
        self._set_time(START)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.agent.close()

    # ---- clock and wire

    @property
    def now_ms(self) -> float:
        us = self._now_us - START
        return us / MS if us % MS else us // MS

    def _set_time(self, now_us: int) -> None:
        self._now_us = now_us
        self.agent.set_time(now_us, UNIX_START + now_us)

    def receive(self, data: bytes) -> None:
        self.agent.receive(self._way, data)

    def advance(self, ms: int) -> None:
        """Lets time pass, each timer at its moment."""
        end = self._now_us + ms * MS
        self.drain()
        while (delay := self.agent.next_timeout()) is not None and self._now_us + delay <= end:
            self._set_time(self._now_us + delay)
            self.agent.handle_timeout()
            self.drain()
        self._set_time(end)

    def drain(self) -> None:
        """Takes events and messages until nothing is left to do now."""
        while True:
            if (event := self.agent.poll_event()) is not None:
                self._event(event)
            elif (out := self.agent.poll_transmit()) is not None:
                self.recorder.message(out.id, self.now_ms, out.data, not self.transport_works)
                self._way = WAYS[out.flow.transport == Transport.WSS]
                if not self.transport_works:
                    self.agent.transmit_failed(out.id)
            else:
                return

    # ---- events

    def _event(self, event: Event) -> None:
        dialog = self._known(event.session) if event.session else None
        match event.kind:
            case EventKind.RESOLVE:
                self.agent.resolved(event.query, [NEXT_HOPS[event.secure]])
            case EventKind.INVITE:
                self._invited(event)
            case EventKind.CANCEL | EventKind.TRANSPORT_ERROR:
                self._told_of_invite(event)
            case EventKind.ACK:
                self._acknowledged(event, dialog)
            case EventKind.ACK_TIMEOUT if dialog and "on_ack_timeout" in (dialog.delegate or {}):
                self._called(event, "onAckTimeout", dialog=dialog.label)
            case EventKind.TERMINATED if dialog:
                self._read(dialog)
                dialog.ended = True
            case kind if kind in FATE:
                self._fate(event, dialog)
            case kind if kind in REQUESTS:
                self._requested(event, dialog)
            case _:
                event.default()

    def _called(self, event: Event, name: str, **more: Any) -> None:
        self.recorder.callback(event.id, self.now_ms, name, **more)

    def _invited(self, event: Event) -> None:
        assert event.incoming
        if self.label:
            self.incoming[self.label] = event.incoming
        if self._on_invite is None:
            event.default()
            return
        self._held[event.incoming.token] = Held(self.label, self.request_delegate)
        self._called(event, "core.onInvite", request=self.label, message=self.summary(event))
        if self._on_invite != "hold":
            self.answer(event.incoming, action(self._on_invite))

    def _told_of_invite(self, event: Event) -> None:
        held = self._held.get(event.incoming.token) if event.incoming else None
        if held is None or not held.has_delegate:
            event.default()
        elif event.kind == EventKind.CANCEL:
            self._called(event, "onCancel", request=held.label, message=self.summary(event))
        else:
            self._called(event, "onTransportError", request=held.label)

    def _acknowledged(self, event: Event, dialog: Dialog | None) -> None:
        kind = (dialog.delegate or {}).get("on_ack") if dialog else None
        if dialog is None or kind is None:
            event.default()
            return
        self._called(event, "onAck", dialog=dialog.label, message=self.summary(event))
        if kind == "promise":
            self.promises.append(dialog.session)

    def _requested(self, event: Event, dialog: Dialog | None) -> None:
        assert event.incoming
        key = REQUESTS[event.kind]
        wish = (dialog.delegate or {}).get(key) if dialog else None
        if dialog is None or wish is None:
            event.default()
            return
        if self.label:
            self.incoming[self.label] = event.incoming
        self._called(event, camel(key), dialog=dialog.label, request=self.label, message=self.summary(event))
        if wish != "hold":
            self.answer(event.incoming, action(wish))

    def _fate(self, event: Event, dialog: Dialog | None) -> None:
        name = FATE[event.kind]
        watch = self._watches.get(event.outgoing.token) if event.outgoing else None
        if watch is None or name not in watch.callbacks:
            event.default()
            return
        # The scripts name the dialog where SIP.js hands it over.
        of_session = event.method == Method.INVITE and name in ("onProgress", "onAccept")
        label = dialog.label if dialog and of_session else None
        self._called(event, name, request=watch.label, dialog=label, message=self.summary(event))
        act = watch.acts.get(name)
        if act and act["do"] == "ack" and event.session:
            self.ack(event.session, act.get("headers"), act.get("body"))

    def summary(self, event: Event) -> Json:
        """What a recording keeps of the message of a callback."""
        message = event.message
        if message is None:
            return {"status": event.status_code, "generated_locally": True, "body": None}
        number, method = message.cseq or (0, "")
        parts: Json = {"cseq": f"{number} {method}", "body": content(message.body)}
        if not message.status_code:
            return {"method": message.method} | parts
        to = message.name_addr("To")
        tag = self.recorder.symbols.name("tag", to.tag) if to and to.tag else None
        return {"status": message.status_code, "reason": message.reason_phrase, "to_tag": tag} | parts

    # ---- dialogs

    def _known(self, session: Session) -> Dialog:
        """The dialog of a session; a new one gets its name and the delegate of the script."""
        for dialog in self.dialogs.values():
            if dialog.session == session:
                return dialog
        dialog = Dialog(f"d{len(self.dialogs) + 1}", session, None, {})
        self.dialogs[dialog.label] = dialog
        self.set_delegate(dialog, self._delegate)
        self._read(dialog)
        return dialog

    def set_delegate(self, dialog: Dialog, delegate: Json | None) -> None:
        deferring = [(one or {}).get("on_ack") == "promise" for one in (dialog.delegate, delegate)]
        dialog.delegate = delegate
        if deferring[0] != deferring[1]:
            dialog.session.set_defer_ack(deferring[1])

    def properties(self) -> Json:
        """All dialogs; of an ended one what it was at its end."""
        for dialog in self.dialogs.values():
            self._read(dialog)
        return {
            dialog.label: dialog.properties | {"delegateSet": dialog.delegate is not None}
            for dialog in self.dialogs.values()
        }

    def _read(self, dialog: Dialog) -> None:
        session, name = dialog.session, self.recorder.symbols.name
        if dialog.ended:
            # A re-INVITE of ours may outlive its session.
            dialog.properties["reinviteClientPending"] = is_pending(dialog.reinvite)
            return
        try:
            dialog.reinvite = session.reinvite_client
            dialog.properties = {
                "inCore": session.state != SessionState.TERMINATED,
                "sessionState": STATES[session.state],
                "signalingState": SIGNALING_STATES[session.signaling_state],
                "early": session.early,
                "offer": described(session.offer),
                "answer": described(session.answer),
                "localSequenceNumber": session.local_sequence_number,
                "remoteSequenceNumber": session.remote_sequence_number,
                "callId": name("call-id", session.call_id),
                "localTag": name("tag", session.local_tag),
                "remoteTag": name("tag", session.remote_tag),
                "localURI": session.local_uri,
                "remoteURI": session.remote_uri,
                "remoteTarget": session.remote_target,
                "routeSet": routes(session.route_set),
                "secure": session.secure,
                "reinviteClientPending": dialog.reinvite is not None,
                "reinviteServerPending": session.reinvite_server is not None,
            }
        except StaleError:
            dialog.ended = True

    # ---- what the user does

    def invite(self, step: Json, headers: list[str], delegate: Json | None) -> None:
        """A new call."""
        arguments = asked(headers, step.get("body"))
        arguments["to"] = step["to"]
        arguments["flags"] = manual(delegate)
        self._watch(self.agent.invite(step.get("ruri", step["to"]), **arguments), step, delegate)

    def request(self, session: Session, step: Json, headers: list[str], delegate: Json | None) -> None:
        """A request in a dialog."""
        arguments = asked(headers, step.get("body"))
        match step["do"]:
            case "invite":
                arguments["flags"] = manual(delegate)
                sent = session.invite(**arguments)
            case "bye":
                sent = session.bye(**arguments)
            case "info":
                sent = session.info(**arguments)
            case "message":
                sent = session.message(**arguments)
            case "notify":
                sent = session.notify(**arguments)
            case "prack":
                sent = session.prack(**arguments)
            case _:
                sent = refer(session, headers, step.get("body"))
        self._watch(sent, step, delegate)

    def _watch(self, request: OutgoingRequest, step: Json, delegate: Json | None) -> None:
        label = step.get("as")
        if label:
            self.outgoing[label] = request
        self._watches[request.token] = Watch(label, callbacks_of(delegate), delegate or {})

    def ack(self, session: Session, headers: list[str] | None, body: Json | None) -> None:
        session.ack(**asked(headers or [], body))

    def answer(self, request: IncomingRequest, answer: Json) -> None:
        """progress, accept, reject, redirect or trying, as the script has it."""
        headers = answer.get("headers") or []
        arguments: ResponseArguments = {}
        if headers:
            arguments["headers"] = headers
        if answer.get("body"):
            arguments["body"] = body(answer["body"])
        if "reasonPhrase" in answer:
            arguments["reason_phrase"] = answer["reasonPhrase"]
        if any(line.lower().startswith("rseq:") for line in headers):
            arguments["flags"] = ResponseFlag.RELIABLE
        code = {"status_code": status} if (status := status_of(request, answer)) else {}
        session: Session | None = None
        match answer["do"]:
            case "progress":
                session = request.progress(**code, **arguments)
            case "accept":
                session = request.accept(**code, **arguments)
            case "reject":
                request.reject(**code, **arguments)
            case "redirect":
                request.redirect(answer.get("contacts", []), **code, **arguments)
            case _:
                request.trying(**arguments)
        if session:
            self._known(session)

    def dispose_all(self) -> None:
        """SIP.js's core disposes all that it has."""
        for session in list(self.agent.sessions()):
            session.dispose()
        for sent in self.outgoing.values():
            sent.close()
        for received in self.incoming.values():
            received.close()


def config(settings: Json) -> Config:
    name = settings["display_name"]
    known = settings["credentials"]
    return Config(
        aor=f'"{name}" <{settings["aor"]}>' if name else settings["aor"],
        contact=f"<{settings['contact']}>",
        user_agent="",  # SIP.js has User-Agent in responses too, where RFC 3261 has Server; neither is compared
        supported=", ".join(settings["supported"]),
        allow=ALLOW,
        route_set=", ".join(settings["route_set"]) or None,
        credentials=(Credentials(user=known["username"], secret=known["password"]),) if known else (),
        # The scripts let requests wait for as long as they like, and look at each fork.
        invite_timeout_ms=DAY_MS,
        other_timeout_ms=DAY_MS,
        fork_policy=ForkPolicy.ALL,
        seed=1,
        manual_clock=True,
    )


def is_pending(request: OutgoingRequest | None) -> bool:
    try:
        return request is not None and request.state != OutgoingState.COMPLETED
    except StaleError:
        return False


def manual(delegate: Json | None) -> RequestFlag:
    """SIP.js leaves to the application each PRACK, what follows a 491, and the ACK where it is told of the 2xx."""
    told = RequestFlag.MANUAL_ACK if "onAccept" in callbacks_of(delegate) else RequestFlag(0)
    return RequestFlag.MANUAL_PRACK | RequestFlag.NO_RETRY | told


def callbacks_of(delegate: Json | None) -> frozenset[str]:
    return frozenset() if delegate is None else frozenset(delegate.get("only", FATE.values()))


def asked(headers: list[str], of: Json | None) -> RequestArguments:
    arguments: RequestArguments = {}
    if headers:
        arguments["headers"] = headers
    if of:
        arguments["body"] = body(of)
    return arguments


def refer(session: Session, headers: list[str], of: Json | None) -> OutgoingRequest:
    """Refer-To is a header in the scripts, an argument in the package."""
    targets = [line.partition(":")[2].strip() for line in headers if line.lower().startswith("refer-to:")]
    rest = [line for line in headers if not line.lower().startswith("refer-to:")]
    return session.refer(", ".join(targets) or None, **asked(rest, of))


def status_of(request: IncomingRequest, answer: Json) -> int | None:
    """As the script says. reject() without anything has another default in SIP.js for an INVITE than for the rest."""
    if "statusCode" in answer:
        return int(answer["statusCode"])
    if answer["do"] == "reject" and not any(answer.get(key) for key in ("headers", "body", "reasonPhrase")):
        with request.message as message:
            if message.method == "INVITE":
                return 488 if request.session else 486
    return None


def action(wish: Any) -> Json:
    return {"do": wish} if isinstance(wish, str) else dict(wish)


def body(of: Json) -> Body:
    """A disposition that goes without saying is not said: SIP.js writes no Content-Disposition."""
    kind = of.get("type", "application/sdp")
    usual = "session" if kind == "application/sdp" else "render"
    disposition = of.get("disposition", "session")
    return Body(of["content"], kind, None if disposition == usual else disposition)


def content(of: Body | None) -> str | None:
    return decode(of.data) or None if of else None


def described(of: Body | None) -> Json | None:
    return {"disposition": of.disposition, "type": of.content_type, "content": decode(of.data)} if of else None


def routes(value: str) -> list[str]:
    """The values of a Route header; a comma inside of brackets or quotes is no separator."""
    return [one.strip() for one in re.findall(r'(?:"[^"]*"|<[^>]*>|[^,"<])+', value)]


def camel(key: str) -> str:
    """on_bye: onBye."""
    first, *others = key.split("_")
    return first + "".join(word.capitalize() for word in others)
