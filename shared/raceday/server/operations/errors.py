"""What can go wrong with archives and backups. Whatever it is, nothing was dropped or replaced."""

from __future__ import annotations

from raceday.errors import RaceDayError


class ArchiveUnavailable(RaceDayError):
    """The storage of the archive did not answer, or not in time; retry later."""


class ArchiveDamaged(RaceDayError):
    """What the storage holds is not what was archived: keep the table, archive it anew."""


class NotArchived(RaceDayError):
    """No archive of these rows is found in the storage; archive them first."""


class BackupFailed(RaceDayError):
    """A backup was not made, or not what it should be; no file was left that looks whole."""


class RestoreRefused(RaceDayError):
    """A restore would lose something, or what came out of it is not what went in; the database is as before."""


class SomeFailed(RaceDayError):
    """Some of many failed, each for its own reason; the others are done."""
