"""The job that enriches silks, on a store in memory, with pictures and icons that only count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from raceday.domain.silks.check import ImageColour
from raceday.domain.silks.silk import silk_id
from raceday.errors import InvalidRequest, OutboundRefused, OutboundUnavailable, StoreUnavailable
from raceday.jobs.enrich_silks import BATCH_S, PARALLEL, SilkTools, enrich_silks
from raceday.jobs.ports import Deadline, JobPorts
from raceday.jobs.report import RunReport
from raceday.store.sqlite import SqliteStore

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
PICTURE = "https://silks.example.org/1.png"
RED_AND_GOLD = (ImageColour("#d8201f", 0.7), ImageColour("#e6b422", 0.2))


class HandClock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class CountedPictures:
    """Shows the same picture, or the same trouble, to everybody; each look takes `takes_s`."""

    shown: tuple[ImageColour, ...] | Exception = RED_AND_GOLD
    clock: HandClock | None = None
    takes_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def colours(self, url: str) -> Sequence[ImageColour]:
        self.asked.append(url)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        if self.clock is not None:
            await self.clock.sleep(self.takes_s)
        self.at_once -= 1
        if isinstance(self.shown, Exception):
            raise self.shown
        return self.shown


@dataclass
class CountedIcons:
    """Keeps icons in memory; those named in `refused` cannot be kept."""

    refused: frozenset[str] = frozenset()
    saved: list[str] = field(default_factory=list)

    async def save(self, key: str, svg: str) -> str:
        if key in self.refused:
            raise StoreUnavailable("the disk is full")
        self.saved.append(key)
        return f"memory:{key}"


class NoLog:
    """Keeps what was logged as information."""

    def __init__(self) -> None:
        self.lines: list[Mapping[str, object]] = []

    def info(self, action: str, **fields: object) -> None:
        self.lines.append({"action": action} | fields)


@dataclass
class Scene:
    """One process: a store, and what runs in it."""

    store: SqliteStore
    clock: HandClock = field(default_factory=HandClock)
    pictures: CountedPictures | None = field(default_factory=CountedPictures)
    icons: CountedIcons = field(default_factory=CountedIcons)
    log: NoLog = field(default_factory=NoLog)

    async def call(self, silks: object, seconds: float = 60) -> RunReport:
        """Run the job once."""
        ports: Any = JobPorts(
            function="jockey-silks-enricher",
            owner="run",
            feed=None,
            store=self.store,
            clock=self.clock,
            executions=None,
            log=self.log,
            deadline=Deadline.after(self.clock, seconds),
            report=RunReport(),
        )
        return await enrich_silks(ports, {"silks": silks}, SilkTools(self.icons, self.pictures))


def play(story: Callable[[Scene], Awaitable[Any]], **settings: Any) -> Any:
    """Run a story on a fresh store."""

    async def live() -> Any:
        scene = Scene(SqliteStore.open(":memory:"), **settings)
        try:
            return await story(scene)
        finally:
            await scene.store.close()

    return asyncio.run(live())


def counts(report: RunReport) -> tuple[int, int, int, int]:
    return report.processed, report.failed, report.skipped, report.remaining


def with_picture(text: str) -> dict[str, str]:
    return {"text": text, "imageUrl": PICTURE}


def silks_of(report: RunReport) -> Any:
    return report.details["silks"]


def test_the_answer_is_the_clients_object() -> None:
    async def story(scene: Scene) -> None:
        report = await scene.call([{"text": "Red, gold sash", "jockeyName": "A. Rider", "imageUrl": PICTURE}])
        [silks] = silks_of(report)
        key = silk_id("red, gold sash")
        assert silks.pop("svgData").startswith("<svg ")
        assert silks == {
            "silkId": key,
            "jockeyName": "A. Rider",
            "primaryColor": {"name": "red", "hex": "#d8201f", "rgb": {"r": 216, "g": 32, "b": 31}, "isLight": False},
            "secondaryColor": {"name": "gold", "hex": "#e6b422", "rgb": {"r": 230, "g": 180, "b": 34}, "isLight": True},
            "pattern": "stripes",
            "iconUrl": f"memory:{key}",
            "description": "Red, gold sash",
            "resolved": True,
            "unresolvedWords": [],
            "colourCheck": "agrees",
            "colourCheckReason": "the picture shows red and gold",
            "entrantIds": [],
        }
        assert counts(report) == (1, 0, 0, 0)

    play(story)


def test_a_second_call_asks_nobody_and_writes_nothing() -> None:
    async def story(scene: Scene) -> None:
        asked = [with_picture("red, gold sash"), "blue", "zebra colours"]
        first = await scene.call(asked)
        written = scene.store.transactions
        again = await scene.call([with_picture("RED, GOLD  SASH"), "Blue", "zebra colours", "blue."])
        assert counts(first) == (3, 0, 0, 0)
        assert counts(again) == (0, 0, 3, 0)
        assert silks_of(again) == silks_of(first)
        assert scene.pictures.asked == [PICTURE]
        assert len(scene.icons.saved) == 3
        assert scene.store.transactions == written

    play(story)


def test_a_text_that_was_not_understood_is_read_again_when_its_words_are_learnt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(scene: Scene) -> None:
        await scene.call(["red, white wombat"])
        monkeypatch.setitem(_shape_words(), "wombat", _figure())
        report = await scene.call(["red, white wombat"])
        assert counts(report) == (1, 0, 0, 0)
        assert (silks_of(report)[0]["pattern"], silks_of(report)[0]["resolved"]) == ("spots", True)
        assert counts(await scene.call(["red, white wombat"])) == (0, 0, 1, 0)

    play(story)


def _shape_words() -> dict[str, object]:
    from raceday.domain.silks import words as silk_words

    return silk_words._SHAPES


def _figure() -> object:
    from raceday.domain.silks.shapes import Shape

    return Shape.FIGURE


@pytest.mark.parametrize(
    ("shown", "verdict", "reason"),
    [
        ((ImageColour("#0000ff", 1.0),), "differs", "the picture shows no red and no gold"),
        (
            OutboundRefused("silks.example.org is not on the list"),
            "unavailable",
            "silks.example.org is not on the list",
        ),
        (OutboundUnavailable("silks.example.org did not answer"), "unavailable", "silks.example.org did not answer"),
    ],
)
def test_trouble_with_a_picture_changes_nothing_but_the_check(shown: Any, verdict: str, reason: str) -> None:
    async def story(scene: Scene) -> None:
        [silks] = silks_of(await scene.call([with_picture("red, gold sash")]))
        assert (silks["colourCheck"], silks["colourCheckReason"]) == (verdict, reason)
        assert (silks["pattern"], silks["primaryColor"]["name"], silks["resolved"]) == ("stripes", "red", True)
        assert [line["reason"] for line in scene.log.lines] == [reason]

    play(story, pictures=CountedPictures(shown))


def test_no_picture_is_asked_for_without_need() -> None:
    async def story(scene: Scene) -> None:
        checks = silks_of(await scene.call(["red", with_picture("zebra colours")]))
        assert [silks["colourCheck"] for silks in checks] == ["none", "none"]
        assert scene.pictures.asked == []

    play(story)

    async def on_a_stand_in(scene: Scene) -> None:
        [silks] = silks_of(await scene.call([with_picture("red")]))
        assert silks["colourCheck"] == "unavailable"
        assert "stand-in" in silks["colourCheckReason"]

    play(on_a_stand_in, pictures=None)


COLOURS = ("red", "blue", "green", "gold", "pink", "grey", "black", "white", "aqua", "teal", "cream", "brown")
TWELVE = [with_picture(f"{colour}, gold sash" if colour != "gold" else "gold") for colour in COLOURS]


def test_at_most_five_pictures_are_fetched_at_once() -> None:
    async def story(scene: Scene) -> None:
        assert counts(await scene.call(TWELVE)) == (12, 0, 0, 0)
        assert (len(scene.pictures.asked), scene.pictures.most_at_once) == (12, PARALLEL)

    play(story)


def test_what_the_time_does_not_reach_remains_and_is_done_by_the_next_run() -> None:
    async def story(scene: Scene) -> None:
        scene.pictures = CountedPictures(clock=scene.clock, takes_s=2)
        first = await scene.call(TWELVE, seconds=BATCH_S + 5)
        assert counts(first) == (5, 0, 0, 7)
        assert [silks["description"] for silks in silks_of(first)] == [asked["text"] for asked in TWELVE[:5]]
        rest = await scene.call(TWELVE)
        assert counts(rest) == (7, 0, 5, 0)
        assert len(scene.pictures.asked) == 12

    play(story)


def test_an_icon_that_cannot_be_kept_costs_only_its_silks() -> None:
    async def story(scene: Scene) -> None:
        report = await scene.call(["red", "blue", "green"])
        assert counts(report) == (2, 1, 0, 0)
        assert [silks["description"] for silks in silks_of(report)] == ["red", "green"]
        assert (report.failures[0].subject, report.failures[0].message) == (silk_id("blue"), "the disk is full")
        scene.icons.refused = frozenset()
        assert counts(await scene.call(["red", "blue", "green"])) == (1, 0, 2, 0)

    play(story, icons=CountedIcons(frozenset({silk_id("blue")})))


def test_a_run_that_dies_before_the_row_leaves_an_icon_and_the_next_one_writes_both() -> None:
    async def story(scene: Scene) -> None:
        class Killed(Exception):
            pass

        async def killed(*_: object) -> None:
            raise Killed

        whole, scene.store.save_silks = scene.store.save_silks, killed  # type: ignore[method-assign]
        with pytest.raises(Killed):
            await scene.call(["red"])
        assert scene.icons.saved == [silk_id("red")]
        assert (await scene.store.day_counts()).silks == 0
        scene.store.save_silks = whole  # type: ignore[method-assign]
        assert counts(await scene.call(["red"])) == (1, 0, 0, 0)

    play(story)


def test_silks_shared_by_several_keep_the_first_jockey_and_picture() -> None:
    async def story(scene: Scene) -> None:
        asked = [
            "red",
            {"text": "RED", "jockeyName": "First"},
            {"text": "Red.", "jockeyName": "Second", "imageUrl": PICTURE},
        ]
        [silks] = silks_of(await scene.call(asked))
        assert (silks["jockeyName"], silks["description"]) == ("First", "red")
        assert scene.pictures.asked == [PICTURE]

    play(story)


@pytest.mark.parametrize(
    ("silks", "field"),
    [
        ("red", "silks"),
        ([], "silks"),
        (["red"] * 201, "silks"),
        ([7], "silks[0]"),
        (["red", ""], "silks[1].text"),
        (["red", " , ."], "silks[1].text"),
        ([{"jockeyName": "A"}], "silks[0].text"),
        ([{"text": 7}], "silks[0].text"),
        ([{"text": "x" * 501}], "silks[0].text"),
        ([{"text": "red", "jockeyName": None}], "silks[0].jockeyName"),
        ([{"text": "red", "jockeyName": "x" * 256}], "silks[0].jockeyName"),
        ([{"text": "red", "imageUrl": 1}], "silks[0].imageUrl"),
        ([{"text": "red", "picture": PICTURE}], "silks[0].picture"),
    ],
)
def test_wrong_input_is_named(silks: object, field: str) -> None:
    async def story(scene: Scene) -> None:
        with pytest.raises(InvalidRequest) as refused:
            await scene.call(silks)
        assert refused.value.field == field
        assert (await scene.store.day_counts()).silks == 0

    play(story)
