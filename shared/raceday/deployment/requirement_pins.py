"""The packages that a function installs: each pinned to one version and to the hashes of its files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from raceday.errors import ConfigError

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a requirements file: the package, its one version, and the hashes of the files it may come in."""

    name: str
    version: str
    hashes: tuple[str, ...]


def read_pins(file: Path) -> tuple[Pin, ...]:
    """Return the pins of a requirements file.

    Raises ConfigError that names every line without one version or without a hash: pip would refuse all of them.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None
    pins, faults = [], []
    for number, line in _logical_lines(text):
        pin = _pin(line)
        if isinstance(pin, Pin):
            pins.append(pin)
        else:
            faults.append(f"  line {number}: {pin}")
    if faults:
        raise ConfigError("\n".join([f"{file} cannot be installed with --require-hashes:", *faults]))
    return tuple(pins)


def unmet_requirements(pins: Iterable[Pin], requirements: Iterable[str]) -> list[str]:
    """Return the requirements (`httpx==0.28.1`) that no pin meets."""
    pinned = {pin.name: pin.version for pin in pins}
    unmet = []
    for text in requirements:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            unmet.append(text)
    return unmet


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number of each requirement's first line and the whole of it: a backslash goes on with the next."""
    begun, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        bare = _COMMENT.sub("", line).strip()
        begun = begun if parts else number
        parts.append(bare.removesuffix("\\"))
        if not bare.endswith("\\"):
            whole = " ".join(parts).strip()
            parts = []
            if whole:
                yield begun, whole
    if whole := " ".join(parts).strip():
        yield begun, whole


def _pin(line: str) -> Pin | str:
    """Return the pin that a line says, or what is wrong with it."""
    requirement, *options = re.split(r"\s+(?=--)", line)
    try:
        wanted = Requirement(requirement)
    except InvalidRequirement:
        return f"{requirement!r} is no package: write name==version --hash=sha256:…"
    versions = list(wanted.specifier)
    if len(versions) != 1 or versions[0].operator != "==" or versions[0].version.endswith("*"):
        return f"{wanted.name} is not pinned: write {wanted.name}==version"
    matches = [_HASH.fullmatch(option.strip()) for option in options]
    strange = [option for option, match in zip(options, matches, strict=True) if match is None]
    if strange:
        return f"{wanted.name} has {strange[0]!r}, which is no sha256 hash"
    if not matches:
        return f"{wanted.name}=={versions[0].version} has no hash: add --hash=sha256:…"
    hashes = tuple(match[1] for match in matches if match is not None)
    return Pin(canonicalize_name(wanted.name), versions[0].version, hashes)
