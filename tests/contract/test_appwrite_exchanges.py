"""The stand-in Appwrite answers what a running Appwrite 1.9.6 answered, exchange by exchange.

What is written for people is the exception: where a message was answered there must be one, in any words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from appwrite_platform import Platform, Reply

TIMES = ("$createdAt", "$updatedAt", "expiresAt")
WORDS = ("message", "error")
RECORDED_STAMP = re.compile(r"2026-11-22T05:1\d:\d\d\.\d{3}\+00:00")
MADE_ID = re.compile(r"[0-9a-f]{20}")
EXCHANGES = 97


def recorded(exchanges: Path) -> list[dict[str, Any]]:
    """The recorded exchanges, in their order."""
    scenarios = orjson.loads(exchanges.read_bytes())
    return [exchange | {"scenario": one["scenario"]} for one in scenarios for exchange in one["exchanges"]]


class Replay:
    """Sends the recorded requests to one platform; ids and times that were answered are put into later requests."""

    def __init__(self) -> None:
        self.platform = Platform()
        self.names: dict[str, str] = {}

    def send(self, exchange: dict[str, Any]) -> Reply:
        request = orjson.loads(self.renamed(orjson.dumps(exchange["request"]).decode()))
        headers = dict(request.get("headers") or {})
        if exchange["note"] == "wrong key":
            headers["x-appwrite-key"] = "standard_of-another-project"
        body = request.get("body")
        if exchange["note"].startswith("upsert 101 rows"):
            body = {"rows": [{"$id": f"row-{number}"} for number in range(101)]}
        if isinstance(body, dict) and set(body) == {"raw"}:
            body = body["raw"].encode()
        query = [
            (name, value)
            for name, values in (request.get("params") or {}).items()
            for value in (values if isinstance(values, list) else [values])
        ]
        self.platform.clock.move(0.5)
        sent = {name.replace("-", "_"): value for name, value in headers.items()}
        return self.platform.call(request["method"], request["path"].removeprefix("/v1"), body, query, **sent)

    def renamed(self, text: str) -> str:
        for old, new in self.names.items():
            text = text.replace(old, new)
        return text

    def learn(self, old: object, new: object) -> None:
        """Note which of our ids and times stand for the recorded ones."""
        if isinstance(old, dict) and isinstance(new, dict):
            for key in old.keys() & new.keys():
                self.learn(old[key], new[key])
        elif (
            isinstance(old, str) and isinstance(new, str) and (MADE_ID.fullmatch(old) or RECORDED_STAMP.fullmatch(old))
        ):
            self.names[old] = new


def differences(old: object, new: object, where: str = "body") -> Iterator[str]:
    """Say where two bodies differ in keys, types or values.

    Times and ids that the platform makes are only typed, and so are words for people, which may not be empty either.
    """
    if type(old) is not type(new):
        yield f"{where}: {old!r} became {new!r}"
    elif isinstance(old, dict) and isinstance(new, dict):
        if old.keys() != new.keys():
            yield f"{where}: keys {sorted(old.keys() ^ new.keys())} are not in both"
        for key in old.keys() & new.keys():
            if key in WORDS and are_words(old[key]) and are_words(new[key]):
                continue
            is_made = key in TIMES or (key == "$id" and (MADE_ID.fullmatch(str(old[key])) or "lengths" in old))
            yield from differences(old[key], new[key], f"{where}.{key}{':made' if is_made else ''}")
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield f"{where}: {len(old)} became {len(new)}"
        for number, (one, other) in enumerate(zip(old, new, strict=False)):
            yield from differences(one, other, f"{where}[{number}]")
    elif old != new and not where.endswith(":made"):
        yield f"{where}: {old!r} became {new!r}"


def are_words(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def compare(exchange: dict[str, Any], reply: Reply) -> list[str]:
    expected = exchange["response"]
    found = []
    if reply.status != expected["status"]:
        found.append(f"status {expected['status']} became {reply.status} ({reply.content[:200]!r})")
    kind = (expected.get("headers") or {}).get("content-type")
    if kind is not None and reply.headers.get("content-type") != kind:
        found.append(f"content type {kind} became {reply.headers.get('content-type')}")
    if isinstance(expected["body"], str):
        if bool(expected["body"]) != bool(reply.content) or expected["body"][:15] != reply.content[:15].decode():
            found.append(f"{expected['body'][:15]!r} became {reply.content[:15]!r}")
        return found
    return found + list(differences(expected["body"], reply.body))


@pytest.mark.exchanges
def test_every_recorded_exchange_is_answered_alike(exchanges: Path) -> None:
    replay, wrong, count = Replay(), [], 0
    for exchange in recorded(exchanges):
        exchange["note"] = exchange["note"] or ""
        reply = replay.send(exchange)
        found = compare(exchange, reply)
        if found:
            wrong.append(f"{count} [{exchange['scenario']}] {exchange['note']}: {found}")
        if not isinstance(exchange["response"]["body"], str):
            replay.learn(exchange["response"]["body"], reply.body)
        count += 1
    assert wrong == []
    assert count == EXCHANGES


@pytest.mark.exchanges
def test_the_comparison_sees_what_it_should(exchanges: Path) -> None:
    exchange = next(one for one in recorded(exchanges) if one["note"] == "get")
    true = exchange["response"]
    right = Reply(true["status"], true["headers"], orjson.dumps(true["body"]))
    assert compare(exchange, right) == []
    spoilt = [
        Reply(404, right.headers, right.content),
        Reply(200, {"content-type": "text/html"}, right.content),
        Reply(200, right.headers, orjson.dumps({**true["body"], "more": 1})),
        Reply(200, right.headers, orjson.dumps({**true["body"], "$sequence": 1})),
        Reply(200, right.headers, orjson.dumps({**true["body"], "name": "another"})),
        Reply(200, right.headers, orjson.dumps({**true["body"], "runnerNumber": 1.0})),
    ]
    assert [len(compare(exchange, reply)) for reply in spoilt] == [1] * len(spoilt)


@pytest.mark.exchanges
def test_the_comparison_takes_any_words_but_nothing_else(exchanges: Path) -> None:
    exchange = next(one for one in recorded(exchanges) if one["response"]["status"] == 409)
    true = exchange["response"]

    def found(**changes: object) -> int:
        reply = Reply(409, true["headers"], orjson.dumps({**true["body"], **changes}))
        return len(compare(exchange, reply))

    assert found(message="the row is there already") == 0
    spoilt = ({"message": ""}, {"message": " "}, {"message": 1}, {"type": "row_not_found"}, {"code": 400})
    assert [found(**changes) for changes in spoilt] == [1] * len(spoilt)
    failed = {"key": "names", "status": "failed", "error": "the values are not unique"}
    assert list(differences(failed, failed | {"error": "some rows are alike"})) == []
    assert len(list(differences(failed, failed | {"error": ""}))) == 1
    assert len(list(differences(failed | {"error": ""}, failed))) == 1
