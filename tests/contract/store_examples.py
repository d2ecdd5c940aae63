"""A small racing day for the store's tests: everything a store can be asked to keep, with chosen values."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from raceday.domain.derive import DeriveSettings, derive_poll
from raceday.domain.entrant import Entrant, PricePoint, Scratching
from raceday.domain.meeting import Meeting
from raceday.domain.money_flow import HoldShare
from raceday.domain.odds import Odds
from raceday.domain.pools import PoolTotals, TotePool
from raceday.domain.race import Race
from raceday.domain.race_poll import PollTiming, RaceEvent, RacePoll, RaceState
from raceday.domain.result import Placing, RaceResult, ResultStatus, ToteDividend
from raceday.domain.status import RaceStatus

DAY = date(2026, 11, 22)
IMPORTED = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
START = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def uid(*parts: object) -> str:
    """Return a UUID that is always the same for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


def meeting(number: int = 1, **changes: object) -> Meeting:
    """Return a meeting with everything said."""
    whole = Meeting(
        meeting_id=uid("meeting", number),
        name=f"Course {number}",
        country="NZ",
        category="T",
        category_name="Thoroughbred Horse Racing",
        meeting_date=DAY,
        state="NZ",
        track_condition="Good4",
        track_direction="Left",
        track_surface="Turf",
        rail_position="True",
        weather="Fine",
        tote_status="Open",
        tote_meeting_number=number,
        video_channels=("TRACKSIDE1",),
        quaddie=(5, 6, 7, 8),
        early_quaddie=(1, 2, 3, 4),
        tote_running_doubles=((1, 2), (3, 4)),
        tote_trebles=((1, 2, 3),),
        generated_at=IMPORTED,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def race(number: int = 1, meeting_number: int = 1, **changes: object) -> Race:
    """Return a race with everything said; races start half an hour apart."""
    whole = Race(
        race_id=uid("race", meeting_number, number),
        meeting_id=uid("meeting", meeting_number),
        race_number=number,
        name=f"Maiden {number}",
        advertised_start=START + timedelta(minutes=30 * (number - 1)),
        status=RaceStatus.OPEN,
        race_date_nz=DAY,
        start_time_nz="17:00:00 NZDT",
        tote_start_time="17:00:00",
        distance_m=1400,
        track_condition="Good4",
        track_surface="Turf",
        track_direction="Left",
        rail_position="True",
        weather="Fine",
        category="T",
        start_type="Barrier",
        race_group="",
        race_class="MDN",
        comment="Open and even.",
        prize_money_dollars=25000,
        entrant_count=12,
        field_size=12,
        positions_paid=3,
        silk_url="https://silks.example/sprite.png",
        silk_base_url="silks.example",
        video_channels=("TRACKSIDE1",),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def runner(number: int, of: Race, **changes: object) -> Entrant:
    """Return a runner with everything said; odds rise with its number."""
    whole = Entrant(
        entrant_id=uid("runner", of.race_id, number),
        race_id=of.race_id,
        name=f"Runner {number}",
        runner_number=number,
        odds=Odds(2.0 + number, 1.2 + number / 10, 2.1 + number, 1.3 + number / 10),
        barrier=number,
        barrier_position=f"Fr{number}",
        is_scratched=False,
        favourite=number == 1,
        mover=False,
        is_emergency=False,
        jockey=f"Jockey {number}",
        trainer_name=f"Trainer {number}",
        trainer_location="Matamata",
        weight_total="58.5",
        weight_allocated="58.5",
        age=4,
        sex="M",
        colour="BR",
        gear="Blinkers",
        last_twenty_starts="1x23",
        silk_colours="Red, white hoops",
        silk_url_64="https://silks.example/64.png",
        silk_url_128="https://silks.example/128.png",
        opening=PricePoint(IMPORTED, 2.5 + number),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def pools(win_cents: int = 1_000_000) -> PoolTotals:
    """Return pools of a race that is also the last leg of a treble."""
    return PoolTotals(
        win_cents=win_cents,
        place_cents=win_cents // 2,
        quinella_cents=30_000,
        trifecta_cents=40_000,
        first4_cents=50_000,
        multi_leg=(TotePool("Treble", 1_145_220, "OPEN", 1000, 2000),),
        unknown=(TotePool("Novelty", 5, "OPEN"),),
    )


def event(of: Race, at: datetime, runners: int = 3, win_cents: int = 1_000_000, **changes: object) -> RaceEvent:
    """Return a response about a race, made at `at`."""
    entrants = tuple(runner(number, of) for number in range(1, runners + 1))
    whole = RaceEvent(
        race=of,
        entrants=entrants,
        pools=pools(win_cents),
        holds={entrant.entrant_id: HoldShare(100 / runners, 100 / runners) for entrant in entrants},
        result=None,
        generated_at=at,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def timing(at: datetime, due_at: datetime | None = None) -> PollTiming:
    """Return the timing of a poll that took 40 ms."""
    return PollTiming(polled_at=at, due_at=due_at, interval_s=30, latency_ms=40)


def poll(said: RaceEvent, state: RaceState, due_at: datetime | None = None) -> RacePoll:
    """Return what a response changes against a state, polled when it was made."""
    return derive_poll(said, state, timing(said.generated_at, due_at), DeriveSettings())


def dividend(product: str, status: str, paid: float, *runners: int) -> ToteDividend:
    """Return one dividend; the runners came in the order given."""
    return ToteDividend(
        dividend_id=uid("dividend", product, status),
        tote="NZ",
        product_name=product,
        status=status,
        dividend=paid,
        pool_size=1234.5,
        jackpot_size=0.0,
        description=":".join(map(str, runners)),
        positions=tuple((number, place) for place, number in enumerate(runners, 1)),
    )


def result(of: Race, at: datetime, status: ResultStatus = ResultStatus.FINAL) -> RaceResult:
    """Return a result with two placings, each dividend listed as Interim and, when final, as Final again."""
    statuses = ("Interim", "Final") if status is ResultStatus.FINAL else ("Interim",)
    return RaceResult(
        race_id=of.race_id,
        status=status,
        placings=tuple(
            Placing(place, number, uid("runner", of.race_id, number), f"Runner {number}", number, margin)
            for place, number, margin in ((1, 2, None), (2, 1, 0.4))
        ),
        dividends=tuple(dividend("Pool Win", which, 4.1, 2) for which in statuses)
        + tuple(dividend("Pool Quinella", which, 12.3, 2, 1) for which in statuses),
        seen_at=at,
        substitutes=(uid("runner", of.race_id, 3),),
    )


def scratched(of: Race, number: int, at: datetime) -> Entrant:
    """Return a runner that was withdrawn late."""
    return runner(
        number,
        of,
        is_scratched=True,
        scratching=Scratching(at, late=True, win_deduction=0.12, place_deduction=0.05),
        odds=Odds(),
    )
