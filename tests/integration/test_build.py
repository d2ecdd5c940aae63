"""The build: the same bytes every time, and all that the twelve functions need once they are on the platform."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from raceday.deployment.archive import MAX_ARCHIVE_BYTES, archive_names, pack
from raceday.deployment.build import build_functions, stale_functions
from raceday.deployment.wheel import build_wheel
from raceday.errors import ConfigError
from raceday.host.manifest import Manifest, load_manifest

ROOT = Path(__file__).parents[2]
STAYS_AT_HOME = ("simulator", "host", "deployment", "cli", "server", "store/sqlite", "store/postgres")

# What the platform does: the folder lies in `function/` beside the server, which imports it as a package and calls it
# with a context of its own. The folder itself is no place to import from.
AS_ON_THE_PLATFORM = """
import asyncio, importlib, json, pkgutil, sys
from types import SimpleNamespace

errors = []
answers = []

def answer(body, status=200, headers=None):
    answers.append((status, body))

context = SimpleNamespace(
    req=SimpleNamespace(headers={"x-appwrite-trigger": "http"}, body_binary=b"", query={}),
    res=SimpleNamespace(json=answer),
    log=lambda *said: None,
    error=lambda *said: errors.append(said),
)
for function_id in sys.argv[1:]:
    main = importlib.import_module(f"{function_id}.main").main
    asyncio.run(main(context))
import raceday
modules = [module.name for module in pkgutil.walk_packages(raceday.__path__, "raceday.")]
for module in modules:
    importlib.import_module(module)
print(json.dumps({"answers": answers, "errors": errors, "modules": modules, "where": raceday.__file__}))
"""


def copy_of_the_checkout(folder: Path, umask: int = 0o022) -> Manifest:
    """A checkout as somebody else has it: their file modes, and no caches."""
    before = os.umask(umask)
    try:
        folder.mkdir()
        for name in ("pyproject.toml", "appwrite.json"):
            shutil.copyfile(ROOT / name, folder / name)
        for name in ("shared", "functions"):
            leave = shutil.ignore_patterns("__pycache__", "vendor")
            shutil.copytree(ROOT / name, folder / name, ignore=leave, copy_function=shutil.copyfile)
    finally:
        os.umask(before)
    return load_manifest(folder / "appwrite.json")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, dict[str, bytes]]:
    manifest = copy_of_the_checkout(tmp_path_factory.mktemp("built") / "checkout")
    return manifest, build_functions(manifest, manifest.functions)


def test_two_builds_are_the_same_bytes_wherever_whenever_and_by_whomever(
    built: tuple[Manifest, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = copy_of_the_checkout(tmp_path / "another", umask=0o077)
    for number, file in enumerate((tmp_path / "another").rglob("*.py")):
        os.utime(file, (number, number))
    (tmp_path / "another/shared/raceday/domain/__pycache__").mkdir()
    (tmp_path / "another/shared/raceday/domain/__pycache__/race.cpython-312.pyc").write_bytes(b"compiled elsewhere")
    (tmp_path / ".gitignore").write_text("*\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    before = os.umask(0o077)
    try:
        again = build_functions(manifest, manifest.functions)
    finally:
        os.umask(before)
    assert again == built[1]


def test_the_wheel_holds_what_runs_there_and_nothing_of_what_stays_at_home(
    built: tuple[Manifest, dict[str, bytes]],
) -> None:
    manifest, _ = built
    (wheel,) = (manifest.folder / "functions/daily-races/vendor").glob("*.whl")
    names = ZipFile(wheel).namelist()
    assert {"raceday/runtime/handler.py", "raceday/store/ports.py", "raceday/py.typed"} <= set(names)
    assert [name for name in names if name.startswith(tuple(f"raceday/{part}" for part in STAYS_AT_HOME))] == []
    assert {name.rsplit(".", 1)[-1] for name in names if name.startswith("raceday/")} == {"py", "typed"}


def test_pip_installs_both_requirements_files_by_hash(built: tuple[Manifest, dict[str, bytes]]) -> None:
    manifest, _ = built
    for function in manifest.functions:
        folder = manifest.folder / function.path
        line = (folder / "vendor/requirements.txt").read_text(encoding="utf-8")
        path, hashed = line.split()
        assert hashed == f"--hash=sha256:{sha256((folder / path).read_bytes()).hexdigest()}"
        assert function.commands.endswith("--require-hashes -r requirements.txt -r vendor/requirements.txt")


def test_deployments_are_small_and_hold_only_what_runs(built: tuple[Manifest, dict[str, bytes]]) -> None:
    manifest, archives = built
    assert set(archives) == {function.function_id for function in manifest.functions}
    for archive in archives.values():
        names = archive_names(archive)
        wheels = [name for name in names if name.endswith(".whl")]
        assert sorted(names) == sorted(["main.py", "requirements.txt", *wheels, "vendor/requirements.txt"])
        assert len(wheels) == 1
        assert len(archive) < MAX_ARCHIVE_BYTES


def test_the_vendored_library_is_sent_whichever_ignore_list_the_command_line_reads(
    built: tuple[Manifest, dict[str, bytes]], tmp_path: Path
) -> None:
    """Version 12 reads `ignore` alone, later ones the folder's own .gitignore alone, version 25 both."""
    manifest, _ = built
    for function in manifest.functions:
        folder = manifest.folder / function.path
        shutil.copytree(folder, tmp_path / function.function_id)
        (tmp_path / function.function_id / ".gitignore").unlink()
        listed = archive_names(pack(tmp_path / function.function_id, function.ignore))
        own, both = archive_names(pack(folder, "")), archive_names(pack(folder, function.ignore))
        assert {"main.py", "vendor/requirements.txt"} <= set(listed) & set(own) & set(both)


def test_an_older_wheel_goes_and_other_files_stay(tmp_path: Path) -> None:
    manifest = copy_of_the_checkout(tmp_path / "checkout")
    function = next(function for function in manifest.functions if function.function_id == "daily-races")
    vendor = manifest.folder / function.path / "vendor"
    vendor.mkdir()
    (vendor / "raceday-0.0.9-py3-none-any.whl").write_bytes(b"old")
    assert stale_functions(manifest, [function]) == ["daily-races"]
    build_functions(manifest, [function])
    assert stale_functions(manifest, [function]) == []
    assert sorted(file.name for file in vendor.iterdir()) == [build_wheel(manifest.folder).name, "requirements.txt"]
    others = [other for other in manifest.functions if other is not function]
    assert not any((manifest.folder / other.path / "vendor").exists() for other in others)


def test_a_changed_source_makes_the_vendored_library_stale(tmp_path: Path) -> None:
    manifest = copy_of_the_checkout(tmp_path / "checkout")
    functions = manifest.functions[:2]
    build_functions(manifest, functions)
    with (manifest.folder / "shared/raceday/clock.py").open("a", encoding="utf-8") as source:
        source.write("\nANOTHER = 1\n")
    assert stale_functions(manifest, functions) == [function.function_id for function in functions]


def test_a_pin_that_the_library_needs_and_a_function_lacks_stops_the_build(tmp_path: Path) -> None:
    manifest = copy_of_the_checkout(tmp_path / "checkout")
    function = manifest.functions[0]
    file = manifest.folder / function.path / "requirements.txt"
    file.write_text(file.read_text(encoding="utf-8").replace("stamina==26.1.0", "stamina==25.2.0"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"requirements\.txt lacks stamina==26\.1\.0"):
        build_functions(manifest, [function])
    assert not (manifest.folder / function.path / "vendor").exists()


def test_sources_that_cannot_be_packed_say_what_the_builder_said(tmp_path: Path) -> None:
    manifest = copy_of_the_checkout(tmp_path / "checkout")
    file = manifest.folder / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('version = "', 'version = "not a number '), "utf-8")
    with pytest.raises(ConfigError, match=r"(?s)the wheel cannot be built:.*not a number"):
        build_wheel(manifest.folder)


def test_all_twelve_functions_start_from_the_vendored_wheel_alone(
    built: tuple[Manifest, dict[str, bytes]], tmp_path: Path
) -> None:
    """Installed by pip into an empty place, imported and called as the platform does, with our third-party packages."""
    manifest, _ = built
    ids = [function.function_id for function in manifest.functions]
    folder = manifest.folder / manifest.functions[0].path
    installed, server = tmp_path / "installed", tmp_path / "server"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--require-hashes"]
    subprocess.run([*pip, "--target", str(installed), "-r", "vendor/requirements.txt"], cwd=folder, check=True)
    for function in manifest.functions:
        shutil.copytree(manifest.folder / function.path, server / function.function_id)
    # -S leaves out what this environment adds to the path, which is where our own sources are.
    environment = {"PYTHONPATH": os.pathsep.join([str(installed), sysconfig.get_path("purelib")])}
    done = subprocess.run(
        [sys.executable, "-S", "-W", "error", "-c", AS_ON_THE_PLATFORM, *ids],
        cwd=server, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert Path(seen["where"]).is_relative_to(installed)
    assert len(seen["modules"]) > 100
    # With nothing configured each says so, in its own words, instead of falling over a part that stayed at home.
    assert [body["function"] for _, body in seen["answers"]] == ids
    assert {body["message"].split(":")[0] for _, body in seen["answers"][:-1]} == {"ConfigError"}
    assert "unexpected_error" not in json.dumps(seen["errors"])
