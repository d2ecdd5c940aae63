"""What the feed says about a runner that never changes during the day: people, colours, form, past performances.

Nothing in RaceDay computes with most of it; it is here because the real bodies carry it (25 to 50 kB for an
Australian race, more in New Zealand, where every runner brings its career tables and last starts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from raceday.simulator.chance import generator
from raceday.simulator.invented_names import horse_name, owners_names, person_name, race_name

if TYPE_CHECKING:
    from random import Random

    from raceday.simulator.field import PlannedRunner
    from raceday.simulator.programme import PlannedMeeting, PlannedRace

_COLOURS = ("RED", "WHITE", "ROYAL BLUE", "BLACK", "GOLD", "EMERALD GREEN", "PURPLE", "PINK", "ORANGE", "LIGHT BLUE")
_PATTERNS = ("STARS", "HOOPS", "STRIPES", "SASH", "DIAMONDS", "CHEVRONS", "SPOTS", "MALTESE CROSS")
_GEAR = ("", "", "[Blinkers]", "[Tongue Tie]", "[Ear Muffs (Pre-Race Only)]", "Nose Band OFF [Blinkers, Tongue Tie]")
_SETTLING = ("Leader", "Pace", "Off Pace", "Midfield", "Off Midfield", "Backmarker")
_INDICATORS = ("Jockey In Form", "Form On Good", "Quick Back Up", "Drawn Well", "Last Start Winner", "Fit And Ready")
_TABLES = (
    "first_up", "second_up", "third_up", "fourth_up", "track", "distance", "track_distance", "good", "soft", "heavy",
    "turf", "synthetic", "overall", "left_handed", "right_handed", "hurdle", "steeple", "fresh_30", "weight_for_age",
    "slow", "firm",
)  # fmt: skip
_SILK_SITE = "https://cdn.prod.pricekinetics.com/silks/events/racing"
_ALTERNATIVE_SILK_SITE = "https://60vddugt52s3rdslo1hpoog5la.silks.betmakers.com"


def runner_profile(seed: int, meeting: PlannedMeeting, race: PlannedRace, runner: PlannedRunner) -> bytes:
    """Return the unchanging members of one object of `data.runners` as a JSON object."""
    rng = generator(seed, runner.entrant_id, "profile")
    profile = _identity(runner) | _breeding(rng, meeting) | _people(rng, meeting) | _form(rng, meeting, runner)
    if meeting.category != "G":
        profile |= _silks(rng, race, runner)
    if meeting.category == "H":
        row = "Fr" if runner.barrier <= 7 else "Sr"
        profile["barrier_position"] = f"{row}{(runner.barrier - 1) % 7 + 1}"
    if meeting.country == "NZ":
        profile |= _new_zealand_only(rng, runner)
    return orjson.dumps(profile)


def _identity(runner: PlannedRunner) -> dict[str, object]:
    return {
        "entrant_id": runner.entrant_id,
        "market_name": "Final Field",
        "primary_market": True,
        "name": runner.name,
        "barrier": runner.barrier,
        "runner_number": runner.number,
        "silk_colours": "",
        "silk_url_64x64": "",
        "silk_url_128x128": "",
        "form_comment": None,
        "class_level": "",
        "meta": None,
        "competitor_id": "",
        "ride_guide_exists": False,
        "ride_guide_thumbnail": "",
        "ride_guide_file": "",
    }


def _breeding(rng: Random, meeting: PlannedMeeting) -> dict[str, object]:
    dog = meeting.category == "G"
    age, sex = rng.randint(2, 8), rng.choice(("D", "B") if dog else ("G", "G", "G", "M", "F", "C", "H"))
    sire, dam = (f"{horse_name(rng)} ({meeting.country})".upper() for _ in range(2))
    return {
        "age": age,
        "sex": sex,
        "colour": rng.choice(("BL", "BDL", "F") if dog else ("B", "BR", "CH", "GR", "B/BR")),
        "sire": sire,
        "dam": dam,
        "breeding": f"{age} {sex.lower()} {sire}-{dam}",
        "dam_sire": horse_name(rng),
        "country": rng.choice((meeting.country, meeting.country, "NZ", "IRE")),
        "horse_id": rng.randint(350_000, 2_400_000),
    }


def _people(rng: Random, meeting: PlannedMeeting) -> dict[str, object]:
    gallops = meeting.category == "T"
    weight = f"{rng.randint(108, 124) / 2:g}" if gallops else ""
    apprentice = gallops and rng.random() < 0.18
    return {
        "jockey": "" if meeting.category == "G" else person_name(rng),
        "apprentice_indicator": "A" if apprentice else "",
        "allowance_weight": rng.choice(("2", "3", "1.5")) if apprentice else "",
        "owners": owners_names(rng),
        "trainer_name": person_name(rng),
        "trainer_location": meeting.name,
        "weight": {"allocated": weight, "total": weight},
        "gear": rng.choice(_GEAR),
        "prize_money": str(rng.randint(0, 160_000)),
    }


def _form(rng: Random, meeting: PlannedMeeting, runner: PlannedRunner) -> dict[str, object]:
    settling = rng.randint(1, 9)
    form: dict[str, object] = {
        "last_twenty_starts": "".join(rng.choice("123456789x0") for _ in range(rng.randint(0, 10))),
        "speedmap": {
            "settling_lengths": settling,
            "entrant_id": runner.entrant_id,
            "label": _SETTLING[min(len(_SETTLING) - 1, settling // 2)],
        },
        "form_indicators": [
            {"name": name, "group": name.split()[0], "negative": False, "priority": rng.randint(100, 900)}
            for name in rng.sample(_INDICATORS, rng.randint(0, 4))
        ]
        or None,
        "past_performances": {"jockey": _starts(rng)},
        "jockey_past_performances": {"last_50_starts": _starts(rng), "trainer": _starts(rng)},
        "fresh_90": _career(rng),
        "runner_win_history": [
            {"details": f"{start}th up {rng.randint(1, 12):02}/25 {meeting.name} BM58 {race_name(rng, 'T')}"}
            for start in range(4, rng.randint(4, 7))
        ],
    }
    if rng.random() < 0.1:
        form["picks"] = [
            {"name": person_name(rng), "rank": rng.randint(1, 5), "selector_type": "trackside", "comment": ""}
        ]
    if meeting.category == "G":
        form["best_time"] = f"{rng.uniform(17, 31):.2f}"
    return form


def _silks(rng: Random, race: PlannedRace, runner: PlannedRunner) -> dict[str, object]:
    # A pattern in the colour of its cloth would be none.
    body, pattern = rng.sample(_COLOURS, 2)
    sleeves, cap = rng.choice(_COLOURS), rng.choice(_COLOURS)
    sprite = f"modelled-{race.race_id[:8]}/{runner.name.lower().replace(' ', '-')}"
    other = f"{race.race_id[:6]}_{race.number}_{runner.number}"
    return {
        "silk_colours": f"{body}, {pattern} {rng.choice(_PATTERNS)}, {sleeves} SLEEVES, {cap} CAP",
        "silk_url_64x64": f"{_SILK_SITE}/{sprite}_64x64.png",
        "silk_url_128x128": f"{_SILK_SITE}/{sprite}_128x128.png",
        "alt_silk_url_64x64": f"{_ALTERNATIVE_SILK_SITE}/{other}_64x64.png",
        "alt_silk_url_128x128": f"{_ALTERNATIVE_SILK_SITE}/{other}_128x128.png",
    }


def _new_zealand_only(rng: Random, runner: PlannedRunner) -> dict[str, object]:
    changed = rng.random() < 0.6
    tables: dict[str, object] = {name: _career(rng) for name in _TABLES}
    return tables | {
        "is_late_scratched": False,
        "is_emergency": runner.number > 16,
        "first_start_indicator": rng.random() < 0.1,
        "emergency_position": str(runner.number - 16) if runner.number > 16 else "",
        "runner_change": {"03/03/2025": "Gelding", "31/07/2025": "Stable Change"} if changed else None,
        "foaling_date": f"20{rng.randint(17, 23)}-{rng.randint(9, 12):02}-{rng.randint(1, 28):02}",
        "rating": "",
        "handicap_rating": str(rng.randint(45, 90)),
        "win_p": f"{rng.randint(0, 30)}%",
        "place_p": f"{rng.randint(0, 60)}%",
        "spr": rng.randint(0, 20_000),
        "last_12_months": _last_year(rng),
        "last_12_w": f"{rng.randint(0, 30)}%",
        "last_12_p": f"{rng.randint(0, 60)}%",
        "last_12_months_prize_money": {"NZD": rng.randint(0, 90_000)},
        "dam_dam": horse_name(rng),
        "last_starts": [_last_start(rng) for _ in range(rng.randint(2, 5))],
    }


def _starts(rng: Random) -> dict[str, int]:
    starts = rng.randint(0, 50)
    return {
        "number_of_starts": starts,
        "number_of_wins": starts // 8,
        "number_of_placings": 0,
        "number_of_seconds": starts // 9,
        "number_of_thirds": starts // 10,
    }


def _last_year(rng: Random) -> dict[str, int]:
    starts = _starts(rng)
    del starts["number_of_placings"]
    return starts


def _career(rng: Random) -> dict[str, int]:
    return _starts(rng) | {"winning_distance": 0}


def _last_start(rng: Random) -> dict[str, object]:
    return {
        "race_name": race_name(rng, "T"),
        "jockey": person_name(rng),
        "distance": rng.randrange(1000, 2400, 100),
        "finish_position": rng.randint(1, 14),
        "margin": f"{rng.uniform(0, 9):.1f}L",
        "winner": horse_name(rng),
        "weight": f"{rng.randint(108, 124) / 2:g}",
        "starting_price": round(rng.uniform(1.5, 40), 1),
    }
