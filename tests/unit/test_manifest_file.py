"""appwrite.json as it is generated: complete, as committed, and fit for both generations of the command line."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path

import pytest

from raceday.deployment.manifest_file import manifest, manifest_text, renewed, stale_lines
from raceday.deployment.platform_schema import platform_schema
from raceday.host.manifest import load_manifest
from raceday.runtime.functions import FUNCTIONS
from raceday.store.tables import CATALOGUE

REPOSITORY = Path(__file__).parents[2]
# What a newer command line (25) knows; any other key makes its `push all` refuse the file.
STRICT = {
    "functions": {
        "path", "$id", "execute", "name", "enabled", "logging", "runtime", "buildSpecification",
        "runtimeSpecification", "deploymentRetention", "scopes", "events", "schedule", "timeout", "entrypoint",
        "commands", "vars", "ignore",
    },
    "tablesDB": {"$id", "name", "enabled"},
    "tables": {"$id", "$permissions", "databaseId", "name", "enabled", "rowSecurity", "columns", "indexes"},
    "columns": {
        "key", "type", "required", "array", "size", "default", "min", "max", "format", "elements", "relatedTable",
        "relationType", "twoWay", "twoWayKey", "onDelete", "side", "encrypt",
    },
    "indexes": {"key", "type", "status", "columns", "orders"},
    "buckets": {
        "$id", "$permissions", "fileSecurity", "name", "enabled", "maximumFileSize", "allowedFileExtensions",
        "compression", "encryption", "antivirus",
    },
}  # fmt: skip


def committed():
    return json.loads((REPOSITORY / "appwrite.json").read_text(encoding="utf-8"))


def test_the_committed_file_is_not_stale():
    assert stale_lines(committed()) == []


def test_it_declares_all_functions_tables_and_buckets():
    content = manifest()
    assert [function["$id"] for function in content["functions"]] == list(FUNCTIONS)
    assert len(content["functions"]) == 12
    assert [table["$id"] for table in content["tables"]] == [table.name for table in CATALOGUE]
    assert {table["databaseId"] for table in content["tables"]} == {"raceday-db"}
    assert [database["$id"] for database in content["tablesDB"]] == ["raceday-db"]
    assert [bucket["$id"] for bucket in content["buckets"]] == ["silk-icons"]


@pytest.mark.parametrize("function", manifest()["functions"], ids=lambda function: function["$id"])
def test_every_function_says_all_there_is_to_say(function):
    spec = FUNCTIONS[function["$id"]]
    assert function["runtime"] == "python-3.12"
    assert function["specification"] == function["runtimeSpecification"] == spec.specification
    assert (function["schedule"], function["timeout"]) == (spec.schedule, spec.timeout_s)
    assert (tuple(function["events"]), tuple(function["scopes"])) == (spec.events, spec.scopes)
    assert function["execute"] == []
    assert function["enabled"]
    assert function["logging"]
    assert (REPOSITORY / function["path"] / function["entrypoint"]).is_file()
    assert function["commands"].endswith("--require-hashes -r requirements.txt -r vendor/requirements.txt")
    assert function["path"] == f"functions/{function['$id']}"


def test_the_command_line_takes_along_what_is_vendored_and_no_secret():
    """Both generations read ignore rules of the function's own folder alone: `ignore`, and a .gitignore there."""
    for function in manifest()["functions"]:
        ignored = function["ignore"].split("\n")
        assert {".env", ".git", ".venv", "__pycache__", "tests"} <= set(ignored)
        for file in (REPOSITORY / function["path"]).rglob(".gitignore"):
            ignored += file.read_text(encoding="utf-8").splitlines()
        for needed in ("main.py", "requirements.txt", "vendor", "raceday-0.1.0-py3-none-any.whl"):
            assert not any(fnmatch(needed, rule.strip("/")) for rule in ignored), needed


def test_every_column_has_the_keys_without_which_the_older_command_line_recreates_it():
    for table in manifest()["tables"]:
        for column in table["columns"]:
            keys = {"key", "type", "required", "array", "default"}
            keys |= {"string": {"size", "encrypt"}, "datetime": {"format"}}.get(column["type"], set())
            if column["type"] in {"integer", "double"}:
                keys |= {"min", "max"}
            assert set(column) == keys, f"{table['$id']}.{column['key']}"
            assert column["type"] in {"string", "integer", "double", "boolean", "datetime"}
            assert not (column["required"] and column["default"] is not None)
        for index in table["indexes"]:
            assert index["orders"] == ["ASC"] * len(index["columns"])


def test_without_the_older_name_of_the_size_the_newer_command_lines_take_every_key():
    content = manifest(strict=True)
    assert set(content) == {"projectId", "functions", "tablesDB", "tables", "buckets"}
    for section, known in STRICT.items():
        entries = content.get(section) or [one for table in content["tables"] for one in table[section]]
        for entry in entries:
            assert set(entry) <= known, section
    bounds = {column[end] for table in content["tables"] for column in table["columns"]
              for end in ("min", "max") if end in column}  # fmt: skip
    assert all(isinstance(bound, int) and abs(bound) < 2**63 for bound in bounds)
    lenient = [set(function) for function in manifest()["functions"]]
    assert all(keys - STRICT["functions"] == {"specification"} for keys in lenient)


def test_its_text_is_the_same_content_and_can_be_read_line_by_line():
    content = manifest()
    text = manifest_text(content)
    assert json.loads(text) == content
    assert max(map(len, text.splitlines())) < 200
    assert text.endswith("}\n")


def test_the_host_reads_what_is_generated(tmp_path):
    for folder in manifest()["functions"]:
        path = tmp_path / folder["path"]
        path.mkdir(parents=True)
        (path / "main.py").touch()
    (tmp_path / "appwrite.json").write_text(manifest_text(manifest()), encoding="utf-8")
    assert load_manifest(tmp_path / "appwrite.json").database_id == platform_schema("raceday-db").database_id


def test_what_is_the_operators_stays():
    mine = {"projectId": "mine", "endpoint": "https://example.org/v1", "topics": [{"$id": "t"}]}
    content = renewed({**mine, "functions": []})
    assert {key: content[key] for key in mine} == mine
    assert content["functions"] == manifest()["functions"]
    assert stale_lines(content) == []
    assert stale_lines(json.loads(json.dumps(content, indent=4))) == []
    assert renewed({})["projectId"] == "raceday"


def test_what_is_stale_is_shown_line_by_line():
    content = committed()
    content["functions"][0]["timeout"] = 7
    del content["tables"][0]["columns"][0]["array"]
    lines = stale_lines(content)
    assert any(line.startswith("-") and '"timeout": 7' in line for line in lines)
    assert any(line.startswith("+") and '"timeout": 300' in line for line in lines)
    assert sum(line.startswith("+") and '"array": false' in line for line in lines) == 1
    assert len([line for line in lines if line.startswith(("-", "+"))]) == 6


def test_the_classic_poller_is_chosen_once_and_stays_chosen() -> None:
    standing = renewed({})
    schedules = {entry["$id"]: entry["schedule"] for entry in standing["functions"]}
    assert (schedules["master-race-scheduler"], schedules["race-data-poller"]) == ("* * * * *", "")
    classic = renewed(standing, poller="classic")
    schedules = {entry["$id"]: entry["schedule"] for entry in classic["functions"]}
    assert (schedules["master-race-scheduler"], schedules["race-data-poller"]) == ("", "* * * * *")
    assert stale_lines(classic) == []
    assert renewed(classic, poller="scheduler") == standing


def test_schedules_that_are_neither_choice_are_stale() -> None:
    both = renewed({})
    entries = [
        {**entry, "schedule": "* * * * *"} if entry["$id"] == "race-data-poller" else entry
        for entry in both["functions"]
    ]
    assert stale_lines({**both, "functions": entries})
