"""One column held against another: what differs, and whether the platform can change it without losing anything."""

from __future__ import annotations

from dataclasses import replace

from raceday.deployment.platform_schema import NUMBERS, PlatformColumn

SMALL_INTEGER = 2**31 - 1
"""An integer whose bound is no higher is kept in four bytes, and stays there whatever its bound becomes."""
Change = tuple[str, object, object]
"""What differs: its name, what it is, what it should be."""


def changes(wanted: PlatformColumn, found: PlatformColumn) -> list[Change]:
    """Return what differs between a column as it should be and as it is.

    Bounds that are wider than ours refuse nothing of ours, so they count as the same.
    """
    compared: list[Change] = [
        ("type", found.type, wanted.type),
        ("list", found.array, wanted.array),
        ("required", found.required, wanted.required),
        ("default", found.default, wanted.default),
    ]
    if wanted.type == found.type == "string":
        compared += [("size", found.size, wanted.size), ("encrypted", bool(found.encrypt), bool(wanted.encrypt))]
    changed = [change for change in compared if change[1] != change[2]]
    if wanted.type == found.type and wanted.type in NUMBERS and not _bounds_suffice(wanted, found):
        changed.append(("bounds", _bounds(found), _bounds(wanted)))
    return changed


def widened(wanted: PlatformColumn, found: PlatformColumn) -> PlatformColumn:
    """Return the column with all that can be changed in place: a longer string, wider bounds, another default.

    It excludes nothing that it let in so far; what still differs can only be changed by people.
    """
    if (wanted.type, wanted.array) != (found.type, found.array):
        return found
    # The platform takes no default for a required column.
    becomes = found if found.required else replace(found, default=wanted.default)
    if wanted.type == "string":
        return replace(becomes, size=max(wanted.size or 0, found.size or 0))
    if wanted.type not in NUMBERS or _bounds_suffice(wanted, found):
        return becomes
    if wanted.type == "integer" and (found.highest or 0) <= SMALL_INTEGER:
        return becomes
    lowest = [bound for bound in (wanted.lowest, found.lowest) if bound is not None]
    highest = [bound for bound in (wanted.highest, found.highest) if bound is not None]
    return replace(becomes, lowest=min(lowest), highest=max(highest))


def refuses_writes(wanted: PlatformColumn, found: PlatformColumn) -> bool:
    """Return whether a column as it is refuses values that one as it should be takes."""
    differs = {name for name, _is, _should_be in changes(wanted, found)}
    too_short = "size" in differs and (found.size or 0) < (wanted.size or 0)
    return too_short or ("required" in differs and found.required) or bool(differs & {"type", "list", "bounds"})


def remedy(wanted: PlatformColumn, found: PlatformColumn) -> str:
    """Return what people can do about what still differs."""
    differs = {name for name, _is, _should_be in changes(wanted, found)}
    if differs == {"required"} and wanted.required:
        return "set it to required in the console, or leave it"
    if differs <= {"required", "default"} and found.required:
        return "make it optional in the console, run scripts/setup again"
    return "save its values if you need them, delete the column in the console, run scripts/setup again"


def _bounds_suffice(wanted: PlatformColumn, found: PlatformColumn) -> bool:
    lowest_is_low = found.lowest is None or wanted.lowest is None or found.lowest <= wanted.lowest
    highest_is_high = found.highest is None or wanted.highest is None or found.highest >= wanted.highest
    return lowest_is_low and highest_is_high


def _bounds(column: PlatformColumn) -> str:
    return f"{column.lowest} to {column.highest}"
