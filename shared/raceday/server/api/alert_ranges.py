"""A user's six alert ranges between the rows of the store and the shape of the API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from raceday.domain.alerts.defaults import default_ranges
from raceday.errors import InvalidRequest
from raceday.server.api.models.alerts import SentRange, SentRanges
from raceday.store.rows.values import Row


def ranges_of(user_id: str, stored: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """Return the six ranges by display order: what is stored (rows of `RANGES_OF_USER`), else the default."""
    by_order = {row[6]: row for row in stored}
    indicators = []
    for default in default_ranges(user_id):
        row = by_order.get(default.display_order)
        indicators.append(
            {
                "indicator_id": default.config_id,
                "user_id": user_id,
                "indicator_type": "percentage_range",
                "percentage_range_min": default.at_least,
                "percentage_range_max": default.below,
                "color": default.colour,
                "is_default": True,
                "enabled": True,
                "display_order": default.display_order,
                "audible_alerts_enabled": True,
                "created_at": None,
                "updated_at": None,
            }
            | ({} if row is None else _stored(row, default.colour or ""))
        )
    return {
        "user_id": user_id,
        "indicators": indicators,
        "toggle_all": all(one["enabled"] for one in indicators),
        "audible_alerts_enabled": all(one["audible_alerts_enabled"] for one in indicators),
    }


def _stored(row: tuple[Any, ...], default_colour: str) -> dict[str, Any]:
    row_id, lowest, highest, colour, is_default, enabled, _, audible, created_at, updated_at = row
    return {
        "indicator_id": row_id,
        "percentage_range_min": 0.0 if lowest is None else lowest,
        "percentage_range_max": highest,
        "color": colour or default_colour,
        "is_default": bool(is_default),
        "enabled": enabled,
        "audible_alerts_enabled": audible is not False,
        "created_at": created_at.replace("+00:00", "Z"),
        "updated_at": updated_at.replace("+00:00", "Z"),
    }


def merged_rows(sent: SentRanges, present: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """Yield the rows to save, by the catalogue's names: what is sent over what is there.

    Raises `InvalidRequest` for a range that ends before it begins.
    """
    by_order = {one["display_order"]: one for one in present}
    # Always in one order, so that two saves at once never wait for each other in a circle.
    in_order = sorted(sent.indicators, key=lambda one: one.display_order)
    rows = [_merged(one, by_order[one.display_order], sent) for one in in_order]
    if not rows and sent.audible_alerts_enabled is not None:
        rows = [_merged(SentRange(display_order=order), one, sent) for order, one in by_order.items()]
    yield from rows


def _merged(sent: SentRange, present: dict[str, Any], whole: SentRanges) -> Row:
    said = sent.model_dump(exclude_unset=True)
    if whole.audible_alerts_enabled is not None:
        said["audible_alerts_enabled"] = whole.audible_alerts_enabled
    after = present | {name: value for name, value in said.items() if value is not None or name.endswith("_max")}
    lowest, highest = after["percentage_range_min"], after["percentage_range_max"]
    if highest is not None and highest <= lowest:
        raise InvalidRequest(
            "indicators.percentage_range_max",
            f"is {highest} for display_order {sent.display_order}: it must be above percentage_range_min, {lowest}",
        )
    return {
        "$id": after["indicator_id"],
        "userId": whole.user_id,
        "indicatorType": "percentage_range",
        "percentageRangeMin": lowest,
        "percentageRangeMax": highest,
        "color": after["color"],
        "isDefault": after["is_default"] if "is_default" in said else False,
        "enabled": after["enabled"],
        "displayOrder": sent.display_order,
        "audibleAlertsEnabled": after["audible_alerts_enabled"],
    }
