"""A user's alert ranges and notifications through the API."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

from pydantic.alias_generators import to_camel

from api_day import FIRST, NOW, ServedDay, names, on_day
from raceday.domain.alerts.config import AlertConfig, AlertKind
from raceday.domain.alerts.crossings import Crossing
from raceday.domain.alerts.notification import notification
from raceday.server.api.middleware import plain
from raceday.store.alert_ports import AlertSubject

PATH = "/api/user-alert-configs"
COLOURS = ["#E5E7EB", "#BFDBFE", "#FEF3C7", "#BBF7D0", "#FECACA", "#F3E8FF"]


def test_who_saved_nothing_has_the_six_by_default(postgres_url):
    async def steps(day: ServedDay) -> None:
        ranges = (await day.get(PATH)).json()
        assert ranges["user_id"] == "Default User"
        assert (ranges["toggle_all"], ranges["audible_alerts_enabled"]) == (True, True)
        assert names(ranges["indicators"], "color") == COLOURS
        assert names(ranges["indicators"], "percentage_range_min") == [5, 10, 15, 20, 25, 50]
        assert names(ranges["indicators"], "percentage_range_max") == [10, 15, 20, 25, 50, None]
        assert names(ranges["indicators"], "display_order") == [1, 2, 3, 4, 5, 6]
        assert await day.state.database.tuples("SELECT count(*) FROM user_alert_configs") == [(0,)]

    on_day(postgres_url, steps, loaded=False)


def test_saved_ranges_in_either_spelling_come_back(postgres_url):
    async def steps(day: ServedDay) -> None:
        sent = {
            "userId": "someone",
            "indicators": [
                {"displayOrder": 2, "percentageRangeMin": 11.5, "color": "#112233", "enabled": False},
                {"display_order": 6, "percentage_range_max": 90},
            ],
            "audibleAlertsEnabled": False,
        }
        saved = (await day.post(PATH, json=sent)).json()
        assert saved["success"] is True
        second, sixth = saved["indicators"][1], saved["indicators"][5]
        assert (second["percentage_range_min"], second["percentage_range_max"]) == (11.5, 15)
        assert (second["color"], second["enabled"], second["is_default"]) == ("#112233", False, False)
        assert (sixth["percentage_range_max"], sixth["color"]) == (90, "#F3E8FF")
        assert saved["toggle_all"] is False
        assert second["audible_alerts_enabled"] is False
        read = (await day.get(f"{PATH}?userId=someone")).json()
        assert read == {name: value for name, value in saved.items() if name != "success"}
        again = await day.post(PATH, json=sent)
        assert again.status_code == 200
        assert await day.state.database.tuples("SELECT count(*) FROM user_alert_configs") == [(2,)]
        assert (await day.get(f"{PATH}?user_id=another")).json()["toggle_all"] is True

    on_day(postgres_url, steps, loaded=False)


def test_what_the_api_saves_is_what_alerts_are_evaluated_by(postgres_url):
    async def steps(day: ServedDay) -> None:
        await day.post(PATH, json={"user_id": "someone", "indicators": [{"display_order": 1, "enabled": True}]})
        page = await day.store.alert_configs(AlertSubject(FIRST.race_id, ("runner",)), None, 10)
        [config] = page.configs
        assert (config.user_id, config.at_least, config.below, config.colour) == ("someone", 5, 10, "#E5E7EB")
        assert page.broken == ()

    on_day(postgres_url, steps, loaded=False)


def test_wrong_fields_are_named_and_nothing_is_saved(postgres_url):
    wrong = [
        ({"indicators": [{"display_order": 7}]}, "indicators.0.display_order"),
        ({"indicators": [{"display_order": 1, "color": "red"}]}, "indicators.0.color"),
        ({"indicators": [{"display_order": 1, "percentage_range_min": 101}]}, "indicators.0.percentage_range_min"),
        ({"indicators": [{"display_order": 1, "enabled": "yes"}]}, "indicators.0.enabled"),
        ({"indicators": [{"display_order": 2}, {"display_order": 1, "percentage_range_max": 3}]}, "above"),
        ({"indicators": [{"display_order": 1}, {"display_order": 1}]}, "display_order may be there once"),
        ({"user_id": "one", "userId": "other", "indicators": []}, "user_id and userId are one field"),
        ({"indicators": [{"display_order": 1, "displayOrder": 2}]}, "display_order and displayOrder are one field"),
        ({"user_id": "", "indicators": []}, "user_id"),
        ({"user_id": "x" * 51, "indicators": []}, "user_id"),
        ({}, "indicators"),
        ([], "body"),
    ]

    async def steps(day: ServedDay) -> None:
        for body, named in wrong:
            answer = await day.post(PATH, json=body)
            assert answer.status_code == 400, body
            assert named in answer.json()["details"], answer.json()
        for content in (b'{"a":', b"[" * 30_000 + b"]" * 30_000, b'{"user_id": "\xff"}'):
            broken = await day.post(PATH, content=content, headers={"Content-Type": "application/json"})
            assert (broken.status_code, broken.json()["error"]) == (400, "Invalid request body")
            assert "is no JSON" in broken.json()["details"]
        untold = await day.post(PATH, content=b'{"indicators": []}', headers={"Content-Type": "text/plain"})
        assert "with Content-Type: application/json" in untold.json()["details"]
        assert await day.state.database.tuples("SELECT count(*) FROM user_alert_configs") == [(0,)]

    on_day(postgres_url, steps, loaded=False)


def test_a_field_that_nobody_knows_is_refused_by_its_name(postgres_url):
    of_body = "known are: user_id, indicators, toggle_all, audible_alerts_enabled, success"
    of_range = "known are: indicator_id, user_id, indicator_type, percentage_range_min"
    strange = [
        ({"foo": 1, "indicators": []}, f"body: foo is not known here; {of_body}"),
        ({"indicators": [], "Indicators": []}, f"body: Indicators is not known here; {of_body}"),
        (
            {"indicators": [{"display_order": 1, "colour": "#112233"}]},
            f"indicators.0: colour is not known here; {of_range}",
        ),
        (
            {"indicators": [{"displayOrder": 1}, {"displayOrder": 2, "a": 1, "b": 2}]},
            "indicators.1: a, b are not known",
        ),
        ({"indicators": [], "\ud800": 1}, "body: \\ud800 is not known here"),
        ({"indicators": [], "x" * 51: 1}, f"body: {'x' * 50} is not known here"),
    ]

    async def steps(day: ServedDay) -> None:
        for body, details in strange:
            sent = json.dumps(body).encode()
            answer = await day.post(PATH, content=sent, headers={"Content-Type": "application/json"})
            assert answer.status_code == 400, body
            assert set(answer.json()) == {"error", "details"}
            assert answer.json()["details"].startswith(details), answer.json()
        assert await day.state.database.tuples("SELECT count(*) FROM user_alert_configs") == [(0,)]

    on_day(postgres_url, steps, loaded=False)


def test_what_was_answered_can_be_sent_back_in_either_spelling(postgres_url):
    async def steps(day: ServedDay) -> None:
        got = (await day.get(f"{PATH}?userId=someone")).json()
        got["indicators"][0]["color"] = "#112233"
        saved = (await day.post(PATH, json=got)).json()
        assert saved["indicators"][0]["color"] == "#112233"
        again = await day.post(PATH, json=saved)
        assert (again.status_code, names(again.json()["indicators"], "color")) == (200, ["#112233", *COLOURS[1:]])
        in_camel = {to_camel(name): value for name, value in saved.items()}
        in_camel["indicators"] = [{to_camel(name): value for name, value in one.items()} for one in saved["indicators"]]
        in_camel["indicators"][5]["enabled"] = False
        last = await day.post(PATH, json=in_camel)
        assert (last.status_code, last.json()["toggle_all"]) == (200, False)

    on_day(postgres_url, steps, loaded=False)


def test_a_body_without_end_is_refused(postgres_url):
    async def endless():
        for _ in range(100):
            yield b"x" * 1024

    async def steps(day: ServedDay) -> None:
        assert (await day.post(PATH, content=b"x" * 65_537)).status_code == 413
        assert (await day.post(PATH, content=endless())).status_code == 413
        assert (await day.post(PATH, json={"indicators": []})).status_code == 200

    on_day(postgres_url, steps, loaded=False)


def test_a_body_that_does_not_come_is_not_waited_for(postgres_url, monkeypatch):
    async def stuck():
        yield b"{"
        await asyncio.Event().wait()

    async def steps(day: ServedDay) -> None:
        monkeypatch.setattr(plain, "BODY_WITHIN_S", 0.05)
        answer = await day.post(PATH, content=stuck(), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.headers["connection"]) == (408, "close")

    on_day(postgres_url, steps, loaded=False)


def test_saves_at_once_never_mix(postgres_url):
    """Whoever is last has all of it, in whatever order the ranges are sent."""

    async def steps(day: ServedDay) -> None:
        def sent(number: int) -> dict[str, object]:
            orders = range(1, 7) if number % 2 else range(6, 0, -1)
            ranges = [
                {"display_order": order, "percentage_range_min": number, "percentage_range_max": 90} for order in orders
            ]
            return {"user_id": "someone", "indicators": ranges}

        answers = await asyncio.gather(*(day.post(PATH, json=sent(number)) for number in range(20)))
        for answer in answers:
            assert answer.status_code == 200
            assert len(set(names(answer.json()["indicators"], "percentage_range_min"))) == 1

    on_day(postgres_url, steps, loaded=False)


def test_notifications_newest_first(postgres_url):
    async def steps(day: ServedDay) -> None:
        [runner, *_] = await day.store.alert_runners(FIRST.race_id)
        config = AlertConfig("config-1", "someone", AlertKind.PERCENTAGE_RANGE, at_least=5.0, below=10.0)
        told = [
            notification(config, runner, Crossing(AlertKind.ODDS_SHORTENING, at, f"{n}", n, 4.0, 3.7, 7.5))
            for n, at in ((1, NOW + timedelta(minutes=1)), (2, NOW + timedelta(minutes=2)))
        ]
        await day.store.save_notifications(told, NOW, deliver=False)
        found = (await day.get("/api/notifications?userId=someone")).json()
        assert names(found, "crossed_at") == ["2026-11-22T04:00:00.000Z", "2026-11-22T03:59:00.000Z"]
        assert (found[0]["race_id"], found[0]["value_before"], found[0]["read"]) == (FIRST.race_id, 4.0, False)
        assert len((await day.get("/api/notifications?user_id=someone&limit=1")).json()) == 1
        assert (await day.get("/api/notifications?userId=another")).json() == []

    on_day(postgres_url, steps)
