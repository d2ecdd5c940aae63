"""Turns the configuration into how polls are derived."""

from __future__ import annotations

from raceday.domain.derive import DeriveSettings
from raceday.runtime.handler import Run


def derive_settings(run: Run) -> DeriveSettings:
    """Return how polls are derived."""
    return DeriveSettings(run.settings.estimator, run.settings.alert_move_pct, run.settings.quality_threshold)
