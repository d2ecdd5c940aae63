"""Whether the platform can install a function's packages without compiling: pip itself is asked, with an index.

The Python runtime's images are Alpine Linux, so a wheel has to be pure Python or built for musl. pip accepts older
musl wheels on a newer system, but not when it is told of a platform: each one that it may take is named.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from raceday.errors import ConfigError

ARCHITECTURES = ("x86_64", "aarch64")
MUSL_LEVELS = ("musllinux_1_2", "musllinux_1_1")
_OUT_OF_REACH = ("Retrying (", "No module named pip")
"""What pip writes when it did not get as far as looking for a package."""


class IndexOutOfReach(Exception):
    """Nothing could be checked: there is no package index, or no pip."""


def check_platform_wheels(requirements: Path, runtime: str) -> None:
    """Let pip find a wheel with a known hash for every pin, for a runtime such as `python-3.12`, on both architectures.

    Wheels are fetched and hashed, nothing is installed. Raises ConfigError with pip's own words when one is missing,
    IndexOutOfReach when that cannot be said.
    """
    version = runtime.removeprefix("python-")
    for architecture in ARCHITECTURES:
        done = subprocess.run(  # noqa: S603 (our own command)
            _pip_command(requirements, version, architecture), capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            continue
        if any(sign in done.stderr for sign in _OUT_OF_REACH):
            raise IndexOutOfReach(_last_words(done.stderr))
        raise ConfigError(
            f"{requirements}: not every package has a wheel for Python {version} on musl {architecture}, "
            f"so the platform would have to compile it:\n{_last_words(done.stderr)}"
        )


def _pip_command(requirements: Path, version: str, architecture: str) -> list[str]:
    platforms = [option for level in MUSL_LEVELS for option in ("--platform", f"{level}_{architecture}")]
    return [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"),
        *("--dry-run", "--ignore-installed", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--implementation", "cp", "--python-version", version, *platforms),
        # pip wants to be told where to put a foreign platform's wheels, even when it will not put any.
        *("--target", "never-written", "--requirement", str(requirements)),
    ]


def _last_words(stderr: str) -> str:
    """Return what pip wrote, without its notes about places that have no such package."""
    return "\n".join(line for line in stderr.splitlines() if line.strip() and "is ignored: it is neither" not in line)
