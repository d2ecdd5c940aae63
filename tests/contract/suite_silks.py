"""What every store must do with silks."""

from __future__ import annotations

from dataclasses import replace

from contract.store_examples import event, race, runner, uid
from contract.store_steps import LATER, SOON, StoreTests, imported, polled, run
from raceday.domain.silks.check import ColourCheck, Verdict
from raceday.domain.silks.drawing import draw_silk
from raceday.domain.silks.jockey_silks import JockeySilks
from raceday.domain.silks.silk import silk_id
from raceday.domain.silks.text import read_silk
from raceday.store.ports import RaceStore
from raceday.store.silk_ports import SilkRunner

TEXT = "Cerise & gold hoops, white sleeves with black stars, quartered cap, red pom pom"


def kept_silks(text: str = TEXT, jockey: str = "A. Rider", **changes: object) -> JockeySilks:
    """Return silks as the job keeps them, with a picture that agreed."""
    silk = read_silk(text)
    agreed = ColourCheck(Verdict.AGREES, "the picture shows cerise and gold")
    icon = f"file:///icons/{silk.silk_id}.svg"
    whole = JockeySilks(silk, draw_silk(silk), icon, jockey, agreed, "https://silks.example.org/1.png")
    return replace(whole, **changes)  # type: ignore[arg-type]


async def silk_operations(store: RaceStore) -> None:
    """Call every operation of silks, the count excepted."""
    await store.save_silks([kept_silks(), kept_silks("red")], SOON)
    await store.silks([silk_id("red"), silk_id("blue")])
    runners = await store.silk_runners(race().race_id)
    await store.silk_runners_by_id([runner.entrant_id for runner in runners] or [uid("nobody")])


class SilkSuite(StoreTests):
    """Silks and the runners that wear them."""

    def test_silks_come_back_as_they_were_saved(self, store: RaceStore) -> None:
        saved = [
            kept_silks(),
            kept_silks("red", "", image_url="", check=ColourCheck(Verdict.NONE, "there is no picture")),
            kept_silks("red, white wombats"),
            kept_silks("zebra colours"),
        ]
        run(store.save_silks(saved, SOON))
        ids = [silks.silk.silk_id for silks in saved]
        assert run(store.silks([*ids, silk_id("nowhere")])) == dict(zip(ids, saved, strict=True))
        assert run(store.silks([])) == {}
        assert run(store.day_counts()).silks == 4

    def test_saving_twice_leaves_one_row_and_the_first_jockey(self, store: RaceStore) -> None:
        run(store.save_silks([kept_silks(jockey="")], SOON))
        run(store.save_silks([kept_silks(jockey="First")], SOON))
        run(store.save_silks([kept_silks(jockey="Second", svg="<svg/>")], LATER))
        [silks] = run(store.silks([silk_id(TEXT)])).values()
        assert (silks.jockey_name, silks.svg) == ("First", "<svg/>")
        assert run(store.day_counts()).silks == 1

    def test_the_row_has_the_columns_of_the_client(self, store: RaceStore) -> None:
        run(store.save_silks([kept_silks()], SOON))
        [row] = self.rows(store, "jockey-silks")
        assert row["$id"] == row["silkId"] == silk_id(TEXT)
        assert row["primaryColor"] == (
            '{"name":"cerise","hex":"#de2b6e","rgb":{"r":222,"g":43,"b":110},"isLight":true}'
        )
        assert str(row["secondaryColor"]).startswith('{"name":"gold"')
        assert (row["pattern"], row["jockeyName"], row["description"]) == ("hoops", "A. Rider", TEXT)
        assert str(row["svgData"]).startswith("<svg ")
        assert str(row["iconUrl"]).endswith(f"{silk_id(TEXT)}.svg")
        assert (row["resolved"], row["unresolvedWords"], row["colourCheck"]) == (True, "[]", "agrees")
        assert str(row["sleeves"]).startswith(
            '{"ground":{"name":"white","hex":"#ffffff"},"stated":true,"marks":[{"shape":"stars"'
        )

    def test_a_text_that_was_not_understood_has_no_pattern(self, store: RaceStore) -> None:
        run(store.save_silks([kept_silks("zebra colours")], SOON))
        [row] = self.rows(store, "jockey-silks")
        assert (row["resolved"], row["unresolvedWords"]) == (False, '["zebra","colours"]')
        assert (row["pattern"], row["primaryColor"], row["secondaryColor"], row["body"]) == (None, None, None, None)

    def test_a_part_that_does_not_fit_its_column_keeps_its_first_marks(self, store: RaceStore) -> None:
        wordy = kept_silks("red, black sash, " + "white blue pink grey " * 16 + "hoops")
        run(store.save_silks([wordy], SOON))
        [silks] = run(store.silks([wordy.silk.silk_id])).values()
        assert silks.silk.body is not None
        assert wordy.silk.body is not None
        assert silks.silk.body.marks == wordy.silk.body.marks[: len(silks.silk.body.marks)]
        assert 0 < len(silks.silk.body.marks) < len(wordy.silk.body.marks)

    def test_runners_come_with_their_silks_by_number(self, store: RaceStore) -> None:
        assert run(store.silk_runners(race().race_id)) == []
        run(imported(store))
        worn = runner(2, race(), silk_colours=TEXT, silk_url_64="https://a/64.png", silk_url_128="https://a/128.png")
        bare = runner(1, race(), silk_colours=None, silk_url_64=None, silk_url_128=None, jockey=None)
        run(polled(store, event(race(), SOON, entrants=(worn, bare))))
        first, second = run(store.silk_runners(race().race_id))
        assert first == SilkRunner(bare.entrant_id, "", "", "", "")
        assert second == SilkRunner(worn.entrant_id, TEXT, "Jockey 2", "https://a/128.png", "https://a/64.png")
        found = run(store.silk_runners_by_id([worn.entrant_id, uid("nobody")]))
        assert found == {worn.entrant_id: second}
        assert run(store.silk_runners_by_id([])) == {}
