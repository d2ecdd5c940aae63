"""Alert ranges and notifications, as they are sent and answered."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AliasChoices, AliasGenerator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from raceday.server.api.models.shape import Instant, Percent, Shape
from raceday.server.api.parameters import UserId

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]


class AlertRange(Shape):
    """One of the six ranges; one that was never saved has no dates."""

    indicator_id: str
    user_id: str
    indicator_type: Literal["percentage_range"]
    percentage_range_min: Percent
    percentage_range_max: Percent | None = Field(description="Exclusive; null for no end.")
    color: str = Field(examples=["#BFDBFE"])
    is_default: bool
    enabled: bool
    display_order: int
    audible_alerts_enabled: bool
    created_at: Instant | None
    updated_at: Instant | None


class AlertRanges(Shape):
    """The six ranges of a user, by display order."""

    user_id: str
    indicators: list[AlertRange]
    toggle_all: bool = Field(description="All six are enabled.")
    audible_alerts_enabled: bool


class SavedAlertRanges(AlertRanges):
    """The six ranges as they are after a save."""

    success: Literal[True]


class NotificationAnswer(Shape):
    """What a user was told."""

    notification_id: str
    user_id: str
    title: str
    message: str
    type: str
    race_id: str | None
    entrant_id: str | None
    config_id: str | None
    crossed_at: Instant
    value_before: float | None
    value_after: float | None
    change: float | None
    time_interval: int | None
    color: str | None
    read: bool


class Sent(BaseModel):
    """A body, or a part of one, in either spelling. What is only answered may be sent back, and changes nothing."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=lambda name: AliasChoices(name, to_camel(name))),
        extra="ignore",
        json_schema_extra=lambda schema, model: schema.update(propertyNames={"enum": model.spellings()}),
    )
    known: ClassVar[tuple[str, ...]]
    """The names of all that may be sent, in snake_case."""

    @classmethod
    def spellings(cls) -> list[str]:
        """Return the known names, each in both spellings."""
        return list(dict.fromkeys(spelling for name in cls.known for spelling in (name, to_camel(name))))

    @model_validator(mode="before")
    @classmethod
    def only_known(cls, sent: object) -> object:
        """Refuse a field that nobody knows: who misspells one would take it for saved."""
        if isinstance(sent, dict) and (unknown := sent.keys() - cls.spellings()):
            # A name may hold half a surrogate pair, which no answer can be written with.
            shown = sorted(name.encode("utf-8", "backslashreplace").decode()[:50] for name in unknown)[:5]
            verb = "is" if len(unknown) == 1 else "are"
            raise ValueError(f"{', '.join(shown)} {verb} not known here; known are: {', '.join(cls.known)}")
        return sent

    @model_validator(mode="before")
    @classmethod
    def one_spelling(cls, sent: object) -> object:
        """Refuse a field that is there in both spellings with different values."""
        if isinstance(sent, dict):
            for name in cls.model_fields:
                camel = to_camel(name)
                if name in sent and camel in sent and sent[name] != sent[camel]:
                    raise ValueError(f"{name} and {camel} are one field: send one value")
        return sent


class SentRange(Sent):
    """A range as the dashboard sends it; what is left out stays as it is stored."""

    # The dashboard's own ranges say `lastUpdated` for what is answered as `updated_at`.
    known = (*AlertRange.model_fields, "last_updated")

    display_order: int = Field(ge=1, le=6, strict=True)
    percentage_range_min: float | None = Field(default=None, ge=0, le=100, strict=True)
    percentage_range_max: float | None = Field(default=None, ge=0, le=100, strict=True)
    color: Colour | None = None
    enabled: bool | None = Field(default=None, strict=True)
    is_default: bool | None = Field(default=None, strict=True)
    audible_alerts_enabled: bool | None = Field(default=None, strict=True)


class SentRanges(Sent):
    """What a user saves: up to six ranges, each display order once."""

    known = tuple(SavedAlertRanges.model_fields)

    user_id: UserId = "Default User"
    indicators: list[SentRange] = Field(max_length=6)
    audible_alerts_enabled: bool | None = Field(default=None, strict=True)

    @model_validator(mode="after")
    def each_once(self) -> SentRanges:
        """Refuse two ranges for one place."""
        orders = [sent.display_order for sent in self.indicators]
        if len(set(orders)) < len(orders):
            raise ValueError("each display_order may be there once")
        return self
