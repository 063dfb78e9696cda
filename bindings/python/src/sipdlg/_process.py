"""How often this process has been forked off: what was made before belongs to the parent."""

from __future__ import annotations

import os

_forks = 0


def forks() -> int:
    """Another number in each child."""
    return _forks


def _count() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_count)
