"""The log of a run: each line one JSON string, redacted, short enough for the platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

MAX_LINE = 7999
"""The platform cuts a message at 8,000 characters; a line cut in the middle would be no JSON."""
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_REDACTED = "[redacted]"
_LARGEST_INTEGER = 2**63


class JsonLog:
    """Writes JSON lines through the platform's `context.log` and `context.error`.

    Every value in `secrets` is replaced wherever it would appear.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        write_error: Callable[[str], None],
        level: str,
        secrets: Sequence[str] = (),
    ) -> None:
        self._write = write
        self._write_error = write_error
        self._lowest = _LEVELS.index(level)
        self._secrets = [secret for secret in secrets if secret]

    def also_hiding(self, secret: str) -> JsonLog:
        """Return the same log with one more value that must never be written; an empty one changes nothing."""
        level = _LEVELS[self._lowest]
        return JsonLog(self._write, self._write_error, level, [*self._secrets, secret])

    def debug(self, action: str, **fields: object) -> None:
        """Write what is only of interest when something is being looked into."""
        self._line("DEBUG", action, fields)

    def info(self, action: str, **fields: object) -> None:
        """Write what happened."""
        self._line("INFO", action, fields)

    def summary(self, action: str, **fields: object) -> None:
        """Write the one line that a run never goes without, whatever the level."""
        self._line("INFO", action, fields, always=True)

    def warning(self, action: str, **fields: object) -> None:
        """Write what went wrong and was coped with."""
        self._line("WARNING", action, fields)

    def error(self, action: str, **fields: object) -> None:
        """Write what went wrong."""
        self._line("ERROR", action, fields)

    def redact(self, text: str) -> str:
        """Return a text without any secret."""
        for secret in self._secrets:
            text = text.replace(secret, _REDACTED)
        return text

    def redacted(self, value: Any) -> Any:  # noqa: ANN401 (any JSON value in, the same shape out)
        """Return a JSON value without any secret, however deep it hides."""
        match value:
            case str():
                return self.redact(value)
            case Mapping():
                return {self.redact(str(name)): self.redacted(held) for name, held in value.items()}
            case list() | tuple():
                return [self.redacted(held) for held in value]
            case bool() | float() | None:
                return value
            case int() if abs(value) < _LARGEST_INTEGER:
                return value
            case _:
                return self.redact(str(value))

    def _line(self, level: str, action: str, fields: Mapping[str, object], *, always: bool = False) -> None:
        if _LEVELS.index(level) < self._lowest and not always:
            return
        line = _fitting({"level": level, "action": action} | self.redacted(fields))
        (self._write_error if level == "ERROR" else self._write)(line)


def _fitting(fields: dict[str, Any]) -> str:
    """Return the fields as one JSON line, its longest texts and lists shortened until the line fits."""
    line = _json(fields)
    room = MAX_LINE
    while len(line) > MAX_LINE:
        room //= 2
        line = _json({name: _shortened(value, room) for name, value in fields.items()} | {"cut": True})
    return line


def _shortened(value: Any, room: int) -> Any:  # noqa: ANN401 (any JSON value in, the same or a text out)
    """Return a value, or the beginning of it as text when it takes more than `room` characters."""
    text = value if isinstance(value, str) else _json(value)
    return value if len(text) <= room else text[:room]


def _json(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
