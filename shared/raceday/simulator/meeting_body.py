"""The meetings with their races as `/meetings` lists them, and the flat list of `/list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raceday.simulator.multi_legs import LEGS_KEY, legs_of
from raceday.simulator.race_profile import silk_sheet_url
from raceday.simulator.wire import NEW_ZEALAND, instant, second_stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from raceday.simulator.programme import PlannedMeeting, PlannedRace

CATEGORY_NAMES = {"T": "Thoroughbred Horse Racing", "H": "Harness Horse Racing", "G": "Greyhound Racing"}
_SETTLED = {"Final", "Abandoned"}


def meeting_row(meeting: PlannedMeeting, at_s: int, protests: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Return one meeting of the list; it has no status of its own, and `date` is a day, not an instant.

    `protests` holds the protest members of the races that have any, by race id.
    """
    row: dict[str, object] = {
        "meeting": meeting.meeting_id,
        "name": meeting.name,
        "date": f"{meeting.racing_date}T00:00:00Z",
        "track_condition": meeting.track_condition,
        "category": meeting.category,
        "category_name": CATEGORY_NAMES[meeting.category],
        "country": meeting.country,
        "state": meeting.state,
        "races": [_race_row(meeting, race, at_s, protests.get(race.race_id, {})) for race in meeting.races],
        "video_channels": ["Trackside1"],
    }
    legs = legs_of(meeting)
    for product in ("Quadrella", "EarlyQuadrella"):
        if product in legs:
            row[LEGS_KEY[product]] = legs[product][0]
    if meeting.country == "NZ":
        row |= {LEGS_KEY[product]: legs[product] for product in ("RunningDouble", "Treble") if product in legs}
    settled = all(race.script.status(at_s) in _SETTLED for race in meeting.races)
    row["tote_meeting_number"] = meeting.tote_meeting_number
    row["tote_raceday_date"] = str(meeting.racing_date)
    row["tote_status"] = "Closed" if settled else "Open"
    return row


def meeting_details(meeting: PlannedMeeting) -> dict[str, object]:
    """Return what `/meetings/{id}` adds to the row of the list."""
    return {
        "jetbet_club_name": "",
        "club_day": meeting.tote_meeting_number * 7,
        "club_mnemonic": f"{meeting.state}C",
        "jetbet_track_name": meeting.name,
        "sell_date": str(meeting.racing_date),
        "fob_mnemonic": "",
        "fob_sell_date": "",
        "fob_close_date": "",
        "fob_complete_date": "",
        "fob_club_day": 0,
        "meeting_date": str(meeting.racing_date),
        "track_mnemonic": "INTL" if meeting.country != "NZ" else meeting.name[:4].upper(),
        "is_fob_meeting": False,
        "meeting_type": "",
    }


def listed_race(meeting: PlannedMeeting, race: PlannedRace, at_s: int) -> dict[str, object]:
    """Return one race of `/list`, which states no status."""
    row: dict[str, object] = {
        "id": race.race_id,
        "name": race.name,
        "number": race.number,
        "meeting_id": meeting.meeting_id,
        "advertised_start": second_stamp(race.script.advertised_start_s(at_s)),
        "actual_start": second_stamp(race.script.actual_start_s(at_s)),
    }
    if meeting.category != "G":
        row["silk_url"] = silk_sheet_url(race)
    return row


def _race_row(
    meeting: PlannedMeeting, race: PlannedRace, at_s: int, protest: Mapping[str, object]
) -> dict[str, object]:
    start_s = race.script.advertised_start_s(at_s)
    row: dict[str, object] = {
        "id": race.race_id,
        "race_number": race.number,
        "name": race.name,
        "start_time": second_stamp(start_s),
        "tote_start_time": notional_time(start_s, meeting.racing_date),
        "track_condition": meeting.track_condition,
        "distance": race.distance_m,
        "weather": race.weather,
        "country": meeting.country,
        "state": meeting.state,
        "status": race.script.status(at_s),
    }
    return row | dict(protest)


def notional_time(start_s: int, racing_date: date) -> str:
    """Return the New Zealand clock time counted on from the racing day's midnight: `26:30:00` is 2.30 am after it."""
    local = instant(start_s).astimezone(NEW_ZEALAND)
    hours = local.hour + 24 * (local.date() - racing_date).days
    return f"{hours:02}:{local:%M:%S}"
