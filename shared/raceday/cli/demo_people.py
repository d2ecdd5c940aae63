"""The people of the demo: users with alerts, and a dashboard that asks for the silks of its races."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from raceday.domain.alerts.notification import StoredNotification
from raceday.domain.ids import derived_id
from raceday.host.host import Host
from raceday.store.ports import RaceStore

DEFAULT_USER = "Default User"
"""Has no configuration at all, and therefore the six default ranges."""
BETTOR = "demo-bettor"
SHOWN_ALERTS = 4
RACES_A_TIME = 5
"""Silks are asked for a few races at a time, as a dashboard does when somebody looks at a meeting."""
_THRESHOLDS: tuple[dict[str, object], ...] = (
    {"alertType": "odds_shortening", "threshold": 25.0, "timeWindowSeconds": 600},
    {"alertType": "odds_drifting", "threshold": 50.0, "timeWindowSeconds": 600},
    {"alertType": "scratching"},
)


async def save_demo_alerts(store: RaceStore, at: datetime) -> None:
    """Give one user thresholds on every runner of the day."""
    for threshold in _THRESHOLDS:
        row = {"$id": derived_id("demo", threshold["alertType"]), "userId": BETTOR, "enabled": True} | threshold
        await store.save_alert_config(row, at)


async def newest_alerts(store: RaceStore) -> Sequence[StoredNotification]:
    """Return what the users were told last, newest first."""
    told = [alert for user in (DEFAULT_USER, BETTOR) for alert in await store.notifications_of(user, SHOWN_ALERTS)]
    return sorted(told, key=lambda alert: alert.crossed_at, reverse=True)[:SHOWN_ALERTS]


async def ask_for_silks(host: Host, store: RaceStore, racing_date: date, asked: set[str]) -> None:
    """Ask for the silks of some more races whose runners are there, in the order of their starts.

    `asked` takes up the races, so that each is asked for once.
    """
    races = await store.races_on(racing_date)
    new = [race.race_id for race in races if race.entrants_imported and race.race_id not in asked]
    for race_id in new[:RACES_A_TIME]:
        asked.add(race_id)
        await host.start("jockey-silks-enricher", {"raceId": race_id})
