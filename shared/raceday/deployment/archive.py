"""The code of one function as it is sent to the platform: its folder without what is ignored, as one tar.gz.

Reproducible: equal files give equal bytes, so that what is live can be compared with what is here.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from raceday.deployment.wheel import SOURCE_TIME
from raceday.errors import ConfigError

MAX_ARCHIVE_BYTES = 8_000_000
IGNORE_FILE = ".gitignore"
FORBIDDEN = (".env", ".env.*", ".git", ".venv", "__pycache__", "*.pyc", ".*_cache", "tests", "test_*.py")
"""What no deployment may hold: secrets, history, caches, tests."""

_FORBIDDEN_SPEC = GitIgnoreSpec.from_lines(FORBIDDEN)


def pack(folder: Path, ignore: str | tuple[str, ...]) -> bytes:
    """Return the function folder as a tar.gz, without what `ignore` and the folder's own .gitignore leave out.

    `ignore` is the key of appwrite.json, in the form of a .gitignore: a list, or one text of several lines. Times,
    owners and modes are the same for all files. Raises ConfigError for a link, which would lead nowhere over there.
    """
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in packed_files(folder, ignore):
            content = file.read_bytes()
            entry = tarfile.TarInfo(file.relative_to(folder).as_posix())
            entry.size, entry.mode, entry.mtime = len(content), 0o644, SOURCE_TIME
            archive.addfile(entry, io.BytesIO(content))
    packed = io.BytesIO()
    # Neither a time nor a name goes into the header, which would otherwise differ from run to run.
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as compressed:
        compressed.write(tar.getvalue())
    return packed.getvalue()


def packed_files(folder: Path, ignore: str | tuple[str, ...]) -> Iterator[Path]:
    """Yield the files of a function folder that are sent, in a fixed order."""
    lines = ignore.splitlines() if isinstance(ignore, str) else list(ignore)
    own = folder / IGNORE_FILE
    if own.is_file():
        lines += own.read_text(encoding="utf-8").splitlines()
    left_out = GitIgnoreSpec.from_lines([*lines, IGNORE_FILE])
    for file in sorted(folder.rglob("*")):
        if left_out.match_file(file.relative_to(folder).as_posix()):
            continue
        if file.is_symlink():
            raise ConfigError(f"{file} is a link, which leads nowhere on the platform: put the file itself there")
        if file.is_file():
            yield file


def check_archive(archive: bytes, function_id: str, entrypoint: str) -> None:
    """Check what is about to be sent; raises ConfigError that names everything that is wrong with it.

    It holds the entrypoint, the requirements and one vendored wheel, no secrets, caches or tests, and is small.
    """
    names = archive_names(archive)
    faults = [f"{name} would be sent: add it to `ignore`" for name in names if _FORBIDDEN_SPEC.match_file(name)]
    faults += [
        f"{needed} is missing"
        for needed in (entrypoint, "requirements.txt", "vendor/requirements.txt")
        if needed not in names
    ]
    wheels = [name for name in names if PurePosixPath(name).match("vendor/*.whl")]
    if len(wheels) != 1:
        faults.append(f"vendor/ holds {len(wheels)} wheels instead of one: run scripts/build")
    if len(archive) > MAX_ARCHIVE_BYTES:
        faults.append(f"{len(archive) / 1e6:.1f} MB are more than {MAX_ARCHIVE_BYTES / 1e6:.0f} MB: what is in there?")
    if faults:
        raise ConfigError("\n".join([f"{function_id} cannot be deployed:", *(f"  {fault}" for fault in faults)]))


def archive_names(archive: bytes) -> list[str]:
    """Return the paths of the files in a packed function."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as packed:
        return packed.getnames()
