"""`partitions`: the days of the history, made ahead, taken out when old, archived, brought back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from raceday.cli.operations_ground import archive_here, connection_here, say
from raceday.cli.output import people, print_json
from raceday.clock import SystemClock
from raceday.domain.racing_day import racing_date
from raceday.errors import RaceDayError
from raceday.server.operations.archive import archive_partition, drop_archived, drop_unarchived
from raceday.server.operations.archive_files import ArchiveFormat
from raceday.server.operations.archive_manifest import Manifest
from raceday.server.operations.archive_restore import archived, restore_partition
from raceday.server.operations.errors import SomeFailed
from raceday.server.operations.partition_names import PartitionName, named_by
from raceday.server.operations.partitions import (
    Partition,
    attached_names,
    create_partitions,
    detach_before,
    detached_names,
    list_partitions,
    refuse_live_days,
)
from raceday.server.operations.partitions import detach as detach_partitions

app = typer.Typer(
    no_args_is_help=True,
    help="The days of the history (odds, money flow, polls): a partition each. Days are New Zealand's.",
)
Wanted = Annotated[
    list[str] | None, typer.Argument(help="days (2026-11-22) or partitions (odds_history_2026_11_22); default: all")
]
AsJson = Annotated[bool, typer.Option("--json", help="print the outcome as one JSON line")]


@app.command()
def create(
    days_ahead: Annotated[int, typer.Option(min=0, max=366, help="days after today that have a partition")] = 3,
) -> None:
    """Make what is missing from today on, and move what DEFAULT caught into partitions of its days."""
    with connection_here() as (connection, _):
        made = create_partitions(connection, racing_date(SystemClock().now()), days_ahead)
        say(f"{made} partitions made")


@app.command("list")
def list_all(
    as_json: AsJson = False,
    archive: Annotated[bool, typer.Option("--archive", help="say also what the archive holds")] = False,
) -> None:
    """Show every partition: its rows, bytes, whether it is attached, detached or archived; with --json its bounds."""
    with connection_here() as (connection, _):
        partitions = list_partitions(connection)
        manifests = archived(archive_here()) if archive else []
    lines = [_line(partition, manifests) for partition in partitions]
    there = {str(partition.name) for partition in partitions}
    lines += [_archived_line(manifest) for manifest in manifests if manifest.partition not in there]
    people.print(_table(lines, archive=archive))
    if as_json:
        print_json({"partitions": lines})


@app.command()
def detach(
    wanted: Wanted = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="detach what is older than so many days (else RACEDAY_RETENTION_DAYS)")
    ] = None,
) -> None:
    """Take days out of their tables, by default all older than RACEDAY_RETENTION_DAYS; their rows stay in `detached`.

    Days that were restored stay until they are named.
    """
    with connection_here() as (connection, settings):
        today = racing_date(SystemClock().now())
        if wanted:
            names = _named(wanted, attached_names(connection))
            refuse_live_days(names, today)
            detached = detach_partitions(connection, names)
        else:
            kept = timedelta(days=days or settings.retention_days)
            detached = detach_before(connection, today - kept)
        for name in detached:
            say(f"{name} detached")
        say(f"{len(detached)} partitions detached")


@app.command()
def archive(
    wanted: Wanted = None,
    kind: Annotated[ArchiveFormat, typer.Option("--format", help="what they are written as")] = ArchiveFormat.PARQUET,
    drop: Annotated[
        bool, typer.Option("--drop", help="drop each one whose archive was read back and is whole")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring detached partitions to RACEDAY_ARCHIVE_URL and read each one back; nothing is dropped without --drop.

    The exit code is 1 when any of them failed; the others are archived nevertheless.
    """
    done: list[dict[str, object]] = []
    with connection_here() as (connection, _):
        storage = archive_here()
        names = detached_names(connection)
        failures = []
        for name in _named(wanted, names, attached_names(connection)) if wanted else names:
            try:
                result = archive_partition(connection, storage, name, kind, SystemClock().now())
                address = storage.address(result.manifest.key)
                say(f"{name}: {result.manifest.rows} rows {'in' if result.uploaded else 'were already in'} {address}")
                if drop:
                    drop_archived(connection, storage, name)
                    say(f"{name}: verified and dropped")
            except RaceDayError as error:
                failures.append(f"{name}: {error}")
                continue
            done.append({**result.manifest.model_dump(mode="json"), "uploaded": result.uploaded, "dropped": drop})
        say(f"{len(done)} partitions archived{' and dropped' if drop else ''}")
        if as_json:
            print_json({"archived": done, "failures": failures})
        if failures:
            raise SomeFailed("; ".join(failures))


@app.command()
def drop(
    wanted: Annotated[list[str], typer.Argument(help="days or partitions, of those that are detached")],
    unarchived: Annotated[
        bool, typer.Option("--unarchived", help="drop them without looking for an archive: their rows are lost")
    ] = False,
) -> None:
    """Drop detached partitions whose archive holds the same rows, which is looked at before."""
    with connection_here() as (connection, _):
        names = _named(wanted, detached_names(connection), attached_names(connection))
        storage = None if unarchived else archive_here()
        for name in names:
            if storage is None:
                rows = drop_unarchived(connection, name)
                say(f"{name}: dropped, its {rows} rows are lost unless they were archived")
            else:
                manifest = drop_archived(connection, storage, name)
                say(f"{name}: dropped, its {manifest.rows} rows are in {storage.address(manifest.key)}")


@app.command()
def restore(
    wanted: Annotated[list[str], typer.Argument(help="days or partitions, of those in the archive")],
) -> None:
    """Put archived days back into their tables, where they stay until `detach` names them."""
    with connection_here() as (connection, _):
        storage = archive_here()
        for manifest in _chosen(wanted, archived(storage)):
            restored = restore_partition(connection, storage, manifest)
            known = f", {restored.known} were there already" if restored.known else ""
            other = f", {restored.differing} of them with other values, which stay" if restored.differing else ""
            say(f"{manifest.partition}: {restored.inserted} rows restored{known}{other}")


def _named(
    wanted: list[str], names: list[PartitionName], attached: list[PartitionName] | None = None
) -> list[PartitionName]:
    return list(dict.fromkeys(name for text in wanted for name in named_by(text, names, attached or ())))


def _chosen(wanted: list[str], manifests: list[Manifest]) -> list[Manifest]:
    names = _named(wanted, [manifest.name for manifest in manifests])
    return [manifest for manifest in manifests if manifest.name in names]


def _table(lines: list[dict[str, object]], *, archive: bool) -> Table:
    columns = ["partition", "state", "rows", "bytes", *(["archive"] if archive else [])]
    table = Table()
    for column in columns:
        number = column in {"rows", "bytes"}
        table.add_column(column, no_wrap=column == "partition", justify="right" if number else "left", overflow="fold")
    for line in lines:
        table.add_row(*(str(line[column]) for column in columns))
    return table


def _line(partition: Partition, manifests: list[Manifest]) -> dict[str, object]:
    held = [manifest for manifest in manifests if manifest.name == partition.name]
    state = "attached" if partition.attached else "detached"
    return {
        "partition": partition.table,
        "state": f"{state}, restored" if partition.restored else state,
        "rows": partition.rows,
        "bytes": partition.size_bytes,
        "bounds": partition.bounds,
        "archive": " ".join(manifest.key for manifest in held),
    }


def _archived_line(manifest: Manifest) -> dict[str, object]:
    return {
        "partition": manifest.partition,
        "state": "archived",
        "rows": manifest.rows,
        "bytes": manifest.size_bytes,
        "bounds": f"FROM ({manifest.begins.isoformat()}) TO ({manifest.ends.isoformat()})",
        "archive": manifest.key,
    }
