"""One wait of asyncio for an agent's events."""

from __future__ import annotations

import asyncio
import os

from . import _process


class Wait:
    """Ends when the event descriptor is readable. It owns the duplicate that it is given: whatever thread closes the
    agent, the loop never looks at a number that is another file's by then."""

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int) -> None:
        self.loop = loop
        self.ready: asyncio.Future[None] = loop.create_future()
        self._forks = _process.forks
        self._fd = fd
        try:
            loop.add_reader(fd, self._set)
        except BaseException:
            os.close(fd)
            raise

    def lives(self) -> bool:
        """Whether its loop runs. One that was closed, or was left for good, never wakes its reader."""
        return self.loop.is_running()

    def lose(self) -> None:
        """Its reader looks up, if its loop runs once more."""
        try:
            self.loop.call_soon_threadsafe(self._set)
        except RuntimeError:  # closed
            pass

    def end(self) -> None:
        """Leaves the loop."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        # In a forked child the loop's registrations are those of the parent.
        if self._forks == _process.forks and not self.loop.is_closed():
            self.loop.remove_reader(fd)
        os.close(fd)

    def _set(self) -> None:
        if not self.ready.done():
            self.ready.set_result(None)
