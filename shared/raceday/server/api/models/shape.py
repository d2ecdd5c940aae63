"""What all shapes share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """A JSON object with exactly these fields."""

    model_config = ConfigDict(extra="forbid")


Instant = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$",
        json_schema_extra={"format": "date-time"},
        description="ISO 8601 in UTC.",
        examples=["2026-11-22T04:00:00.000Z"],
    ),
]
Day = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        json_schema_extra={"format": "date"},
        description="The New Zealand racing date.",
        examples=["2026-11-22"],
    ),
]
Cents = Annotated[int, Field(description="Cents.", examples=[1234500])]
Price = Annotated[float, Field(description="Dollars for $1.", examples=[4.2])]
Percent = Annotated[float, Field(description="Percent.", examples=[15.5])]
RaceType = Literal["thoroughbred", "harness", "greyhound"]
RaceStatus = Literal["open", "closed", "interim", "final", "abandoned"]
