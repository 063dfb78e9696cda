"""How often this process has been forked off: what was made before belongs to the parent."""

from __future__ import annotations

import os

forks = 0
"""Another number in each child."""


def _count() -> None:
    global forks
    forks += 1


os.register_at_fork(after_in_child=_count)
