"""The store on Appwrite: the whole port on one project, with the key of one run."""

from __future__ import annotations

from raceday.domain.race_poll import RaceState
from raceday.store.appwrite.alerts import AppwriteAlerts
from raceday.store.appwrite.claims import AppwriteClaims
from raceday.store.appwrite.flow import AppwriteFlow
from raceday.store.appwrite.health import AppwriteHealth
from raceday.store.appwrite.ledger import AppwriteLedger
from raceday.store.appwrite.polls import AppwritePolls
from raceday.store.appwrite.programme import AppwriteProgramme
from raceday.store.appwrite.rest import AppwriteRest, CallObserver, unheard
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.store.appwrite.silks import AppwriteSilks
from raceday.store.appwrite.states import AppwriteStates
from raceday.store.rows.values import StoredRow
from raceday.transport import AsyncTransport


class AppwriteStore(
    AppwriteProgramme,
    AppwriteClaims,
    AppwriteStates,
    AppwritePolls,
    AppwriteLedger,
    AppwriteAlerts,
    AppwriteFlow,
    AppwriteSilks,
    AppwriteHealth,
):
    """Keeps races in the tables of an Appwrite project; see `RaceStore` for what each operation promises.

    One for each run: it remembers the claims' rows that the run has read, which saves a call for most polls, and the
    states that it had to read from the tables.
    """

    def __init__(self, rest: AppwriteRest) -> None:
        self._rest = rest
        self._rows = AppwriteRows(rest)
        self._claims_seen: dict[str, StoredRow] = {}
        self._states_read: dict[str, tuple[int, RaceState]] = {}

    @classmethod
    def over(
        cls, settings: AppwriteSettings, connections: AsyncTransport, observer: CallObserver = unheard
    ) -> AppwriteStore:
        """Ask a project over connections that stay their owner's to close; `observer` hears of calls made again."""
        return cls(AppwriteRest(settings, connections, observer))

    def session(self) -> AppwriteStore:
        """Return a view of the store for one run, over the same connections, with its own count of calls."""
        return AppwriteStore(self._rest.again())

    @property
    def calls(self) -> int:
        """Requests made so far, retries included."""
        return self._rest.calls

    async def close(self) -> None:
        """Keep nothing open: the connections belong to the process."""
