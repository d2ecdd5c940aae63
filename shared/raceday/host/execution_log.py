"""The log of one execution, with the platform's limits and its strictness about what can be written."""

from __future__ import annotations

import json

LOG_MESSAGE_LIMIT_CHARS = 8_000
LOG_TOTAL_LIMIT_CHARS = 1_000_000
NATIVE_LOG_NOTICE = "Native logs detected. Use context.log() or context.error() for better experience."


class ExecutionLog:
    """The two log streams of one execution; writes after `close` are lost, as on the platform."""

    def __init__(self, *, enabled: bool) -> None:
        """Keep nothing at all when the function's `logging` is off."""
        self._enabled = enabled
        self._streams: dict[str, list[str]] = {"logs": [], "errors": []}

    def write(self, stream: str, messages: tuple[object, ...]) -> None:
        """Add one line; dicts, lists and tuples are written as JSON, so a datetime inside raises TypeError."""
        if not self._enabled:
            return
        line = " ".join(
            json.dumps(message, separators=(",", ":")) if isinstance(message, dict | list | tuple) else str(message)
            for message in messages
        )
        self._streams[stream].append(line[:LOG_MESSAGE_LIMIT_CHARS] + "\n")

    def write_native(self, text: str) -> None:
        """Add what was printed, after a notice that printing is not how to log."""
        if text:
            self.write("logs", (NATIVE_LOG_NOTICE,))
            self.write("logs", (text.rstrip("\n"),))

    def close(self) -> None:
        """Take no more lines."""
        self._enabled = False

    @property
    def logs(self) -> str:
        """Return the log stream, its last million characters."""
        return "".join(self._streams["logs"])[-LOG_TOTAL_LIMIT_CHARS:]

    @property
    def errors(self) -> str:
        """Return the error stream, its last million characters."""
        return "".join(self._streams["errors"])[-LOG_TOTAL_LIMIT_CHARS:]
