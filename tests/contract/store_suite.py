"""What every store must do, whatever it is made of: an adapter's test subclasses `StoreSuite`."""

from __future__ import annotations

from contract.suite_alerts import AlertSuite
from contract.suite_claims import ClaimSuite
from contract.suite_health import HealthSuite
from contract.suite_polls import PollSuite
from contract.suite_programme import ProgrammeSuite
from contract.suite_silks import SilkSuite


class StoreSuite(ProgrammeSuite, ClaimSuite, PollSuite, SilkSuite, HealthSuite, AlertSuite):
    """All promises of `RaceStore`; subclasses define `make_store` and `rows`."""
