"""What a user reads, and that the same crossing is the same notification."""

from __future__ import annotations

import pytest

from alert_builders import before_start, threshold, update
from raceday.domain.alerts.config import AlertConfig, AlertKind
from raceday.domain.alerts.crossings import Crossing
from raceday.domain.alerts.defaults import default_ranges
from raceday.domain.alerts.notification import message, notification, title
from raceday.store.rows.alerts import notification_row
from raceday.store.tables import NOTIFICATIONS

SHORTENING, DRIFTING, MONEY = AlertKind.ODDS_SHORTENING, AlertKind.ODDS_DRIFTING, AlertKind.MONEY_SHARE_RISE
RANGE = default_ranges("ann")[4]


def price(kind: AlertKind = SHORTENING, bucket: int | None = 5) -> Crossing:
    return Crossing(kind, before_start(4.6), str(bucket), bucket, 12.0, 7.0, 41.666667)


@pytest.mark.parametrize(
    ("config", "crossing", "headline", "sentence"),
    [
        (RANGE, price(), "7 Cerise Dancer shortened 41.7 %",
         "Win price from $12.00 to $7.00 since the time bucket before, 5 min before the start."),
        (threshold(SHORTENING, 5, 90), price(bucket=60), "7 Cerise Dancer shortened 41.7 %",
         "Win price from $12.00 to $7.00 within 90 s, over 55 min before the start."),
        (threshold(DRIFTING, 5, 300), price(DRIFTING, 0), "7 Cerise Dancer drifted 41.7 %",
         "Win price from $12.00 to $7.00 within 5 min, at the start."),
        (threshold(MONEY, 5, 300), Crossing(MONEY, before_start(0), "-2", -2, 10.0, 22.34, 12.34),
         "7 Cerise Dancer money up 12.3 points",
         "Share of the new money from 10.0 % to 22.3 % within 5 min, 2 min after the advertised start."),
        (RANGE, price(bucket=None), "7 Cerise Dancer shortened 41.7 %",
         "Win price from $12.00 to $7.00 since the price before."),
        (AlertConfig("s", "ann", AlertKind.SCRATCHING), Crossing(AlertKind.SCRATCHING, before_start(30), "scratched"),
         "7 Cerise Dancer scratched", "7 Cerise Dancer was withdrawn at 03:30 UTC."),
    ],
)  # fmt: skip
def test_what_a_user_reads(config: AlertConfig, crossing: Crossing, headline: str, sentence: str):
    told = notification(config, update(), crossing)
    assert (title(told), message(told)) == (headline, sentence)


def test_an_id_is_made_of_configuration_runner_and_bucket():
    same = {
        notification(RANGE, update(minutes=at), price()._replace(at=before_start(at))).notification_id for at in (4, 5)
    }
    assert len(same) == 1
    others = [
        notification(default_ranges("ben")[4], update(), price()),
        notification(RANGE, update(entrant_id="other"), price()),
        notification(RANGE, update(), price(bucket=4)),
    ]
    assert len(same | {other.notification_id for other in others}) == 4


def test_a_runner_without_number_or_with_an_endless_name_still_fits():
    told = notification(RANGE, update(runner_number=None, name=""), price())
    assert title(told) == "Unnamed runner shortened 41.7 %"
    row = notification_row(notification(RANGE, update(name="x" * 5000), price()), before_start(0), deliver=False)
    sizes = {column.name: column.size for column in NOTIFICATIONS.columns if column.kind == "text"}
    assert all(len(str(row[name] or "")) <= size for name, size in sizes.items() if name in row)


def test_the_owner_is_the_configurations_and_nobody_elses():
    row = notification_row(notification(RANGE, update(), price()), before_start(0), deliver=True)
    assert row["userId"] == "ann"
    assert row["$permissions"] == '["read(\\"user:ann\\")","delete(\\"user:ann\\")"]'
    assert (row["deliveryState"], row["deliveryAttempts"], row["color"]) == ("pending", 0, "#FECACA")
