"""The server's settings: read from the environment and .env, refused all at once, shown in .env.example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from raceday.errors import ConfigError
from raceday.server.env_example import env_example
from raceday.server.settings import Environment, FeedChoice, ServerSettings
from raceday.server.settings_sources import (
    ELSEWHERE,
    OTHER_NAMES,
    OTHER_PARTS,
    SERVER_VARIABLES,
    default_text,
    example_of,
    load_server_settings,
)

VARIABLE = re.compile(r"# [A-Z_]+=")
ROOT = Path(__file__).resolve().parents[2]
CREDENTIALS = {"NZTAB_FROM": "you@example.com", "NZTAB_PARTNER": "Us", "NZTAB_PARTNER_ID": "canary-id"}


def refusal(environment, folder):
    with pytest.raises(ConfigError) as refused:
        load_server_settings(environment, folder)
    return str(refused.value)


def test_nothing_has_to_be_set(tmp_path):
    settings = load_server_settings({}, tmp_path)
    assert (settings.port, settings.host, settings.cadence) == (7000, "127.0.0.1", "high-frequency")
    assert (settings.pool_max, settings.pool_min, settings.pool_idle_s, settings.pool_wait_s) == (10, 2, 30.0, 2.0)
    assert settings.database_url.get_secret_value() == ""
    assert settings.chosen_feed is FeedChoice.SIMULATOR
    assert settings.environment is Environment.DEVELOPMENT


def test_the_environment_goes_before_the_file_and_an_empty_variable_counts_as_not_set(tmp_path):
    (tmp_path / ".env").write_text("PORT=7100\nRACEDAY_POOL_MAX=20\nRACEDAY_CADENCE=classic\n")
    settings = load_server_settings({"PORT": "7200", "RACEDAY_CADENCE": " "}, tmp_path)
    assert (settings.port, settings.pool_max, settings.cadence) == (7200, 20, "classic")


def test_the_feed_is_the_real_one_once_all_three_credentials_are_there(tmp_path):
    assert load_server_settings(CREDENTIALS, tmp_path).chosen_feed is FeedChoice.NZTAB
    both = CREDENTIALS | {"RACEDAY_FEED": "simulator"}
    assert load_server_settings(both, tmp_path).chosen_feed is FeedChoice.SIMULATOR


@pytest.mark.parametrize("given", [{"RACEDAY_FEED": "nztab"}, {"NZTAB_FROM": "you@example.com"}])
def test_credentials_that_are_missing_are_named_each_with_where_it_was_looked_for(given, tmp_path):
    told = refusal(given, tmp_path)
    for name in CREDENTIALS.keys() - given.keys():
        assert f"{name}: is missing" in told
        assert f"example: {name}={example_of(name)}" in told
    assert told.count(f"the environment and {tmp_path / '.env'}, which does not exist") == len(
        CREDENTIALS.keys() - given
    )


def test_one_message_lists_everything_that_is_wrong(tmp_path):
    (tmp_path / ".env").write_text("RACEDAY_POOL_MAX=many\nRACEDAY_RATE_LIMIT=lots\n")
    environment = {
        "PORT": "seventy",
        "DATABASE_URL": "mysql://u:canary-password@h/db",
        "RACEDAY_CADENCE": "hourly",
        "RACEDAY_ENV": "test",
        "RACEDAY_FEED": "nztab",
        "RACEDAY_CODES": "X",
    }
    told = refusal(environment, tmp_path)
    lines = told.splitlines()[1:]
    wrong = {*environment, "RACEDAY_POOL_MAX", "RACEDAY_RATE_LIMIT", *CREDENTIALS} - {"RACEDAY_FEED"}
    assert {line.strip().split(":")[0] for line in lines} == wrong
    for line in lines:
        name = line.strip().split(":")[0]
        assert f"example: {name}=" in line
        place = "looked for in" if name in CREDENTIALS else "the environment" if name in environment else str(tmp_path)
        assert place in line
    assert "canary" not in told


@pytest.mark.parametrize(
    "url", ["postgres", "postgresql://127.0.0.1:5432", "http://127.0.0.1/raceday", "postgresql://127.0.0.1/"]
)
def test_a_database_url_has_to_name_a_database_of_postgresql(url, tmp_path):
    assert "DATABASE_URL" in refusal({"DATABASE_URL": url}, tmp_path)


def test_a_pool_that_is_smaller_than_its_smallest_is_refused(tmp_path):
    for given, told in [({"RACEDAY_POOL_MIN": "20"}, (20, 10)), ({"RACEDAY_POOL_MAX": "1"}, (2, 1))]:
        assert "RACEDAY_POOL_MIN: is {}, more than RACEDAY_POOL_MAX ({})".format(*told) in refusal(given, tmp_path)


def test_fields_that_do_not_go_together_are_in_the_same_message_each_with_its_place(tmp_path):
    (tmp_path / ".env").write_text("RACEDAY_POOL_MIN=5\n")
    lines = refusal({"PORT": "abc", "RACEDAY_POOL_MAX": "2", "NZTAB_FROM": "you@example.com"}, tmp_path).splitlines()
    assert [line.strip().split(":")[0] for line in lines[1:]] == [
        "PORT",
        "RACEDAY_POOL_MIN",
        "NZTAB_PARTNER",
        "NZTAB_PARTNER_ID",
    ]
    assert lines[2].endswith(
        f"(found in {tmp_path / '.env'}, RACEDAY_POOL_MAX found in the environment; "
        "example: RACEDAY_POOL_MIN=2 RACEDAY_POOL_MAX=10)"
    )
    assert "RACEDAY_POOL_MAX not set: its default" in refusal({"RACEDAY_POOL_MIN": "20"}, tmp_path)


def test_a_feed_that_nobody_knows_does_not_ask_for_credentials(tmp_path):
    assert "NZTAB" not in refusal({"RACEDAY_FEED": "tote"}, tmp_path)


@pytest.mark.parametrize(
    "origin", ["foo", "racing.example.com", "https://racing.example.com/", "http://a/path", "http://a:b", "ftp://a"]
)
def test_an_origin_is_what_a_browser_sends(origin, tmp_path):
    told = refusal({"RACEDAY_CORS_ORIGINS": f"https://fine.example.com,{origin}"}, tmp_path)
    assert f"RACEDAY_CORS_ORIGINS: knows no origin {origin}: write * or http(s)://host[:port]" in told
    fine = "http://127.0.0.1:8080,https://racing.example.com,http://[::1]:80"
    assert len(load_server_settings({"RACEDAY_CORS_ORIGINS": fine}, tmp_path).cors_origins) == 3


def test_a_key_that_can_be_guessed_is_refused_and_not_repeated(tmp_path):
    told = refusal({"RACEDAY_API_KEYS": "first-long-random-key,canary,0123456789abcde"}, tmp_path)
    assert "RACEDAY_API_KEYS: has fewer than 16 characters in key 2, 3 of 3" in told
    assert "openssl rand -hex 24" in told
    assert "canary" not in told


def test_a_misspelt_variable_of_the_file_is_named_with_the_one_that_was_meant(tmp_path):
    (tmp_path / ".env").write_text("RACEDAY_LOGLEVEL=DEBUG\nRACEDAY_SPEED=9\nPORT=abc\n")
    told = refusal({"RACEDAY_ELSEWHERE": "1"}, tmp_path)
    file = tmp_path / ".env"
    assert f"RACEDAY_LOGLEVEL: is unknown: is RACEDAY_LOG_LEVEL meant? (found in {file})" in told
    assert f"RACEDAY_SPEED: is unknown: .env.example has those there are (found in {file})" in told
    assert "PORT: " in told
    assert "RACEDAY_ELSEWHERE" not in told


def test_the_file_may_hold_what_other_parts_read(tmp_path):
    names = [*sorted(ELSEWHERE | OTHER_PARTS), "POSTGRES_PASSWORD", "AWS_REGION"]
    (tmp_path / ".env").write_text("".join(f"{name}=1\n" for name in names) + "RACEDAY_EMPTY=\n")
    load_server_settings({}, tmp_path)


def test_names_of_other_systems_are_understood_behind_our_own(tmp_path):
    others = {"LOG_LEVEL": "debug", "NZTAB_API_URL": "https://feed.example.com"}
    settings = load_server_settings(others, tmp_path)
    assert (settings.log_level, settings.feed_base_url) == ("DEBUG", "https://feed.example.com")
    assert load_server_settings(others | {"RACEDAY_LOG_LEVEL": "ERROR"}, tmp_path).log_level == "ERROR"
    assert "LOG_LEVEL" in refusal({"LOG_LEVEL": "loud"}, tmp_path)
    assert set(OTHER_NAMES.values()) <= set(SERVER_VARIABLES)


def test_lists_are_split_and_no_limit_can_be_asked_for(tmp_path):
    settings = load_server_settings(
        {"RACEDAY_API_KEYS": f"{'one' * 8}, {'two' * 8},", "RACEDAY_CORS_ORIGINS": "*", "RACEDAY_RATE_LIMIT": "-"},
        tmp_path,
    )
    assert (settings.api_keys, settings.cors_origins, settings.rate_limit) == (("one" * 8, "two" * 8), ("*",), "")


def test_secrets_are_known_and_not_shown(tmp_path):
    environment = CREDENTIALS | {
        "DATABASE_URL": "postgresql://raceday:canary%2Dpassword@db/raceday",
        "RACEDAY_API_KEYS": "canary-key-of-the-api",
    }
    settings = load_server_settings(environment, tmp_path)
    assert {"canary-id", "canary-key-of-the-api", "canary%2Dpassword", "canary-password"} <= set(settings.secrets())
    assert "canary" not in repr(settings)


def test_the_example_file_is_the_settings_and_every_example_can_be_used(tmp_path):
    written = (ROOT / ".env.example").read_text()
    assert written == env_example()
    uncommented = "\n".join(line.removeprefix("# ") for line in written.splitlines() if VARIABLE.match(line))
    (tmp_path / "all").write_text(uncommented)
    shown = dotenv_values(tmp_path / "all")
    assert set(shown) == set(SERVER_VARIABLES)
    load_server_settings({name: value or "" for name, value in shown.items()}, tmp_path)


def test_defaults_read_back_as_themselves(tmp_path):
    defaults = {name: default_text(name) for name in SERVER_VARIABLES}
    read = load_server_settings(defaults, tmp_path)
    assert read == ServerSettings.model_validate({})
    assert not ELSEWHERE & set(SERVER_VARIABLES)
