"""Tote pools in whole cents: the race's own products, and the multi-leg pools kept apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum


class PoolStatus(StrEnum):
    """The feed writes these in capitals."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    ABANDONED = "ABANDONED"


@dataclass(frozen=True, slots=True)
class TotePool:
    """One pool as the feed lists it; `total_cents` is an integer number of cents."""

    product: str
    total_cents: int
    status: str = ""
    jackpot_cents: int = 0
    guarantee_cents: int = 0


@dataclass(frozen=True, slots=True)
class PoolTotals:
    """What is in the pools of one race, in cents. The race total never includes multi-leg pools.

    `unlisted` names the race's own products that the response did not list: their zeros say nothing.
    """

    win_cents: int = 0
    place_cents: int = 0
    quinella_cents: int = 0
    trifecta_cents: int = 0
    exacta_cents: int = 0
    first4_cents: int = 0
    multi_leg: tuple[TotePool, ...] = ()
    unknown: tuple[TotePool, ...] = ()
    unlisted: tuple[str, ...] = field(default=(), compare=False)

    @property
    def race_total_cents(self) -> int:
        """The race's own products together."""
        return sum(getattr(self, attribute) for attribute in RACE_PRODUCTS)

    @property
    def multi_leg_cents(self) -> int:
        """All pools that span several races together."""
        return sum(pool.total_cents for pool in self.multi_leg)

    def merged(self, before: PoolTotals | None) -> PoolTotals:
        """Return these totals with what is known of every pool that the response did not list."""
        if before is None:
            return self
        known = {product: getattr(before, product) for product in self.unlisted}
        multi_leg = _with_unlisted(self.multi_leg, before.multi_leg)
        unknown = _with_unlisted(self.unknown, before.unknown)
        return replace(self, **known, multi_leg=multi_leg, unknown=unknown)


RACE_PRODUCTS = tuple(product.name for product in fields(PoolTotals) if product.name.endswith("_cents"))

_PRODUCT_ATTRIBUTES = {
    "win": "win_cents",
    "place": "place_cents",
    "quinella": "quinella_cents",
    "trifecta": "trifecta_cents",
    "exacta": "exacta_cents",
    "firstfour": "first4_cents",
    "first4": "first4_cents",
}
_MULTI_LEG = frozenset({"quadrella", "earlyquadrella", "quaddie", "earlyquaddie", "runningdouble", "dailydouble",
                        "double", "treble"})  # fmt: skip


def cents(dollars: float) -> int:
    """Return dollars as whole cents, halves rounded up; exact for the feed's two decimals."""
    return int((Decimal(repr(dollars)) * 100).to_integral_value(ROUND_HALF_UP))


def pool_totals(pools: Iterable[TotePool]) -> PoolTotals:
    """Sort a race's pools into its own products, multi-leg pools and unknown products.

    A product listed twice counts once, with its larger total: the feed repeats rows, money does not double.
    """
    totals: dict[str, int] = {}
    multi_leg: dict[str, TotePool] = {}
    unknown: dict[str, TotePool] = {}
    for pool in pools:
        product = pool.product.replace(" ", "").lower()
        attribute = _PRODUCT_ATTRIBUTES.get(product)
        if attribute is not None:
            totals[attribute] = max(totals.get(attribute, 0), pool.total_cents)
            continue
        kept = multi_leg if product in _MULTI_LEG else unknown
        held = kept.get(product)
        if held is None or pool.total_cents > held.total_cents:
            kept[product] = pool
    return PoolTotals(
        **totals,
        multi_leg=tuple(multi_leg.values()),
        unknown=tuple(unknown.values()),
        unlisted=tuple(product for product in RACE_PRODUCTS if product not in totals),
    )


def _with_unlisted(listed: tuple[TotePool, ...], before: tuple[TotePool, ...]) -> tuple[TotePool, ...]:
    products = {pool.product for pool in listed}
    return (*listed, *(pool for pool in before if pool.product not in products))


def shrunk_products(before: PoolTotals | None, after: PoolTotals) -> list[str]:
    """Return the products whose pool fell; a tote pool only grows, so this marks a bad payload or a refund."""
    if before is None:
        return []
    return [product for product in RACE_PRODUCTS if getattr(after, product) < getattr(before, product)]
