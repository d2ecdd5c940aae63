"""The context is as strict as the platform's: each trap, one test."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from raceday.host.context import Context, Request, Response, answer_of
from raceday.host.execution_log import ExecutionLog

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def request(body=b"", **headers):
    return Request(body, {name.replace("_", "-"): value for name, value in headers.items()})


def context():
    log = ExecutionLog(enabled=True)
    return Context(request(), log), log


def test_headers_are_lower_case_and_the_runtimes_own_are_gone():
    made = Request(b"", {"X-Appwrite-Trigger": "http", "X-Open-Runtimes-Secret": "hidden"})
    assert made.headers == {"x-appwrite-trigger": "http"}


def test_a_cron_has_an_empty_text_body():
    assert request().body == ""


def test_a_body_is_json_only_when_the_content_type_says_so():
    assert request(b'{"raceId": 1}', content_type="Application/JSON; charset=utf-8").body == {"raceId": 1}
    assert request(b'{"raceId": 1}').body == '{"raceId": 1}'
    assert request(b'{"raceId": 1}', content_type="application/x-www-form-urlencoded").body == '{"raceId": 1}'


def test_an_empty_json_body_is_an_empty_object_but_body_json_raises():
    made = request(b"", content_type="application/json")
    assert made.body == {}
    with pytest.raises(json.JSONDecodeError):
        _ = made.body_json


def test_malformed_json_raises_on_access():
    made = request(b"{raceId", content_type="application/json")
    with pytest.raises(json.JSONDecodeError):
        _ = made.body
    assert made.body_raw == made.body_text == "{raceId"


def test_the_request_line_of_an_execution():
    made = request()
    assert (made.method, made.path, made.query, made.url) == ("POST", "/", {}, "http://localhost/")


@pytest.mark.parametrize("value", [NOW, Decimal("1.5"), {1, 2}])
def test_json_answers_take_only_what_the_standard_encoder_takes(value):
    with pytest.raises(TypeError):
        Response().json({"value": value})


def test_json_answers_are_compact_and_change_the_headers_given():
    headers = {"x-race": "7"}
    answer = answer_of(Response().json({"a": [1, float("nan")]}, 201, headers))
    assert (answer.status_code, answer.body) == (201, '{"a":[1,NaN]}')
    assert headers["content-type"] == "application/json"


def test_the_status_goes_by_the_platforms_parameter_name():
    assert Response().json({}, statusCode=404)["statusCode"] == 404
    with pytest.raises(TypeError):
        Response().json({}, status=404)


def test_answers_do_not_share_headers():
    Response().json({}, 200)["headers"]["x-leak"] = "1"
    assert "x-leak" not in Response().json({}, 200)["headers"]


def test_a_text_answer_must_be_text():
    with pytest.raises(AttributeError):
        Response().text({"a": 1})


def test_empty_and_redirect():
    assert answer_of(Response().empty()).status_code == 204
    redirect = answer_of(Response().redirect("/there"))
    assert (redirect.status_code, redirect.headers["location"]) == (301, "/there")


def test_a_plain_dict_is_a_success_that_says_nothing():
    answer = answer_of({"meetings": 12})
    assert (answer.status_code, answer.body) == (200, "")


def test_a_plain_dict_with_a_status_code_is_taken_at_its_word():
    assert answer_of({"statusCode": 404, "body": "no"}).status_code == 404


@pytest.mark.parametrize(
    "output",
    ["text", 5, [], {"statusCode": "200"}, {"body": {"a": 1}}, {"headers": {"retry-after": 5}}],
)
def test_what_the_server_cannot_send_raises(output):
    with pytest.raises(TypeError):
        answer_of(output)


def test_log_joins_writes_json_for_containers_and_text_for_the_rest():
    made, log = context()
    made.log("polled", 3, {"a": 1, "b": ["é"]}, NOW)
    made.error("bad", (1, 2))
    assert log.logs == 'polled 3 {"a":1,"b":["\\u00e9"]} 2026-11-22 00:00:00+00:00\n'
    assert log.errors == "bad [1,2]\n"


def test_a_datetime_inside_a_logged_container_raises():
    made, log = context()
    with pytest.raises(TypeError):
        made.log({"at": NOW})
    assert log.logs == ""


def test_a_log_message_is_cut():
    made, log = context()
    made.log("x" * 9_000)
    assert log.logs == "x" * 8_000 + "\n"


def test_only_the_last_million_characters_of_a_log_are_kept():
    made, log = context()
    for number in range(130):
        made.log(f"{number:08d}" * 1_000)
    assert len(log.logs) == 1_000_000
    assert log.logs.endswith("00000129\n")
    assert "00000000" not in log.logs


def test_nothing_is_kept_when_logging_is_off_or_the_execution_is_over():
    off = ExecutionLog(enabled=False)
    Context(request(), off).log({"at": NOW})
    assert off.logs == ""
    made, log = context()
    log.close()
    made.log("too late")
    assert log.logs == ""


def test_printed_text_comes_after_a_notice():
    _, log = context()
    log.write_native("hello\n")
    notice, line = log.logs.splitlines()
    assert notice.startswith("Native logs detected")
    assert line == "hello"
