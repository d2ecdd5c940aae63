"""Processes that the benchmark starts beside itself, so that what they cost is not counted as the server's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

ENDS_WITHIN_S = 10


@contextmanager
def child(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a module as a process while the block runs; it ends when its input does."""
    process = subprocess.Popen(  # noqa: S603 (our own interpreter, our own module)
        [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def first_line(process: subprocess.Popen[str]) -> str:
    """Return what a child says first, which is that it is ready; raises `RuntimeError` for one that says nothing."""
    line = process.stdout.readline().strip() if process.stdout is not None else ""
    if not line:
        raise RuntimeError(f"the benchmark's {process.args!r} ended before it was ready")
    return line


def cpu_s(process_id: int | None) -> float | None:
    """Return the CPU seconds of a process and all its children so far, None when it is not of this machine."""
    if process_id is None:
        return None
    process = psutil.Process(process_id)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(time.user + time.system for time in times))
