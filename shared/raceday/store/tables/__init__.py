"""The one catalogue of tables: every schema, check and documentation is made from it.

Columns are scalars, never relationships (Appwrite refuses bulk writes on tables with relationships). Money is
in integer cents, instants are UTC. Every row also has `$id`, `$createdAt` and `$updatedAt`.
"""

from __future__ import annotations

from raceday.store.tables.alerts import ALERT_BACKLOG, NOTIFICATIONS, USER_ALERT_CHANNELS, USER_ALERT_CONFIGS
from raceday.store.tables.bookkeeping import (
    DAILY_STAGES,
    FUNCTION_RUNS,
    POLL_CLAIMS,
    POLL_LOGS,
    RACE_CLOSINGS,
    SWEEPS,
)
from raceday.store.tables.programme import ENTRANTS, MEETINGS, RACE_RESULTS, RACES
from raceday.store.tables.series import MONEY_FLOW_HISTORY, ODDS_HISTORY, RACE_POLLS, RACE_POOLS
from raceday.store.tables.shapes import Column, Index, Table
from raceday.store.tables.silks import JOCKEY_SILKS

__all__ = [
    "ALERT_BACKLOG",
    "CATALOGUE",
    "DAILY_STAGES",
    "ENTRANTS",
    "FUNCTION_RUNS",
    "JOCKEY_SILKS",
    "MEETINGS",
    "MONEY_FLOW_HISTORY",
    "NOTIFICATIONS",
    "ODDS_HISTORY",
    "POLL_CLAIMS",
    "POLL_LOGS",
    "RACES",
    "RACE_CLOSINGS",
    "RACE_POLLS",
    "RACE_POOLS",
    "RACE_RESULTS",
    "SWEEPS",
    "USER_ALERT_CHANNELS",
    "USER_ALERT_CONFIGS",
    "Column",
    "Index",
    "Table",
]

CATALOGUE: tuple[Table, ...] = (
    MEETINGS,
    RACES,
    ENTRANTS,
    RACE_RESULTS,
    ODDS_HISTORY,
    MONEY_FLOW_HISTORY,
    RACE_POOLS,
    RACE_POLLS,
    JOCKEY_SILKS,
    USER_ALERT_CONFIGS,
    USER_ALERT_CHANNELS,
    NOTIFICATIONS,
    ALERT_BACKLOG,
    RACE_CLOSINGS,
    POLL_LOGS,
    POLL_CLAIMS,
    FUNCTION_RUNS,
    DAILY_STAGES,
    SWEEPS,
)
