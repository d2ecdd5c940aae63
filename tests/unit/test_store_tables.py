"""The catalogue is well formed and holds the original client's contract (its fit: test_platform_schema)."""

from __future__ import annotations

import re

import pytest

from raceday.store.tables import CATALOGUE, Table

by_name = pytest.mark.parametrize("table", CATALOGUE, ids=lambda table: table.name)


def test_the_tables() -> None:
    assert {table.name for table in CATALOGUE} == {
        "meetings", "races", "entrants", "race-results", "odds-history", "money-flow-history", "race-pools",
        "jockey-silks", "user-alert-configs", "notifications", "poll_logs", "race-polls", "poll-claims",
        "function-runs", "daily-stages", "user-alert-channels", "alert-backlog", "race-closings", "sweeps",
    }  # fmt: skip


@by_name
def test_every_index_names_columns_that_exist(table: Table) -> None:
    names = {column.name for column in table.columns}
    for index in table.indexes:
        assert index.columns
        assert names.issuperset(index.columns), index.name


@by_name
def test_names_are_unique_and_allowed(table: Table) -> None:
    assert re.fullmatch(r"[a-z][a-z_-]{0,35}", table.name)
    for names in ([column.name for column in table.columns], [index.name for index in table.indexes]):
        assert len(names) == len(set(names))
    for column in table.columns:
        # Appwrite takes at most 36 characters of letters, digits, '.', '_', '-'; the contract is camelCase.
        assert re.fullmatch(r"[a-z][A-Za-z0-9]{0,35}|last_poll_time", column.name)


@by_name
def test_texts_have_a_size_and_nothing_else_has(table: Table) -> None:
    for column in table.columns:
        assert (column.size > 0) == (column.kind == "text"), column.name


@by_name
def test_a_required_column_has_no_default(table: Table) -> None:
    """Appwrite refuses a default on a required column."""
    assert [column.name for column in table.columns if column.required and column.default is not None] == []


def test_asking_for_a_column_that_is_not_there_says_which() -> None:
    with pytest.raises(KeyError, match=r"table meetings has no column colour"):
        CATALOGUE[0].column("colour")


# Facts of the original's data model: t12 a text of 12, i an integer, f a float, b a boolean, d an instant; ! required.
CONTRACT = {
    "meetings": "meetingId t50! meetingName t255! country t10! state t10 raceType t50! category t10 categoryName t100 "
    "date d trackCondition t50 status t50! trackDirection t20 trackSurface t50 railPosition t100 weather t50 "
    "lastUpdated d apiGeneratedTime d dataSource t50",
    "races": "raceId t50! name t255! raceNumber i! startTime d! actualStart d toteStartTime t20 startTimeNz t30 "
    "raceDateNz t15 distance i trackCondition t100 trackSurface t50 weather t50 status t50! type t10 "
    "totalPrizeMoney i entrantCount i fieldSize i positionsPaid i lastUpdated d importedAt d last_poll_time d "
    "lastStatusChange d finalizedAt d abandonedAt d silkUrl t500 silkBaseUrl t200 videoChannels t500 meeting t50",
    "race-results": "raceId t50 resultsAvailable b resultStatus t20 resultTime d resultsData t20000 "
    "fixedOddsData t20000 dividendsData t30000 photoFinish b stewardsInquiry b protestLodged b",
    "entrants": "entrantId t50! name t255! runnerNumber i! barrier i raceId t50 isScratched b isLateScratched b "
    "favourite b mover b scratchTime i runnerChange t500 fixedWinOdds f fixedPlaceOdds f poolWinOdds f "
    "poolPlaceOdds f jockey t255 trainerName t255 silkColours t100 silkUrl64 t500 silkUrl128 t500 lastUpdated d "
    "importedAt d",
    "odds-history": "odds f! eventTimestamp d! type t20!",
    "money-flow-history": "raceId t50 entrantId t50 type t30! eventTimestamp d! pollingTimestamp d holdPercentage f "
    "betPercentage f timeToStart i timeInterval i intervalType t10 poolType t10 winPoolAmount i placePoolAmount i "
    "totalPoolAmount i incrementalAmount i incrementalWinAmount i incrementalPlaceAmount i winPoolPercentage f "
    "placePoolPercentage f fixedWinOdds f fixedPlaceOdds f poolWinOdds f poolPlaceOdds f isConsolidated b "
    "bucketDocumentId t100 rawPollingData t2000 dataQualityScore i pollingLatencyMs i mathematicallyConsistent b "
    "isStale b",
    "race-pools": "raceId t50! winPoolTotal i placePoolTotal i quinellaPoolTotal i trifectaPoolTotal i "
    "exactaPoolTotal i first4PoolTotal i totalRacePool i currency t10 lastUpdated d",
    "user-alert-configs": "userId t50! indicatorType t50 percentageRangeMin f percentageRangeMax f color t20 "
    "isDefault b enabled b! displayOrder i audibleAlertsEnabled b lastUpdated d createdAt d alertType t50 "
    "threshold f timeWindowSeconds i entrantId t50 raceId t50",
    "notifications": "userId t50! title t255! message t1000! type t50! read b raceId t50 entrantId t50",
}
KINDS = {"t": "text", "i": "integer", "f": "float", "b": "boolean", "d": "datetime"}


@pytest.mark.parametrize("name", CONTRACT)
def test_the_client_contract_is_held(name: str) -> None:
    table = next(table for table in CATALOGUE if table.name == name)
    words = CONTRACT[name].split()
    for column_name, kind in zip(words[::2], words[1::2], strict=True):
        column = table.column(column_name)
        assert column.kind == KINDS[kind[0]], column_name
        assert column.required == kind.endswith("!"), column_name
        assert column.size >= int(kind[1:].rstrip("!") or 0), column_name
