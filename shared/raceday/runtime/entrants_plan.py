"""Turns the configuration into the plan that the import of runners takes."""

from __future__ import annotations

from raceday.jobs.import_entrants import EntrantsPlan
from raceday.runtime.derive_settings import derive_settings
from raceday.runtime.handler import Run


def entrants_plan(run: Run) -> EntrantsPlan:
    """Return how many runners' races a run imports."""
    return EntrantsPlan(run.settings.entrants_per_run, run.settings.politeness_s, derive_settings(run))
