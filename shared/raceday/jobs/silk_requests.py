"""Which silks a caller of jockey-silks-enricher asks for: the body of its request, and the runners behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from raceday.domain.ids import is_uuid
from raceday.domain.silks.silk import normalised_silk, silk_id
from raceday.errors import InvalidRequest, UnknownRace
from raceday.jobs.ports import JobPorts
from raceday.store.silk_ports import SilkRunner

MAX_ASKED = 200
MAX_TEXT = 500
MAX_NAME = 255
MAX_URL = 500
FIELDS = ("raceId", "entrantIds", "silks")


@dataclass(frozen=True, slots=True)
class AskedSilks:
    """Silks that were asked for, who wears them, and a picture of them; "" for what is not known."""

    silk_id: str
    text: str
    jockey_name: str = ""
    image_url: str = ""
    entrant_ids: tuple[str, ...] = ()


async def asked_silks(ports: JobPorts, body: Mapping[str, object]) -> list[AskedSilks]:
    """Return the different silks of a request, in its order; runners without a silk text count as skipped.

    The body holds exactly one of `raceId` (a UUID), `entrantIds` (1 to 200 UUIDs) and `silks` (1 to 200 silk texts,
    or objects of `text`, `jockeyName` and `imageUrl`). Raises `InvalidRequest` naming the field that is wrong, and
    `UnknownRace`.
    """
    given = [field for field in FIELDS if field in body]
    if len(given) != 1:
        wrong = given[1] if given else "raceId"
        found = f"stands beside {given[0]}" if given else "is missing"
        raise InvalidRequest(wrong, f"{found}: give one of raceId, entrantIds, silks")
    match given[0]:
        case "raceId":
            return _different(_of_runners(ports, await _race_runners(ports, body["raceId"])))
        case "entrantIds":
            return _different(_of_runners(ports, await _named_runners(ports, body["entrantIds"])))
        case _:
            return _different(_told(position, told) for position, told in enumerate(_list("silks", body["silks"])))


async def _race_runners(ports: JobPorts, asked: object) -> Sequence[SilkRunner]:
    race_id = _uuid("raceId", asked)
    runners = await ports.store.silk_runners(race_id)
    if not runners and await ports.store.race(race_id) is None:
        raise UnknownRace(race_id)
    return runners


async def _named_runners(ports: JobPorts, asked: object) -> Sequence[SilkRunner]:
    entrant_ids = [_uuid(f"entrantIds[{n}]", entrant_id) for n, entrant_id in enumerate(_list("entrantIds", asked))]
    stored = await ports.store.silk_runners_by_id(entrant_ids)
    if not stored:
        raise InvalidRequest("entrantIds", "names no runner that is stored: run daily-entrants for its day first")
    for position, entrant_id in enumerate(entrant_ids):
        if entrant_id not in stored:
            ports.report.fail(entrant_id, InvalidRequest(f"entrantIds[{position}]", "is no runner that is stored"))
    return [stored[entrant_id] for entrant_id in dict.fromkeys(entrant_ids) if entrant_id in stored]


def _of_runners(ports: JobPorts, runners: Sequence[SilkRunner]) -> list[AskedSilks]:
    asked: list[AskedSilks] = []
    for runner in runners:
        if not normalised_silk(runner.silk_text):
            ports.report.skip()
            continue
        image_url = runner.image_url_128 or runner.image_url_64
        key = silk_id(runner.silk_text)
        asked.append(AskedSilks(key, runner.silk_text, runner.jockey_name, image_url, (runner.entrant_id,)))
    return asked


def _told(position: int, told: object) -> AskedSilks:
    field = f"silks[{position}]"
    if isinstance(told, str):
        told = {"text": told}
    if not isinstance(told, dict):
        raise InvalidRequest(field, "is neither a silk text nor an object with text")
    unknown = next((name for name in told if name not in {"text", "jockeyName", "imageUrl"}), None)
    if unknown is not None:
        raise InvalidRequest(f"{field}.{unknown}", "is not known: silks take text, jockeyName, imageUrl")
    text = _text(f"{field}.text", told.get("text"), MAX_TEXT)
    if not normalised_silk(text):
        raise InvalidRequest(f"{field}.text", "is missing: give a silk text")
    jockey = _text(f"{field}.jockeyName", told.get("jockeyName", ""), MAX_NAME)
    return AskedSilks(silk_id(text), text, jockey, _text(f"{field}.imageUrl", told.get("imageUrl", ""), MAX_URL))


def _different(asked: Iterable[AskedSilks]) -> list[AskedSilks]:
    """Return each silk once, with the first jockey and picture known of it and all runners that wear it."""
    different: dict[str, AskedSilks] = {}
    for silks in asked:
        before = different.setdefault(silks.silk_id, silks)
        if before is not silks:
            different[silks.silk_id] = replace(
                before,
                jockey_name=before.jockey_name or silks.jockey_name,
                image_url=before.image_url or silks.image_url,
                entrant_ids=before.entrant_ids + silks.entrant_ids,
            )
    return list(different.values())


def _list(field: str, value: object) -> list[object]:
    if not isinstance(value, list) or not value:
        raise InvalidRequest(field, f"is no list: give 1 to {MAX_ASKED}")
    if len(value) > MAX_ASKED:
        raise InvalidRequest(field, f"has {len(value)} entries: at most {MAX_ASKED} are taken, call twice")
    return value


def _uuid(field: str, value: object) -> str:
    if not isinstance(value, str) or not is_uuid(value):
        raise InvalidRequest(field, "is not a UUID such as 0f57e087-00d9-4c61-9549-835abe2ae2ed")
    return value.lower()


def _text(field: str, value: object, size: int) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(field, "is missing" if value is None else "is no text")
    if len(value) > size:
        raise InvalidRequest(field, f"has {len(value)} characters: at most {size} are taken")
    return value
