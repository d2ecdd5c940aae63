"""Sending up a function's code, and waiting until the platform has built and activated it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from appwrite.enums.deployment_download_type import DeploymentDownloadType  # type: ignore[import-untyped]
from appwrite.input_file import InputFile  # type: ignore[import-untyped]

from raceday.clock import SystemClock
from raceday.deployment.live_functions import LiveFunction
from raceday.deployment.sdk import Platform, PlatformRefused, PlatformUnreachable, is_passing
from raceday.host.manifest import FunctionManifest

ARCHIVE_NAME = "code.tar.gz"
LOOK_EVERY_S = 2.0
BUILD_LIMIT_S = 1200.0
"""How long builds that were sent up together may take. One takes about 20 s; a small server builds one at a time."""

READY = "ready"
_ENDED = frozenset({READY, "failed", "canceled"})

Tell = Callable[[str, str], None]
"""Hears how far a function's build is: its id and the platform's word for it, when that changes."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How time passes while the platform builds; a test lets it pass without waiting."""

    now: Callable[[], datetime] = SystemClock().now
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Build:
    """How a build ended, or how far it was when nobody waited any longer; its log as the platform keeps it."""

    deployment_id: str
    status: str
    log: str = ""

    @property
    def is_over(self) -> bool:
        """Return whether the platform is done with it."""
        return self.status in _ENDED

    @property
    def succeeded(self) -> bool:
        """Return whether its code can run."""
        return self.status == READY


def is_active_code(platform: Platform, function: LiveFunction, archive: bytes) -> bool:
    """Return whether the function's active deployment was built from just this archive.

    Archives are reproducible, so equal code is equal bytes. The size is compared first, then the code that the
    platform kept; a platform that does not hand it out has no equal code.
    """
    if not function.active_id:
        return False
    try:
        active = platform.client.read(f"/functions/{function.function_id}/deployments/{function.active_id}")
        if int(active["sourceSize"]) != len(archive):
            return False
        source = platform.functions.get_deployment_download(
            function.function_id, function.active_id, DeploymentDownloadType.SOURCE
        )
    except PlatformRefused:
        return False
    return bool(source == archive)


def send_code(platform: Platform, function: FunctionManifest, archive: bytes) -> str:
    """Send up a function's code, to be activated once it is built; return the deployment's id."""
    deployment = platform.functions.create_deployment(
        function.function_id,
        InputFile.from_bytes(archive, ARCHIVE_NAME, "application/gzip"),
        activate=True,
        entrypoint=function.entrypoint,
        commands=function.commands,
    )
    return str(deployment.id)


def wait_for_builds(platform: Platform, sent: Mapping[str, str], patience: Patience, tell: Tell) -> dict[str, Build]:
    """Wait until every build is over, but not longer than BUILD_LIMIT_S; `sent` maps functions to deployments.

    Returns how each ended or how far it is. A platform that does not answer for a while is waited for too.
    """
    builds = {function_id: Build(deployment_id, "sent") for function_id, deployment_id in sent.items()}
    until = patience.now() + timedelta(seconds=BUILD_LIMIT_S)
    while True:
        for function_id, build in builds.items():
            if not build.is_over:
                builds[function_id] = _look(platform, function_id, build, tell)
        if all(build.is_over for build in builds.values()) or patience.now() >= until:
            return builds
        patience.sleep(LOOK_EVERY_S)


def _look(platform: Platform, function_id: str, build: Build, tell: Tell) -> Build:
    """Return how far a build is; one that is ready is active too. A platform that is away leaves it where it was."""
    try:
        seen = platform.client.read(f"/functions/{function_id}/deployments/{build.deployment_id}")
        status = str(seen["status"])
        if status == READY:
            _activate(platform, function_id, build.deployment_id)
    except (PlatformUnreachable, PlatformRefused) as error:
        if not is_passing(error):
            raise
        return build
    if status != build.status:
        tell(function_id, status)
    return Build(build.deployment_id, status, str(seen["buildLogs"]))


def _activate(platform: Platform, function_id: str, deployment_id: str) -> None:
    """Make a built deployment the active one, should the platform not have come to it yet."""
    if platform.client.read(f"/functions/{function_id}")["deploymentId"] != deployment_id:
        platform.functions.update_function_deployment(function_id, deployment_id)
