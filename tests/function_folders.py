"""Makes a small bundle of functions on disk, with the manifest that declares them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

from raceday.clock import Clock
from raceday.host.executions import ExecutionResult
from raceday.host.host import Host
from raceday.host.manifest import Manifest, load_manifest
from raceday.host.virtual_time import run_virtual
from raceday.runtime.ports import ProcessPorts

START = datetime(2026, 11, 21, 16, 59, 30, tzinfo=UTC)

ANSWER = """
async def main(context):
    return context.res.json({"ok": True})
"""

SLEEPS = """
import asyncio
running = most = finished = 0
async def main(context):
    global running, most, finished
    running += 1
    most = max(most, running)
    try:
        await asyncio.sleep(context.req.body["sleep_s"])
        finished += 1
    finally:
        running -= 1
    return context.res.json({})
"""

IGNORES_CANCELLATION = """
import asyncio
async def main(context):
    for _ in range(20):
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            context.log("not now")
    return context.res.empty()
"""


def module(function_id: str) -> ModuleType:
    """The module of a function that has run, with what it counted."""
    return sys.modules[f"raceday_function_{function_id}"]


def declare(function_id: str, **settings: object) -> dict[str, Any]:
    """One entry of `functions`, with sensible settings unless told otherwise."""
    return {
        "$id": function_id,
        "name": function_id,
        "runtime": "python-3.12",
        "specification": "s-1vcpu-512mb",
        "schedule": "",
        "timeout": 15,
        "entrypoint": "main.py",
        "path": f"functions/{function_id}",
        **settings,
    }


def write_bundle(folder: Path, sources: Mapping[str, str], *functions: Mapping[str, object]) -> Path:
    """Write the entrypoints and appwrite.json; functions not given are declared with the usual settings."""
    for function_id, source in sources.items():
        entrypoint = folder / "functions" / function_id / "main.py"
        entrypoint.parent.mkdir(parents=True, exist_ok=True)
        entrypoint.write_text(dedent(source), encoding="utf-8")
    given = {str(function["$id"]) for function in functions}
    declared = [*functions, *(declare(function_id) for function_id in sources if function_id not in given)]
    file = folder / "appwrite.json"
    content = {
        "projectId": "raceday",
        "functions": declared,
        "tablesDB": [{"$id": "raceday-db", "name": "raceday-db", "enabled": True}],
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def bundle(folder: Path, sources: Mapping[str, str], *functions: Mapping[str, object]) -> Manifest:
    """Write a bundle and read it back."""
    return load_manifest(write_bundle(folder, sources, *functions))


def run_host(
    manifest: Manifest,
    story: Callable[[Host, Clock], Any],
    on_execution: Callable[[ExecutionResult], None] = lambda _result: None,
) -> Any:
    """Run an async story with a host on a virtual clock that begins at START."""

    async def main(clock: Clock) -> Any:
        return await story(Host(manifest, ProcessPorts(clock=clock), on_execution=on_execution), clock)

    return run_virtual(main, START)
