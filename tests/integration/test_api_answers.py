"""What each endpoint answers on a small day."""

from __future__ import annotations

from api_day import FIRST, NOW, POLLS_AT, SECOND, TWIN, ServedDay, names, on_day
from contract.store_examples import DAY, meeting, uid
from raceday.server.api.settings import ApiSettings

MEETING = meeting().meeting_id


def test_meetings_come_by_date_and_code(postgres_url):
    async def steps(day: ServedDay) -> None:
        [one] = (await day.get(f"/api/meetings?date={DAY}&raceType=thoroughbred")).json()
        assert (one["meeting_id"], one["race_type"], one["date"], one["status"]) == (
            MEETING, "thoroughbred", "2026-11-22", "active",
        )  # fmt: skip
        assert (await day.get("/api/meetings")).json() == [one]
        assert (await day.get(f"/api/meetings?date={DAY}&race_type=harness")).json() == []
        assert (await day.get("/api/meetings?date=2026-11-21")).json() == []
        assert (await day.ask("GET", f"/meetings?date={DAY}")).json() == [one]
        assert (await day.get(f"/api/meetings/{MEETING}")).json() == one

    on_day(postgres_url, steps)


def test_races_of_a_meeting(postgres_url):
    async def steps(day: ServedDay) -> None:
        races = (await day.get(f"/api/races?meetingId={MEETING}")).json()
        assert names(races, "race_number") == [1, 2, 3]
        assert names(races, "status") == ["final", "open", "open"]
        assert races[0]["start_time"] == "2026-11-22T04:00:00.000Z"
        assert (await day.get(f"/api/races?meeting_id={MEETING}")).json() == races
        assert (await day.ask("GET", f"/races?meeting_id={MEETING}")).json() == races

    on_day(postgres_url, steps)


def test_a_race_with_its_meeting(postgres_url):
    async def steps(day: ServedDay) -> None:
        one = (await day.get(f"/api/races/{FIRST.race_id}")).json()
        assert (one["meeting_name"], one["country"], one["race_type"]) == ("Course 1", "NZ", "thoroughbred")
        assert one["video_channels"] == ["TRACKSIDE1"]
        assert one["finalized_at"] == "2026-11-22T04:06:00.000Z"

    on_day(postgres_url, steps)


def test_upcoming_races_and_the_next(postgres_url):
    async def steps(day: ServedDay) -> None:
        soon = (await day.get("/api/races/upcoming?windowMinutes=60&lookbackMinutes=5&limit=1")).json()
        assert soon["total"] == 1
        assert soon["window"] == {
            "lower_bound": "2026-11-22T03:53:00.000Z", "upper_bound": "2026-11-22T04:58:00.000Z",
            "window_minutes": 60, "lookback_minutes": 5,
        }  # fmt: skip
        assert (await day.get("/api/races/upcoming?window_minutes=10")).json()["races"] == []
        following = (await day.get("/api/races/next-scheduled")).json()
        assert following == soon["races"][0]
        assert following["race_id"] == min(SECOND.race_id, TWIN.race_id)

    on_day(postgres_url, steps)


def test_there_may_be_no_next_race(postgres_url):
    async def steps(day: ServedDay) -> None:
        assert (await day.get("/api/races/next-scheduled")).json() is None

    on_day(postgres_url, steps, loaded=False)


def test_walking_along_the_races_misses_none_that_start_at_once(postgres_url):
    async def steps(day: ServedDay) -> None:
        walked, here = [], FIRST.race_id
        while here:
            walked.append(here)
            beside = (await day.get(f"/api/races/navigation?raceId={here}")).json()
            here = beside["nextRace"] and beside["nextRace"]["race_id"]
        assert walked == [FIRST.race_id, *sorted([SECOND.race_id, TWIN.race_id])]
        assert beside["previousRace"]["race_id"] == walked[-2]
        assert beside["nextScheduledRace"]["race_id"] == walked[1]
        assert beside["nextScheduledRace"]["meeting_name"] == "Course 1"

    on_day(postgres_url, steps)


def test_entrants_bring_the_latest_of_their_history_oldest_first(postgres_url):
    async def steps(day: ServedDay) -> None:
        whole = (await day.get(f"/api/entrants?raceId={FIRST.race_id}")).json()
        assert names(whole, "runner_number") == [1, 2, 3]
        one = whole[0]
        assert (one["win_odds"], one["fixed_win_odds"], one["pool_win_odds"]) == (3.0, 3.0, 3.1)
        assert (one["jockey"], one["silk_url_64x64"]) == ("Jockey 1", "https://silks.example/64.png")
        money = one["money_flow_history"]
        assert names(money, "time_interval") == [60, 40, 20, 3, -6]
        assert names(money, "timestamp") == sorted(names(money, "timestamp"))
        assert money[0]["timestamp"] == POLLS_AT[0].strftime("%Y-%m-%dT%H:%M:%SZ")
        assert money[-1]["win_pool_amount"] == 833_333
        assert {tick["type"] for tick in one["odds_history"]} == {"fixed_win", "fixed_place", "pool_win", "pool_place"}
        short = (await day.get(f"/api/entrants?raceId={FIRST.race_id}&historyLimit=2")).json()[0]
        assert short["money_flow_history"] == money[-2:]
        assert len(short["odds_history"]) == 2
        assert all(tick in one["odds_history"][-4:] for tick in short["odds_history"])
        none = (await day.get(f"/api/entrants?raceId={FIRST.race_id}&history_limit=0")).json()[0]
        assert none["odds_history"] == none["money_flow_history"] == []
        assert (await day.get(f"/api/entrants?raceId={SECOND.race_id}")).json() == []

    on_day(postgres_url, steps)


def test_the_history_limit_is_the_servers_when_nobody_says(postgres_url):
    async def steps(day: ServedDay) -> None:
        [one, *_] = (await day.get(f"/api/entrants?raceId={FIRST.race_id}")).json()
        assert len(one["money_flow_history"]) == 3

    on_day(postgres_url, steps, ApiSettings(history_limit=3, development=True))


def test_pools_by_both_paths(postgres_url):
    async def steps(day: ServedDay) -> None:
        pools = (await day.get(f"/api/race-pools?raceId={FIRST.race_id}")).json()
        assert (pools["win_pool_total"], pools["place_pool_total"]) == (2_500_000, 1_250_000)
        assert pools["total_race_pool"] == 2_500_000 + 1_250_000 + 30_000 + 40_000 + 50_000
        assert (pools["extracted_pools"], pools["is_live"], pools["has_data"]) == (5, False, True)
        assert pools["multi_leg_pools"][0]["product"] == "Treble"
        assert 0 < pools["data_quality_score"] <= 100
        assert (await day.get(f"/api/pools?race_id={FIRST.race_id}")).json() == pools
        empty = (await day.get(f"/api/race-pools?raceId={SECOND.race_id}")).json()
        assert (empty["total_race_pool"], empty["has_data"], empty["is_live"]) == (0, False, True)

    on_day(postgres_url, steps)


def test_a_result_is_json_not_text(postgres_url):
    async def steps(day: ServedDay) -> None:
        ended = (await day.get(f"/api/race-results?raceId={FIRST.race_id}")).json()
        assert ended["result_status"] == "final"
        assert names(ended["results_data"], "runner_number") == [2, 1]
        assert names(ended["dividends_data"], "product_name") == ["Pool Win", "Pool Quinella"]
        assert ended["fixed_odds_data"]["1"]["entrant_id"] == uid("runner", FIRST.race_id, 1)
        assert (await day.get(f"/api/results?raceId={FIRST.race_id}")).json() == ended

    on_day(postgres_url, steps)


def test_what_is_not_stored_is_404_and_says_what_to_do(postgres_url):
    async def steps(day: ServedDay) -> None:
        for path in ("entrants", "race-pools", "race-results", "races/navigation", "money-flow-timeline"):
            answer = await day.get(f"/api/{path}?raceId=nobody")
            assert (answer.status_code, answer.json()["error"]) == (404, "Not found")
            assert "race nobody is not stored" in answer.json()["details"]
        assert (await day.get("/api/races/nobody")).status_code == 404
        assert (await day.get("/api/meetings/nobody")).status_code == 404
        assert "/api/meetings lists" in (await day.get("/api/races?meetingId=nobody")).json()["details"]
        assert "no result yet" in (await day.get(f"/api/race-results?raceId={SECOND.race_id}")).json()["details"]

    on_day(postgres_url, steps)


def test_notifications_of_nobody(postgres_url):
    async def steps(day: ServedDay) -> None:
        assert (await day.get("/api/notifications?userId=somebody&limit=5")).json() == []

    on_day(postgres_url, steps)


def test_the_clock_of_the_window_is_the_servers(postgres_url):
    async def steps(day: ServedDay) -> None:
        answer = (await day.get("/api/races/upcoming")).json()
        assert answer["timestamp"] == NOW.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    on_day(postgres_url, steps, loaded=False)
