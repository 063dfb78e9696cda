"""What session, incoming and outgoing have in common: a token, and its agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Self

from ._convert import fits
from .errors import ForkedError, SipdlgError

if TYPE_CHECKING:
    from .agent import Agent


class Handle:
    """A number that the library gave. It owns nothing, so dropping it does nothing; equal tokens are equal, and a copy
    is the handle itself."""

    __slots__ = ("__weakref__", "agent", "token")

    def __init__(self, agent: Agent, token: int) -> None:
        self.agent = agent
        self.token = token if type(token) is int and not token >> 64 else fits(token, "token", 64)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Handle) and other.token == self.token

    def __hash__(self) -> int:
        return hash(self.token)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise unpicklable(self, "send what it says, its id or its message")

    def __repr__(self) -> str:
        return f"<sipdlg.{type(self).__name__} {self.token:#x} {self._tell()}>"

    def _tell(self) -> str:
        """What it is, in the words of `_told`; never raises."""
        try:
            return self._told()
        except ForkedError:
            return "of another process"
        except SipdlgError:
            return "ended"

    def _told(self) -> str:
        raise NotImplementedError


def unpicklable(thing: object, instead: str) -> TypeError:
    """The refusal to take to another process what lives in this one."""
    return TypeError(f"a sipdlg.{type(thing).__name__} lives in its process and cannot be pickled: {instead}")
