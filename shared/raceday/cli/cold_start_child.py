"""One cold start, in a process of its own: imports a function as the platform does and runs it once.

Run by `bench cold-start` as a file, and sparing with imports, so that the function pays for all of its own. Prints one
JSON line.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from types import ModuleType, SimpleNamespace


def main(entrypoint: str, body: str, key: str) -> None:
    """Print the CPU milliseconds of the import, of import and first run, and how many modules the import took."""
    before = len(sys.modules)
    began_s = time.process_time()
    function = imported(entrypoint)
    imported_s = time.process_time()
    modules = len(sys.modules) - before

    import asyncio  # noqa: PLC0415 (only now: what the function imports is measured)
    import json  # noqa: PLC0415

    statuses: list[int] = []
    asyncio.run(function.main(context(body, key, statuses)))
    ended_s = time.process_time()
    figures = {"import_ms": (imported_s - began_s) * 1000, "first_run_ms": (ended_s - began_s) * 1000}
    sys.stdout.write(json.dumps({**figures, "modules": modules, "status": statuses[0]}) + "\n")


def imported(entrypoint: str) -> ModuleType:
    """Import a function's file under the name that the platform gives it."""
    spec = importlib.util.spec_from_file_location("function.main", entrypoint)
    if spec is None or spec.loader is None:
        raise ImportError(f"{entrypoint} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def context(body: str, key: str, statuses: list[int]) -> SimpleNamespace:
    """Return the platform's context of a call; the status of the answer goes into `statuses`."""

    def answer(_body: object, status: int = 200, _headers: object = None) -> None:
        statuses.append(status)

    def say(*_said: object) -> None:
        """Drop what is logged."""

    headers = {"x-appwrite-trigger": "http", "x-appwrite-key": key}
    request = SimpleNamespace(headers=headers, body_binary=body.encode(), query={})
    return SimpleNamespace(req=request, res=SimpleNamespace(json=answer), log=say, error=say)


if __name__ == "__main__":
    main(*sys.argv[1:])
