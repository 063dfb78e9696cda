"""Section "session": a dialog with its INVITE usage."""

from __future__ import annotations

import ctypes as C
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from . import _ffi
from ._convert import (
    NONE,
    Octets,
    Text,
    brief,
    code,
    encode,
    encode_or_none,
    fits,
    hide,
    instance,
    octets,
    shown,
    text,
    text_of,
    token,
    token_or_none,
    truth,
)
from ._ffi import Reason, Refresher, SessionState, SignalingState
from ._handle import Handle
from ._loader import lib
from .errors import ForkedError, SipdlgError, StaleError, check
from .flow import Flow, flow_reference
from .incoming import IncomingRequest
from .message import Message
from .options import AnyBody, Body, RequestArguments, body_struct, request_options
from .outgoing import OutgoingRequest

if TYPE_CHECKING:
    from .agent import Agent


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, repr=False)
class DialogState:
    """A dialog of another product as text, to take it over (RFC 3261 section 12). Sequence numbers are those of the last
    request of each side; None: there was none; 0 is a number."""

    call_id: Text
    local_tag: Text
    remote_tag: Text
    local_uri: Text
    remote_uri: Text
    remote_target: Text
    route_set: Text | None = None
    local_sequence_number: int | None = None
    remote_sequence_number: int | None = None
    secure: bool = False
    early: bool = False
    caller: bool = False
    offer: Body | None = None
    answer: Body | None = None

    def __repr__(self) -> str:
        return shown(self)

    def _to_c(self) -> _ffi.DialogState:
        raw = _ffi.DialogState(size=C.sizeof(_ffi.DialogState))
        for name in ("call_id", "local_tag", "remote_tag", "local_uri", "remote_uri", "remote_target"):
            setattr(raw, name, encode(getattr(self, name), name))
        raw.route_set = encode_or_none(self.route_set, "route_set")
        raw.local_sequence_number = fits(self.local_sequence_number or 0, "local_sequence_number")
        raw.remote_sequence_number = fits(self.remote_sequence_number or 0, "remote_sequence_number")
        raw.has_local_sequence_number = self.local_sequence_number is not None
        raw.has_remote_sequence_number = self.remote_sequence_number is not None
        for name in ("secure", "early", "caller"):
            setattr(raw, name, truth(getattr(self, name), name))
        raw.kept = offer, answer = body_struct(self.offer, "offer"), body_struct(self.answer, "answer")
        raw.offer, raw.answer = offer, answer
        return raw


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Interval:
    """The session timer of a call (RFC 4028)."""

    interval_s: int
    refresher: Refresher
    """LOCAL or REMOTE."""
    left_us: int
    """Until the session expires."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Act:
    """One thing that the library did by itself (sipdlg_explain_entry_t)."""

    unix_us: int
    """When."""
    reason: Reason
    """Which, says enum sipdlg_reason_e in sipdlg.h."""
    status_code: int
    """Sent, received or made here; 0: none."""
    rfc: str
    """RFC 3261 14.2."""
    text: str
    """One sentence."""


class Session(Handle):
    """A session. `close()` and the end of a `with` hang up; dropping the object does nothing."""

    __slots__ = ()

    @classmethod
    def new(
        cls, agent: Agent, initial_request: IncomingRequest | None = None, state: DialogState | None = None
    ) -> Self:
        """Exactly one of the two: of a live incoming INVITE, to know its tags first; or of a foreign dialog."""
        from .agent import Agent

        asked = initial_request
        request = 0 if asked is None else instance(asked, IncomingRequest, "initial_request").token
        raw = None if state is None else C.byref(instance(state, DialogState, "state")._to_c())
        out = C.c_uint64()
        check(lib.sipdlg_session_new(instance(agent, Agent, "agent").token, request, raw, None, C.byref(out)))
        return cls(agent, out.value)

    def close(self) -> None:
        """Hangs up, unless the session has ended, or is the parent's of a forked child."""
        try:
            self.hangup()
        except (StaleError, ForkedError):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __str__(self) -> str:
        try:
            return hide(self.state_text)
        except SipdlgError:
            return repr(self)

    def _told(self) -> str:
        return f"{self.state.name} {brief(self.call_id)}"

    # ---- properties

    @property
    def state(self) -> SessionState:
        return SessionState(check(lib.sipdlg_session_state(self.token)))

    @property
    def signaling_state(self) -> SignalingState:
        return SignalingState(check(lib.sipdlg_session_signaling_state(self.token)))

    @property
    def early(self) -> bool:
        return bool(check(lib.sipdlg_session_early(self.token)))

    @property
    def secure(self) -> bool:
        return bool(check(lib.sipdlg_session_secure(self.token)))

    @property
    def state_text(self) -> str:
        """One line of all properties, for logs."""
        return text(lib.sipdlg_session_state_text, self.token)

    @property
    def offer(self) -> Body | None:
        """The current offer."""
        return self._description(lib.sipdlg_session_offer)

    @property
    def answer(self) -> Body | None:
        """The current answer."""
        return self._description(lib.sipdlg_session_answer)

    @property
    def interval(self) -> Interval | None:
        """The session timer; None: there is none."""
        interval, refresher, left = C.c_uint32(), C.c_int32(), C.c_uint64()
        if check(lib.sipdlg_session_interval(self.token, C.byref(interval), C.byref(refresher), C.byref(left))) == NONE:
            return None
        return Interval(interval.value, Refresher(refresher.value), left.value)

    @property
    def reinvite_client(self) -> OutgoingRequest | None:
        """Our re-INVITE that is pending."""
        found = token_or_none(lib.sipdlg_session_reinvite_client, self.token)
        return OutgoingRequest(self.agent, found) if found else None

    @property
    def reinvite_server(self) -> IncomingRequest | None:
        """The peer's re-INVITE that is pending, until its ACK."""
        found = token_or_none(lib.sipdlg_session_reinvite_server, self.token)
        return IncomingRequest(self.agent, found) if found else None

    @property
    def id(self) -> str:
        """Call-ID, local tag, remote tag."""
        return text(lib.sipdlg_session_id, self.token)

    @property
    def call_id(self) -> str:
        return text(lib.sipdlg_session_call_id, self.token)

    @property
    def local_tag(self) -> str:
        return text(lib.sipdlg_session_local_tag, self.token)

    @property
    def remote_tag(self) -> str:
        """ "" when the peer (RFC 2543) has none."""
        return text(lib.sipdlg_session_remote_tag, self.token)

    @property
    def local_uri(self) -> str:
        return text(lib.sipdlg_session_local_uri, self.token)

    @property
    def remote_uri(self) -> str:
        return text(lib.sipdlg_session_remote_uri, self.token)

    @property
    def remote_target(self) -> str:
        return text(lib.sipdlg_session_remote_target, self.token)

    @property
    def route_set(self) -> str:
        """A Route header value, "" when empty."""
        return text(lib.sipdlg_session_route_set, self.token)

    @property
    def local_sequence_number(self) -> int | None:
        return self._number(lib.sipdlg_session_local_sequence_number)

    @property
    def remote_sequence_number(self) -> int | None:
        return self._number(lib.sipdlg_session_remote_sequence_number)

    @property
    def flow(self) -> Flow | None:
        """Where requests in the dialog go now, as set or by the connection of its messages; None: by URI."""
        raw = _ffi.Flow()
        return None if check(lib.sipdlg_session_flow(self.token, C.byref(raw))) == NONE else Flow._from_c(raw)

    # ---- acts

    def set_flow(self, flow: Flow | None) -> None:
        """Where requests in the dialog go from now on; None: by URI."""
        check(lib.sipdlg_session_set_flow(self.token, flow_reference(flow)))

    def hangup(self, status_code: int = 0, **options: Unpack[RequestArguments]) -> None:
        """Ends the call, whatever its state. TERMINATED always comes."""
        check(lib.sipdlg_session_hangup(self.token, code(status_code), _reference(request_options(options))))

    def bye(self, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """BYE, strictly: StateError where the RFC forbids it."""
        return self._request(lib.sipdlg_session_bye, options)

    def invite(self, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """re-INVITE."""
        return self._request(lib.sipdlg_session_invite, options)

    def update(self, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """UPDATE, early too. StateError where the peer does not allow it, or where no offer may go now."""
        return self._request(lib.sipdlg_session_update, options)

    def info(self, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """INFO. StateError while early, without the quirk REQUESTS_IN_EARLY."""
        return self._request(lib.sipdlg_session_info, options)

    def message(self, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """MESSAGE. StateError while early, without the quirk REQUESTS_IN_EARLY."""
        return self._request(lib.sipdlg_session_message, options)

    def notify(self, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """NOTIFY by hand; Event and Subscription-State in the headers. StateError while early, without the quirk
        REQUESTS_IN_EARLY and except of an accepted REFER; and where no REFER has that subscription."""
        return self._request(lib.sipdlg_session_notify, options)

    def refer(
        self, refer_to: Text | None = None, replaces: Session | None = None, **options: Unpack[RequestArguments]
    ) -> OutgoingRequest:
        """REFER; with `replaces` an attended transfer. NOTIFY events carry what this gives.
        StateError while early, without the quirk REQUESTS_IN_EARLY."""
        other = instance(replaces, Session, "replaces").token if replaces is not None else 0
        target, what = encode_or_none(refer_to, "refer_to"), _reference(request_options(options))
        return OutgoingRequest(self.agent, token(lib.sipdlg_session_refer, self.token, target, other, what))

    def options(self, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """OPTIONS in the dialog."""
        return self._request(lib.sipdlg_session_options, options)

    def ack(self, **options: Unpack[RequestArguments]) -> None:
        """ACK of the 2xx that waits for one (flag NEEDS_ACK)."""
        check(lib.sipdlg_session_ack(self.token, _reference(request_options(options))))

    def prack(self, **options: Unpack[RequestArguments]) -> OutgoingRequest:
        """PRACK of the oldest reliable response that waits for one (flag NEEDS_PRACK)."""
        return self._request(lib.sipdlg_session_prack, options)

    def reliable_sequence_guard(self, response: Message) -> bool:
        """Whether a provisional response is next in order, which it then is counted as."""
        kept = instance(response, Message, "response")._live
        return bool(check(lib.sipdlg_session_reliable_sequence_guard(self.token, kept)))

    def dispose(self) -> None:
        """Forgets the session: no BYE."""
        check(lib.sipdlg_session_dispose(self.token))

    # ---- past the messages, as SIP.js has it

    def explain(self) -> list[Act]:
        """What the library did by itself in or about the session, the newest first; sixteen are kept. During TERMINATED
        the first is the end, or what followed it. What is about no session goes to the log."""
        acts: list[Act] = []
        raw = _ffi.ExplainEntry(size=C.sizeof(_ffi.ExplainEntry))
        while check(lib.sipdlg_session_explain(self.token, len(acts), C.byref(raw))) != NONE:
            rfc, sentence = text_of(raw.rfc), text_of(raw.text)
            acts.append(Act(raw.unix_us, Reason(raw.reason), raw.status_code, rfc, sentence))
        return acts

    def set_defer_ack(self, on: bool) -> None:
        """After each ACK event, a re-INVITE is answered 500 + Retry-After until `ack_processed()`."""
        check(lib.sipdlg_session_set_defer_ack(self.token, truth(on, "on")))

    def ack_processed(self) -> bool:
        """See `set_defer_ack`. False: nothing waited."""
        return check(lib.sipdlg_session_ack_processed(self.token)) != NONE

    def confirm(self) -> None:
        """The caller's early session becomes confirmed by hand, without a message."""
        check(lib.sipdlg_session_confirm(self.token))

    def reconfirm(self) -> None:
        """Nothing: accepting a re-INVITE sends its 2xx and repeats it. StateError when none was sent."""
        check(lib.sipdlg_session_reconfirm(self.token))

    def receive_request(self, data: Octets, flow: Flow | None = None) -> None:
        """A request that the host has matched to this dialog itself. A flow of None: the dialog's connection, else UDP or
        WebSocket as the topmost Via says."""
        given = octets(data, "data")
        check(lib.sipdlg_session_receive_request(self.token, flow_reference(flow), given, len(given)))

    def signaling_state_rollback(self) -> None:
        """Back to the offer and answer before the open offer."""
        check(lib.sipdlg_session_signaling_state_rollback(self.token))

    def signaling_state_transition(self, body: AnyBody | None, received: bool) -> None:
        """Applies a session description by hand: the peer's when `received`, else ours."""
        raw = body_struct(body)
        check(lib.sipdlg_session_signaling_state_transition(self.token, C.byref(raw), truth(received, "received")))

    # ---- how

    def _request(self, function: Callable[..., Any], options: RequestArguments) -> OutgoingRequest:
        return OutgoingRequest(self.agent, token(function, self.token, _reference(request_options(options))))

    def _number(self, function: Callable[..., Any]) -> int | None:
        out = C.c_uint32()
        return None if check(function(self.token, C.byref(out))) == NONE else out.value

    def _description(self, function: Callable[..., Any]) -> Body | None:
        view, needed, capacity = _ffi.BodyView(), C.c_size_t(), 2048
        while True:
            buffer = C.create_string_buffer(capacity)
            status: int = function(self.token, C.byref(view), buffer, capacity, C.byref(needed))
            if status != _ffi.Status.ERR_BUFFER:
                return None if check(status) == NONE else Body._from_c(view)
            capacity = needed.value + 1


def _reference(options: _ffi.RequestOptions | None) -> Any:
    return C.byref(options) if options is not None else None
