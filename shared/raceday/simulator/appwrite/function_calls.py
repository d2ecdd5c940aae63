"""The calls about functions themselves: create, list, look at, change, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.call import answer, no_content
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.functions import Function, function_of, settings_of
from raceday.simulator.appwrite.resource_lists import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from raceday.simulator.appwrite.call import Call
    from raceday.simulator.appwrite.functions import Settings

_SPLIT_IN = (1, 9)
"""The response format from which build and runtime have specifications of their own."""


def create_function(call: Call) -> Response:
    """Answer POST /functions."""
    function_id = params.checked_id(params.required(call.body, "functionId"), "functionId")
    settings = _settings(call, call.body)
    if function_id == params.GENERATED:
        function_id = call.project.new_id()
    if function_id in call.project.functions:
        raise refused("function_already_exists")
    function = Function(function_id, settings, created_at=call.at, updated_at=call.at)
    call.project.functions[function_id] = function
    return answer(function.body(call.at), 201)


def list_functions(call: Call) -> Response:
    """Answer GET /functions: 25 of them unless a limit says otherwise."""
    shown = [function.body(call.at) for function in call.project.functions.values()]
    return answer(listed("functions", shown, call.query.get("queries")))


def get_function(call: Call) -> Response:
    """Answer GET /functions/{functionId}."""
    return answer(_function(call).body(call.at))


def update_function(call: Call) -> Response:
    """Answer PUT /functions/{functionId}: what is not given falls back to its default, only the runtime stays."""
    function = _function(call)
    function.settings = _settings(call, {"runtime": function.settings.runtime, **call.body})
    function.updated_at = call.at
    return answer(function.body(call.at))


def delete_function(call: Call) -> Response:
    """Answer DELETE /functions/{functionId}."""
    del call.project.functions[_function(call).function_id]
    return no_content()


def _function(call: Call) -> Function:
    return function_of(call.project.functions, call.path["functionId"])


def _settings(call: Call, body: Mapping[str, object]) -> Settings:
    wanted = call.headers.get("x-appwrite-response-format", "")
    version = tuple(int(part) for part in wanted.split(".")[:2] if part.isdigit())
    is_old = bool(version) and version < _SPLIT_IN
    return settings_of(body, call.project.specification, is_old_client=is_old)
