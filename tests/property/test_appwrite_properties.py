"""The stand-in Appwrite against a plain model of it: whatever is written, however it is grouped, the rows agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from appwrite_platform import ROWS, Platform, entrants, where

COLUMNS = (
    ("varchar", {"key": "raceId", "size": 9, "required": True}),
    ("varchar", {"key": "name", "size": 9, "required": False}),
    ("integer", {"key": "number", "required": False}),
)
KEYS = [column["key"] for _kind, column in COLUMNS]
IDS = ("a", "b", "C")

row_ids = st.sampled_from((*IDS, "A", "c"))
races = st.sampled_from(("r1", "r2", ""))
names = st.sampled_from((None, "", "Carbine", "carbine", "Phar Lap"))
numbers = st.sampled_from((None, 0, 1, 2))
values = st.fixed_dictionaries({}, optional={"raceId": races, "name": names, "number": numbers})
full_rows = st.fixed_dictionaries({"raceId": races, "name": names, "number": numbers})


def operations_on(ids: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, str, Any]]:
    rows = st.lists(st.tuples(ids, full_rows), min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.just("create"), ids, values),
        st.tuples(st.just("update"), ids, values.filter(bool)),
        st.tuples(st.just("upsert"), ids, values.filter(bool)),
        st.tuples(st.just("delete"), ids, st.just({})),
        st.tuples(st.just("increment"), ids, st.just({"column": "number", "value": 2})),
        st.tuples(st.just("bulkUpsert"), st.just(""), rows),
        st.tuples(st.just("bulkCreate"), st.just(""), rows),
    )


# What is staged is found again by its exact id only, so transactions spell each id in one way.
staged_ids = st.sampled_from(IDS)


class Refused(Exception):
    """The model says no."""


@dataclass
class Model:
    """Rows by folded id: the id as it was first given, and the values. No index, no undo: copies instead."""

    rows: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def apply(self, operation: tuple[str, str, Any], *, own: set[str] | None = None) -> list[str]:
        """Do one operation and return the ids of the rows it wrote; `own` are those of the same transaction."""
        action, row_id, given_values = operation
        if action in {"bulkUpsert", "bulkCreate"}:
            return self.apply_bulk(action, given_values, own)
        old = self.rows.get(row_id.lower())
        if action == "create":
            if old is not None:
                raise Refused("taken")
            self.write(row_id, {"name": None, "number": None} | given_values)
        elif action == "upsert":
            return self.upsert(row_id, given_values, own)
        elif old is None:
            raise Refused("missing")
        elif action == "update":
            self.write(old[0], old[1] | given_values)
        elif action == "increment":
            self.write(old[0], old[1] | {"number": (old[1]["number"] or 0) + 2})
        else:
            del self.rows[row_id.lower()]
        return [row_id]

    def apply_bulk(self, action: str, given_rows: list[tuple[str, dict[str, Any]]], own: set[str] | None) -> list[str]:
        ids = [row_id.lower() for row_id, _values in given_rows]
        if action == "bulkCreate":
            if len(set(ids)) < len(ids) or set(ids) & set(self.rows):
                raise Refused("taken")
            for row_id, row in given_rows:
                self.write(row_id, row)
            return [row_id for row_id, _values in given_rows]
        changed = [(row_id, row) for row_id, row in given_rows if self.changes(row_id, row)]
        ids = [row_id.lower() for row_id, _values in changed]
        if len(set(ids)) < len(ids):
            raise Refused("twice")
        for row_id, row in changed:
            self.write(self.named(row_id), row)
        return [row_id for row_id, _values in changed]

    def upsert(self, row_id: str, given_values: dict[str, Any], own: set[str] | None) -> list[str]:
        old = self.rows.get(row_id.lower())
        if old is not None and own is not None and row_id.lower() in own:
            given_values = old[1] | given_values
        if not self.changes(row_id, given_values):
            return []
        optional = {"name": None, "number": None} if old is None else {key: old[1][key] for key in ("name", "number")}
        self.write(self.named(row_id), optional | given_values)
        return [row_id]

    def changes(self, row_id: str, given_values: dict[str, Any]) -> bool:
        old = self.rows.get(row_id.lower())
        stored = old[1] if old else dict.fromkeys(KEYS)
        if old is not None and len(given_values) < len(KEYS):
            return True
        return any((value or None) != (stored[key] or None) for key, value in given_values.items())

    def named(self, row_id: str) -> str:
        old = self.rows.get(row_id.lower())
        return old[0] if old else row_id

    def write(self, row_id: str, row: dict[str, Any]) -> None:
        if row.get("raceId") is None:
            raise Refused("incomplete")
        self.rows[row_id.lower()] = (row_id, row)

    def copy(self) -> Model:
        return Model(dict(self.rows))

    def shown(self) -> dict[str, dict[str, Any]]:
        return dict(self.rows.values())


def shown(platform: Platform) -> dict[str, dict[str, Any]]:
    return {row["$id"]: {key: row[key] for key in KEYS} for row in platform.list()["rows"]}


def staged(operation: tuple[str, str, Any]) -> dict[str, Any]:
    action, row_id, body = operation
    placed: dict[str, Any] = {"action": action, "databaseId": "raceday", "tableId": "entrants"}
    if action.startswith("bulk"):
        return placed | {"data": [{"$id": one, **row} for one, row in body]}
    return placed | {"rowId": row_id, "data": {"$id": row_id, **body} if action == "upsert" else body}


def send(platform: Platform, operation: tuple[str, str, Any]) -> int:
    action, row_id, body = operation
    if action.startswith("bulk"):
        rows = {"rows": [{"$id": one, **row} for one, row in body]}
        return platform.call("PUT" if action == "bulkUpsert" else "POST", ROWS, rows).status
    if action == "create":
        return platform.call("POST", ROWS, {"rowId": row_id, "data": body}).status
    if action == "increment":
        return platform.call("PATCH", f"{ROWS}/{row_id}/number/increment", {"value": 2}).status
    method = {"update": "PATCH", "upsert": "PUT", "delete": "DELETE"}[action]
    return platform.call(method, f"{ROWS}/{row_id}", {"data": body}).status


def indexes_agree(platform: Platform, model: Model) -> bool:
    """Whether the index on races finds what the model holds."""
    return all(
        set(platform.ids(where("equal", "raceId", race)))
        == {row_id for row_id, row in model.shown().items() if row["raceId"] == race}
        for race in ("r1", "r2", "")
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(operations_on(row_ids), max_size=10))
def test_direct_writes_do_what_the_model_does(steps: list[tuple[str, str, Any]]) -> None:
    platform, model = entrants(COLUMNS), Model()
    for step in steps:
        after = model.copy()
        try:
            written = after.apply(step)
        except Refused:
            written = None
        platform.told()
        status = send(platform, step)
        assert (status < 300) == (written is not None), (step, status)
        if written is not None:
            model = after
        assert len(platform.told()) == len(written or [])
        assert shown(platform) == model.shown()
    assert indexes_agree(platform, model)


def opened(platform: Platform) -> str:
    return f"/tablesdb/transactions/{platform.call('POST', '/tablesdb/transactions', {}).body['$id']}"


def applied(model: Model, steps: list[tuple[str, str, Any]]) -> Model | None:
    """The model after a transaction, or None when it would be refused."""
    after, own = model.copy(), set()
    for step in steps:
        try:
            written = after.apply(step, own=own)
        except Refused:
            return None
        own |= {row_id.lower() for row_id in written}
        if step[0] == "delete":
            own.discard(step[1].lower())
    return after


def without_partial_merges(steps: list[tuple[str, str, Any]]) -> bool:
    """Leave out a missing required value in an upsert, which depends on what the transaction wrote before."""
    return all("raceId" in body for action, _row_id, body in steps if action == "upsert")


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(staged_ids, full_rows), max_size=3),
    st.lists(operations_on(staged_ids), min_size=1, max_size=6).filter(without_partial_merges),
)
def test_a_transaction_is_all_or_nothing_and_does_what_its_operations_would(
    stored: list[tuple[str, dict[str, Any]]], steps: list[tuple[str, str, Any]]
) -> None:
    platform, model = entrants(COLUMNS), Model()
    for row_id, row in stored:
        step = ("create", row_id, row)
        if send(platform, step) == 201:
            model.apply(step)
    expected = applied(model, steps)
    transaction = opened(platform)
    platform.told()
    status = platform.call("POST", f"{transaction}/operations", {"operations": [staged(step) for step in steps]}).status
    assert shown(platform) == model.shown()
    if status == 201:
        status = platform.call("PATCH", transaction, {"commit": True}).status
    assert (status == 200) == (expected is not None), steps
    assert shown(platform) == (model if expected is None else expected).shown()
    assert indexes_agree(platform, model if expected is None else expected)
    singles = [step for step in steps if not step[0].startswith("bulk")]
    assert len(platform.told()) <= (len(singles) if expected is not None else 0)


@settings(deadline=None, max_examples=40)
@given(st.lists(operations_on(staged_ids), min_size=1, max_size=4), staged_ids)
def test_a_transaction_that_fails_leaves_no_trace(steps: list[tuple[str, str, Any]], contested: str) -> None:
    platform = entrants(COLUMNS)
    for row_id in IDS:
        platform.call("POST", ROWS, {"rowId": row_id, "data": {"raceId": "r1", "name": "Carbine", "number": 1}})
    transaction = opened(platform)
    final = {"action": "update", "databaseId": "raceday", "tableId": "entrants", "rowId": contested}
    # The contested row comes first, so that it is not yet the transaction's own.
    operations_ = [final | {"data": {"name": "mine"}}, *(staged(step) for step in steps)]
    if platform.call("POST", f"{transaction}/operations", {"operations": operations_}).status != 201:
        return
    platform.call("PATCH", f"{ROWS}/{contested}", {"data": {"name": "theirs"}})
    before = platform.list()
    platform.told()
    assert platform.call("PATCH", transaction, {"commit": True}).kind in {
        "transaction_conflict",
        "document_invalid_structure",
        "document_not_found",
    }
    assert platform.list() == before
    assert platform.told() == []
    assert set(platform.ids(where("equal", "raceId", "r1"))) == set(IDS)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(row_ids, names, st.booleans()), max_size=12))
def test_a_unique_column_stays_unique_whatever_is_upserted(steps: list[tuple[str, str | None, bool]]) -> None:
    platform = entrants(COLUMNS)
    index = {"key": "names", "type": "unique", "columns": ["name"]}
    platform.call("POST", "/tablesdb/raceday/tables/entrants/indexes", index)
    for row_id, name, is_upsert in steps:
        row = {"raceId": "r1", "name": name, "number": 1}
        if is_upsert:
            assert platform.call("PUT", ROWS, {"rows": [{"$id": row_id, **row}]}).status in {200, 409}
        else:
            assert platform.call("POST", ROWS, {"rowId": row_id, "data": row}).status in {201, 409}
        held = [one["name"].lower() for one in platform.list()["rows"] if one["name"] is not None]
        assert len(held) == len(set(held))
        for one in set(held):
            assert len(platform.ids(where("equal", "name", one))) == 1
