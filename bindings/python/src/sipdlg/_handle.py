"""What session, incoming and outgoing have in common: a token, and its agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .agent import Agent


class Handle:
    """A number that the library gave. It owns nothing, so dropping it does nothing; equal tokens are equal."""

    __slots__ = ("agent", "token")

    def __init__(self, agent: Agent, token: int) -> None:
        self.agent = agent
        self.token = token

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Handle) and other.token == self.token

    def __hash__(self) -> int:
        return hash(self.token)

    def __repr__(self) -> str:
        return f"<sipdlg.{type(self).__name__} {self.token:#x}>"
