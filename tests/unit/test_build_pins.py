"""Requirements files: every line one version and its hashes, and whatever the library needs among them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from raceday.deployment.requirement_pins import Pin, read_pins, unmet_requirements
from raceday.errors import ConfigError

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.name for path in (ROOT / "functions").iterdir())
SHA = "a" * 64
OTHER_SHA = "b" * 64


def pins_of(tmp_path: Path, text: str) -> tuple[Pin, ...]:
    file = tmp_path / "requirements.txt"
    file.write_text(text, encoding="utf-8")
    return read_pins(file)


def test_a_pin_may_go_on_over_several_lines_and_bear_comments(tmp_path: Path) -> None:
    text = f"""\
# what the feed is read with
Typing_Extensions==4.16.0 \\
    --hash=sha256:{SHA} \\
    --hash=sha256:{OTHER_SHA}   # the source

h11==0.16.0 --hash=sha256:{SHA}
"""
    assert pins_of(tmp_path, text) == (
        Pin("typing-extensions", "4.16.0", (SHA, OTHER_SHA)),
        Pin("h11", "0.16.0", (SHA,)),
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f"httpx>=0.28 --hash=sha256:{SHA}", "httpx is not pinned"),
        (f"httpx==0.28.* --hash=sha256:{SHA}", "httpx is not pinned"),
        (f"httpx --hash=sha256:{SHA}", "httpx is not pinned"),
        ("httpx==0.28.1", "httpx==0.28.1 has no hash"),
        ("httpx==0.28.1 --hash=md5:abc", "which is no sha256 hash"),
        ("httpx==0.28.1 --hash=sha256:abc", "which is no sha256 hash"),
        ("--index-url https://example.org/simple", "is no package"),
        ("./raceday", "is no package"),
    ],
)
def test_a_line_that_pip_would_refuse_is_named_with_what_to_write(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        pins_of(tmp_path, f"h11==0.16.0 --hash=sha256:{SHA}\n{line}\n")
    assert complaint in str(refused.value)
    assert "line 2:" in str(refused.value)
    assert "h11" not in str(refused.value)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        pins_of(tmp_path, "httpx\norjson==3.13.0\n")
    assert str(refused.value).count("\n") == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"requirements\.txt cannot be read"):
        read_pins(tmp_path / "requirements.txt")


def test_what_no_pin_meets_is_found_whatever_its_spelling() -> None:
    pins = (Pin("typing-extensions", "4.16.0", (SHA,)), Pin("httpx", "0.27.0", (SHA,)))
    wanted = ["Typing.Extensions==4.16.0", "httpx==0.28.1", "orjson>=3"]
    assert unmet_requirements(pins, wanted) == ["httpx==0.28.1", "orjson>=3"]


@pytest.mark.parametrize("function_id", FUNCTIONS)
def test_every_function_pins_what_the_library_needs(function_id: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = read_pins(ROOT / "functions" / function_id / "requirements.txt")
    assert unmet_requirements(pins, project["dependencies"]) == []


def test_only_the_function_that_looks_at_pictures_installs_what_decodes_them() -> None:
    pinned = {
        function_id: {pin.name for pin in read_pins(ROOT / "functions" / function_id / "requirements.txt")}
        for function_id in FUNCTIONS
    }
    common = frozenset.intersection(*map(frozenset, pinned.values()))
    more = {function_id: names - common for function_id, names in pinned.items() if names - common}
    assert more == {"jockey-silks-enricher": {"pillow"}}
