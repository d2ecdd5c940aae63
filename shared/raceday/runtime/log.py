"""The log of a run: each line one JSON string, redacted, short enough for the platform."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

MAX_LINE = 8000
"""The platform cuts a message at 8,000 characters; a line cut in the middle would be no JSON."""
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_REDACTED = "[redacted]"
_FIELD_LENGTH = 1500


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

    def debug(self, action: str, **fields: object) -> None:
        """Write what is only of interest when something is being looked into."""
        self._line("DEBUG", action, fields)

    def info(self, action: str, **fields: object) -> None:
        """Write what happened."""
        self._line("INFO", action, fields)

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

    def _line(self, level: str, action: str, fields: dict[str, object]) -> None:
        if _LEVELS.index(level) < self._lowest:
            return
        line = _json({"level": level, "action": action} | fields)
        if len(line) > MAX_LINE:
            line = _json({"level": level, "action": action, "cut": True} | _shortened(fields))[:MAX_LINE]
        write = self._write_error if level == "ERROR" else self._write
        write(self.redact(line))


def _json(fields: dict[str, object]) -> str:
    return orjson.dumps(fields, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _shortened(fields: dict[str, object]) -> dict[str, object]:
    """Keep short values as they are, and the beginning of long ones, so that the whole fits."""
    kept: dict[str, object] = {}
    room = MAX_LINE - 500
    for name, value in fields.items():
        text = value if isinstance(value, int | float | bool) or value is None else str(value)[:_FIELD_LENGTH]
        cost = len(str(text)) * 2 + len(name) + 10
        if cost <= room:
            kept[name] = text
            room -= cost
    return kept
