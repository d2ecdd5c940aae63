"""Names of partitions, `odds_history_2026_11_22`: the table, the New Zealand day, and which time it was detached."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from raceday.errors import ConfigError
from raceday.store.postgres.names import PARTITIONED, sql_column, table_named

EVENT_COLUMNS = {
    table_named(name).sql_name: sql_column(table_named(name), column) for name, column in PARTITIONED.items()
}
"""The tables that have partitions, each with the column of the instant that decides."""
_NAME = re.compile(rf"({'|'.join(EVENT_COLUMNS)})_(\d{{4}})_(\d\d)_(\d\d)(?:_([2-9]|[1-9]\d+))?")


@dataclass(frozen=True, slots=True, order=True)
class PartitionName:
    """One day of one table. `times` is 2 for what came late and was detached a second time."""

    day: date
    history: str
    times: int = 1

    def __str__(self) -> str:
        """Return the name of its table."""
        again = "" if self.times == 1 else f"_{self.times}"
        return f"{self.history}_{self.day:%Y_%m_%d}{again}"

    @property
    def event_column(self) -> str:
        """The column of the instant that decides to which day a row belongs."""
        return EVENT_COLUMNS[self.history]


def parse_name(text: str) -> PartitionName | None:
    """Return the partition of this name, or None when it is no partition's."""
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    history, year, month, day, times = match.groups()
    try:
        return PartitionName(date(int(year), int(month), int(day)), history, int(times or 1))
    except ValueError:
        return None


def named_by(
    wanted: str, names: Sequence[PartitionName], attached: Sequence[PartitionName] = ()
) -> list[PartitionName]:
    """Return the partitions that a person means by a day (`2026-11-22`) or by a partition's name.

    Raises `ConfigError` when the text is neither, or none of `names` is meant; one of `attached` has to be detached
    before it is one of `names`, which is said.
    """
    found = _meant(wanted, names)
    if found:
        return found
    if _meant(wanted, attached):
        raise ConfigError(f"{wanted} is attached: detach it first with scripts/partitions detach {wanted}")
    raise ConfigError(f"there is no partition {wanted} here: scripts/partitions list shows those there are")


def _meant(wanted: str, names: Sequence[PartitionName]) -> list[PartitionName]:
    try:
        day = date.fromisoformat(wanted)
    except ValueError:
        name = parse_name(wanted)
        if name is None:
            raise ConfigError(
                f"{wanted} is neither a day nor a partition: write 2026-11-22 or odds_history_2026_11_22"
            ) from None
        return [known for known in names if known == name]
    return [known for known in names if known.day == day]
