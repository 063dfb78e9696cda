"""Section "event": what happened."""

from __future__ import annotations

import ctypes as C
from copy import copy
from typing import TYPE_CHECKING, NoReturn, Self

from . import _ffi
from ._convert import brief, text_of
from ._ffi import EventFlag, EventKind, Method, Reason, SessionState, SignalingState, Transport
from ._handle import unpicklable
from ._loader import lib
from .errors import check
from .incoming import IncomingRequest
from .message import Message
from .outgoing import OutgoingRequest
from .session import Session

if TYPE_CHECKING:
    from .agent import Agent


class Event:
    """A copy of an event, good for as long as it is kept, with a message of its own. What does not apply is None, 0 or ""."""

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
        """RESOLVE: for `Agent.resolved`; LINK_LOST: the link."""
        self.text = text_of(raw.text)
        """RESOLVE: host; CHALLENGE: realm; BYE, CANCEL, REDIRECT, REJECT, PROGRESS of a 199, TERMINATED: value of the
        Reason header."""
        self.port: int = raw.port
        self.secure: bool = bool(raw.secure)
        # `default` looks at numbers only; what was borrowed goes.
        raw.message, raw.user, raw.text = None, None, _ffi.Str()

    def default(self) -> None:
        """What the library does with an event that nobody handles. Nothing when the request was answered meanwhile."""
        check(lib.sipdlg_event_default(C.byref(self._raw)))

    def __copy__(self) -> Self:
        twin = self.__class__.__new__(self.__class__)
        twin.__dict__.update(self.__dict__)
        twin.message = copy(self.message)
        return twin

    def __deepcopy__(self, memo: object) -> Self:
        return self.__copy__()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise unpicklable(self, "send its kind, and bytes(event.message)")

    def __repr__(self) -> str:
        said = [self.kind.name]
        if self.status_code:
            said.append(str(self.status_code))
        if self.kind is EventKind.STATE:
            said.append(self.session_state.name)
        if self.method is not Method.NONE and self.method.name != self.kind.name:
            said.append(f"method={self.method.name}")
        if self.reason is not Reason.NONE:
            said.append(f"reason={self.reason.name}")
        if self.flags:
            said.append(f"flags={self.flags}")
        if self.text:
            said.append(f"text={brief(self.text)}")
        for name in ("session", "incoming", "outgoing"):
            if (handle := getattr(self, name)) is not None:
                said.append(f"{name}={handle.token:#x}")
        return f"<sipdlg.Event {self.id} {' '.join(said)}>"
