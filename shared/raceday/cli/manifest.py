"""`manifest`: write appwrite.json anew from the catalogue, or say what is stale in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from raceday.cli.output import errors_explained, people
from raceday.deployment.manifest_file import POLLERS, manifest_text, renewed, stale_lines
from raceday.errors import ConfigError
from raceday.host.bundle import PROJECT_ROOT


def manifest(
    check: Annotated[bool, typer.Option("--check", help="change nothing; exit with 1 when the file is stale")] = False,
    file: Annotated[Path, typer.Option(help="the file to write or check")] = PROJECT_ROOT / "appwrite.json",
    poller: Annotated[
        str | None, typer.Option(help="who polls: scheduler (at first) or classic; without it as the file says")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="leave out `specification`, which `appwrite push all` refuses since 15")
    ] = False,
) -> None:
    """Write the functions, tables and buckets of appwrite.json; the project's id and other keys of yours stay.

    The exit code is 0 when the file is as it should be, 1 when --check finds it stale, 2 when it cannot be read.
    """
    with errors_explained():
        if poller not in {None, *POLLERS}:
            raise ConfigError(f"--poller {poller}: choose one of {', '.join(POLLERS)}")
        standing = _standing(file, may_be_missing=not check)
        stale = stale_lines(standing, strict=strict, poller=poller)
        if check and stale:
            people.print(escape("\n".join(stale)), highlight=False)
            people.print(f"[bold red]{escape(file.name)} is stale:[/] run scripts/manifest", highlight=False)
            raise typer.Exit(1)
        if stale:
            _write(file, manifest_text(renewed(standing, strict=strict, poller=poller)))
    people.print(f"{escape(file.name)} {'was written anew' if stale else 'is as it should be'}.", highlight=False)


def _standing(file: Path, *, may_be_missing: bool) -> dict[str, Any]:
    """Return what the file holds, nothing when it may be missing and is; raises ConfigError."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if may_be_missing:
            return {}
        raise ConfigError(f"{file} is missing: run scripts/manifest") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file} holds no JSON object: move it away and run scripts/manifest")
    return content


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
