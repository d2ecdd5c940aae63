"""Every SQL statement of the API, one module for each resource; `QUERIES` lists them all for the plan test."""

from __future__ import annotations

from raceday.server.api.queries import alerts, entrants, health, meetings, money_flow, navigation, pools, races, results
from raceday.server.api.queries.query import ExampleDay, Query

QUERIES: tuple[Query, ...] = (
    *meetings.QUERIES,
    *races.QUERIES,
    *navigation.QUERIES,
    *entrants.QUERIES,
    *pools.QUERIES,
    *results.QUERIES,
    *money_flow.QUERIES,
    *alerts.QUERIES,
    *health.QUERIES,
)

__all__ = ["QUERIES", "ExampleDay", "Query"]
