"""What the feed says about a race that never changes during the day: conditions, prizes, track, comment, videos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from raceday.simulator.chance import generator, uuid_of
from raceday.simulator.price_ladder import nearest_step
from raceday.simulator.wire import SYDNEY, instant, plain, second_stamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from raceday.simulator.field import PlannedRunner
    from raceday.simulator.programme import PlannedMeeting, PlannedRace

_SIDE_MARKET_SHARE = 0.45
_PRIZE_SHARES = (0.55, 0.18, 0.1, 0.05, 0.03)
_ORDINALS = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "10th")
_REMARKS = (
    "{name} ({number}) has been working well and looks the one to beat.",
    "{name} ({number}) was held up at a vital stage last time and can be forgiven.",
    "{name} ({number}) drops in grade and meets these better at the weights.",
    "{name} ({number}) resumes here and any market support is worth following.",
)


def race_profile(seed: int, meeting: PlannedMeeting, race: PlannedRace, runners: Sequence[PlannedRunner]) -> bytes:
    """Return the unchanging members of `data.race` as a JSON object."""
    rng = generator(seed, race.race_id, "profile")
    profile = _identity(meeting, race, runners) | _course(rng, meeting)
    profile["comment"] = _comment(rng, runners)
    profile["tips"] = [runner.entrant_id for runner in rng.sample(list(runners), min(4, len(runners)))]
    profile["prize_monies"] = _prizes(rng)
    profile["video_channels_meta"] = _videos(rng, meeting, race)
    if meeting.country == "NZ":
        profile |= _new_zealand_only(meeting)
    return orjson.dumps(profile)


def side_markets(seed: int, race: PlannedRace, runners: Sequence[PlannedRunner]) -> bytes:
    """Return `data.derivatives`: null, or markets beside the race, which look like runners but are none."""
    rng = generator(seed, race.race_id, "side markets")
    if rng.random() >= _SIDE_MARKET_SHARE:
        return b"null"
    favourite = max(runners, key=lambda runner: runner.chance)
    names = (favourite.name, f"All Other Runners (excludes {favourite.number})")
    return orjson.dumps([_side_market(race, favourite, number, name) for number, name in enumerate(names)])


def _side_market(race: PlannedRace, favourite: PlannedRunner, number: int, name: str) -> dict[str, object]:
    chance = favourite.chance if number == 0 else 1 - favourite.chance
    return {
        "entrant_id": uuid_of(race.race_id, "side market", number),
        "market_name": f"{favourite.name} vs Field",
        "primary_market": False,
        "name": name,
        "is_scratched": False,
        "gear": "",
        "odds": {"fixed_win": plain(nearest_step(0.93 / chance)), "fixed_place": 0},
        "scratch_time": 0,
        "barrier": favourite.barrier,
        "runner_number": number + 1,
        "favourite": False,
        "mover": False,
        "flucs": [],
        "scr_time": None,
    }


def silk_sheet_url(race: PlannedRace) -> str:
    """Return the address of the sheet with all silks of a race."""
    return f"https://cdn.prod.pricekinetics.com/silks/sprites/cerberus/modelled-{race.race_id[:8]}_SPRITE_64x64.png"


def _identity(meeting: PlannedMeeting, race: PlannedRace, runners: Sequence[PlannedRunner]) -> dict[str, object]:
    return {
        "event_id": race.race_id,
        "meeting_name": meeting.name,
        "display_meeting_name": meeting.name,
        "meeting_id": meeting.meeting_id,
        "description": race.name,
        "race_number": race.number,
        "type": meeting.category,
        "start_type": race.start_type,
        "country": meeting.country,
        "state": meeting.state,
        "distance": race.distance_m,
        "weather": race.weather,
        "form_guide": "",
        "silk_base_url": "drr38safykj6s.cloudfront.net",
        "silk_url": silk_sheet_url(race),
        "entrant_count": len(runners),
        "video_channels": ["Trackside1"],
        "track_condition": meeting.track_condition,
    }


def _course(rng: Random, meeting: PlannedMeeting) -> dict[str, object]:
    gallops = meeting.category == "T"
    return {
        "track_direction": rng.choice(("Left", "Right")),
        "rail_position": rng.choice(("True.", "+3m Entire.", "+5m Entire.")) if gallops else "",
        "group": rng.choice(("",) * 24 + ("Listed", "Group 3")) if gallops else "",
        "track_home_straight": rng.choice((250, 300, 303)) if meeting.country == "NZ" else 0,
    }


def _comment(rng: Random, runners: Sequence[PlannedRunner]) -> str:
    fancied = sorted(runners, key=lambda runner: -runner.chance)[:4]
    return " ".join(rng.choice(_REMARKS).format(name=runner.name.upper(), number=runner.number) for runner in fancied)


def _prizes(rng: Random) -> dict[str, int]:
    total = rng.choice((9_000, 13_920, 17_000, 27_840, 40_000, 80_000))
    shares = _PRIZE_SHARES + (0.018,) * (len(_ORDINALS) - len(_PRIZE_SHARES))
    return {place: int(total * share) for place, share in zip(_ORDINALS, shares, strict=True)} | {"total_value": total}


def _videos(rng: Random, meeting: PlannedMeeting, race: PlannedRace) -> dict[str, dict[str, object]]:
    start_s = race.script.first_start_s
    return {
        "Live1": {
            "RaceNo": race.number,
            "RaceType": meeting.category,
            "SlotType": "",
            "SlotTitle": "",
            "VenueName": meeting.name,
            "CrossPoint": rng.randint(1, 150),
            "RacePriority": "1",
            "SlotDuration": "",
            "SchedulerNote": "",
            "CrossPointName": "SKY 02",
            "SlotDescription": "",
            "UtcRaceStartTime": second_stamp(start_s),
            "VenueCountryCode": "AU" if meeting.country == "AUS" else meeting.country,
            "VenueProviderName": "SKY",
            "DisplayRaceStartTime": instant(start_s).astimezone(SYDNEY).strftime("%Y-%m-%dT%H:%M:%S"),
            "SchedulerNotePriority": "None",
        }
    }


def _new_zealand_only(meeting: PlannedMeeting) -> dict[str, object]:
    return {
        "track_surface": "Synthetic" if meeting.track_condition == "Synthetic" else "Grass",
        "track_circumference": 1870,
        "class": "Rating 58 HCP" if meeting.category == "T" else "",
        "ffwin_option_number": 0,
        "fftop3_option_number": 0,
        "gait": "",
        "gender_conditions": "unrestricted",
        "allowance_conditions": True,
        "age_conditions": "Unrestricted",
        "special_conditions": "",
        "jockey_conditions": "C",
        "weight_and_handicap_conditions": "hcp",
        "mile_rate_400": "",
        "mile_rate_800": "",
    }
