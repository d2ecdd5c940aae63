"""The host runs functions as the platform would: what fails there fails here."""

from __future__ import annotations

import json

import pytest

from function_folders import ANSWER, bundle, declare, run_host
from raceday.errors import ExecutionRefused
from raceday.runtime.ports import ProcessPorts


def execute(tmp_path, source, body=None, **settings):
    """Run one function once, synchronously, and return its result."""
    manifest = bundle(tmp_path, {"f": source}, declare("f", **settings))

    async def story(host, _clock):
        return await host.execute("f", body or {})

    return run_host(manifest, story)


def test_a_function_gets_its_body_and_headers_and_answers(tmp_path):
    result = execute(
        tmp_path,
        """
        async def main(context):
            context.log("polling", context.req.body)
            return context.res.json({"got": context.req.body, "headers": sorted(context.req.headers),
                                     "trigger": context.req.headers["x-appwrite-trigger"]}, 201)
        """,
        {"raceIds": ["a", "b"]},
    )
    assert (result.status, result.status_code, result.trigger) == ("completed", 201, "http")
    assert json.loads(result.body) == {
        "got": {"raceIds": ["a", "b"]},
        "headers": ["content-type", "x-appwrite-execution-id", "x-appwrite-trigger"],
        "trigger": "http",
    }
    assert result.logs == 'polling {"raceIds":["a","b"]}\n'
    assert result.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "status_code", "status", "complaint"),
    [
        ("return None", 500, "failed", "Return statement missing"),
        ("return {'meetings': 3}", 200, "completed", ""),
        ("return 'done'", 500, "failed", "main returned str"),
        ("return context.res.json({'at': datetime.now(UTC)})", 500, "failed", "not JSON serializable"),
        ("context.log({'at': datetime.now(UTC)}); return context.res.empty()", 500, "failed", "not JSON serializable"),
        ("raise ValueError('no races')", 500, "failed", "ValueError: no races"),
        ("raise TimeoutError('feed')", 500, "failed", "Execution timed out."),
        ("import sys; sys.exit(3)", 500, "failed", "sys.exit(3)"),
        ("return context.res.json({}, 404)", 404, "completed", ""),
        ("return context.res.json({}, 408)", 408, "completed", ""),
        ("return context.res.json({}, 503)", 503, "failed", ""),
        ("return context.res.empty()", 204, "completed", ""),
    ],
)
def test_the_ways_an_execution_ends(tmp_path, body, status_code, status, complaint):
    source = "from datetime import UTC, datetime\nasync def main(context):\n    " + body + "\n"
    result = execute(tmp_path, source)
    assert (result.status_code, result.status) == (status_code, status)
    assert complaint in result.errors
    assert (result.errors == "") == (complaint == "")


def test_a_plain_main_runs_too(tmp_path):
    result = execute(tmp_path, "def main(context):\n    return context.res.text('ok')\n")
    assert (result.status_code, result.body) == (200, "ok")


def test_a_module_without_main_fails_its_execution(tmp_path):
    assert "has no attribute 'main'" in execute(tmp_path, "value = 1\n").errors


def test_logs_are_not_kept_when_logging_is_off(tmp_path):
    source = "async def main(context):\n    context.log('x')\n    return context.res.empty()\n"
    assert execute(tmp_path, source, logging=False).logs == ""


def test_a_failing_import_is_503_until_it_is_mended(tmp_path):
    manifest = bundle(tmp_path, {"f": "import no_such_module_anywhere\n"})

    async def story(host, _clock):
        broken = await host.execute("f", {})
        (tmp_path / "functions" / "f" / "main.py").write_text(ANSWER + "\n# mended, and of another length\n")
        return broken, await host.execute("f", {})

    broken, mended = run_host(manifest, story)
    assert (broken.status, broken.status_code) == ("failed", 503)
    assert "no_such_module_anywhere" in broken.errors
    assert (mended.status, mended.status_code) == ("completed", 200)


def test_a_module_that_exits_while_imported_is_a_failing_import(tmp_path):
    assert execute(tmp_path, "raise SystemExit(1)\n").status_code == 503


def test_a_warm_module_keeps_its_state_and_two_functions_do_not_share_it(tmp_path):
    counter = """
        calls = 0
        async def main(context):
            global calls
            calls += 1
            return context.res.json(calls)
    """
    manifest = bundle(tmp_path, {"one": counter, "two": counter})

    async def story(host, _clock):
        return [(await host.execute(name, {})).body for name in ("one", "one", "two", "one")]

    assert run_host(manifest, story) == ["1", "2", "1", "3"]


def test_an_async_main_is_cancelled_at_its_timeout(tmp_path):
    result = execute(
        tmp_path,
        """
        import asyncio
        async def main(context):
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                context.log("cut")
                raise
        """,
        timeout=20,
    )
    assert (result.status, result.status_code, result.duration_s) == ("failed", 500, 20.0)
    assert (result.logs, result.errors) == ("cut\n", "Execution timed out.\n")


def test_a_synchronous_caller_waits_thirty_seconds_while_the_function_runs_on(tmp_path):
    manifest = bundle(
        tmp_path,
        {
            "slow": """
                import asyncio
                finished = 0
                async def main(context):
                    global finished
                    await asyncio.sleep(45)
                    finished += 1
                    return context.res.empty()
            """,
        },
        declare("slow", timeout=90),
    )

    async def story(host, clock):
        import sys

        began = clock.now()
        result = await host.execute("slow", {})
        waited_s = (clock.now() - began).total_seconds()
        module = sys.modules["raceday_function_slow"]
        before = module.finished
        await clock.sleep(16)
        return result, waited_s, before, module.finished, host.history.count("slow")

    result, waited_s, before, after, recorded = run_host(manifest, story)
    assert (result.status, result.status_code, waited_s) == ("failed", 408, 30.0)
    assert "function_synchronous_timeout" in result.errors
    assert (before, after, recorded) == (0, 1, 1)


def test_a_function_finds_the_hosts_ports_and_nobody_elses(tmp_path):
    source = """
        from raceday.runtime.ports import current_ports
        async def main(context):
            ports = current_ports()
            child = await ports.executions.start("g", {}) if context.req.body.get("deeper") else ""
            return context.res.json({"now": ports.clock.now().isoformat(), "child": child})
    """
    manifest = bundle(tmp_path, {"f": source, "g": source})

    async def story(host, clock):
        from raceday.runtime.ports import using

        with using(ProcessPorts()):
            result = await host.execute("f", {"deeper": True})
        await host.drain()
        return result, [ended.execution_id for ended in host.history.recent]

    result, ended = run_host(manifest, story)
    answer = json.loads(result.body)
    assert answer["now"] == "2026-11-21T16:59:30+00:00"
    assert ended == [result.execution_id, answer["child"]]


def test_what_cannot_be_started_is_refused_with_a_reason(tmp_path):
    manifest = bundle(tmp_path, {"f": ANSWER})

    async def story(host, _clock):
        with pytest.raises(ExecutionRefused, match="no function 'ghost'; the manifest declares f"):
            await host.start("ghost", {})
        with pytest.raises(ExecutionRefused, match="10485760"):
            await host.start("f", {"text": "x" * 10_485_760})
        await host.stop()
        with pytest.raises(ExecutionRefused, match="stopping"):
            await host.start("f", {})
        with pytest.raises(ExecutionRefused, match="stopping"):
            await host.execute("f", {})
        return host.history.count()

    assert run_host(manifest, story) == 0
