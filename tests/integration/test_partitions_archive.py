"""Detached days in an S3-compatible storage: archived, verified, dropped, restored; and what may go wrong."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pyarrow.parquet as pq
import pytest

from archive_steps import DAY, FLOW, ODDS, POLLS, one_price, rows_of, tables_in, with_history
from archive_storage import storage_server
from raceday.errors import ConfigError, RaceDayError
from raceday.server.operations import partitions
from raceday.server.operations.archive import archive_partition, drop_archived, drop_unarchived
from raceday.server.operations.archive_files import ArchiveFormat
from raceday.server.operations.archive_restore import archived, restore_partition
from raceday.server.operations.archive_settings import ArchiveSettings
from raceday.server.operations.connections import Connection, connected
from raceday.server.operations.errors import ArchiveDamaged, ArchiveUnavailable, NotArchived, RestoreRefused
from raceday.server.operations.object_storage import ObjectStorage
from raceday.server.operations.partition_names import PartitionName
from raceday.server.operations.partitions import DETACHED

NOW = datetime(2026, 12, 25, 12, tzinfo=UTC)
BUCKET = "racing-archive"
BOTH = pytest.mark.parametrize("kind", list(ArchiveFormat))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with storage_server() as address:
        yield address


@pytest.fixture
def client(endpoint: str) -> Iterator[Any]:
    """A bucket, emptied afterwards."""
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    yield client
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    client.delete_bucket(Bucket=BUCKET)
    client.close()


@pytest.fixture
def storage(endpoint: str, client: Any) -> ObjectStorage:
    return ObjectStorage(ArchiveSettings(BUCKET, "raceday/test", endpoint, "us-east-1"))


@pytest.fixture
def connection(postgres_url: str) -> Iterator[Connection]:
    """A day of history, detached."""
    with connected(postgres_url) as opened:
        with_history(opened)
        partitions.detach(opened, [ODDS, FLOW, POLLS])
        yield opened


def keys(client: Any) -> list[str]:
    return [entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


@BOTH
def test_what_is_archived_dropped_and_restored_is_the_same_row_for_row(
    connection: Connection, storage: ObjectStorage, kind: ArchiveFormat
) -> None:
    before = {name: rows_of(connection, str(name), DETACHED) for name in (ODDS, FLOW, POLLS)}
    assert [len(rows) for rows in before.values()] == [200, 50, 0]
    assert any("NaN" in row for row in before[ODDS])
    for name in before:
        done = archive_partition(connection, storage, name, kind, NOW)
        assert done.uploaded
        drop_archived(connection, storage, name)
    assert tables_in(connection, DETACHED) == []
    for manifest in archived(storage):
        restored = restore_partition(connection, storage, manifest)
        assert (restored.inserted, restored.known, restored.differing) == (manifest.rows, 0, 0)
    assert {name: rows_of(connection, str(name)) for name in before} == before
    bounds = {found.table: found.bounds for found in partitions.list_partitions(connection) if found.attached}
    assert bounds[str(ODDS)] == "FOR VALUES FROM ('2026-11-20 11:00:00+00') TO ('2026-11-21 11:00:00+00')"


def test_the_object_is_plain_parquet_with_a_manifest_that_says_what_it_is(
    connection: Connection, storage: ObjectStorage, client: Any, tmp_path: Path
) -> None:
    done = archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW).manifest
    stem = f"raceday/test/odds_history/odds_history_2026_11_21-{done.rows_sha256[:16]}"
    assert keys(client) == [f"{stem}.json", f"{stem}.parquet"]
    client.download_file(BUCKET, f"{stem}.parquet", str(tmp_path / "day.parquet"))
    table = pq.read_table(tmp_path / "day.parquet")
    assert table.num_rows == 200
    assert table.column("event_timestamp")[0].as_py().microsecond == 4
    said = json.loads(client.get_object(Bucket=BUCKET, Key=f"{stem}.json")["Body"].read())
    assert said["rows"] == 200
    assert said["day"] == "2026-11-21"
    assert (said["begins"], said["ends"]) == ("2026-11-20T11:00:00Z", "2026-11-21T11:00:00Z")
    assert said["columns"][1] == {"name": "odds", "type": "double precision"}
    assert said["schema_version"] >= "0008"


def test_csv_tells_a_missing_value_from_an_empty_text(
    connection: Connection, storage: ObjectStorage, client: Any
) -> None:
    manifest = archive_partition(connection, storage, ODDS, ArchiveFormat.CSV, NOW).manifest
    body = client.get_object(Bucket=BUCKET, Key=f"raceday/test/{manifest.key}")["Body"].read()
    text = gzip.decompress(body).decode()
    assert text.startswith('"id","odds","event_timestamp","type","race_id"')
    third = next(line for line in text.splitlines() if line.startswith('"tick-3"'))
    assert third.split(",")[1] == "0.30000000000000004"
    assert third.split(",")[4] == ""
    assert next(line for line in text.splitlines() if line.startswith('"tick-1"')).split(",")[4] == '""'


def test_archiving_twice_is_archiving_once(connection: Connection, storage: ObjectStorage, client: Any) -> None:
    first = archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW)
    stamps = [entry["LastModified"] for entry in client.list_objects_v2(Bucket=BUCKET)["Contents"]]
    again = archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, datetime.now(UTC))
    assert not again.uploaded
    assert again.manifest == first.manifest
    assert [entry["LastModified"] for entry in client.list_objects_v2(Bucket=BUCKET)["Contents"]] == stamps


def test_rows_that_differ_never_overwrite_an_archive(
    connection: Connection, storage: ObjectStorage, client: Any
) -> None:
    archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW)
    connection.execute(f"UPDATE detached.{ODDS} SET odds = odds + 1 WHERE id = 'tick-7'")
    with pytest.raises(NotArchived, match="not archived as it stands"):
        drop_archived(connection, storage, ODDS)
    assert len(rows_of(connection, str(ODDS), DETACHED)) == 200
    archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW)
    assert len(keys(client)) == 4


def _cut_off(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _changed(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


@pytest.mark.parametrize(("damage", "word"), [(_cut_off, "bytes"), (_changed, "hash")])
@BOTH
def test_a_damaged_object_is_named_and_nothing_is_dropped_or_restored(
    connection: Connection,
    storage: ObjectStorage,
    client: Any,
    damage: Callable[[bytes], bytes],
    word: str,
    kind: ArchiveFormat,
) -> None:
    manifest = archive_partition(connection, storage, ODDS, kind, NOW).manifest
    key = f"raceday/test/{manifest.key}"
    client.put_object(Bucket=BUCKET, Key=key, Body=damage(client.get_object(Bucket=BUCKET, Key=key)["Body"].read()))
    with pytest.raises(ArchiveDamaged, match=word):
        drop_archived(connection, storage, ODDS)
    with pytest.raises(ArchiveDamaged, match=word):
        restore_partition(connection, storage, manifest)
    assert len(rows_of(connection, str(ODDS), DETACHED)) == 200
    assert rows_of(connection, "odds_history") == []
    # The table is still there: archiving it again heals the archive.
    assert archive_partition(connection, storage, ODDS, kind, NOW).uploaded
    drop_archived(connection, storage, ODDS)


def test_an_object_that_is_whole_but_holds_other_rows_is_found_out(
    connection: Connection, storage: ObjectStorage, client: Any
) -> None:
    manifest = archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW).manifest
    with pytest.raises(ArchiveDamaged, match="does not hold the 200 rows"):
        restore_partition(connection, storage, manifest.model_copy(update={"rows_sha256": "0" * 64}))
    with pytest.raises(ArchiveDamaged, match="other columns"):
        restore_partition(connection, storage, manifest.model_copy(update={"columns": manifest.columns[1:]}))
    client.delete_object(Bucket=BUCKET, Key=f"raceday/test/{manifest.key}")
    with pytest.raises(ArchiveDamaged, match="not there"):
        drop_archived(connection, storage, ODDS)
    assert len(rows_of(connection, str(ODDS), DETACHED)) == 200


class CutsOff(ObjectStorage):
    """A storage that says yes and keeps half."""

    def put_file(self, key: str, path: Path) -> None:
        half = path.with_suffix(".half")
        half.write_bytes(_cut_off(path.read_bytes()))
        super().put_file(key, half)


def test_an_upload_that_is_cut_off_gets_no_manifest(connection: Connection, endpoint: str, client: Any) -> None:
    storage = CutsOff(ArchiveSettings(BUCKET, "", endpoint, "us-east-1"))
    with pytest.raises(ArchiveDamaged, match="bytes"):
        archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW)
    assert [key for key in keys(client) if key.endswith(".json")] == []
    with pytest.raises(NotArchived):
        drop_archived(connection, storage, ODDS)


def test_a_manifest_that_is_none_is_named(connection: Connection, storage: ObjectStorage, client: Any) -> None:
    for key, body in (("a.json", b"{}"), ("b.json", b'\xff{"rows": 1')):
        client.put_object(Bucket=BUCKET, Key=f"raceday/test/odds_history/{key}", Body=body)
        with pytest.raises(ArchiveDamaged, match=f"{key} is no manifest"):
            archived(storage)
        client.delete_object(Bucket=BUCKET, Key=f"raceday/test/odds_history/{key}")
    manifest = archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW).manifest
    for change in ({"partition": "../../etc/passwd"}, {"manifest_version": 2}, {"history": "races"}):
        text = manifest.model_copy(update=change).model_dump_json()
        client.put_object(Bucket=BUCKET, Key="raceday/test/odds_history/c.json", Body=text.encode())
        with pytest.raises(ArchiveDamaged):
            archived(storage)


@pytest.mark.parametrize(
    ("settings", "error", "word"),
    [
        (ArchiveSettings("no-such-bucket", "x", "", "us-east-1"), ConfigError, "there is no bucket no-such-bucket"),
        (ArchiveSettings(BUCKET, "x", "http://127.0.0.1:9", "us-east-1"), ArchiveUnavailable, "does not answer"),
    ],
)
def test_a_storage_that_cannot_be_used_is_named_and_nothing_is_dropped(
    connection: Connection, endpoint: str, client: Any, settings: ArchiveSettings, error: type[RaceDayError], word: str
) -> None:
    storage = ObjectStorage(replace(settings, endpoint=settings.endpoint or endpoint))
    for attempt in (
        lambda: archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW),
        lambda: drop_archived(connection, storage, ODDS),
        lambda: archived(storage),
    ):
        with pytest.raises(error, match=word):
            attempt()
    assert len(rows_of(connection, str(ODDS), DETACHED)) == 200


def test_credentials_that_are_missing_or_wrong_are_named(
    connection: Connection, endpoint: str, client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = ArchiveSettings(BUCKET, "x", endpoint, "us-east-1")

    def checked(requests_before: float) -> None:
        body = str(requests_before).encode()
        urlopen(Request(f"{endpoint}/moto-api/reset-auth", body, {"Content-Type": "text/plain"})).close()

    try:
        checked(0)
        with pytest.raises(ConfigError, match=r"refuses .*\(InvalidAccessKeyId\): check AWS_ACCESS_KEY_ID"):
            archive_partition(connection, ObjectStorage(settings), ODDS, ArchiveFormat.PARQUET, NOW)
    finally:
        checked(float("inf"))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    boto3.setup_default_session()
    try:
        with pytest.raises(ConfigError, match="no credentials"):
            archive_partition(connection, ObjectStorage(settings), ODDS, ArchiveFormat.PARQUET, NOW)
    finally:
        boto3.DEFAULT_SESSION = None
    assert len(rows_of(connection, str(ODDS), DETACHED)) == 200


def test_a_day_goes_back_beside_the_rows_that_came_meanwhile(connection: Connection, storage: ObjectStorage) -> None:
    manifest = archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW).manifest
    instants = dict(
        connection.execute(
            f"SELECT id, event_timestamp::text FROM detached.{ODDS} WHERE id IN ('tick-8', 'tick-9')"
        ).fetchall()
    )
    drop_archived(connection, storage, ODDS)
    for number, odds in (("8", 8 / 7), ("9", 99.0)):
        connection.execute(
            "INSERT INTO odds_history (id, odds, event_timestamp, type) VALUES (%s, %s, %s, 'fixed_win')",
            (f"tick-{number}", odds, instants[f"tick-{number}"]),
        )
    restored = restore_partition(connection, storage, manifest)
    assert (restored.inserted, restored.known, restored.differing) == (198, 2, 2)
    assert connection.execute("SELECT odds FROM odds_history WHERE id = 'tick-9'").fetchone() == (99.0,)
    assert rows_of(connection, "odds_history_default") == []
    again = restore_partition(connection, storage, manifest)
    assert (again.inserted, again.known) == (0, 200)


def test_a_bucket_that_moved_to_the_next_day_meanwhile_is_not_brought_back_twice(
    connection: Connection, storage: ObjectStorage
) -> None:
    manifest = archive_partition(connection, storage, FLOW, ArchiveFormat.PARQUET, NOW).manifest
    drop_archived(connection, storage, FLOW)
    connection.execute(
        "INSERT INTO money_flow_history (id, race_id, entrant_id, type, event_timestamp, win_pool_amount) "
        "VALUES ('flow-7', 'r1', 'e1', 'bucketed_aggregation', '2026-11-21T12:00:00Z', 900)"
    )
    restored = restore_partition(connection, storage, manifest)
    assert (restored.inserted, restored.known, restored.differing) == (49, 1, 1)
    amounts = connection.execute("SELECT win_pool_amount FROM money_flow_history WHERE id = 'flow-7'").fetchall()
    assert amounts == [(900,)]


def test_a_restored_day_stays_until_it_is_named(connection: Connection, storage: ObjectStorage) -> None:
    manifest = archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW).manifest
    drop_archived(connection, storage, ODDS)
    restore_partition(connection, storage, manifest)
    assert ODDS not in partitions.detach_before(connection, NOW.date())
    assert len(rows_of(connection, str(ODDS))) == 200
    connection.execute("SELECT detach_history_partitions(%s)", (NOW.date(),))
    assert len(rows_of(connection, str(ODDS))) == 200
    assert partitions.detach(connection, [ODDS]) == [ODDS]
    # The same rows are the same archive: they are dropped without another upload.
    assert drop_archived(connection, storage, ODDS) == manifest


def test_rows_of_runners_that_are_gone_are_refused_and_leave_nothing(
    connection: Connection, storage: ObjectStorage
) -> None:
    manifest = archive_partition(connection, storage, FLOW, ArchiveFormat.PARQUET, NOW).manifest
    drop_archived(connection, storage, FLOW)
    connection.execute("DELETE FROM entrants")
    with pytest.raises(RestoreRefused, match="no longer knows"):
        restore_partition(connection, storage, manifest)
    assert rows_of(connection, "money_flow_history") == []


def test_columns_that_came_later_are_empty_and_those_that_went_are_refused(
    connection: Connection, storage: ObjectStorage
) -> None:
    manifest = archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW).manifest
    drop_archived(connection, storage, ODDS)
    connection.execute("ALTER TABLE odds_history ADD COLUMN added_later bigint")
    assert restore_partition(connection, storage, manifest).inserted == 200
    connection.execute("ALTER TABLE odds_history DROP COLUMN time_interval")
    with pytest.raises(RestoreRefused, match="no such columns any more: time_interval"):
        restore_partition(connection, storage, manifest)


def test_a_day_larger_than_a_batch_is_read_in_several(
    connection: Connection, storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch, client: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr("raceday.server.operations.table_rows.BATCH_ROWS", 64)
    manifest = archive_partition(connection, storage, ODDS, ArchiveFormat.PARQUET, NOW).manifest
    client.download_file(BUCKET, f"raceday/test/{manifest.key}", str(tmp_path / "day.parquet"))
    assert pq.ParquetFile(tmp_path / "day.parquet").num_row_groups == 4
    monkeypatch.undo()
    assert drop_archived(connection, storage, ODDS).rows == 200


def test_rows_may_be_dropped_without_an_archive_by_saying_so(connection: Connection) -> None:
    assert drop_unarchived(connection, ODDS) == 200
    assert str(ODDS) not in tables_in(connection, DETACHED)


def test_a_second_detachment_of_a_day_is_archived_beside_the_first(
    connection: Connection, storage: ObjectStorage
) -> None:
    one_price(connection, "late", "2026-11-21T01:00:00Z")
    partitions.detach_before(connection, NOW.date())
    again = PartitionName(DAY, "odds_history", 2)
    for name in (ODDS, again):
        archive_partition(connection, storage, name, ArchiveFormat.PARQUET, NOW)
        drop_archived(connection, storage, name)
    assert [manifest.rows for manifest in archived(storage) if manifest.history == "odds_history"] == [200, 1]
    for manifest in archived(storage):
        restore_partition(connection, storage, manifest)
    assert len(rows_of(connection, str(ODDS))) == 201
