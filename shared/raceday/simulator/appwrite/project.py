"""A project: everything the stand-in keeps, and how it names what gets no name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.keys import KeyRing
from raceday.simulator.chance import generator

if TYPE_CHECKING:
    from raceday.simulator.appwrite.files import Bucket
    from raceday.simulator.appwrite.functions import Function
    from raceday.simulator.appwrite.messages import Message
    from raceday.simulator.appwrite.tables import Database, Table
    from raceday.simulator.appwrite.transactions import Transaction
    from raceday.simulator.appwrite.uploads import Arriving


@dataclass(slots=True)
class Project:
    """The state of one project; begins empty, without keys.

    `specification` is what a function gets that asks for none (the most that the observed server offered).
    `call_takes_ms` is what every writing call takes of the clock that stamps rows: with 0, writes at one instant share
    a millisecond. `build_failures` holds the logs of builds that are going to fail, the next one first;
    `column_failures` the same for columns: key and reason.
    """

    project_id: str
    specification: str = "s-2vcpu-4gb"
    call_takes_ms: int = 1
    keys: KeyRing = field(default_factory=KeyRing)
    databases: dict[str, Database] = field(default_factory=dict)
    transactions: dict[str, Transaction] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    arriving: dict[str, Arriving] = field(default_factory=dict)
    build_failures: list[str] = field(default_factory=list)
    column_failures: dict[str, str] = field(default_factory=dict)
    _named: int = 0

    def new_id(self) -> str:
        """Return an id of 20 characters, as the platform makes them; the same ones in every run."""
        self._named += 1
        return f"{generator(self.project_id, 'id', self._named).getrandbits(80):020x}"

    def database(self, database_id: str) -> Database:
        """Return a database; raises database_not_found."""
        if database_id not in self.databases:
            raise refused("database_not_found", database_id)
        return self.databases[database_id]

    def table(self, database_id: str, table_id: str) -> Table:
        """Return a table; raises database_not_found or table_not_found."""
        return self.database(database_id).table(table_id)
