"""Section "event": what happened."""

from __future__ import annotations

import ctypes as C
from typing import TYPE_CHECKING

from . import _ffi
from ._convert import text_of
from ._ffi import EventFlag, EventKind, Method, Reason, SessionState, SignalingState, Transport
from ._loader import lib
from .errors import check
from .incoming import IncomingRequest
from .message import Message
from .outgoing import OutgoingRequest
from .session import Session

if TYPE_CHECKING:
    from .agent import Agent


class Event:
    """A copy of an event, good for as long as it is kept. What does not apply is None, 0 or ""."""

    def __init__(self, agent: Agent, raw: _ffi.Event) -> None:
        """Events come from `Agent.poll_event` and `Agent.events`."""
        self._raw = raw
        self.agent = agent
        self.kind = EventKind(raw.kind)
        self.flags = EventFlag(raw.flags)
        self.id: int = raw.id
        """Rises; one counter with `Transmit.id`."""
        self.session = Session(agent, raw.session) if raw.session else None
        self.incoming = IncomingRequest(agent, raw.incoming) if raw.incoming else None
        """The request to answer. None in a NOTIFY with EventFlag.LAST that tells an end without a NOTIFY."""
        self.outgoing = OutgoingRequest(agent, raw.outgoing) if raw.outgoing else None
        """Our request that this is about."""
        self.replaces = Session(agent, raw.replaces) if raw.replaces else None
        self.message = Message._borrowed(raw.message) if raw.message else None
        """The request, or the response."""
        self.method = Method(raw.method)
        self.status_code: int = raw.status_code
        self.reason = Reason(raw.reason)
        self.session_state = SessionState(raw.session_state)
        self.signaling_state = SignalingState(raw.signaling_state)
        self.transport = Transport(raw.transport)
        self.delay_us: int = raw.delay_us
        self.query: int = raw.query
        """RESOLVE: for `Agent.resolved`."""
        self.text = text_of(raw.text)
        """RESOLVE: host; CHALLENGE: realm; TERMINATED: value of the Reason header."""
        self.port: int = raw.port
        self.secure: bool = bool(raw.secure)
        # `default` looks at numbers only; what was borrowed goes.
        raw.message, raw.user, raw.text = None, None, _ffi.Str()

    def default(self) -> None:
        """What the library does with an event that nobody handles. Nothing when the request was answered meanwhile."""
        check(lib.sipdlg_event_default(C.byref(self._raw)))

    def __repr__(self) -> str:
        status = f" {self.status_code}" if self.status_code else ""
        return f"<sipdlg.Event {self.id} {self.kind.name}{status}>"
