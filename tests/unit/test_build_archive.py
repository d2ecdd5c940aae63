"""What is sent to the platform: the function's folder, without secrets, caches and tests, and always the same bytes."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from raceday.deployment import archive as archives
from raceday.deployment.archive import archive_names, check_archive, pack
from raceday.errors import ConfigError

WHEEL = "vendor/raceday-0.1.0-py3-none-any.whl"
FILES = ("main.py", "requirements.txt", WHEEL, "vendor/requirements.txt")


def write(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, encoding="utf-8")
    return folder


def test_equal_files_give_equal_bytes_whatever_their_times_modes_and_order(tmp_path: Path) -> None:
    first = write(tmp_path / "first", *FILES)
    second = write(tmp_path / "second", *reversed(FILES))
    for number, name in enumerate(FILES):
        os.utime(second / name, (number, number))
        (second / name).chmod(0o700 if number % 2 else 0o640)
    assert pack(first, "") == pack(second, "")


def test_a_changed_file_changes_the_bytes(tmp_path: Path) -> None:
    folder = write(tmp_path, *FILES)
    before = pack(folder, "")
    (folder / "main.py").write_text("another", encoding="utf-8")
    assert pack(folder, "") != before


def test_files_arrive_with_their_content_owned_by_nobody_in_particular(tmp_path: Path) -> None:
    packed = pack(write(tmp_path, *FILES), "")
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        entries = {entry.name: entry for entry in tar.getmembers()}
        assert sorted(entries) == sorted(FILES)
        assert {(entry.mode, entry.uid, entry.uname) for entry in entries.values()} == {(0o644, 0, "")}
        content = tar.extractfile("main.py")
        assert content is not None
        assert content.read() == b"main.py"


@pytest.mark.parametrize("ignore", [".env\ntests\n*.pyc", (".env", "tests", "*.pyc")])
def test_what_is_ignored_stays_at_home(tmp_path: Path, ignore: str | tuple[str, ...]) -> None:
    write(tmp_path, *FILES, ".env", "tests/test_main.py", "__pycache__/main.cpython-312.pyc", "deep/down/.env")
    assert sorted(archive_names(pack(tmp_path, ignore))) == sorted(FILES)


def test_the_folders_own_ignore_file_counts_and_stays_at_home_too(tmp_path: Path) -> None:
    write(tmp_path, *FILES, "notes/a.md", "keep.md")
    (tmp_path / ".gitignore").write_text("# mine\nnotes/\n", encoding="utf-8")
    assert sorted(archive_names(pack(tmp_path, ".env"))) == sorted([*FILES, "keep.md"])


def test_a_link_is_refused_and_an_ignored_one_is_not(tmp_path: Path) -> None:
    folder = write(tmp_path / "function", *FILES)
    (folder / "library").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="library is a link"):
        pack(folder, "")
    assert sorted(archive_names(pack(folder, "library"))) == sorted(FILES)


def test_a_complete_function_passes(tmp_path: Path) -> None:
    check_archive(pack(write(tmp_path, *FILES), ""), "daily-races", "main.py")


@pytest.mark.parametrize(
    "name", [".env", ".env.production", "tests/test_main.py", "test_main.py", "__pycache__/main.cpython-312.pyc",
             ".git/config", "sub/.env", ".venv/bin/python", ".pytest_cache/v"]
)  # fmt: skip
def test_what_must_never_be_sent_is_refused_by_name(tmp_path: Path, name: str) -> None:
    packed = pack(write(tmp_path, *FILES, name), "")
    with pytest.raises(ConfigError) as refused:
        check_archive(packed, "daily-races", "main.py")
    assert f"{name} would be sent: add it to `ignore`" in str(refused.value)
    assert str(refused.value).startswith("daily-races cannot be deployed")


@pytest.mark.parametrize("name", FILES)
def test_what_is_missing_is_named(tmp_path: Path, name: str) -> None:
    packed = pack(write(tmp_path, *(other for other in FILES if other != name)), "")
    with pytest.raises(ConfigError) as refused:
        check_archive(packed, "daily-races", "main.py")
    assert ("0 wheels instead of one" if name == WHEEL else f"{name} is missing") in str(refused.value)


def test_an_older_wheel_beside_the_new_one_is_refused(tmp_path: Path) -> None:
    packed = pack(write(tmp_path, *FILES, "vendor/raceday-0.0.9-py3-none-any.whl"), "")
    with pytest.raises(ConfigError, match="2 wheels instead of one: run scripts/build"):
        check_archive(packed, "daily-races", "main.py")


def test_a_deployment_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = pack(write(tmp_path, *FILES), "")
    monkeypatch.setattr(archives, "MAX_ARCHIVE_BYTES", len(packed) - 1)
    with pytest.raises(ConfigError, match="what is in there"):
        check_archive(packed, "daily-races", "main.py")
