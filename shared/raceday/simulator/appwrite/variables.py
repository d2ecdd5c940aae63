"""The variables of functions; secret ones are never shown again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.call import answer, no_content
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.functions import function_of
from raceday.simulator.appwrite.instants import stamp
from raceday.simulator.appwrite.resource_lists import listed

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from raceday.simulator.appwrite.call import Call
    from raceday.simulator.appwrite.functions import Function

LONGEST_VALUE = 8192
LONGEST_STORED_BYTES = 5964
"""A longer value is accepted by the check and then does not fit encrypted: a server error (observed)."""


@dataclass(slots=True)
class Variable:
    """One variable of a function."""

    variable_id: str
    function_id: str
    key: str
    value: str
    secret: bool
    created_at: datetime
    updated_at: datetime

    def body(self) -> dict[str, object]:
        """Return the variable as the API shows it."""
        return {
            "$id": self.variable_id,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(self.updated_at),
            "key": self.key,
            "value": "" if self.secret else self.value,
            "secret": self.secret,
            "resourceType": "function",
            "resourceId": self.function_id,
        }


def create_variable(call: Call) -> Response:
    """Answer POST …/variables; secret unless told otherwise."""
    function = _function(call)
    params.required(call.body, "key")
    params.required(call.body, "value")
    key = params.text(call.body, "key", longest=255)
    if any(variable.key == key for variable in function.variables.values()):
        raise refused("variable_already_exists")
    variable = Variable(
        variable_id=call.project.new_id(),
        function_id=function.function_id,
        key=key,
        value=_value(call, ""),
        secret=params.flag(call.body, "secret", default=True),
        created_at=call.at,
        updated_at=call.at,
    )
    function.variables[variable.variable_id] = variable
    return answer(variable.body(), 201)


def list_variables(call: Call) -> Response:
    """Answer GET …/variables."""
    shown = [variable.body() for variable in _function(call).variables.values()]
    return answer(listed("variables", shown, call.query.get("queries")))


def get_variable(call: Call) -> Response:
    """Answer GET …/variables/{variableId}."""
    return answer(_variable(call).body())


def update_variable(call: Call) -> Response:
    """Answer PUT …/variables/{variableId}: a secret can be changed but not made public."""
    variable = _variable(call)
    variable.key = params.text(call.body, "key", variable.key, 255)
    variable.value = _value(call, variable.value)
    variable.secret = variable.secret or params.flag(call.body, "secret", default=False)
    variable.updated_at = call.at
    return answer(variable.body())


def delete_variable(call: Call) -> Response:
    """Answer DELETE …/variables/{variableId}."""
    del _function(call).variables[_variable(call).variable_id]
    return no_content()


def _function(call: Call) -> Function:
    return function_of(call.project.functions, call.path["functionId"])


def _variable(call: Call) -> Variable:
    found = _function(call).variables.get(call.path["variableId"])
    if found is None:
        raise refused("variable_not_found")
    return found


def _value(call: Call, default: str) -> str:
    value = params.text(call.body, "value", default, LONGEST_VALUE)
    if len(value.encode()) > LONGEST_STORED_BYTES:
        raise refused("general_unknown")
    return value
