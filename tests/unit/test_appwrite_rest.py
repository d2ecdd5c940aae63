"""Calls to the platform: what is tried again, what is not, and what an error says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from appwrite_platform import Platform, entrants
from raceday.errors import ConfigError, StoreConflict, StoreUnavailable
from raceday.simulator.appwrite.faults import DROPPED, Fault
from raceday.store.appwrite import operations
from raceday.store.appwrite.queries import equal
from raceday.store.appwrite.refusal import AppwriteRefused
from raceday.store.appwrite.rest import PLATFORM_RETRY, AppwriteRest
from raceday.store.appwrite.rows import AppwriteRows
from raceday.store.appwrite.settings import AppwriteSettings
from raceday.store.tables import ENTRANTS
from raceday.transport import InProcess

run = asyncio.run
ROW = {"$id": "e1", "raceId": "r1", "name": "Red Rum", "number": 7}


def rows_of(platform: Platform, told: list[Any] | None = None, **settings: Any) -> AppwriteRows:
    def observe(action: str, fields: Mapping[str, object]) -> None:
        if told is not None:
            told.append((action, fields))

    made = AppwriteSettings(
        "http://appwrite.test/v1",
        "raceday",
        platform.secret,
        **{"database_id": "raceday", "first_retry_wait_s": 0.001, **settings},
    )
    return AppwriteRows(AppwriteRest(made, InProcess(platform.app), observe))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, DROPPED])
@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("has_content_type", [False, True])
def test_a_passing_failure_is_tried_again_and_leaves_one_row(
    status: int, after_effect: bool, has_content_type: bool
) -> None:
    platform, told = entrants(), []
    rows = rows_of(platform, told)
    platform.faults.next_calls(Fault(status, after_effect, has_content_type), count=2)
    run(rows.create(ENTRANTS, ROW))
    assert platform.row("e1")["number"] == 7
    assert rows.calls == 3
    assert [action for action, _ in told] == [PLATFORM_RETRY] * 2


def test_a_single_row_is_read_past_the_cache_of_single_rows() -> None:
    platform = entrants()
    rows = rows_of(platform)
    run(rows.create(ENTRANTS, ROW))
    platform.log.calls.clear()
    found = run(rows.get(ENTRANTS, "e1"))
    assert found is not None
    assert (found["number"], found["$permissions"]) == (7, "[]")
    assert run(rows.get(ENTRANTS, "e2")) is None
    assert [call.route for call in platform.log.calls] == ["/tablesdb/{databaseId}/tables/{tableId}/rows"] * 2


def test_a_failure_that_stays_says_what_was_asked_and_what_came() -> None:
    platform = entrants()
    platform.faults.next_calls(Fault(503, has_content_type=False), count=9)
    with pytest.raises(StoreUnavailable, match=r"GET /tablesdb/raceday/tables/entrants/rows: 503"):
        run(rows_of(platform).find(ENTRANTS))


def test_a_slow_answer_is_given_up_in_time() -> None:
    platform = entrants()
    platform.faults.latency_s = 0.0

    async def never(*_: object) -> None:
        await asyncio.sleep(3600)

    rows = rows_of(platform, attempt_timeout_s=0.01, attempts=2)
    rows.rest._connections = InProcess(never)
    with pytest.raises(StoreUnavailable, match="no complete answer within"):
        run(rows.find(ENTRANTS))
    assert rows.calls == 2


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ({"project_id": "nope"}, "project_not_found.*check the project id"),
        ({"key": "wrong"}, "user_unauthorized.*expired"),
        ({"database_id": "nope"}, "run scripts/setup"),
        ({"endpoint": "http://appwrite.test/v2"}, "not from Appwrite's API: check the endpoint"),
    ],
)
def test_what_would_stay_the_same_is_asked_once_and_says_what_to_do(spoil: dict[str, str], says: str) -> None:
    platform = entrants()
    wanted = {"endpoint": "http://appwrite.test/v1", "project_id": "raceday", "key": platform.secret} | {
        "database_id": "raceday"
    }
    rows = AppwriteRows(AppwriteRest(AppwriteSettings(**{**wanted, **spoil}), InProcess(platform.app)))
    with pytest.raises(AppwriteRefused, match=says):
        run(rows.find(ENTRANTS))
    assert rows.calls == 1


def test_a_key_without_the_scope_says_so() -> None:
    platform = entrants()
    platform.project.keys.add("reader", frozenset({"rows.read"}), key_id="reader")
    platform.secret = "reader"
    with pytest.raises(AppwriteRefused, match=r"general_unauthorized_scope.*scopes with appwrite.json"):
        run(rows_of(platform).create(ENTRANTS, ROW))


@pytest.mark.parametrize(("name", "value"), [("endpoint", "appwrite.test/v1"), ("project_id", ""), ("key", "ä")])
def test_settings_that_cannot_work_are_refused(name: str, value: str) -> None:
    whole = {"endpoint": "https://appwrite.test/v1", "project_id": "raceday", "key": "secret"}
    with pytest.raises(ConfigError):
        AppwriteSettings(**{**whole, name: value})


def test_the_key_is_in_no_text_about_the_settings() -> None:
    assert "s3cret" not in repr(AppwriteSettings("https://appwrite.test/v1", "raceday", "s3cret"))


def test_a_row_written_since_it_was_read_is_a_conflict() -> None:
    platform = entrants()
    rows = rows_of(platform)
    run(rows.create(ENTRANTS, ROW))
    read = run(rows.get(ENTRANTS, "e1"))
    assert read is not None
    assert run(rows.update(ENTRANTS, "e1", {"number": 8}, unchanged_since=read["$updatedAt"])) is not None
    with pytest.raises(StoreConflict):
        run(rows.update(ENTRANTS, "e1", {"number": 9}, unchanged_since=read["$updatedAt"]))
    assert platform.row("e1")["number"] == 8
    assert run(rows.update(ENTRANTS, "gone", {"number": 9})) is None
    assert run(rows.create(ENTRANTS, ROW)) is False


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_any_number_of_rows_is_written_and_read(count: int) -> None:
    platform = entrants()
    rows = rows_of(platform)
    made = [{**ROW, "$id": f"e{number}", "number": number % 90} for number in range(count)]
    run(rows.upsert(ENTRANTS, made))
    assert len(run(rows.find(ENTRANTS))) == run(rows.count(ENTRANTS, equal("raceId", "r1"))) == count
    assert len(run(rows.of_ids(ENTRANTS, "$id", [str(row["$id"]) for row in made]))) == count


def test_more_rows_than_the_platform_counts_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = entrants()
    rows = rows_of(platform)
    for begin in range(0, 5300, 2650):
        made = [{**ROW, "$id": f"e{number}"} for number in range(begin, begin + 2650)]
        run(rows.upsert(ENTRANTS, made))
    platform.log.calls.clear()
    assert run(rows.count(ENTRANTS)) == 5300
    assert platform.list()["total"] == 5000


def test_a_row_that_comes_twice_is_written_once() -> None:
    platform = entrants()
    run(rows_of(platform).upsert(ENTRANTS, [ROW, {**ROW, "number": 9}]))
    assert platform.row("e1")["number"] == 9


def test_a_transaction_holds_a_hundred_operations() -> None:
    rows = rows_of(entrants())
    many = [operations.create(ENTRANTS, {**ROW, "$id": f"e{number}"}) for number in range(101)]
    with pytest.raises(ValueError, match="101 operations do not fit"):
        run(rows.commit(many))
    assert run(rows.commit(many[:100]))
    assert run(rows.commit([]))


def test_bulk_operations_of_a_transaction_are_silent_and_single_ones_are_not() -> None:
    platform = entrants()
    rows = rows_of(platform)
    run(rows.commit(operations.bulk_upsert(ENTRANTS, [ROW, {**ROW, "$id": "e2"}])))
    run(rows.commit([operations.bulk_update(ENTRANTS, {"number": 3}, [equal("$id", "e1")])]))
    assert platform.told() == []
    run(rows.commit([operations.update(ENTRANTS, {"$id": "e1", "number": 4})]))
    assert platform.told() == [("e1", "update")]


@pytest.mark.parametrize("step", ["POST", "PATCH"])
@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("status", [500, DROPPED])
def test_a_transaction_whose_answers_are_lost_is_written_once(step: str, after_effect: bool, status: int) -> None:
    platform = entrants()
    rows = rows_of(platform)
    path = "operations" if step == "POST" else "transactions"
    platform.faults.next_calls(Fault(status, after_effect), method=step, part_of_path=path)
    run(rows.commit(operations.bulk_upsert(ENTRANTS, [ROW])))
    assert platform.row("e1")["number"] == 7
    assert len(platform.list()["rows"]) == 1


@pytest.mark.parametrize(("ends", "tries"), [("committed", 1), ("failed", 2)])
def test_a_commit_that_is_still_under_way_is_waited_for(ends: str, tries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raceday.store.appwrite.rows.COMMIT_PAUSE_S", 0.001)
    platform = entrants()
    rows = rows_of(platform)
    ask, said = rows.rest.call, iter(["committing", "committing", ends])

    async def call(method: str, path: str, **asked: Any) -> Any:
        answer = await ask(method, path, **asked)
        return {**answer, "status": next(said)} if (method, "/transactions/" in path) == ("GET", True) else answer

    monkeypatch.setattr(rows.rest, "call", call)
    platform.faults.next_calls(Fault(DROPPED, after_effect=True), method="PATCH", part_of_path="transactions")
    run(rows.commit(operations.bulk_upsert(ENTRANTS, [ROW])))
    assert list(said) == []
    assert platform.row("e1")["number"] == 7
    assert len(platform.project.transactions) == tries


def test_a_transaction_over_a_row_that_others_wrote_meanwhile_writes_nothing() -> None:
    platform = entrants()
    rows = rows_of(platform)
    run(rows.create(ENTRANTS, ROW))

    async def somebody_else_writes() -> bool:
        await rows.update(ENTRANTS, "e1", {"number": 50})
        return True

    staged = [
        operations.update(ENTRANTS, {"$id": "e1", "number": 8}),
        *operations.bulk_upsert(ENTRANTS, [{**ROW, "$id": "e2"}]),
    ]
    with pytest.raises(StoreConflict):
        run(rows.commit(staged, somebody_else_writes))
    assert platform.row("e1")["number"] == 50
    assert platform.row("e2") is None


@pytest.mark.parametrize(
    "write", [operations.bulk_update, lambda table, _columns, queries: operations.bulk_delete(table, queries)]
)
def test_a_bulk_without_queries_would_hit_all_rows_and_is_refused(write: Any) -> None:
    with pytest.raises(ValueError, match="every row"):
        write(ENTRANTS, {"number": 1}, [])
