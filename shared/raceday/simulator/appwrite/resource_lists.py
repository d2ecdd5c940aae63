"""Lists of everything but rows: 25 at a time unless more are asked for, filtered and ordered by their own fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from raceday.simulator.appwrite.errors import invalid_query
from raceday.simulator.appwrite.queries import DEFAULT_LIMIT, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from raceday.simulator.appwrite.queries import Query


def listed(name: str, shown: Sequence[Mapping[str, object]], queries: object) -> dict[str, object]:
    """Return `{"total": …, name: […]}` of things as they are shown; knows equal, orders, limit and offset."""
    found = list(shown)
    limit, offset = DEFAULT_LIMIT, 0
    for query in parsed(queries):
        if query.method == "equal":
            found = [one for one in found if one.get(query.attribute) in query.values]
        elif query.method in {"orderAsc", "orderDesc"}:
            found = _ordered(found, query)
        elif query.method == "limit":
            limit = _whole(query)
        elif query.method == "offset":
            offset = _whole(query)
        else:
            raise invalid_query(f"{query.method} is not for this list")
    return {"total": len(found), name: found[offset : offset + limit]}


def _ordered(found: list[Mapping[str, object]], query: Query) -> list[Mapping[str, object]]:
    def key(one: Mapping[str, object]) -> Any:  # noqa: ANN401 - one field's values compare with each other
        return one.get(query.attribute or "$createdAt")

    return sorted(found, key=key, reverse=query.method == "orderDesc")


def _whole(query: Query) -> int:
    value = query.values[0] if query.values else None
    if not isinstance(value, int):
        raise invalid_query(f"{query.method} needs a whole number")
    return value
