"""Section "outgoing": a request of ours."""

from __future__ import annotations

import ctypes as C
from types import TracebackType
from typing import Self, Unpack

from ._convert import NONE, Text, encode_or_none
from ._ffi import OutgoingState
from ._handle import Handle
from ._loader import lib
from .errors import ForkedError, StaleError, check
from .message import Message
from .options import AnyBody, RequestArguments, body_struct, request_options


class OutgoingRequest(Handle):
    """A request of ours. `close()` and the end of a `with` give up interest in it; dropping the object does nothing."""

    __slots__ = ()

    def _told(self) -> str:
        message = self.message
        if message is None:
            return self.state.name
        with message:
            return f"{message.method} {self.state.name}"

    @property
    def state(self) -> OutgoingState:
        return OutgoingState(check(lib.sipdlg_outgoing_state(self.token)))

    @property
    def message(self) -> Message | None:
        """The request as sent last; None: not sent yet."""
        out = C.c_void_p()
        status = check(lib.sipdlg_outgoing_message(self.token, C.byref(out)))
        return None if status == NONE else Message._owned(out.value)

    def cancel(self, reason: Text | None = None, /, **options: Unpack[RequestArguments]) -> bool:
        """CANCEL of an INVITE or re-INVITE. reason: value of a Reason header (RFC 3326), "SIP;cause=600"; by name it
        is an option as everywhere. False: it is final already, nothing was sent."""
        raw = request_options(options)
        reference = C.byref(raw) if raw is not None else None
        return check(lib.sipdlg_outgoing_cancel(self.token, encode_or_none(reason, "reason"), reference)) != NONE

    def retry(self, body: AnyBody) -> None:
        """A new body for a re-INVITE that waits to be sent again (GLARE_RETRY; with EventFlag.NEEDS_BODY it is not sent
        without). StateError: it does not wait."""
        raw = body_struct(body)
        check(lib.sipdlg_outgoing_retry(self.token, C.byref(raw)))

    def authenticate(self, user: Text | None, password: Text | None = None) -> None:
        """Answers CHALLENGE, at once or within 32 s. No user: give up, REJECT."""
        check(lib.sipdlg_outgoing_authenticate(self.token, encode_or_none(user, "user"), encode_or_none(password, "password")))

    def dispose(self) -> None:
        """No more events of it; a 2xx that still comes to an INVITE is ACKed and ended with BYE."""
        check(lib.sipdlg_outgoing_dispose(self.token))

    def close(self) -> None:
        """Disposes, unless the request has ended, or is the parent's of a forked child."""
        try:
            self.dispose()
        except (StaleError, ForkedError):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
