"""Every silk text of the captured responses: nearly all are understood, and the parts of some are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from raceday.domain.silks.drawing import draw_silk
from raceday.domain.silks.silk import normalised_silk, silk_id
from raceday.domain.silks.text import read_silk

UNDERSTOOD = 0.97


def silk_texts(value: object) -> Iterator[str]:
    """Every silk text of a response, however deep."""
    if isinstance(value, dict):
        text = value.get("silk_colours")
        if isinstance(text, str) and normalised_silk(text):
            yield text
        for held in value.values():
            yield from silk_texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from silk_texts(held)


@pytest.fixture(scope="module")
def texts(corpus: Path) -> list[str]:
    return sorted({text for path in corpus.rglob("*.json") for text in silk_texts(orjson.loads(path.read_bytes()))})


@pytest.mark.corpus
def test_nearly_all_texts_are_understood_and_the_others_say_so(texts: list[str]) -> None:
    assert len(texts) >= 1000
    silks = [read_silk(text) for text in texts]
    understood = [silk for silk in silks if silk.resolved]
    assert len(understood) / len(silks) >= UNDERSTOOD, [silk.text for silk in silks if not silk.resolved]
    assert all(silk.pattern is not None and silk.primary is not None for silk in understood)
    assert all(silk.unresolved and silk.pattern is None for silk in silks if not silk.resolved)


@pytest.mark.corpus
def test_icons_of_all_texts_are_small_and_ids_differ(texts: list[str]) -> None:
    assert max(len(draw_silk(read_silk(text))) for text in texts) < 6 * 1024
    assert len({silk_id(text) for text in texts}) == len({normalised_silk(text) for text in texts})


@pytest.mark.corpus
def test_all_colours_that_a_text_names_are_worn(texts: list[str]) -> None:
    """The commonest colours, counted by their words and by what was read: where they differ, something was lost."""
    lost = []
    for text in texts:
        silk = read_silk(text)
        parts = [part for part in (silk.body, silk.sleeves, silk.cap) if part]
        worn = " ".join(colour.name for part in parts for colour in part.colours)
        words = set(normalised_silk(text).replace(",", "").split())
        lost += [
            (text, word)
            for word in ("white", "black", "purple", "maroon")
            if word in words and word not in worn and silk.resolved
        ]
    assert lost == []
