"""appwrite.json: made from the catalogue, the buckets and the one table of functions; nothing in it is by hand.

What else the file holds is the operator's and stays: the command line writes the project's id there, people add topics.
There is no `projectName`: the command line would rename the project after it.

Of the two names of a function's size, `specification` is what the command line before 15 sends and
`runtimeSpecification` what it sends since then. Each ignores the other's, and without its own the server gives the
largest size it has (seen on 1.9.6). One command of the newer ones, `push all`, refuses a file with a key that it does
not know; `strict` leaves the older name out for it.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from raceday.deployment.platform_schema import PlatformSchema, bucket_entry, platform_schema
from raceday.runtime.functions import FUNCTIONS, FunctionSpec
from raceday.store.appwrite.settings import DATABASE_ID

RUNTIME = "python-3.12"
COMMANDS = "pip install --no-cache-dir --require-hashes -r requirements.txt -r vendor/requirements.txt"
IGNORE = (
    ".env", ".env.*", ".git", ".gitignore", ".venv", "venv", "__pycache__", "*.pyc", "tests", ".pytest_cache",
    ".mypy_cache", ".ruff_cache", ".DS_Store",
)  # fmt: skip
"""What never leaves the machine. `vendor` has to: it is the library."""
EVERY_MINUTE = "* * * * *"
POLLERS: Mapping[str, Mapping[str, str]] = {
    "scheduler": {"master-race-scheduler": EVERY_MINUTE, "race-data-poller": ""},
    "classic": {"master-race-scheduler": "", "race-data-poller": EVERY_MINUTE},
}
"""Who polls: the scheduler, which starts the pollers, or the classic poller in its place. The schedules of both."""
PROJECT = {"projectId": "raceday"}
"""How the file begins until the operator names the project."""


def manifest(
    operators: Mapping[str, Any] = PROJECT,
    schema: PlatformSchema | None = None,
    functions: Iterable[FunctionSpec] = tuple(FUNCTIONS.values()),
    *,
    strict: bool = False,
    poller: str = "scheduler",
) -> dict[str, Any]:
    """Return the content of appwrite.json; `operators` are its first keys, `poller` one of `POLLERS`."""
    schema = schema or platform_schema(DATABASE_ID)
    return {
        **operators,
        "functions": [_function(spec, POLLERS[poller], strict=strict) for spec in functions],
        "tablesDB": [{"$id": schema.database_id, "name": schema.database_id, "enabled": True}],
        "tables": [table.entry(schema.database_id) for table in schema.tables],
        "buckets": [bucket_entry(bucket) for bucket in schema.buckets],
    }


def renewed(standing: Mapping[str, Any], *, strict: bool = False, poller: str | None = None) -> dict[str, Any]:
    """Return the content that a file should have, with what is the operator's as it stands; so is who polls, unless
    it is said.
    """
    ours = manifest({}, strict=strict, poller=poller or chosen_poller(standing))
    return {**PROJECT, **{key: value for key, value in standing.items() if key not in ours}, **ours}


def chosen_poller(standing: Mapping[str, Any]) -> str:
    """Return who polls by the schedules of a file: the scheduler where they say neither the one nor the other."""
    functions = standing.get("functions")
    entries = [entry for entry in functions if isinstance(entry, dict)] if isinstance(functions, list) else []
    schedules = {entry.get("$id"): entry.get("schedule") for entry in entries}
    fitting = [name for name, wanted in POLLERS.items() if all(schedules.get(key) == at for key, at in wanted.items())]
    return fitting[0] if fitting else "scheduler"


def manifest_text(content: Mapping[str, Any]) -> str:
    """Return the file's text: a line for each setting, column and index."""
    return _object(content, "") + "\n"


def stale_lines(standing: Mapping[str, Any], *, strict: bool = False, poller: str | None = None) -> list[str]:
    """Return what is stale in a file as lines with - (it has) and + (it should have); none when nothing is.

    How the file is laid out does not matter: the command line lays it out anew when it writes the project's id.
    """
    wanted = renewed(standing, strict=strict, poller=poller)
    if standing == wanted:
        return []
    before, after = manifest_text(standing).splitlines(), manifest_text(wanted).splitlines()
    return list(difflib.unified_diff(before, after, "as it is", "as it should be", lineterm="", n=1))


def _function(spec: FunctionSpec, schedules: Mapping[str, str], *, strict: bool) -> dict[str, Any]:
    sizes = {} if strict else {"specification": spec.specification}
    return {
        "$id": spec.function_id,
        "name": spec.function_id,
        "runtime": RUNTIME,
        **sizes,
        "runtimeSpecification": spec.specification,
        "execute": [],
        "events": list(spec.events),
        "scopes": list(spec.scopes),
        "schedule": schedules.get(spec.function_id, spec.schedule),
        "timeout": spec.timeout_s,
        "enabled": True,
        "logging": True,
        "entrypoint": "main.py",
        "commands": COMMANDS,
        "path": f"functions/{spec.function_id}",
        "ignore": "\n".join(IGNORE),
    }


def _object(content: Mapping[str, Any], indent: str) -> str:
    inner = f"{indent}    "
    lines = [f"{inner}{_word(key)}: {_value(value, inner)}" for key, value in content.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _value(value: object, indent: str) -> str:
    """Return a value on one line, unless it is a list of objects: these get lines of their own."""
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        return _word(value)
    inner = f"{indent}    "
    entries = [_object(entry, inner) if "$id" in entry else _word(entry) for entry in value]
    return "[\n" + ",\n".join(f"{inner}{entry}" for entry in entries) + f"\n{indent}]"


def _word(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
