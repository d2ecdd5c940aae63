"""Python's collector of cyclic garbage, set for a process that makes thousands of short-lived values a poll."""

from __future__ import annotations

import gc

YOUNG = 50_000
"""So many new values before the youngest are looked through: with the usual 700 a poll is interrupted some twenty
times, which takes a sixth of its CPU time (measured in pairs, 50 races at once).
"""


def calm_collector() -> None:
    """Look through new values seldom, and never again through what is there already: the program itself."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
