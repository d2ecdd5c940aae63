"""One race as `/events/{id}` sends it: the race, its runners, money, pools and result."""

from __future__ import annotations

from pydantic import Field

from raceday.nztab.schema import Amount, FeedHeader, FeedModel, Percent, Rows, Whole
from raceday.nztab.timestamps import Rfc3339


class FeedOdds(FeedModel):
    """Dollars for one dollar; fixed prices are 0 and tote prices absent when there is none."""

    fixed_win: Amount | None = None
    fixed_place: Amount | None = None
    pool_win: Amount | None = None
    pool_place: Amount | None = None


class FeedPricePoint(FeedModel):
    """One fixed-win price; unset points have a price of 0 in the year 1."""

    timestamp: Rfc3339 | None = None
    fluc: Amount | None = None


class FeedPriceHistory(FeedModel):
    """Turning points of the fixed-win price, not all of its changes."""

    last_six: Rows[FeedPricePoint] | None = None
    open: FeedPricePoint | None = None
    high: FeedPricePoint | None = None
    low: FeedPricePoint | None = None
    nine_am: FeedPricePoint | None = None


class FeedDeduction(FeedModel):
    """What a scratching takes from the dividends of the others, as fractions of a dollar."""

    win: Amount | None = None
    place: Amount | None = None


class FeedWeight(FeedModel):
    """Kilograms, as text."""

    allocated: str | None = None
    total: str | None = None


class FeedRunner(FeedModel):
    """A runner; without its id nothing can be kept of it."""

    entrant_id: str
    runner_number: Whole | None = None
    name: str | None = None
    barrier: Whole | str | None = None
    barrier_position: str | None = None
    is_scratched: bool | None = None
    is_late_scratched: bool | None = None
    scratch_time: Whole | None = None
    scr_time: Rfc3339 | None = None
    deduction: FeedDeduction | None = None
    odds: FeedOdds | None = None
    flucs_with_timestamp: FeedPriceHistory | None = None
    favourite: bool | None = None
    mover: bool | None = None
    is_emergency: bool | None = None
    emergency_position: str | None = None
    jockey: str | None = None
    trainer_name: str | None = None
    trainer_location: str | None = None
    weight: FeedWeight | None = None
    age: Whole | None = None
    sex: str | None = None
    colour: str | None = None
    gear: str | None = None
    last_twenty_starts: str | None = None
    apprentice_indicator: str | None = None
    runner_change: dict[str, object] | list[object] | str | None = None
    silk_colours: str | None = None
    silk_url_64x64: str | None = None
    silk_url_128x128: str | None = None


class FeedPrizeMonies(FeedModel):
    """Whole dollars."""

    total_value: Amount | None = None


class FeedRace(FeedModel):
    """The race itself; without its ids and its start nothing can be done with it."""

    event_id: str
    meeting_id: str
    advertised_start: Whole
    actual_start: Whole | None = None
    status: str | None = None
    description: str | None = None
    race_number: Whole | None = None
    race_date_nz: str | None = None
    start_time_nz: str | None = None
    type: str | None = None
    start_type: str | None = None
    distance: Whole | None = None
    weather: str | None = None
    comment: str | None = None
    track_condition: str | None = None
    track_surface: str | None = None
    track_direction: str | None = None
    rail_position: str | None = None
    group: str | None = None
    class_: str | None = Field(default=None, alias="class")
    prize_monies: FeedPrizeMonies | None = None
    entrant_count: Whole | None = None
    field_size: Whole | None = None
    positions_paid: Whole | None = None
    silk_url: str | None = None
    silk_base_url: str | None = None
    video_channels: list[str] | None = None
    protest: bool | None = None
    protest_reason: str | None = None


class FeedPlacing(FeedModel):
    """One finisher."""

    entrant_id: str
    position: Whole
    runner_number: Whole
    name: str | None = None
    barrier: Whole | None = None
    margin_length: Amount | None = None
    positional_margin: str | None = None
    winning_time: Amount | None = None
    time_ran: Amount | None = None


class FeedDividendPosition(FeedModel):
    """A runner of a winning combination and where it came in."""

    runner_number: Whole
    position: Whole


class FeedDividend(FeedModel):
    """What a winning ticket pays; amounts in dollars."""

    id: str
    tote: str | None = None
    product_name: str | None = None
    status: str | None = None
    dividend: Amount | None = None
    pool_size: Amount | None = None
    jackpot_size: Amount | None = None
    description: str | None = None
    positions: Rows[FeedDividendPosition] | None = None


class FeedSubstitution(FeedModel):
    """The runner that scratched selections were moved to."""

    entrant_id: str


class FeedPool(FeedModel):
    """One tote pool, in dollars."""

    product_type: str
    total: Amount | None = None
    status: str | None = None
    jackpot: Amount | None = None
    guarantee: Amount | None = None


class FeedTrackerRow(FeedModel):
    """One cell of the distribution of all bets: several rows a runner, whole percents, without a name or a time."""

    entrant_id: str
    hold_percentage: Percent | None = None
    bet_percentage: Percent | None = None


class FeedMoneyTracker(FeedModel):
    """The distribution of all bets of the race."""

    entrants: Rows[FeedTrackerRow] | None = None


class FeedEventBody(FeedModel):
    """Everything about one race. `entrants` was never seen; it is read in case it ever replaces `runners`."""

    race: FeedRace
    runners: Rows[FeedRunner] | None = None
    entrants: Rows[FeedRunner] | None = None
    results: Rows[FeedPlacing] | None = None
    dividends: Rows[FeedDividend] | None = None
    substitutions: Rows[FeedSubstitution] | None = None
    money_tracker: FeedMoneyTracker | None = None
    tote_pools: Rows[FeedPool] | None = None
    error: str | None = None


class EventResponse(FeedModel):
    """The whole answer of `/events/{id}`."""

    header: FeedHeader | None = None
    data: FeedEventBody


# Fields that every captured event carried, at the NZ TAB and at its sister brand alike (579 events, 6,549 runners).
EXPECTED_OF_RACE = frozenset({
    "status", "description", "actual_start", "race_number", "type", "distance", "track_condition", "entrant_count",
    "positions_paid", "prize_monies", "silk_url",
})  # fmt: skip
EXPECTED_OF_RUNNER = frozenset({
    "runner_number", "name", "barrier", "is_scratched", "scratch_time", "odds", "flucs_with_timestamp", "favourite",
    "mover", "jockey", "trainer_name", "weight", "age", "sex", "silk_colours", "silk_url_64x64",
})  # fmt: skip
