"""Deployments: code that arrives, perhaps in chunks, is built for a while and then is ready or failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.responses import Response

from raceday.simulator.appwrite import params
from raceday.simulator.appwrite.call import answer, no_content
from raceday.simulator.appwrite.errors import refused
from raceday.simulator.appwrite.functions import function_of
from raceday.simulator.appwrite.instants import stamp
from raceday.simulator.appwrite.resource_lists import listed
from raceday.simulator.appwrite.uploads import arrived

if TYPE_CHECKING:
    from datetime import datetime

    from raceday.simulator.appwrite.call import Call

_STAGES = (("waiting", 0.5), ("processing", 1.0), ("building", 12.0))
"""What a deployment is until how many seconds after its upload; a build with pip took 10 to 14 s."""
LARGEST_BYTES = 30_000_000
_BUILT = "the code is built\n"


@dataclass(slots=True)
class Deployment:
    """One deployment: the code as it was sent, and the log of its build if that is going to fail.

    `activates` asks for it to be run once it is built; `was_activated` says that this has been done.
    """

    deployment_id: str
    function_id: str
    entrypoint: str
    commands: str
    code: bytes
    activates: bool
    created_at: datetime
    failure: str | None = None
    was_activated: bool = False

    def status(self, now: datetime) -> str:
        """Return how far it is."""
        age_s = (now - self.created_at).total_seconds()
        for stage, until_s in _STAGES:
            if age_s < until_s:
                return stage
        return "ready" if self.failure is None else "failed"

    def body(self, now: datetime) -> dict[str, object]:
        """Return the deployment as the API shows it."""
        status = self.status(now)
        ended = status in {"ready", "failed"}
        built_s = int(_STAGES[-1][1] - _STAGES[-2][1])
        build_size = len(self.code) if status == "ready" else 0
        return {
            "$id": self.deployment_id,
            "$createdAt": stamp(self.created_at),
            "$updatedAt": stamp(min(now, self.created_at + timedelta(seconds=_STAGES[-1][1]))),
            "type": "manual",
            "resourceId": self.function_id,
            "resourceType": "functions",
            "entrypoint": self.entrypoint,
            "sourceSize": len(self.code),
            "buildSize": build_size,
            "totalSize": len(self.code) + build_size,
            "buildId": "",
            "activate": self.activates,
            "screenshotLight": "",
            "screenshotDark": "",
            "status": status,
            "buildLogs": (self.failure or _BUILT) if ended else "",
            "buildDuration": built_s if ended else 0,
            "providerRepositoryName": "",
            "providerRepositoryOwner": "",
            "providerRepositoryUrl": "",
            "providerCommitHash": "",
            "providerCommitAuthorUrl": "",
            "providerCommitAuthor": "",
            "providerCommitMessage": "",
            "providerCommitUrl": "",
            "providerBranch": "",
            "providerBranchUrl": "",
        }


def create_deployment(call: Call) -> Response:
    """Answer POST …/deployments: multipart, whole or in chunks that name the first one's answer."""
    function = function_of(call.project.functions, call.path["functionId"])
    part = call.files.get("code")
    if part is None:
        raise refused("storage_file_empty")
    if not part.name.endswith((".gz", ".tgz")):
        raise refused("storage_file_type_unsupported")
    deployment_id = call.headers.get("x-appwrite-id") or call.project.new_id()
    arriving = arrived(call.project.arriving, deployment_id, part, call.headers)
    if arriving.size > LARGEST_BYTES:
        raise refused("storage_invalid_file_size")
    deployment = Deployment(
        deployment_id=deployment_id,
        function_id=function.function_id,
        entrypoint=params.text(call.body, "entrypoint", function.settings.entrypoint, 1028),
        commands=params.text(call.body, "commands", function.settings.commands, 8192),
        code=arriving.whole() or b"",
        activates=params.flag(call.body, "activate", default=False),
        created_at=call.at,
    )
    if arriving.whole() is not None:
        call.project.arriving.pop(deployment_id, None)
        failures = call.project.build_failures
        deployment.failure = failures.pop(0) if failures else None
        function.deployments[deployment_id] = deployment
    return answer(deployment.body(call.at), 202)


def list_deployments(call: Call) -> Response:
    """Answer GET …/deployments."""
    function = function_of(call.project.functions, call.path["functionId"])
    shown = [deployment.body(call.at) for deployment in function.deployments.values()]
    return answer(listed("deployments", shown, call.query.get("queries")))


def get_deployment(call: Call) -> Response:
    """Answer GET …/deployments/{deploymentId}."""
    return answer(_deployment(call, call.path["deploymentId"]).body(call.at))


def download_code(call: Call) -> Response:
    """Answer GET …/deployments/{deploymentId}/download: the code just as it was sent; of builds there is no output."""
    wanted = params.text(call.query, "type", "source")
    if wanted != "source":
        raise refused("deployment_not_found")
    code = _deployment(call, call.path["deploymentId"]).code
    return Response(code, 200, {"content-type": "application/gzip"})


def delete_deployment(call: Call) -> Response:
    """Answer DELETE …/deployments/{deploymentId}."""
    deployment = _deployment(call, call.path["deploymentId"])
    del call.project.functions[deployment.function_id].deployments[deployment.deployment_id]
    return no_content()


def activate_deployment(call: Call) -> Response:
    """Answer PATCH /functions/{functionId}/deployment: run this one from now on."""
    function = function_of(call.project.functions, call.path["functionId"])
    deployment = _deployment(call, str(params.required(call.body, "deploymentId")))
    if deployment.status(call.at) != "ready":
        raise refused("build_not_ready")
    function.active(call.at)
    function.active_id = deployment.deployment_id
    function.updated_at = call.at
    return answer(function.body(call.at))


def _deployment(call: Call, deployment_id: str) -> Deployment:
    function = function_of(call.project.functions, call.path["functionId"])
    if deployment_id not in function.deployments:
        raise refused("deployment_not_found")
    return function.deployments[deployment_id]
