"""Container and compose file held against the code: nothing they name may be missing there."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from raceday.cli.server_commands import app
from raceday.server.api.routes.server import router
from raceday.server.settings import ServerSettings
from raceday.server.settings_sources import SERVER_VARIABLES

ROOT = Path(__file__).parents[2]
PYTHON_VARIABLES = {"PYTHONUNBUFFERED"}
POSTGRES_VARIABLES = {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"}


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """The container file's instructions in their order, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def last(instructions: list[tuple[str, str]], wanted: str) -> str:
    return [rest for word, rest in instructions if word == wanted][-1]


def environment_of(instructions: list[tuple[str, str]]) -> dict[str, str]:
    return dict(part.split("=", 1) for part in shlex.split(last(instructions, "ENV")))


def test_every_instruction_is_one_of_a_container_file(instructions: list[tuple[str, str]]) -> None:
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert {word for word, _ in instructions} == known
    assert [rest for word, rest in instructions if word == "FROM"] == ["python:3.12-slim AS wheels", "python:3.12-slim"]


def test_what_is_copied_is_there_and_let_through_to_the_builder(instructions: list[tuple[str, str]]) -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*", (
        "all else stays out, above all .env and .raceday"
    )
    copied = {source for word, rest in instructions if word == "COPY" for source in rest.split()[:-1]}
    assert copied == let_through
    assert all((ROOT / source).exists() for source in copied)


def test_packages_come_by_their_hashes_and_the_extras_exist(instructions: list[tuple[str, str]]) -> None:
    runs = [rest for word, rest in instructions if word == "RUN"]
    assert "--require-hashes" in runs[0]
    assert all("--no-index" in run for run in runs[1:] if "pip install" in run)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = re.search(r"raceday\[([a-z,]+)\]", runs[-1])
    assert wanted is not None
    assert set(wanted[1].split(",")) <= set(project["optional-dependencies"])


def test_the_server_is_run_by_somebody_who_is_not_root(instructions: list[tuple[str, str]]) -> None:
    words = [word for word, _ in instructions]
    assert last(instructions, "USER") == "raceday"
    assert words.index("USER") < words.index("CMD")
    assert (
        last(instructions, "WORKDIR") == environment_of(instructions)["RACEDAY_FOLDER"] == last(instructions, "VOLUME")
    )


def test_variables_are_those_of_the_settings_and_none_is_a_secret(
    instructions: list[tuple[str, str]], compose: dict[str, Any]
) -> None:
    ours = environment_of(instructions)
    assert ours.keys() - PYTHON_VARIABLES <= set(SERVER_VARIABLES)
    settings = ServerSettings.model_validate(ours)
    assert (settings.host, settings.port, settings.environment.value) == ("0.0.0.0", 7000, "production")
    assert settings.secrets() == []
    assert compose["services"]["server"]["environment"].keys() <= set(SERVER_VARIABLES)
    assert compose["services"]["database"]["environment"].keys() == POSTGRES_VARIABLES
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    assert asked <= {*SERVER_VARIABLES, *POSTGRES_VARIABLES}


def test_the_command_is_one_of_the_servers(instructions: list[tuple[str, str]]) -> None:
    command = yaml.safe_load(last(instructions, "CMD"))
    assert command[:-1] == ["python", "-m", "raceday.cli.server_commands"]
    assert command[-1] in get_command(app).commands  # type: ignore[attr-defined]


def test_the_container_is_asked_for_its_health_where_the_api_answers(
    instructions: list[tuple[str, str]], compose: dict[str, Any]
) -> None:
    in_image = last(instructions, "HEALTHCHECK")
    in_compose = compose["services"]["server"]["healthcheck"]
    for check, command in (
        (in_image, yaml.safe_load(in_image.partition("CMD ")[2])),
        (str(in_compose), in_compose["test"][1:]),
    ):
        assert command[:2] == ["python", "-c"]
        compile(command[2], "health check", "exec")
        assert "/health'" in command[2]
        assert "90s" in check, "time for the first start"
    assert "/health" in {getattr(route, "path", "") for route in router.routes}
    assert last(instructions, "EXPOSE") == "7000"
    assert compose["services"]["server"]["environment"]["PORT"] == "7000"
    assert compose["services"]["server"]["ports"][0].endswith(":7000")


def test_the_server_has_the_machine_it_was_promised_and_waits_for_its_database(compose: dict[str, Any]) -> None:
    server, database = compose["services"]["server"], compose["services"]["database"]
    assert (server["cpus"], server["mem_limit"]) == (4, "4g")
    assert {service["restart"] for service in (server, database)} == {"unless-stopped"}
    assert server["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert server["build"] == {"context": ".", "dockerfile": "Containerfile"}
    assert server["env_file"] == ".env"
    assert int(server["stop_grace_period"].removesuffix("s")) > 10


def test_postgres_is_version_18_and_keeps_its_files(compose: dict[str, Any]) -> None:
    database = compose["services"]["database"]
    assert database["image"] == "postgres:18"
    assert database["volumes"] == ["database:/var/lib/postgresql"]
    assert database["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    assert "ports" not in database, "nobody but the server reaches it"
    assert compose["volumes"].keys() == {"database", "server"}
    # The server speaks to the database by the name, user and database that are made.
    name, user = database["environment"]["POSTGRES_DB"], database["environment"]["POSTGRES_USER"]
    url = compose["services"]["server"]["environment"]["DATABASE_URL"]
    assert re.fullmatch(rf"postgresql://{user}:\$\{{POSTGRES_PASSWORD:\?[^}}]+\}}@database:5432/{name}", url)
