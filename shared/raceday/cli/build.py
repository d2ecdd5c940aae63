"""`build`: makes the function folders ready to be deployed, or says which are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from raceday.cli.output import errors_explained, people, print_json
from raceday.deployment.archive import MAX_ARCHIVE_BYTES
from raceday.deployment.build import build_functions, check_installable, check_pins, packed, stale_functions
from raceday.deployment.deploy_plan import chosen_functions
from raceday.deployment.platform_wheels import ARCHITECTURES, IndexOutOfReach
from raceday.host.bundle import project_manifest
from raceday.host.manifest import FunctionManifest, Manifest


def build(
    functions: Annotated[
        str | None, typer.Option(help="ids of the functions to build, separated by commas (else all)")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="change nothing; exit with 1 when a function's vendor/ is not up to date")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print what was built as one JSON line")] = False,
) -> None:
    """Put the library's wheel into the functions' vendor/ folders and check what would be deployed.

    Afterwards `appwrite push function` or scripts/deploy is all it takes. When a package index can be reached, pip is
    asked for a wheel of every pinned package for the platform's Python on Alpine Linux, and otherwise a word says
    that it was not. The exit code is 2 when something keeps a function from being deployed.
    """
    with errors_explained():
        manifest = project_manifest()
        chosen = chosen_functions(manifest, functions)
        archives = _checked(manifest, chosen) if check else build_functions(manifest, chosen)
        _show(archives)
        wheels_checked = _installable(manifest, chosen)
    if as_json:
        sizes = {function_id: len(archive) for function_id, archive in archives.items()}
        print_json({"deployment_bytes": sizes, "wheels_checked": wheels_checked})


def _checked(manifest: Manifest, chosen: Sequence[FunctionManifest]) -> dict[str, bytes]:
    """Return what would be deployed as things stand; ends the command with 1 when that is not the sources' state."""
    stale = stale_functions(manifest, chosen)
    if stale:
        people.print(f"[bold red]Not up to date:[/] {', '.join(stale)}. Run scripts/build.", highlight=False)
        raise typer.Exit(1)
    for function in chosen:
        check_pins(manifest, function)
    return {function.function_id: packed(manifest, function) for function in chosen}


def _show(archives: Mapping[str, bytes]) -> None:
    table = Table(title=f"Deployments (at most {MAX_ARCHIVE_BYTES // 1000} kB)", title_justify="left")
    table.add_column("function")
    table.add_column("kB", justify="right")
    for function_id, archive in archives.items():
        table.add_row(function_id, f"{len(archive) / 1000:.0f}")
    people.print(table)


def _installable(manifest: Manifest, chosen: Sequence[FunctionManifest]) -> bool:
    """Ask pip for the platform's wheels; return whether it could be asked."""
    try:
        check_installable(manifest, chosen)
    except IndexOutOfReach as reason:
        why = escape(str(reason).splitlines()[0])
        people.print(f"[yellow]Not checked:[/] wheels for musl, no package index in reach ({why}).", highlight=False)
        return False
    people.print(f"Every package has a wheel for musl ({', '.join(ARCHITECTURES)}).", highlight=False)
    return True
