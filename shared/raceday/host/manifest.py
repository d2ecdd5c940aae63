"""Reads appwrite.json and refuses what the platform would refuse, naming the key that is wrong.

Limits and patterns as observed on a running platform (1.9.6). An unknown specification is an error here although the
server of that release quietly replaces it with its largest default: that is a bill nobody asked for.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Self

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from raceday.errors import ConfigError
from raceday.host.event_names import check_pattern

SPECIFICATIONS = (
    "s-0.5vcpu-512mb",
    "s-1vcpu-512mb",
    "s-1vcpu-1gb",
    "s-2vcpu-2gb",
    "s-2vcpu-4gb",
    "s-4vcpu-4gb",
    "s-4vcpu-8gb",
    "s-8vcpu-4gb",
    "s-8vcpu-8gb",
)
PYTHON_RUNTIMES = tuple(f"python-3.{minor}" for minor in range(9, 15))


def _specification(name: str) -> str:
    if name not in SPECIFICATIONS:
        raise ValueError(f"{name!r} is not a size the platform has; choose one of {', '.join(SPECIFICATIONS)}")
    return name


def _runtime(name: str) -> str:
    if name not in PYTHON_RUNTIMES:
        raise ValueError(f"{name!r} cannot run these functions; choose one of {', '.join(PYTHON_RUNTIMES)}")
    return name


def _schedule(expression: str) -> str:
    """Accept five cron fields with a date that exists, or nothing."""
    if not expression:
        return expression
    fields = len(expression.split())
    if fields != 5:
        raise ValueError(
            f"{expression!r} has {fields} fields; the platform takes five (minute hour day month weekday), "
            "one minute is the shortest interval"
        )
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"{expression!r} is not a cron expression: {error}") from error
    return expression


def _event(pattern: str) -> str:
    check_pattern(pattern)
    return pattern


Specification = Annotated[str, AfterValidator(_specification)]


class FunctionManifest(BaseModel):
    """One entry of `functions`: what to run, when, how long and with which rights."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    function_id: str = Field(alias="$id", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$")
    name: str = Field(min_length=1, max_length=128)
    runtime: Annotated[str, AfterValidator(_runtime)]
    specification: Specification = "s-1vcpu-512mb"
    build_specification: Specification | None = Field(default=None, alias="buildSpecification")
    runtime_specification: Specification | None = Field(default=None, alias="runtimeSpecification")
    execute: tuple[str, ...] = ()
    events: tuple[Annotated[str, AfterValidator(_event)], ...] = Field(default=(), max_length=100)
    scopes: tuple[str, ...] = Field(default=(), max_length=100)
    schedule: Annotated[str, AfterValidator(_schedule)] = ""
    timeout_s: int = Field(default=15, ge=1, le=900, alias="timeout")
    enabled: bool = True
    logging: bool = True
    entrypoint: str = Field(min_length=1)
    commands: str = ""
    ignore: str | tuple[str, ...] = ""
    path: str

    def api_settings(self) -> dict[str, Any]:
        """Return what is said of the function by the API's names, but for its size, which has several."""
        return {
            "name": self.name,
            "runtime": self.runtime,
            "execute": list(self.execute),
            "events": list(self.events),
            "schedule": self.schedule,
            "timeout": self.timeout_s,
            "enabled": self.enabled,
            "logging": self.logging,
            "entrypoint": self.entrypoint,
            "commands": self.commands,
            "scopes": list(self.scopes),
        }

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if PurePosixPath(self.path).name != self.function_id:
            raise ValueError(f"path {self.path!r} must end in the function's $id, {self.function_id!r}")
        if self.runtime_specification not in {None, self.specification}:
            raise ValueError(
                f"runtimeSpecification {self.runtime_specification!r} and specification "
                f"{self.specification!r} name the same size for newer and older command lines: make them agree"
            )
        return self


class DatabaseManifest(BaseModel):
    """One entry of `tablesDB`."""

    model_config = ConfigDict(frozen=True)

    database_id: str = Field(alias="$id", min_length=1, max_length=36)
    name: str
    enabled: bool = True


class Manifest(BaseModel):
    """The part of appwrite.json that running the functions needs; `folder` is where the file lies."""

    model_config = ConfigDict(frozen=True)

    project_id: str = Field(alias="projectId")
    functions: tuple[FunctionManifest, ...]
    databases: tuple[DatabaseManifest, ...] = Field(alias="tablesDB")
    folder: Path = Field(default=Path(), exclude=True)

    @property
    def database_id(self) -> str:
        """Return the id of the one database."""
        return self.databases[0].database_id

    def entrypoint(self, function: FunctionManifest) -> Path:
        """Return the file that holds the function's `main`."""
        return self.folder / function.path / function.entrypoint


def load_manifest(file: Path) -> Manifest:
    """Read and check appwrite.json.

    Raises ConfigError that lists every wrong key with what was expected.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file} is missing: it declares the functions to run") from None
    except ValueError as error:
        raise ConfigError(f"{file} is not JSON: {error}") from error
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join([f"{file.name} cannot be used:", *_complaints(error, content)])) from None
    manifest = manifest.model_copy(update={"folder": file.resolve().parent})
    _check_whole(manifest, file.name)
    return manifest


def _complaints(error: ValidationError, content: object) -> list[str]:
    """Say each fault as `functions[daily-races].schedule: why`."""
    lines = []
    for fault in error.errors(include_url=False):
        where = ""
        value = content
        for step in fault["loc"]:
            value = value[step] if _has(value, step) else None  # type: ignore[index]
            if isinstance(step, int):
                name = value.get("$id", step) if isinstance(value, dict) else step
                where += f"[{name}]"
            else:
                where += f".{step}" if where else step
        lines.append(f"  {where or 'the file'}: {fault['msg'].removeprefix('Value error, ')}")
    return lines


def _has(value: object, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _check_whole(manifest: Manifest, file_name: str) -> None:
    """Check what needs more than one entry, or the disk: one database, unique ids, entrypoints that exist."""
    faults = []
    if len(manifest.databases) != 1:
        faults.append(f"  tablesDB: declare the one database of the tables; there are {len(manifest.databases)}")
    seen: set[str] = set()
    for function in manifest.functions:
        where = f"  functions[{function.function_id}]"
        if function.function_id in seen:
            faults.append(f"{where}.$id: declared twice")
        seen.add(function.function_id)
        entrypoint = manifest.entrypoint(function)
        if not entrypoint.is_file():
            faults.append(f"{where}.entrypoint: {entrypoint} does not exist")
    if faults:
        raise ConfigError("\n".join([f"{file_name} cannot be used:", *faults]))
