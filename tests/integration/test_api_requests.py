"""What every request passes through: parameters, errors, keys, limits, tags, headers."""

from __future__ import annotations

import asyncio

import pytest

from api_day import FIRST, ServedDay, on_day, served
from contract.store_examples import DAY, meeting
from raceday.errors import ConfigError
from raceday.server.api.app import create_app
from raceday.server.api.settings import ApiSettings

MEETING = meeting().meeting_id
RACE = FIRST.race_id
REFUSED = [
    ("/api/entrants", "raceId is required"),
    ("/api/races", "meetingId is required"),
    ("/api/entrants?raceId=", "raceId cannot be used: an id is 1 to 50"),
    ("/api/entrants?raceId=a%00b", "raceId cannot be used"),
    (f"/api/entrants?raceId={RACE}&raceId={RACE}", "raceId is given more than once"),
    (f"/api/entrants?raceId={RACE}&race_id=other", "raceId is given as raceId and as race_id with different values"),
    (f"/api/entrants?raceId={RACE}&colour=red", "colour is not known here; known are: raceId, historyLimit"),
    (f"/api/entrants?raceId={RACE}&historyLimit=501", "historyLimit cannot be used"),
    ("/api/meetings?date=22-11-2026", "date cannot be used: a date is written YYYY-MM-DD"),
    ("/api/meetings?date=2026-02-30", "date cannot be used"),
    ("/api/meetings?raceType=camel", "raceType cannot be used"),
    ("/api/races/upcoming?windowMinutes=481", "windowMinutes cannot be used"),
    ("/api/races/upcoming?limit=many", "limit cannot be used"),
    ("/api/races/upcoming?limit=1_0", "limit cannot be used: a whole number is wanted"),
    ("/api/races/upcoming?limit=%205", "limit cannot be used: a whole number is wanted"),
    ("/api/races/next-scheduled?x=1", "x is not known here; known are: none"),
    ("/api/races/a%20b", "raceId cannot be used"),
    (f"/api/money-flow-timeline?raceId={RACE}&poolType=quinella", "poolType cannot be used"),
    (f"/api/money-flow-timeline?raceId={RACE}&cursorAfter=99", "cursorAfter cannot be used"),
    (f"/api/money-flow-timeline?raceId={RACE}&createdAfter=2026-11-22T04:00:00", "createdAfter cannot be used"),
    ("/api/notifications?userId=a%0Ab", "userId cannot be used"),
]


def test_what_cannot_be_used_is_refused_by_its_name(postgres_url):
    async def steps(day: ServedDay) -> None:
        for path, details in REFUSED:
            answer = await day.get(path)
            assert answer.status_code == 400, path
            assert answer.json()["details"].startswith(details), answer.json()

    on_day(postgres_url, steps, loaded=False)


def test_the_same_value_in_both_spellings_is_one(postgres_url):
    async def steps(day: ServedDay) -> None:
        assert (await day.get(f"/api/races?meetingId={MEETING}&meeting_id={MEETING}")).status_code == 200

    on_day(postgres_url, steps)


def test_sql_in_a_parameter_is_only_text(postgres_url):
    async def steps(day: ServedDay) -> None:
        for text in ("' OR '1'='1", "x'; DROP TABLE races; --", '"; SELECT pg_sleep(5); --', "%s", "$1"):
            for path, name in (("entrants", "raceId"), ("races", "meetingId"), ("meetings", "raceType"),
                               ("money-flow-timeline", "cursorAfter")):  # fmt: skip
                assert (await day.get(f"/api/{path}", params={name: text})).status_code == 400
            for path in ("user-alert-configs", "notifications"):
                answer = await day.get(f"/api/{path}", params={"userId": text})
                assert answer.status_code == 200
        assert len((await day.get(f"/api/races?meetingId={MEETING}")).json()) == 3

    on_day(postgres_url, steps)


def test_unknown_paths_and_methods_have_the_same_shape(postgres_url):
    async def steps(day: ServedDay) -> None:
        nowhere = await day.ask("GET", "/api/horses")
        assert (nowhere.status_code, set(nowhere.json())) == (404, {"error", "details"})
        wrong = await day.ask("DELETE", "/api/meetings")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert wrong.json()["details"] == "/api/meetings takes GET, HEAD, OPTIONS"
        options = await day.ask("OPTIONS", "/api/user-alert-configs")
        assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")

    on_day(postgres_url, steps, loaded=False)


def test_errors_are_logged_with_what_was_asked(postgres_url):
    async def steps(day: ServedDay) -> None:
        await day.get("/api/entrants?raceId=nobody")
        [line] = [line for line in day.lines if '"api"' in line]
        assert '"endpoint":"/api/entrants"' in line
        assert '"parameters":"raceId=nobody"' in line
        assert "is not stored" in line

    on_day(postgres_url, steps, loaded=False)


def test_a_fault_is_a_500_without_a_trace(postgres_url, monkeypatch):
    async def broken(*_: object) -> list[object]:
        raise RuntimeError("a secret place: /srv/raceday")

    async def steps(day: ServedDay) -> None:
        monkeypatch.setattr(type(day.state.database), "tuples", broken)
        answer = await day.get("/api/meetings")
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "a secret place" in day.lines[-1]

    on_day(postgres_url, steps, loaded=False)


def test_a_database_that_is_gone_is_a_503(postgres_url):
    async def steps(day: ServedDay) -> None:
        await day.state.database.close()
        answer = await day.get("/api/meetings")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "try again" in answer.json()["details"]

    on_day(postgres_url, steps, loaded=False)


def test_an_answer_that_is_not_as_documented_is_found_in_development(postgres_url):
    async def steps(day: ServedDay) -> None:
        await day.state.database.execute("UPDATE race_results SET results_data = '[{\"place\": 1}]'")
        return (await day.get(f"/api/race-results?raceId={RACE}")).status_code

    assert on_day(postgres_url, steps) == 500


def test_a_tag_saves_the_second_answer(postgres_url):
    async def steps(day: ServedDay) -> None:
        first = await day.get(f"/api/meetings?date={DAY}")
        tag = first.headers["etag"]
        assert tag.startswith('"')
        assert first.headers["cache-control"] == "private, no-cache"
        for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = await day.get(f"/api/meetings?date={DAY}", headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        other = await day.get(f"/api/meetings?date={DAY}", headers={"If-None-Match": '"other"'})
        assert other.status_code == 200
        plain = await day.get(f"/api/meetings?date={DAY}", headers={"Accept-Encoding": "identity"})
        assert plain.headers["etag"] == tag
        assert "etag" not in (await day.get("/api/races/nobody")).headers

    on_day(postgres_url, steps)


def test_long_answers_travel_compressed(postgres_url):
    async def steps(day: ServedDay) -> None:
        long = await day.get(f"/api/entrants?raceId={RACE}")
        assert long.headers["content-encoding"] == "gzip"
        assert "Accept-Encoding" in long.headers["vary"]
        short = await day.get("/api/notifications")
        assert "content-encoding" not in short.headers
        for refusal in ("gzip;q=0", "br, GZIP ; q=0.0", "gzip;q=0, *"):
            plain = await day.get(f"/api/entrants?raceId={RACE}", headers={"Accept-Encoding": refusal})
            assert "content-encoding" not in plain.headers, refusal
        some = await day.get(f"/api/entrants?raceId={RACE}", headers={"Accept-Encoding": "gzip;q=0.5"})
        assert some.headers["content-encoding"] == "gzip"

    on_day(postgres_url, steps)


def test_head_is_get_without_its_body(postgres_url):
    async def steps(day: ServedDay) -> None:
        for path in (f"/api/meetings?date={DAY}", "/health", "/api/races/nobody"):
            whole, head = await day.get(path), await day.ask("HEAD", path)
            assert (head.status_code, head.content) == (whole.status_code, b"")
            assert head.headers["content-type"] == whole.headers["content-type"]

    on_day(postgres_url, steps)


def test_browsers_are_told_to_be_careful(postgres_url):
    async def steps(day: ServedDay) -> None:
        answer = await day.get("/api/meetings")
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "strict-transport-security" not in answer.headers
        over_tls = await day.ask("GET", "https://server/api/meetings")
        assert over_tls.headers["strict-transport-security"] == "max-age=31536000"

    on_day(postgres_url, steps, loaded=False)


def test_other_pages_may_call_when_they_are_named(postgres_url):
    settings = ApiSettings(cors_origins=("https://dashboard.example",), api_keys=("key",))

    async def steps(day: ServedDay) -> None:
        asked = {"Origin": "https://dashboard.example", "Access-Control-Request-Method": "GET"}
        before = await day.ask("OPTIONS", "/api/meetings", headers=asked)
        assert before.status_code == 200
        assert before.headers["access-control-allow-origin"] == "https://dashboard.example"
        other = await day.ask("OPTIONS", "/api/meetings", headers=asked | {"Origin": "https://other.example"})
        assert (other.status_code, "access-control-allow-origin" in other.headers) == (400, False)
        refused = await day.get("/api/meetings", headers={"Origin": "https://dashboard.example"})
        assert refused.headers["access-control-allow-origin"] == "https://dashboard.example"

    on_day(postgres_url, steps, settings, loaded=False)


def test_without_a_key_only_health_answers(postgres_url):
    async def steps(day: ServedDay) -> None:
        for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic one"}):
            answer = await day.get("/api/meetings", headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "API key required")
        for headers in ({"X-API-Key": "one"}, {"Authorization": "Bearer two"}, {"authorization": "bearer one"}):
            assert (await day.get("/api/meetings", headers=headers)).status_code == 200
        assert sum('"status":401' in line for line in day.lines) == 4
        assert (await day.get("/health")).status_code == 200
        assert (await day.ask("GET", "/openapi.json")).status_code == 401

    on_day(postgres_url, steps, ApiSettings(api_keys=("one", "two")), loaded=False)


def test_who_asks_too_often_is_told_when_to_come_back(postgres_url):
    settings = ApiSettings(rate_limit="3/hour", api_keys=("one", "two"))

    async def steps(day: ServedDay) -> None:
        one = {"X-API-Key": "one"}
        assert [(await day.get("/api/meetings", headers=one)).status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = await day.get("/api/meetings", headers=one)
        assert 0 < int(refused.headers["retry-after"]) <= 3600
        assert refused.json()["error"] == "Too many requests"
        assert (await day.get("/api/meetings", headers={"X-API-Key": "two"})).status_code == 200
        wrong = [(await day.get("/api/meetings", headers={"X-API-Key": "guess"})).status_code for _ in range(4)]
        assert wrong == [401, 401, 401, 429]
        assert {(await day.get("/health")).status_code for _ in range(6)} == {200}
        assert {(await day.get("/metrics", headers=one)).status_code for _ in range(6)} == {200}
        assert (await day.get("/metrics", headers={"X-API-Key": "guess"})).status_code == 429

    on_day(postgres_url, steps, settings, loaded=False)


def test_of_several_rates_each_counts(postgres_url):
    async def steps(day: ServedDay) -> None:
        answers = [await day.get("/api/meetings") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert "2 per 1 hour" in answers[-1].json()["details"]

    on_day(postgres_url, steps, ApiSettings(rate_limit="100/minute;2/hour"), loaded=False)


def test_a_rate_that_cannot_be_read_is_said_at_the_start(postgres_url):
    async def run() -> None:
        async with served(postgres_url, loaded=False) as day:
            with pytest.raises(ConfigError, match="600/minute"):
                create_app(day.state, ApiSettings(rate_limit="often"))

    asyncio.run(run())


def test_the_page_of_the_document_is_for_development_and_loads_nothing_from_elsewhere(postgres_url):
    async def steps(day: ServedDay) -> None:
        page = await day.ask("GET", "/api-docs")
        assert page.status_code == 200
        assert "//" not in page.text
        for line in page.text.splitlines():
            for quote in ('src="', 'href="'):
                if quote in line:
                    file = await day.ask("GET", line.split(quote)[1].split('"')[0])
                    assert file.status_code == 200
        assert "default-src 'self'" in page.headers["content-security-policy"]

    on_day(postgres_url, steps, loaded=False)


def test_in_production_there_is_no_page(postgres_url):
    async def steps(day: ServedDay) -> None:
        assert (await day.ask("GET", "/api-docs")).status_code == 404
        assert (await day.ask("GET", "/api-docs/static/swagger-ui.css")).status_code == 404
        assert (await day.ask("GET", "/openapi.json")).status_code == 200

    on_day(postgres_url, steps, ApiSettings(), loaded=False)


def test_slow_queries_are_named_in_the_log(postgres_url, monkeypatch):
    monkeypatch.setattr("raceday.server.api.desk.SLOW_QUERY_MS", 0)

    async def steps(day: ServedDay) -> None:
        await day.get("/api/meetings")
        assert any('"slow query"' in line and '"latest meetings"' in line for line in day.lines)

    on_day(postgres_url, steps, loaded=False)
