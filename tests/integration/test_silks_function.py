"""jockey-silks-enricher on the host: what a race's runners wear, once, with files and rows."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4
from xml.etree import ElementTree

import pytest

from race_day import RaceDay, run_day

FUNCTION = "jockey-silks-enricher"


def with_icons(folder: Path) -> dict[str, str]:
    return {"RACEDAY_ICON_FOLDER": str(folder / "icons")}


def test_a_race_gets_its_silks_and_the_second_call_nothing_new(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        await day.import_card()
        race_id = day.races()[0]
        runners = dict(day.rows('SELECT "$id", silkColours FROM entrants WHERE raceId = ?', race_id))
        worn = {entrant_id for entrant_id, text in runners.items() if text}
        status, first = await day.call(FUNCTION, {"raceId": race_id})
        assert status == 200
        assert {entrant_id for silks in first["silks"] for entrant_id in silks["entrantIds"]} == worn
        assert first["processed"] == len(first["silks"]) > 3
        for silks in first["silks"]:
            file = tmp_path / "icons" / f"{silks['silkId']}.svg"
            assert file.as_uri() == silks["iconUrl"]
            assert file.read_text() == silks["svgData"]
            ElementTree.fromstring(silks["svgData"])
            # The stand-in feed now and then puts a pattern on cloth of its own colour, which nobody could see.
            cloth, mark, *_ = silks["description"].split(", ")
            assert silks["resolved"] == (not mark.startswith(f"{cloth} "))
            assert silks["jockeyName"]
        rows = day.rows('SELECT "$id", iconUrl, colourCheck FROM jockey_silks')
        assert {(silks["silkId"], silks["iconUrl"], silks["colourCheck"]) for silks in first["silks"]} == set(rows)
        assert {silks["colourCheck"] for silks in first["silks"] if silks["resolved"]} == {"unavailable"}

        written = {path: path.stat().st_mtime_ns for path in (tmp_path / "icons").iterdir()}
        _, again = await day.call(FUNCTION, {"raceId": race_id})
        assert (again["processed"], again["skipped"]) == (0, len(first["silks"]))
        assert again["silks"] == first["silks"]
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "icons").iterdir()} == written

        some = sorted(worn)[:2]
        status, named = await day.call(FUNCTION, {"entrantIds": [*some, str(uuid4())]})
        assert (status, named["failed"]) == (200, 1)
        assert named["failures"][0]["message"].startswith("entrantIds[2]: ")
        assert {entrant_id for silks in named["silks"] for entrant_id in silks["entrantIds"]} == set(some)

    run_day(scenario, tmp_path, races=1, environment=with_icons(tmp_path))


def test_texts_are_read_without_any_race(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        asked = [
            "Cerise & gold hoops, cerise sleeves & quartered cap",
            {"text": "zebra colours", "jockeyName": "A. Rider"},
        ]
        status, answer = await day.call(FUNCTION, {"silks": asked})
        assert status == 200
        understood, not_understood = answer["silks"]
        assert (understood["pattern"], understood["primaryColor"]["name"]) == ("hoops", "cerise")
        assert (not_understood["pattern"], not_understood["unresolvedWords"]) == (None, ["zebra", "colours"])
        assert day.rows("SELECT count(*) FROM jockey_silks WHERE resolved") == [(1,)]

    run_day(scenario, tmp_path, races=1, environment=with_icons(tmp_path))


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "raceId"),
        ({"raceId": "x"}, 400, "raceId"),
        ({"raceId": str(uuid4()), "silks": ["red"]}, 400, "silks"),
        ({"entrantIds": []}, 400, "entrantIds"),
        ({"entrantIds": "x"}, 400, "entrantIds"),
        ({"entrantIds": [str(uuid4()), "x"]}, 400, "entrantIds[1]"),
        ({"entrantIds": [str(uuid4())]}, 400, "entrantIds"),
        ({"silks": [{}]}, 400, "silks[0].text"),
        ({"silkIds": ["x"]}, 400, "silkIds"),
        ({"raceId": str(uuid4())}, 404, None),
    ],
)
def test_wrong_input_is_answered_with_its_field(tmp_path: Path, body: dict, status: int, field: str | None):
    async def scenario(day: RaceDay) -> None:
        code, answer = await day.call(FUNCTION, body)
        assert (code, answer.get("field")) == (status, field)

    run_day(scenario, tmp_path, races=1, environment=with_icons(tmp_path))


def test_without_a_place_for_icons_the_variable_is_named(tmp_path: Path):
    async def scenario(day: RaceDay) -> None:
        code, answer = await day.call(FUNCTION, {"silks": ["red"]})
        assert code == 500
        assert "RACEDAY_ICON_FOLDER" in answer["message"]
        assert day.rows("SELECT count(*) FROM jockey_silks") == [(0,)]

    run_day(scenario, tmp_path, races=1, environment={"RACEDAY_ICON_FOLDER": ""})
