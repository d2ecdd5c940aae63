"""`scripts/partitions`, `scripts/backup` and `scripts/restore` as a person calls them."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import Result
from typer.testing import CliRunner

from archive_steps import DAY, FLOW, ODDS, POLLS, rows_of, with_history
from archive_storage import storage_server
from raceday.cli.server_commands import app
from raceday.server.operations.connections import connected

ROOT = Path(__file__).parents[2]


class OnTheDay:
    """A clock that stands, in New Zealand on 21 December: thirty days after the 21st of November."""

    def now(self) -> datetime:
        return datetime(2026, 12, 21, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with storage_server() as address:
        client = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
        client.create_bucket(Bucket="days")
        client.close()
        yield address


@pytest.fixture
def here(postgres_url: str, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a `.env` that names a database with a day of history, and an archive."""
    with connected(postgres_url) as connection:
        with_history(connection)
    lines = {
        "DATABASE_URL": postgres_url,
        "RACEDAY_ARCHIVE_URL": f"s3://days/{tmp_path.name}",
        "RACEDAY_ARCHIVE_ENDPOINT": endpoint,
        "RACEDAY_RETENTION_DAYS": "30",
    }
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    for name in lines:
        # What the command takes over from the file is taken back after the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("raceday.cli.partitions.SystemClock", OnTheDay)
    return tmp_path


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result


def answer(result: Result) -> Any:
    return json.loads(result.stdout.splitlines()[-1])


def states(*options: str) -> dict[str, str]:
    return {
        line["partition"]: line["state"] for line in answer(run("partitions", "list", "--json", *options))["partitions"]
    }


def test_a_day_goes_to_the_archive_and_comes_back(here: Path, postgres_url: str) -> None:
    with connected(postgres_url) as connection:
        before = rows_of(connection, "odds_history")
    assert "partitions made" in run("partitions", "create", "--days-ahead", "4").output
    assert "3 partitions detached" in run("partitions", "detach", str(DAY)).output
    assert states()[str(ODDS)] == "detached"
    archived = answer(run("partitions", "archive", "--drop", "--json"))
    assert [line["rows"] for line in archived["archived"]] == [50, 200, 0]
    assert states("--archive")[str(ODDS)] == "archived"
    restored = run("partitions", "restore", str(DAY))
    assert f"{ODDS}: 200 rows restored" in restored.output
    assert states()[str(ODDS)] == "attached, restored"
    with connected(postgres_url) as connection:
        assert rows_of(connection, "odds_history") == before


def test_a_day_whose_races_may_still_be_polled_is_not_detached(here: Path) -> None:
    run("partitions", "create", "--days-ahead", "1")
    said = run("partitions", "detach", "2026-12-21", code=2).stderr
    assert "races of this day may still be polled; days before 2026-12-20 can be detached" in " ".join(said.split())
    assert states()["odds_history_2026_12_21"] == "attached"


def test_what_is_older_than_the_retention_is_detached(here: Path) -> None:
    run("partitions", "detach")
    kept = states()
    assert kept["odds_history_2026_11_20"] == "detached"
    assert {kept[str(name)] for name in (ODDS, FLOW, POLLS)} == {"attached"}
    assert kept["odds_history_default"] == "attached"
    run("partitions", "detach", "--days", "29")
    assert {states()[str(name)] for name in (ODDS, FLOW, POLLS)} == {"detached"}


def test_one_that_fails_does_not_keep_the_others_and_the_exit_code_says_so(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("partitions", "detach", str(DAY))
    from raceday.cli import partitions
    from raceday.server.operations.errors import ArchiveDamaged

    archive = partitions.archive_partition

    def one_fails(connection: Any, storage: Any, name: Any, *more: Any) -> Any:
        if name == FLOW:
            raise ArchiveDamaged("half of it came back")
        return archive(connection, storage, name, *more)

    monkeypatch.setattr(partitions, "archive_partition", one_fails)
    result = run("partitions", "archive", "--json", code=1)
    assert f"{FLOW}: half of it came back" in result.stderr
    assert [line["partition"] for line in answer(result)["archived"]] == [str(ODDS), str(POLLS)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("partitions", "archive", "odds_history_2031_01_01"), "there is no partition odds_history_2031_01_01 here"),
        (("partitions", "drop", "yesterday"), "neither a day nor a partition"),
        (("partitions", "drop", str(ODDS)), f"{ODDS} is attached: detach it first with scripts/partitions detach"),
        (("partitions", "archive", str(DAY)), f"{DAY} is attached: detach it first with scripts/partitions detach"),
        (("migrate", "--down-to", "7777"), "cannot go back to 7777: choose one of base, 0001"),
        (("migrate", "--down-to", "abc", "--yes"), "cannot go back to abc: choose one of base, 0001"),
        (("restore", "missing.dump"), "missing.dump is no file"),
    ],
)
def test_what_cannot_be_meant_is_said_and_ends_with_2(here: Path, arguments: tuple[str, ...], word: str) -> None:
    assert word in run(*arguments, code=2).stderr


def test_an_archive_that_nobody_named_is_asked_for(here: Path, postgres_url: str) -> None:
    (here / ".env").write_text(f"DATABASE_URL={postgres_url}\nRACEDAY_ARCHIVE_ENDPOINT=nowhere\n")
    said = run("partitions", "archive", code=2).stderr
    assert "RACEDAY_ARCHIVE_URL: says where archives go and is not set; example: s3://my-bucket/raceday" in said
    assert "RACEDAY_ARCHIVE_ENDPOINT: nowhere is no http address" in said


def test_rows_are_dropped_without_an_archive_only_by_saying_so(here: Path) -> None:
    run("partitions", "detach", str(DAY))
    assert "is not archived as it stands" in run("partitions", "drop", str(ODDS), code=1).stderr
    assert "its 200 rows are lost" in run("partitions", "drop", str(ODDS), "--unarchived").output


def test_a_backup_is_made_and_restored(here: Path) -> None:
    made = answer(run("backup", "kept", "--keep", "1", "--json"))
    assert made["tables"][f"public.{ODDS}"]["rows"] == 200
    assert Path(made["file"]).is_file()
    assert "holds rows" in run("restore", made["file"], code=1).stderr
    result = run("restore", made["file"], "--replace")
    assert "every table compared" in result.stderr
    assert "what it was is now" in result.stderr


def test_a_day_that_is_interrupted_leaves_no_database_and_says_so(
    here: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def databases() -> list[tuple[Any, ...]]:
        with connected(postgres_url) as connection:
            return connection.execute("SELECT datname FROM pg_database ORDER BY datname").fetchall()

    during = []

    def interrupted(*_: object) -> None:
        during.extend(databases())
        raise KeyboardInterrupt

    before = databases()
    monkeypatch.setattr("raceday.cli.served_day.run_virtual", interrupted)
    monkeypatch.setattr("raceday.cli.serve.calm_collector", lambda: None)
    ends = signal.getsignal(signal.SIGTERM)
    try:
        said = run("serve", "--json-once", code=130).stderr
    finally:
        signal.signal(signal.SIGTERM, ends)
    assert said == "Interrupted: the day's own database was dropped.\n"
    assert len(during) == len(before) + 1
    assert databases() == before


def test_without_any_database_it_is_said_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    assert "holds no embedded PostgreSQL: name a database, or start the server" in run("backup", code=2).stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", ["partitions", "backup", "restore"])
def test_the_scripts_call_their_command(script: str) -> None:
    text = (ROOT / "scripts" / script).read_text()
    assert text.splitlines()[-1] == f'exec "$PYTHON" -m raceday.cli.server_commands {script} "$@"'
    assert subprocess.run([ROOT / "scripts" / script, "--help"], capture_output=True, check=True).stdout
