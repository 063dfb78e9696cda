"""Section "incoming": a request of the peer."""

from __future__ import annotations

import ctypes as C
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from . import _ffi
from ._convert import Text, code, encode, encode_or_none, string_array, token_or_none, wrong
from ._handle import Handle
from ._ffi import Digest
from ._loader import lib
from .config import Credentials
from .errors import ForkedError, StaleError, check
from .message import Message
from .options import ResponseArguments, response_options

if TYPE_CHECKING:
    from .session import Session


class IncomingRequest(Handle):
    """A request of the peer; answer now or later. `close()` and the end of a `with` answer with the default where no
    answer was given; dropping the object does nothing."""

    __slots__ = ()

    def _told(self) -> str:
        with self.message as message:
            return message.method

    @property
    def message(self) -> Message:
        """The request."""
        out = C.c_void_p()
        check(lib.sipdlg_incoming_message(self.token, C.byref(out)))
        return Message._owned(out.value)

    @property
    def session(self) -> Session | None:
        """The session of a request in a dialog, or the one made for an INVITE."""
        return self._session(token_or_none(lib.sipdlg_incoming_session, self.token))

    def trying(self, **options: Unpack[ResponseArguments]) -> None:
        """100 now."""
        check(lib.sipdlg_incoming_trying(self.token, _reference(response_options(options))))

    def progress(self, status_code: int = 180, **options: Unpack[ResponseArguments]) -> Session:
        """101 to 199 to an INVITE; gives the early session."""
        session = self._answer(lib.sipdlg_incoming_progress, status_code, options)
        assert session is not None
        return session

    def accept(self, status_code: int = 200, **options: Unpack[ResponseArguments]) -> Session | None:
        """2xx; gives the session of an INVITE. Without a body it repeats the answer that an unreliable 18x has shown."""
        return self._answer(lib.sipdlg_incoming_accept, status_code, options)

    def redirect(self, contacts: Iterable[Text], status_code: int = 302, **options: Unpack[ResponseArguments]) -> None:
        """3xx with contacts, URIs or name-addrs."""
        if isinstance(contacts, str | bytes) or not isinstance(contacts, Iterable):
            raise wrong("contacts", "a list", contacts)
        array = string_array([encode(contact, "contacts") for contact in contacts])
        check(lib.sipdlg_incoming_redirect(self.token, code(status_code), array, _reference(response_options(options))))

    def reject(self, status_code: int = 480, **options: Unpack[ResponseArguments]) -> None:
        """4xx to 6xx."""
        check(lib.sipdlg_incoming_reject(self.token, code(status_code), _reference(response_options(options))))

    def challenge(self, realm: Text, algorithms: Text | None = None) -> None:
        """401 with a challenge for each of the algorithms, comma separated (None: "SHA-256, MD5"); `check_digest` looks
        at what the caller sends then."""
        check(lib.sipdlg_incoming_challenge(self.token, encode(realm, "realm"), encode_or_none(algorithms, "algorithms")))

    def check_digest(self, credentials: Credentials) -> Digest:
        """What the request's credentials for their realm are worth, when they are those of the caller. GOOD once."""
        with self.message as message:
            return message.check_digest(self.agent, credentials)

    def notify(self, status_code: int, reason: Text | None = None) -> None:
        """The progress of what an accepted REFER asked for; a final code ends its subscription, and this request."""
        check(lib.sipdlg_incoming_notify(self.token, code(status_code), encode_or_none(reason, "reason")))

    def dispose(self) -> None:
        """Answers with the default now. Nothing when answered."""
        check(lib.sipdlg_incoming_dispose(self.token))

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

    def _answer(self, function: Callable[..., Any], status_code: int, options: ResponseArguments) -> Session | None:
        return self._session(
            token_or_none(function, self.token, code(status_code), _reference(response_options(options)))
        )

    def _session(self, token: int | None) -> Session | None:
        from .session import Session

        return Session(self.agent, token) if token else None


def _reference(options: _ffi.ResponseOptions | None) -> Any:
    return C.byref(options) if options is not None else None
