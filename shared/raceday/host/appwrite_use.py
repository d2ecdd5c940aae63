"""What a day takes of the platform: calls of its API, row events, executions, and the busiest minute of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from raceday.runtime.functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from raceday.host.executions import ExecutionResult
    from raceday.simulator.appwrite.call_log import PlatformCall
    from raceday.simulator.appwrite.row_events import RowNotice

_ROWS = "/tablesdb/{databaseId}/tables/{tableId}/rows"
_TRANSACTION = "/tablesdb/transactions/{transactionId}"
_FILES = "/storage/buckets/{bucketId}/files"
_NAMES = {
    ("GET", _ROWS): "list rows",
    ("GET", f"{_ROWS}/{{rowId}}"): "get row",
    ("POST", _ROWS): "create rows",
    ("PUT", _ROWS): "upsert rows",
    ("PATCH", _ROWS): "update rows",
    ("DELETE", _ROWS): "delete rows",
    ("PUT", f"{_ROWS}/{{rowId}}"): "upsert row",
    ("PATCH", f"{_ROWS}/{{rowId}}"): "update row",
    ("DELETE", f"{_ROWS}/{{rowId}}"): "delete row",
    ("POST", "/tablesdb/transactions"): "begin transaction",
    ("POST", f"{_TRANSACTION}/operations"): "stage operations",
    ("PATCH", _TRANSACTION): "commit",
    ("GET", _TRANSACTION): "get transaction",
    ("POST", "/functions/{functionId}/executions"): "start execution",
    ("POST", _FILES): "create file",
    ("GET", f"{_FILES}/{{fileId}}"): "get file",
    ("DELETE", f"{_FILES}/{{fileId}}"): "delete file",
    ("POST", "/messaging/messages/push"): "push message",
}


class CallKind(NamedTuple):
    """What calls are counted by; `caller` is a function's id, or the id of another key."""

    caller: str
    method: str
    route: str
    scopes: tuple[str, ...]
    status: int

    @property
    def name(self) -> str:
        """What a call of this kind does, in words; its method and route where there are none."""
        return _NAMES.get((self.method, self.route), f"{self.method} {self.route}")


@dataclass(slots=True)
class PlatformUse:
    """Counts, while a day goes on."""

    calls: Counter[CallKind] = field(default_factory=Counter)
    row_events: int = 0
    executions_by_minute: Counter[datetime] = field(default_factory=Counter)
    executions_by_trigger: Counter[str] = field(default_factory=Counter)
    longest_recurring_s: float = 0.0

    def add(self, call: PlatformCall) -> None:
        """Count a call of the API."""
        self.calls[CallKind(call.key_id, call.method, call.route, call.scopes, call.status)] += 1

    def add_event(self, _notice: RowNotice) -> None:
        """Count a row event, whether or not a function listens to it."""
        self.row_events += 1

    def add_execution(self, result: ExecutionResult) -> None:
        """Count an execution that has ended, for the minute in which it began."""
        self.executions_by_minute[result.started_at.replace(second=0, microsecond=0)] += 1
        self.executions_by_trigger[result.trigger] += 1
        spec = FUNCTIONS.get(result.function_id)
        if spec is not None and spec.recurs_every_minute:
            self.longest_recurring_s = max(self.longest_recurring_s, result.duration_s)

    def calls_by_name(self) -> dict[str, int]:
        """Return the functions' calls by what they do, the most frequent first."""
        return _added_up((kind.name, count) for kind, count in self._of_functions())

    def calls_by_function(self) -> dict[str, int]:
        """Return the functions' calls by function, the most frequent caller first."""
        return _added_up((kind.caller, count) for kind, count in self._of_functions())

    def transactions(self) -> int:
        """Return the transactions that the functions committed."""
        return sum(count for kind, count in self._of_functions() if kind.name == "commit" and kind.status < 400)

    def busiest_minute(self) -> tuple[datetime | None, int]:
        """Return the minute in which most executions began, and how many."""
        return max(self.executions_by_minute.items(), key=lambda counted: counted[1], default=(None, 0))

    def as_json(self) -> dict[str, object]:
        """Return the figures by the names of the demo's contract."""
        minute, executions = self.busiest_minute()
        by_name = self.calls_by_name()
        return {
            "platform_calls": sum(by_name.values()),
            "calls_by_kind": by_name,
            "calls_by_function": self.calls_by_function(),
            "row_events": self.row_events,
            "executions_by_trigger": dict(self.executions_by_trigger.most_common()),
            "busiest_minute": minute.isoformat() if minute else None,
            "busiest_minute_executions": executions,
            "longest_recurring_s": round(self.longest_recurring_s, 3),
        }

    def _of_functions(self) -> Iterator[tuple[CallKind, int]]:
        return ((kind, count) for kind, count in self.calls.items() if kind.caller in FUNCTIONS)


def _added_up(counted: Iterable[tuple[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for name, count in counted:
        total[name] += count
    return dict(total.most_common())
