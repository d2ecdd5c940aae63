"""Query parameters: declared once as a model, read in both spellings, and documented from the same model.

FastAPI's own query parameters let repeated and unknown names pass and know one spelling only; here `raceId` and
`race_id` are the same, and whatever is not understood is refused by its name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_origin
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic.alias_generators import to_camel

from raceday.errors import InvalidRequest

_ID = r"[A-Za-z0-9._-]{1,50}"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE_NUMBERS = (int, int | None)
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})")


class Asked(BaseModel):
    """The parameters of one endpoint. Fields are in snake_case; the document shows camelCase."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def plain_numbers(cls, sent: object, about: ValidationInfo) -> object:
        """Refuse what only Python takes for a whole number: `1_0`, ` 5`."""
        wanted = cls.model_fields[about.field_name or ""].annotation
        if wanted in _WHOLE_NUMBERS and isinstance(sent, str) and not _WHOLE.fullmatch(sent):
            raise ValueError("a whole number is wanted, as 50")
        return sent


AskedT = TypeVar("AskedT", bound=Asked)


def _known_id(text: object) -> object:
    if not isinstance(text, str) or not re.fullmatch(_ID, text):
        raise ValueError("an id is 1 to 50 letters, digits, '.', '_' and '-'")
    return text


def _day(text: object) -> object:
    if isinstance(text, str) and not _DATE.fullmatch(text):
        raise ValueError("a date is written YYYY-MM-DD, as 2026-11-22")
    return text


def _moment(text: object) -> object:
    """A `+` that was not encoded arrives as a space."""
    if not isinstance(text, str):
        return text
    whole = text.replace(" ", "+")
    if not _INSTANT.fullmatch(whole):
        raise ValueError("an instant is written in ISO 8601 with its zone, as 2026-11-22T04:00:00Z")
    return whole


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("this instant has no year in UTC") from None


StoredId = Annotated[str, BeforeValidator(_known_id), WithJsonSchema({"type": "string", "pattern": f"^{_ID}$"})]
RacingDate = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_in_utc)]
UserId = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f]+$")]


def asked(request: Request, model: type[AskedT]) -> AskedT:
    """Return the parameters of a request; raises `InvalidRequest` that names the one that cannot be used."""
    query: bytes = request.scope.get("query_string", b"")
    given = _given(query.decode("latin-1"), model)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _refusal(error, given) from None


def path_id(request: Request, name: str) -> str:
    """Return the id in a request's path; raises `InvalidRequest` when it cannot be one."""
    text = str(request.path_params[name])
    try:
        _known_id(text)
    except ValueError as error:
        raise InvalidRequest(name, f"cannot be used: {error}") from None
    return text


def _given(query: str, model: type[Asked]) -> dict[str, object]:
    """Return what was given, by the documented names."""
    names = _spellings(model)
    said: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for spelling, value in parse_qsl(query, keep_blank_values=True):
        if spelling not in names:
            known = ", ".join(_documented(model)) or "none"
            raise InvalidRequest(spelling[:50], f"is not known here; known are: {known}")
        said[names[spelling]][spelling].append(value)
    lists = _lists(model)
    return {name: _said(name, by_spelling, several=name in lists) for name, by_spelling in said.items()}


def _said(name: str, by_spelling: Mapping[str, list[str]], *, several: bool) -> object:
    """Return the one value of a parameter, or all values of a list, comma-separated ones apart."""
    if len({tuple(values) for values in by_spelling.values()}) > 1:
        raise InvalidRequest(name, f"is given as {' and as '.join(by_spelling)} with different values: give one")
    values = next(iter(by_spelling.values()))
    if several:
        return [part for value in values for part in value.split(",")]
    if len(values) > 1:
        raise InvalidRequest(name, "is given more than once: give one value")
    return values[0]


def _refusal(error: ValidationError, given: Mapping[str, object]) -> InvalidRequest:
    fault = error.errors(include_url=False)[0]
    name = str(fault["loc"][0])
    if name not in given:
        return InvalidRequest(name, f"is required: add ?{name}=… to the address")
    return InvalidRequest(name, "cannot be used: " + fault["msg"].removeprefix("Value error, "))


@lru_cache(maxsize=64)
def _spellings(model: type[Asked]) -> dict[str, str]:
    documented = {to_camel(name): to_camel(name) for name in model.model_fields}
    return documented | {name: to_camel(name) for name in model.model_fields}


@lru_cache(maxsize=64)
def _documented(model: type[Asked]) -> tuple[str, ...]:
    return tuple(to_camel(name) for name in model.model_fields)


@lru_cache(maxsize=64)
def _lists(model: type[Asked]) -> frozenset[str]:
    return frozenset(
        to_camel(name)
        for name, field in model.model_fields.items()
        if any(get_origin(part) is list for part in (field.annotation, *getattr(field.annotation, "__args__", ())))
    )


def documented(model: type[Asked], *path: tuple[str, str]) -> list[dict[str, Any]]:
    """Return the parameters as the OpenAPI document lists them: the path's (name and meaning), then the query's."""
    of_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": meaning,
            "schema": {"type": "string", "pattern": f"^{_ID}$"},
            "example": "5b1c3a70-62aa-4f4e-8f6d-0c6f0d6a1f10",
        }
        for name, meaning in path
    ]
    schema = model.model_json_schema()
    required = schema.get("required", ())
    return of_path + [
        _documented_parameter(name, declared, name in required)
        for name, declared in schema.get("properties", {}).items()
    ]


def _documented_parameter(name: str, declared: dict[str, Any], required: bool) -> dict[str, Any]:
    schema = {key: value for key, value in declared.items() if key not in {"title", "description", "examples"}}
    options = [option for option in schema.pop("anyOf", ()) if option != {"type": "null"}]
    if options:
        schema |= options[0]
    if schema.get("default", 0) is None:
        del schema["default"]
    snake = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
    also = f" Also read as `{snake}`." if snake != name else ""
    parameter = {
        "name": name,
        "in": "query",
        "required": required,
        "description": declared.get("description", "") + also,
        "schema": schema,
        "example": declared["examples"][0],
    }
    return parameter | ({"style": "form", "explode": True} if schema.get("type") == "array" else {})
