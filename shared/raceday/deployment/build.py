"""Makes function folders ready to be deployed: the library's wheel in `vendor/`, every requirement pinned and hashed.

`vendor/` is what git ignores and deployments hold: only the checkout's own .gitignore names it, which no version of
the platform's command line reads (they look into the function's folder). Both requirements files are installed by one
pip call in the function's folder, hence the path of the wheel.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from raceday.deployment.archive import check_archive, pack
from raceday.deployment.platform_wheels import check_platform_wheels
from raceday.deployment.requirement_pins import read_pins, unmet_requirements
from raceday.deployment.wheel import Wheel, build_wheel, project_table
from raceday.errors import ConfigError
from raceday.host.manifest import FunctionManifest, Manifest

VENDOR = "vendor"
REQUIREMENTS = "requirements.txt"


def build_functions(manifest: Manifest, functions: Sequence[FunctionManifest]) -> dict[str, bytes]:
    """Vendor the library into these functions and return, by id, what is sent to the platform.

    Needs no network and changes nothing but the `vendor/` folders. Raises ConfigError that says what keeps a
    function from being deployed.
    """
    wheel = build_wheel(manifest.folder)
    for function in functions:
        check_pins(manifest, function)
        write_vendor(wheel, manifest.folder / function.path)
    return {function.function_id: packed(manifest, function) for function in functions}


def packed(manifest: Manifest, function: FunctionManifest) -> bytes:
    """Return a built function as it is sent to the platform; raises ConfigError when it must not be."""
    archive = pack(manifest.folder / function.path, function.ignore)
    check_archive(archive, function.function_id, function.entrypoint)
    return archive


def check_pins(manifest: Manifest, function: FunctionManifest) -> None:
    """Check that a function's requirements.txt is hashed throughout and holds what the library needs, at its version.

    Raises ConfigError that says what to write.
    """
    file = manifest.folder / function.path / REQUIREMENTS
    unmet = unmet_requirements(read_pins(file), project_table(manifest.folder)["dependencies"])
    if unmet:
        raise ConfigError(f"{file} lacks {', '.join(unmet)}, which pyproject.toml says the library needs")


def write_vendor(wheel: Wheel, folder: Path) -> None:
    """Put the wheel and its requirement into a function folder; older wheels go."""
    vendor = folder / VENDOR
    vendor.mkdir(exist_ok=True)
    for name, content in vendored_files(wheel).items():
        (vendor / name).write_bytes(content)
    for older in vendor.glob("*.whl"):
        if older.name != wheel.name:
            older.unlink()


def vendored_files(wheel: Wheel) -> dict[str, bytes]:
    """Return what `vendor/` holds. pip resolves the wheel's path from where it runs, the function's folder."""
    requirement = f"./{VENDOR}/{wheel.name} --hash=sha256:{wheel.sha256}\n"
    return {wheel.name: wheel.content, REQUIREMENTS: requirement.encode()}


def stale_functions(manifest: Manifest, functions: Sequence[FunctionManifest]) -> list[str]:
    """Return the ids of the functions whose `vendor/` is not what a build would put there."""
    wanted = vendored_files(build_wheel(manifest.folder))
    return [
        function.function_id for function in functions if _vendored(manifest.folder / function.path / VENDOR) != wanted
    ]


def check_installable(manifest: Manifest, functions: Sequence[FunctionManifest]) -> int:
    """Let pip find a wheel for every pin of these functions; return how many different lists of pins there were.

    Raises ConfigError for a missing wheel, IndexOutOfReach when there is no package index to ask.
    """
    lists = {
        (file.read_bytes(), function.runtime): file
        for function in functions
        for file in [manifest.folder / function.path / REQUIREMENTS]
    }
    for (_, runtime), file in lists.items():
        check_platform_wheels(file, runtime)
    return len(lists)


def _vendored(folder: Path) -> dict[str, bytes]:
    """Return the wheels and the requirement that a `vendor/` folder holds."""
    return {file.name: file.read_bytes() for file in (*folder.glob("*.whl"), *folder.glob(REQUIREMENTS))}
