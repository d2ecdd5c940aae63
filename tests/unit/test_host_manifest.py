"""appwrite.json: what the platform would refuse is refused, and the key at fault is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from function_folders import ANSWER, declare, write_bundle
from raceday.errors import ConfigError
from raceday.host.event_names import matches
from raceday.host.manifest import SPECIFICATIONS, FunctionManifest, load_manifest
from raceday.store.events import RowEvent

REPOSITORY = Path(__file__).parents[2]


def refused(tmp_path, *functions, sources=None):
    sources = {"poller": ANSWER} if sources is None else sources
    with pytest.raises(ConfigError) as caught:
        load_manifest(write_bundle(tmp_path, sources, *functions))
    return str(caught.value)


def test_a_sound_manifest_is_read(tmp_path):
    function = declare("poller", schedule="*/5 * * * *", events=["databases.*.tables.entrants.rows.*"], timeout=90)
    manifest = load_manifest(write_bundle(tmp_path, {"poller": ANSWER}, function))
    assert manifest.database_id == "raceday-db"
    read = manifest.functions[0]
    assert (read.function_id, read.schedule, read.timeout_s) == ("poller", "*/5 * * * *", 90)
    assert manifest.entrypoint(read) == tmp_path / "functions" / "poller" / "main.py"


@pytest.mark.parametrize(
    ("settings", "key", "because"),
    [
        ({"specification": "s-1vcpu-2gb"}, "specification", "s-2vcpu-2gb"),
        ({"runtimeSpecification": "s-9vcpu"}, "runtimeSpecification", "s-0.5vcpu-512mb"),
        ({"schedule": "*/15 * * * * *"}, "schedule", "6 fields"),
        ({"schedule": "61 * * * *"}, "schedule", "not a cron expression"),
        ({"schedule": "0 0 30 2 *"}, "schedule", "Bad day-of-month"),
        ({"schedule": "@every 15s"}, "schedule", "fields"),
        ({"timeout": 901}, "timeout", "900"),
        ({"timeout": 0}, "timeout", "1"),
        ({"runtime": "node-22"}, "runtime", "python-3.12"),
        ({"events": ["databases.*.tables.entrants.rows.*.upsert"]}, "events", "refuses .upsert"),
        ({"events": ["tablesdb.*.tables.entrants.rows.*"]}, "events", "not tablesdb"),
        ({"shedule": "* * * * *"}, "shedule", "not permitted"),
        ({"name": None}, "name", "valid string"),
    ],
)
def test_the_wrong_key_is_named_with_what_was_expected(tmp_path, settings, key, because):
    message = refused(tmp_path, declare("poller", **settings))
    assert f"functions[poller].{key}" in message
    assert because in message
    assert len(message.splitlines()) == 2


def test_all_faults_are_listed_at_once(tmp_path):
    message = refused(tmp_path, declare("poller", timeout=1000, schedule="* *"), declare("other", specification="big"))
    assert "functions[poller].timeout" in message
    assert "functions[poller].schedule" in message
    assert "functions[other].specification" in message


def test_the_folder_carries_the_id(tmp_path):
    assert "must end in the function's $id" in refused(tmp_path, declare("poller", path="functions/polling"))


def test_the_two_names_of_the_size_must_agree(tmp_path):
    message = refused(tmp_path, declare("poller", specification="s-1vcpu-1gb", runtimeSpecification="s-2vcpu-2gb"))
    assert "make them agree" in message


def test_an_id_is_declared_once(tmp_path):
    message = refused(tmp_path, declare("poller"), declare("poller"))
    assert "functions[poller].$id: declared twice" in message


def test_a_missing_entrypoint_is_named_with_its_path(tmp_path):
    message = refused(tmp_path, declare("poller"), declare("ghost"))
    assert "functions[ghost].entrypoint" in message
    assert "ghost/main.py does not exist" in message
    assert "poller" not in message


@pytest.mark.parametrize("function_id", ["-poller", "_poller", "x" * 37, "a b"])
def test_an_id_the_platform_refuses_is_refused(tmp_path, function_id):
    assert f"functions[{function_id}].$id" in refused(tmp_path, declare(function_id), sources={})


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.json is missing"):
        load_manifest(tmp_path / "nowhere.json")
    broken = tmp_path / "appwrite.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"appwrite\.json is not JSON"):
        load_manifest(broken)
    broken.write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigError, match="the file"):
        load_manifest(broken)


def test_the_database_must_be_declared(tmp_path):
    file = write_bundle(tmp_path, {"poller": ANSWER})
    content = json.loads(file.read_text())
    declared = content.pop("tablesDB")
    for databases in ({}, {"tablesDB": []}, {"tablesDB": declared * 2}):
        file.write_text(json.dumps({**content, **databases}))
        with pytest.raises(ConfigError, match="tablesDB"):
            load_manifest(file)


def shipped() -> dict[str, FunctionManifest]:
    manifest = load_manifest(REPOSITORY / "appwrite.json")
    return {function.function_id: function for function in manifest.functions}


@pytest.mark.parametrize(
    ("function_id", "schedule", "specification", "timeout_s"),
    [
        ("daily-meetings", "0 17 * * *", "s-1vcpu-512mb", 300),
        ("daily-races", "10 17 * * *", "s-1vcpu-512mb", 300),
        ("daily-entrants", "20 17 * * *", "s-1vcpu-1gb", 300),
        ("race-data-poller", "", "s-2vcpu-2gb", 300),
        ("enhanced-race-poller", "", "s-2vcpu-2gb", 120),
        ("master-race-scheduler", "* * * * *", "s-1vcpu-512mb", 60),
        ("single-race-poller", "", "s-1vcpu-1gb", 90),
        ("batch-race-poller", "", "s-2vcpu-2gb", 180),
        ("alert-evaluator", "", "s-1vcpu-512mb", 60),
        ("money-flow-tracker", "", "s-1vcpu-1gb", 60),
        ("race-pools-aggregator", "", "s-1vcpu-512mb", 60),
        ("jockey-silks-enricher", "", "s-1vcpu-512mb", 60),
    ],
)
def test_the_shipped_manifest_says_what_was_decided(function_id, schedule, specification, timeout_s):
    function = shipped()[function_id]
    assert (function.schedule, function.specification, function.timeout_s) == (schedule, specification, timeout_s)
    assert function.specification in SPECIFICATIONS


def test_every_shipped_function_uses_the_newer_and_older_name_of_its_size():
    assert all(function.runtime_specification == function.specification for function in shipped().values())


def test_nobody_may_execute_the_shipped_functions_without_a_key():
    assert all(function.execute == () for function in shipped().values())


def test_only_those_that_start_others_may():
    starters = [function.function_id for function in shipped().values() if "executions.write" in function.scopes]
    assert starters == ["master-race-scheduler", "alert-evaluator"]


def test_the_event_functions_hear_of_updates_as_the_clients_documents_say_and_of_upserts():
    listeners = {name: function.events for name, function in shipped().items() if function.events}
    assert set(listeners) == {"alert-evaluator", "money-flow-tracker", "race-pools-aggregator"}
    for patterns in listeners.values():
        assert "databases.*.collections.entrants.documents.*.update" in patterns
        upsert = RowEvent("entrants", "runner", "upsert", {})
        assert any(matches(pattern, "raceday-db", upsert) for pattern in patterns)
        assert not any(
            matches(pattern, "raceday-db", RowEvent("notifications", "n", "create", {})) for pattern in patterns
        )


def test_what_must_not_be_uploaded_is_ignored_by_every_shipped_function():
    assert all({".env", ".git"} <= set(str(function.ignore).split("\n")) for function in shipped().values())
