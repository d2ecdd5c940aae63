"""Builds the wheel of the library that functions carry: what runs on the platform, and the same bytes every time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from raceday.errors import ConfigError

PACKAGE = Path("shared/raceday")
VENDORED = ("domain", "nztab", "store", "outbound", "jobs", "runtime")
"""The parts that functions are made of, beside the modules that lie right in the package."""
LEFT_OUT = (Path("store/sqlite"), Path("store/postgres"))
"""Stores of other places: on the platform there is the platform's."""
SOURCE_TIME = 1_577_836_800
"""The time that everything packed bears, 1 January 2020: when a file was last touched is no part of what it says."""

_KEPT_SUFFIXES = frozenset({".py", ".typed", ".sql"})
_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = {name}
version = {version}
description = {description}
requires-python = {requires_python}
dependencies = {dependencies}

[tool.hatch.build]
ignore-vcs = true

[tool.hatch.build.targets.wheel]
packages = ["raceday"]
core-metadata-version = "2.1"
"""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A built wheel: its file name and its bytes."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the hash that pip checks it by."""
        return sha256(self.content).hexdigest()


def project_table(root: Path) -> dict[str, Any]:
    """Return what the checkout's pyproject.toml says of the project; raises ConfigError when it cannot be read."""
    file = root / "pyproject.toml"
    try:
        project: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None
    return project


def build_wheel(root: Path) -> Wheel:
    """Build the wheel out of a checkout; the same sources give the same bytes, wherever and whenever.

    Built from a copy that holds nothing but the sources, so that no cache, ignore list or file mode of the checkout
    can change it. Raises ConfigError with the builder's own words when it fails.
    """
    with tempfile.TemporaryDirectory(prefix="raceday-wheel-") as folder:
        stage, built = Path(folder, "stage"), Path(folder, "built")
        for source in vendored_sources(root):
            staged = stage / "raceday" / source.relative_to(root / PACKAGE)
            staged.parent.mkdir(parents=True, exist_ok=True)
            staged.write_bytes(source.read_bytes())
        stage.joinpath("pyproject.toml").write_text(_pyproject(project_table(root)), encoding="utf-8")
        _run_builder(stage, built)
        (wheel,) = built.iterdir()
        return Wheel(wheel.name, wheel.read_bytes())


def vendored_sources(root: Path) -> Iterator[Path]:
    """Yield the files of the library that functions carry, in a fixed order."""
    package = root / PACKAGE
    yield from sorted(file for file in package.iterdir() if file.suffix in _KEPT_SUFFIXES)
    left_out = [package / part for part in LEFT_OUT]
    for part in VENDORED:
        for file in sorted((package / part).rglob("*")):
            if file.suffix in _KEPT_SUFFIXES and not any(file.is_relative_to(folder) for folder in left_out):
                yield file


def _pyproject(project: dict[str, Any]) -> str:
    """Return the pyproject.toml of the trimmed library. A JSON string, or a list of them, is TOML as well."""
    return _PYPROJECT.format(
        name=json.dumps(project["name"]),
        version=json.dumps(project["version"]),
        description=json.dumps(project["description"]),
        requires_python=json.dumps(project["requires-python"]),
        dependencies=json.dumps(project["dependencies"]),
    )


def _run_builder(stage: Path, built: Path) -> None:
    """Run hatchling in a process of its own: it works in the current folder and reads the environment."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(built)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(SOURCE_TIME)}
    done = subprocess.run(command, cwd=stage, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (our own command)
    if done.returncode != 0:
        raise ConfigError(f"the wheel cannot be built:\n{done.stdout}{done.stderr}".rstrip())
