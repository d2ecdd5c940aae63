"""The bundle on the stand-in Appwrite: the functions reach the platform by its REST API alone, with a key lent to them.

The stand-in keeps the rows, checks every key and its scopes, and says which row events there are; the host runs the
crons, and eight at a time whatever a cron, an event or a call of the API starts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson

from raceday.clock import SystemClock
from raceday.host.appwrite_use import PlatformUse
from raceday.host.host import Host
from raceday.simulator.appwrite.app import BASE_PATH, appwrite_app
from raceday.store.events import RowEvent
from raceday.transport import InProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

    from raceday.host.manifest import FunctionManifest, Manifest
    from raceday.runtime.ports import ProcessPorts
    from raceday.simulator.appwrite.faults import FaultPlan
    from raceday.simulator.appwrite.project import Project
    from raceday.simulator.appwrite.row_events import RowNotice

ENDPOINT = f"http://appwrite.test{BASE_PATH}"
"""Where the functions find the platform's API; no such host exists, the calls never leave the process."""
KEY_OUTLIVES_TIMEOUT = timedelta(seconds=60)


class AppwriteHost:
    """One project of the stand-in, and the host that runs its functions. To be made inside the running loop.

    `app` is the platform's API, `connections` lead there, `use` counts what is used of it.
    """

    def __init__(
        self,
        project: Project,
        manifest: Manifest,
        ports: ProcessPorts,
        use: PlatformUse | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        """Join the two; nothing runs yet. `ports` is what the functions find in their process beside the platform."""
        self.project = project
        self.use = use or PlatformUse()
        self._clock = ports.clock or SystemClock()
        self.app = appwrite_app(
            project,
            self._clock,
            on_row_event=self._raise_event,
            on_execution=self._carry_out,
            requests=self.use,
            faults=faults,
        )
        self.connections = InProcess(self.app)
        environment = {
            **(ports.environment or {}),
            "APPWRITE_FUNCTION_API_ENDPOINT": ENDPOINT,
            "APPWRITE_FUNCTION_PROJECT_ID": project.project_id,
        }
        ports = replace(ports, clock=self._clock, platform=self.connections, environment=environment)
        self.host = Host(manifest, ports, lend_key=self._lend_key, on_execution=self.use.add_execution)

    def _lend_key(self, function: FunctionManifest) -> str:
        """Issue the key of an execution that begins now: its function's scopes, a minute longer than it may take."""
        settings = self.project.functions[function.function_id].settings
        lifetime = timedelta(seconds=settings.timeout_s) + KEY_OUTLIVES_TIMEOUT
        return self.project.keys.issue(settings.scopes, self._clock.now(), lifetime, function.function_id).secret

    def _raise_event(self, notice: RowNotice) -> None:
        self.use.add_event(notice)
        event = RowEvent(notice.table_id, notice.row_id, notice.action, notice.body)
        self.host.raise_event(event, notice.header, orjson.dumps(notice.body).decode())

    async def _carry_out(self, function_id: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
        return await self.host.carry_out(function_id, body, headers)
