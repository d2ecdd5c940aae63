"""`scripts/build` as a person runs it, and what it says of wheels for the platform; pip never leaves this machine."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest
import typer
from typer.testing import CliRunner

from raceday.cli import build as command
from raceday.deployment.build import check_installable
from raceday.deployment.platform_wheels import IndexOutOfReach, check_platform_wheels
from raceday.errors import ConfigError
from raceday.host.manifest import Manifest, load_manifest

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9/simple"

app = typer.Typer()
app.command()(command.build)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """A copy of the checkout that the command works on, where no package index can be reached."""
    for name in ("pyproject.toml", "appwrite.json"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for name in ("shared", "functions"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    manifest = load_manifest(tmp_path / "appwrite.json")
    monkeypatch.setattr(command, "project_manifest", lambda: manifest)
    return manifest


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": NOWHERE, "PIP_EXTRA_INDEX_URL": "",
                        "PIP_FIND_LINKS": ""}.items():  # fmt: skip
        monkeypatch.setenv(name, value)


def wheel(folder: Path, tag: str) -> str:
    """Put a small wheel into a folder; returns the line that pins it."""
    name = f"horses-1.0-{tag}.whl"
    with ZipFile(folder / name, "w") as archive:
        archive.writestr("horses.py", "")
        archive.writestr("horses-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: horses\nVersion: 1.0\n")
        archive.writestr("horses-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr("horses-1.0.dist-info/RECORD", "")
    return f"horses==1.0 --hash=sha256:{sha256((folder / name).read_bytes()).hexdigest()}\n"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows of."""
    for name, value in {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.mark.usefixtures("offline")
def test_a_build_vendors_checks_and_says_what_it_could_not_check(checkout: Manifest) -> None:
    before = CliRunner().invoke(app, ["--check", "--functions", "daily-races"])
    assert before.exit_code == 1
    assert "Not up to date: daily-races. Run scripts/build." in before.stderr
    built = CliRunner().invoke(app, ["--functions", "daily-races, alert-evaluator", "--json"])
    assert built.exit_code == 0, built.stderr
    answer = json.loads(built.stdout.splitlines()[-1])
    assert set(answer["deployment_bytes"]) == {"daily-races", "alert-evaluator"}
    assert answer["wheels_checked"] is False
    assert "Not checked: wheels for musl, no package index in reach" in built.stderr
    after = CliRunner().invoke(app, ["--check", "--functions", "daily-races", "--json"])
    assert after.exit_code == 0
    assert json.loads(after.stdout.splitlines()[-1])["deployment_bytes"].items() <= answer["deployment_bytes"].items()


def test_a_secret_in_the_folder_stops_the_build(checkout: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = checkout.folder / "functions/daily-races"
    (folder / ".gitignore").write_text("", encoding="utf-8")
    (folder / ".env").write_text("NZTAB_PARTNER_ID=secret", encoding="utf-8")
    function = next(function for function in checkout.functions if function.function_id == "daily-races")
    careless = checkout.model_copy(update={"functions": (function.model_copy(update={"ignore": "tests"}),)})
    monkeypatch.setattr(command, "project_manifest", lambda: careless)
    result = CliRunner().invoke(app, ["--functions", "daily-races"])
    assert result.exit_code == 2
    assert ".env would be sent: add it to `ignore`" in result.stderr


def test_a_function_that_nobody_declared_is_named(checkout: Manifest) -> None:
    result = CliRunner().invoke(app, ["--functions", "daily-dogs"])
    assert result.exit_code == 2
    assert "declares no daily-dogs" in result.stderr


@pytest.mark.parametrize("tag", ["py3-none-any", "cp312-abi3-musllinux_1_2_x86_64.musllinux_1_1_aarch64"])
def test_pure_and_musl_wheels_are_found_on_both_architectures(shelf: Path, tag: str) -> None:
    (shelf / "requirements.txt").write_text(wheel(shelf, tag), encoding="utf-8")
    check_platform_wheels(shelf / "requirements.txt", "python-3.12")
    assert not (shelf / "never-written").exists()


@pytest.mark.parametrize(
    "tag", ["cp312-cp312-manylinux_2_17_x86_64", "cp311-cp311-musllinux_1_2_x86_64", "cp312-cp312-musllinux_1_2_x86_64"]
)
def test_a_wheel_for_another_system_python_or_only_one_architecture_is_none(shelf: Path, tag: str) -> None:
    (shelf / "requirements.txt").write_text(wheel(shelf, tag), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"(?s)the platform would have to compile it.*horses==1\.0"):
        check_platform_wheels(shelf / "requirements.txt", "python-3.12")


def test_a_wheel_whose_hash_nobody_pinned_is_refused(shelf: Path) -> None:
    pinned = wheel(shelf, "py3-none-any")
    (shelf / "requirements.txt").write_text(pinned[:-65] + "0" * 64 + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="horses"):
        check_platform_wheels(shelf / "requirements.txt", "python-3.12")


@pytest.mark.usefixtures("offline")
def test_without_an_index_nothing_is_said_of_wheels(checkout: Manifest) -> None:
    with pytest.raises(IndexOutOfReach, match="Retrying"):
        check_installable(checkout, checkout.functions[:1])
