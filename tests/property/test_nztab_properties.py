"""What holds for any response: nothing is invented, nothing good is lost, and only FeedContractError comes out."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from nztab_samples import GENERATED, RACE_ID, RECEIVED, encoded, event, meeting, meetings, pool, runner, runner_id
from raceday.clock import Clock
from raceday.errors import FeedContractError
from raceday.host.virtual_time import run_virtual
from raceday.nztab.budget import RequestBudget
from raceday.nztab.responses import parse_event, parse_meetings
from raceday.nztab.timestamps import Rfc3339, utc

RFC3339 = TypeAdapter(Rfc3339)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
RUNNER_FIELDS = st.sampled_from(sorted(runner(1)))
EVENT_PATHS = st.sampled_from(
    [
        ("header",),
        ("header", "generated_time"),
        ("data",),
        ("data", "race"),
        ("data", "race", "status"),
        ("data", "race", "advertised_start"),
        ("data", "race", "prize_monies"),
        ("data", "race", "race_date_nz"),
        ("data", "runners"),
        ("data", "runners", 0),
        ("data", "runners", 1, "odds"),
        ("data", "runners", 1, "odds", "fixed_win"),
        ("data", "runners", 2, "flucs_with_timestamp", "open", "timestamp"),
        ("data", "runners", 2, "runner_change"),
        ("data", "tote_pools"),
        ("data", "tote_pools", 0, "total"),
        ("data", "money_tracker"),
        ("data", "results"),
        ("data", "dividends"),
        ("data", "error"),
    ]
)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.text("0123456789", max_size=9),
    st.sampled_from([("Z", 0), ("+00:00", 0), ("+12:00", 720), ("-03:30", -210)]),
)
def test_any_fraction_is_cut_to_microseconds(whole: datetime, digits: str, zone: tuple[str, int]) -> None:
    whole = whole.replace(microsecond=0)
    written = f"{whole.isoformat()}{'.' if digits else ''}{digits}{zone[0]}"
    exact = whole.replace(tzinfo=UTC, microsecond=int(digits[:6].ljust(6, "0"))) - timedelta(minutes=zone[1])

    assert utc(RFC3339.validate_json(f'"{written}"')) == exact


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=80))
def test_no_row_of_the_tracker_is_lost_or_counted_twice(rows: list[tuple[int, int, int]]) -> None:
    tracker = [
        {"entrant_id": runner_id(number), "hold_percentage": hold, "bet_percentage": bet} for number, hold, bet in rows
    ]
    mapped = parse_event(encoded(event(4, money_tracker={"entrants": tracker})), RECEIVED)

    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for number, hold, bet in rows:
        sums[runner_id(number)][0] += hold
        sums[runner_id(number)][1] += bet
    assert mapped.holds is not None
    for number in range(1, 5):
        share = mapped.holds.get(runner_id(number))
        assert ([share.hold_pct, share.bet_pct] if share else None) == sums.get(runner_id(number))
    assert mapped.foreign_tracker_ids == len({number for number, _, _ in rows if number > 4})


@given(st.integers(0, 10**10))
def test_pools_are_exact_to_the_cent(amount_cents: int) -> None:
    mapped = parse_event(encoded(event(tote_pools=[pool("Win", amount_cents / 100)])), RECEIVED)
    assert mapped.pools is not None
    assert mapped.pools.win_cents == amount_cents


@settings(max_examples=150)
@given(RUNNER_FIELDS, JSON_VALUES)
def test_no_value_of_one_runner_touches_another(field: str, value: Any) -> None:
    good = parse_event(encoded(event(3)), RECEIVED)
    runners = [runner(1), runner(2) | {field: value}, runner(3)]
    mapped = parse_event(json.dumps(event(runners)).encode(), RECEIVED)

    by_id = {entrant.entrant_id: entrant for entrant in mapped.entrants}
    assert by_id[runner_id(1)] == good.entrants[0]
    assert by_id[runner_id(3)] == good.entrants[2]
    if field != "entrant_id":
        assert len(by_id) == 3


@settings(max_examples=200)
@given(st.lists(st.tuples(EVENT_PATHS, JSON_VALUES), min_size=1, max_size=3))
def test_whatever_is_wrong_is_mapped_or_refused_by_name(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    response = copy.deepcopy(event(3))
    for path, value in changes:
        node: Any = response
        for step in path[:-1]:
            reachable = (isinstance(node, dict) and step in node) or (
                isinstance(node, list) and step in range(len(node))
            )
            node = node[step] if reachable else None
        if isinstance(node, dict) or (isinstance(node, list) and path[-1] in range(len(node))):
            node[path[-1]] = value
    body = json.dumps(response).encode()
    understood, payload = outcome(lambda: parse_event(body, RECEIVED, RACE_ID).race.race_id, body)
    assert understood in {None, RACE_ID}
    assert payload == body[:2000]


def outcome(parse: Callable[[], object], body: bytes) -> tuple[object, bytes]:
    """What parsing gives, or None and the payload kept with the refusal; any other error goes through."""
    try:
        return parse(), body[:2000]
    except FeedContractError as refused:
        return None, refused.payload


@given(st.binary(max_size=60) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_refused_by_name_or_understood(body: bytes) -> None:
    assert outcome(lambda: parse_event(body, RECEIVED), body)[1] == body
    assert outcome(lambda: parse_meetings(body, RECEIVED), body)[1] == body


@given(st.integers(0, len(encoded(event(3))) - 1))
def test_no_truncated_event_passes_for_a_whole_one(length: int) -> None:
    with pytest.raises(FeedContractError):
        parse_event(encoded(event(3))[:length], RECEIVED)


@given(st.sampled_from(sorted(meeting(1)["races"][0])), JSON_VALUES)
def test_no_value_of_one_programmed_race_touches_another(field: str, value: Any) -> None:
    good = parse_meetings(encoded(meetings([meeting(1, races=3)])), RECEIVED).programme[0]
    listed = meeting(1, races=3)
    listed["races"][1][field] = value
    changed = parse_meetings(json.dumps(meetings([listed])).encode(), RECEIVED).programme[0]

    assert changed.meeting == good.meeting
    assert [changed.races[0], changed.races[-1]] == [good.races[0], good.races[-1]]


@settings(max_examples=40)
@given(
    st.floats(0.5, 50),
    st.integers(1, 12),
    st.lists(st.tuples(st.floats(0, 3), st.integers(1, 15)), min_size=1, max_size=12),
)
def test_in_no_stretch_of_time_more_is_asked_than_burst_and_rate_allow(
    rate_per_s: float, burst: int, waves: list[tuple[float, int]]
) -> None:
    starts: list[float] = []

    async def main(_clock: Clock) -> None:
        budget = RequestBudget(rate_per_s, burst, concurrency=1000)
        loop = asyncio.get_running_loop()

        async def one() -> None:
            async with budget.turn(float("inf")):
                starts.append(loop.time())

        tasks = []
        for pause_s, requests in waves:
            await asyncio.sleep(pause_s)
            tasks += [asyncio.create_task(one()) for _ in range(requests)]
        await asyncio.gather(*tasks)

    run_virtual(main, GENERATED)
    starts.sort()
    assert len(starts) == sum(requests for _, requests in waves)
    for first, begun in enumerate(starts):
        for last in range(first, len(starts)):
            assert last - first + 1 <= burst + (starts[last] - begun) * rate_per_s + 1e-6
