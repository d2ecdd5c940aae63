"""Catches what a function prints, as the platform does, without mixing up executions that run at once."""

from __future__ import annotations

import contextlib
import io
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

_captured: ContextVar[io.StringIO | None] = ContextVar("raceday_host_captured", default=None)


class _ExecutionStream(io.TextIOBase):
    """A standard stream that writes into the running execution, or through to the real stream outside of one."""

    def __init__(self, real: TextIO) -> None:
        self.real = real

    def _target(self) -> TextIO:
        return _captured.get() or self.real

    def write(self, text: str) -> int:
        return self._target().write(text)

    def flush(self) -> None:
        self._target().flush()

    def isatty(self) -> bool:
        return self._target().isatty()

    def fileno(self) -> int:
        return self._target().fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.real.encoding

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else the real stream has
        return getattr(self.real, name)


@contextlib.contextmanager
def captured_output() -> Iterator[io.StringIO]:
    """Collect what this task and the tasks it starts print; others go on printing to the real streams."""
    buffer = io.StringIO()
    token = _captured.set(buffer)
    try:
        yield buffer
    finally:
        _captured.reset(token)


@contextlib.contextmanager
def execution_streams() -> Iterator[None]:
    """Put standard output and standard error under the watch of `captured_output` for the duration."""
    with (
        contextlib.redirect_stdout(_ExecutionStream(sys.stdout)),
        contextlib.redirect_stderr(_ExecutionStream(sys.stderr)),
    ):
        yield
