"""Runs one function: loads its entrypoint once, hands it a context, enforces its timeout, reads its answer."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from raceday.host.context import Answer, Context, Request, answer_of
from raceday.host.execution_log import ExecutionLog
from raceday.host.native_output import captured_output
from raceday.runtime.ports import ProcessPorts, using

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import ModuleType

    from raceday.host.executions import ExecutionRequest
    from raceday.host.manifest import FunctionManifest


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one invocation left behind; `ended` is False when nobody waited for the function's own end."""

    status_code: int
    ended: bool = True
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    logs: str = ""
    errors: str = ""


class FunctionWorker:
    """The warm process of one function: its module is imported by the first execution and keeps its state."""

    def __init__(
        self,
        function: FunctionManifest,
        entrypoint: Path,
        ports: ProcessPorts,
        lend_key: Callable[[FunctionManifest], str],
    ) -> None:
        """Prepare; nothing is imported yet. `lend_key` returns the key of one execution, which begins now."""
        self._function = function
        self._entrypoint = entrypoint
        self._ports = ports
        self._lend_key = lend_key
        self._module: ModuleType | None = None

    @property
    def timeout_s(self) -> int:
        """Return after how many seconds the function is cancelled."""
        return self._function.timeout_s

    async def invoke(self, request: ExecutionRequest) -> Outcome:
        """Run the function once; whatever it does, an outcome comes back.

        An `async def main` is cancelled at its timeout. A plain `def main` blocks everything and cannot be stopped,
        on the platform as here.
        """
        execution_log = ExecutionLog(enabled=self._function.logging)
        headers = request.headers(self._lend_key(self._function))
        context = Context(Request(request.body.encode(), headers), execution_log)
        with using(self._ports), captured_output() as printed:
            try:
                answer = await self._answer(context)
            except asyncio.CancelledError:
                context.error("The execution was cancelled.")
                answer = Answer(500)
            finally:
                execution_log.write_native(printed.getvalue())
                execution_log.close()
        return Outcome(
            status_code=answer.status_code,
            body=answer.body,
            headers=answer.headers,
            logs=execution_log.logs,
            errors=execution_log.errors,
        )

    async def _answer(self, context: Context) -> Answer:
        try:
            module = self._loaded()
        except (Exception, SystemExit):  # noqa: BLE001 - a fault of the import is the function's, never the host's
            context.error(traceback.format_exc())
            return Answer(503)
        try:
            output = await self._call(module, context)
            if output is None:
                context.error("Return statement missing. return context.res.empty() if no response is expected.")
                return Answer(500)
            return answer_of(output)
        except TimeoutError:
            # The platform makes no difference between its own timeout and one that escapes from main.
            context.error("Execution timed out.")
        except SystemExit as error:
            context.error(f"main called sys.exit({error.code}): the connection was dropped without an answer.")
        except Exception:  # noqa: BLE001 - a function's error ends its execution, never the host
            context.error(traceback.format_exc())
        return Answer(500)

    async def _call(self, module: ModuleType, context: Context) -> object:
        async with asyncio.timeout(self._function.timeout_s):
            output = module.main(context)
            return await output if inspect.isawaitable(output) else output

    def _loaded(self) -> ModuleType:
        """Return the module, importing it if that has not succeeded yet."""
        if self._module is None:
            self._module = _import_entrypoint(self._function.function_id, self._entrypoint)
        return self._module


def _import_entrypoint(function_id: str, entrypoint: Path) -> ModuleType:
    """Import a file under a name of its own, so that eight files called main.py live side by side."""
    name = f"raceday_function_{function_id}"
    spec = importlib.util.spec_from_file_location(name, entrypoint)
    if spec is None or spec.loader is None:
        raise ImportError(f"{entrypoint} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
