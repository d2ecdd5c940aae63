"""Reads, draws and keeps silks that are not kept yet (jockey-silks-enricher)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from raceday.domain.silks.check import ColourCheck, ImageColour, Verdict, check_colours
from raceday.domain.silks.drawing import draw_silk
from raceday.domain.silks.jockey_silks import JockeySilks, client_silk
from raceday.domain.silks.silk import Silk
from raceday.domain.silks.text import read_silk
from raceday.errors import OutboundRefused, OutboundUnavailable, RaceDayError
from raceday.jobs.ports import JobPorts
from raceday.jobs.report import RunReport
from raceday.jobs.silk_requests import AskedSilks, asked_silks
from raceday.store.silk_ports import Icons

PARALLEL = 5
"""Pictures fetched at once, and silks written at once."""
BATCH_S = 8.0
"""The longest that so many silks take: the time limit of a picture, and some for the rest."""


class Pictures(Protocol):
    """Where pictures of silks are looked at."""

    async def colours(self, url: str) -> Sequence[ImageColour]:
        """Return the dominant colours of a picture.

        Raises `OutboundRefused` when it may not be had, `OutboundUnavailable` when it cannot be had now.
        """
        ...


@dataclass(frozen=True, slots=True)
class SilkTools:
    """What enriching silks takes beside the ports; `pictures` is None where no picture may be fetched."""

    icons: Icons
    pictures: Pictures | None


async def enrich_silks(ports: JobPorts, body: Mapping[str, object], tools: SilkTools) -> RunReport:
    """Read, draw and keep the silks of a request, and answer with all that are kept.

    Silks that are kept already cost nothing but a look into the store; those that were not understood are read
    again, for words are learnt. A picture never changes what the text says, and trouble with one never fails the
    silks. Raises `InvalidRequest` and `UnknownRace` as `asked_silks` does.
    """
    asked = await asked_silks(ports, body)
    kept = await ports.store.silks([silks.silk_id for silks in asked])
    new: list[tuple[AskedSilks, Silk]] = []
    for silks in asked:
        before = kept.get(silks.silk_id)
        if before is not None and before.silk.resolved:
            ports.report.skip()
            continue
        read = read_silk(silks.text)
        if before is not None and not read.resolved:
            ports.report.skip()
            continue
        new.append((silks, read))
    await _keep(ports, new, tools, kept)
    ports.report.details["silks"] = [
        client_silk(kept[silks.silk_id]) | {"entrantIds": list(silks.entrant_ids)}
        for silks in asked
        if silks.silk_id in kept
    ]
    return ports.report


async def _keep(
    ports: JobPorts, new: Sequence[tuple[AskedSilks, Silk]], tools: SilkTools, kept: dict[str, JockeySilks]
) -> None:
    """Keep new silks, some at a time, as long as the time lasts; `kept` takes them up."""
    for first in range(0, len(new), PARALLEL):
        if not ports.deadline.allows(BATCH_S):
            ports.report.remaining += len(new) - first
            return
        batch = new[first : first + PARALLEL]
        made = await asyncio.gather(*(_made(ports, silks, read, tools) for silks, read in batch))
        whole = [silks for silks in made if silks is not None]
        if whole:
            await ports.store.save_silks(whole, ports.clock.now())
        for silks in whole:
            kept[silks.silk.silk_id] = silks
            ports.report.done()


async def _made(ports: JobPorts, asked: AskedSilks, silk: Silk, tools: SilkTools) -> JockeySilks | None:
    """Return silks whose icon is in its place, or None when it could not be put there.

    The icon comes before the row: a run that is killed between the two leaves no row without its icon.
    """
    check = await _check(ports, asked, silk, tools.pictures)
    svg = draw_silk(silk)
    try:
        icon_url = await tools.icons.save(silk.silk_id, svg)
    except RaceDayError as error:
        ports.report.fail(silk.silk_id, error)
        return None
    return JockeySilks(silk, svg, icon_url, asked.jockey_name, check, asked.image_url)


async def _check(ports: JobPorts, asked: AskedSilks, silk: Silk, pictures: Pictures | None) -> ColourCheck:
    if not asked.image_url:
        return ColourCheck(Verdict.NONE, "there is no picture")
    if not silk.resolved:
        return check_colours(silk, ())
    if pictures is None:
        return ColourCheck(Verdict.UNAVAILABLE, "no pictures are fetched while the feed is a stand-in")
    try:
        check = check_colours(silk, await pictures.colours(asked.image_url))
    except (OutboundRefused, OutboundUnavailable) as error:
        check = ColourCheck(Verdict.UNAVAILABLE, str(error))
    if check.verdict is not Verdict.AGREES:
        ports.log.info("silk_picture", silk_id=silk.silk_id, verdict=check.verdict.value, reason=check.reason)
    return check
