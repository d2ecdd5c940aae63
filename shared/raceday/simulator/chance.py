"""Randomness that is a pure function of a seed and a name, so that the same day can be made again.

No generator is ever shared between two questions: whoever needs chance asks for a generator of his own by name.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence

_MASK = (1 << 64) - 1


def generator(*names: object) -> random.Random:
    """Return a generator of its own for this chain of names (the first is the day's seed)."""
    return random.Random("/".join(map(str, names)))  # noqa: S311 - modelling, not cryptography


def uuid_of(*names: object) -> str:
    """Return the random-looking UUID that belongs to this chain of names."""
    return str(UUID(int=generator(*names).getrandbits(128), version=4))


def key_of(*names: object) -> int:
    """Return a 64-bit key for `unit`, which is too hot to build a generator each time."""
    return generator(*names).getrandbits(64)


def unit(key: int, step: int) -> float:
    """Return a number in [0, 1) that depends on nothing but the key and the step (splitmix64)."""
    mixed = (key + step * 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)


def from_quantiles(rng: random.Random, quantiles: Sequence[tuple[float, float]]) -> float:
    """Draw from a distribution known by its quantiles `(probability, value)`, linear in between.

    The probabilities ascend from 0 to 1.
    """
    wanted = rng.random()
    for (below, low), (above, high) in pairwise(quantiles):
        if wanted <= above:
            return low + (high - low) * (wanted - below) / (above - below)
    return quantiles[-1][1]
