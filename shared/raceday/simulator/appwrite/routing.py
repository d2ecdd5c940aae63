"""Finding what answers a path: by its method and the number of its parts, for a race day asks 90,000 times."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from raceday.simulator.appwrite.gate import ApiRoute

_Parts = tuple[tuple[str, bool], ...]
"""The parts of a path between the slashes, each with whether it names an id."""


class Routes:
    """All routes; of two that fit a path the earlier one holds."""

    def __init__(self, routes: Iterable[tuple[str, ApiRoute]], base_path: str) -> None:
        """Take methods and routes; their paths follow `base_path`."""
        self._by_shape: defaultdict[tuple[str, int], list[tuple[_Parts, ApiRoute]]] = defaultdict(list)
        for method, route in routes:
            parts = tuple(_part(text) for text in f"{base_path}{route.path}".split("/"))
            self._by_shape[method, len(parts)].append((parts, route))

    def find(self, method: str, path: str) -> tuple[ApiRoute, dict[str, str]] | None:
        """Return the route of a path and the ids in it; None when there is none, or none for the method."""
        texts = path.split("/")
        for parts, route in self._by_shape.get((method, len(texts)), ()):
            if all(text if is_id else text == name for (name, is_id), text in zip(parts, texts, strict=True)):
                return route, {name: text for (name, is_id), text in zip(parts, texts, strict=True) if is_id}
        return None


def _part(text: str) -> tuple[str, bool]:
    is_id = text.startswith("{")
    return text.strip("{}"), is_id
