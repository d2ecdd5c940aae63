"""The benchmark's client, a process of its own: so many connections that ask as fast as they are answered.

`python -m raceday.server.benchmark.load_child PORT CONNECTIONS SECONDS PATH` prints one JSON line: requests, the
quantiles of their times in milliseconds, statuses other than 200, and the bytes of one answer on the wire.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from dataclasses import dataclass, field

import httptools
import uvloop

WARM_S = 0.5


@dataclass(slots=True)
class Answers:
    """What all connections measured together."""

    all_requests: int = 0
    times_s: list[float] = field(default_factory=list)
    failed: int = 0
    body_bytes: int = 0


class _Answer:
    """Callbacks of the parser: when an answer is complete, how long its body is, and what it is."""

    def __init__(self) -> None:
        self.complete = False
        self.body_bytes = 0

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)

    def on_message_complete(self) -> None:
        self.complete = True


async def _connection(port: int, path: str, until_s: float, answers: Answers) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n".encode()
    while time.perf_counter() < until_s:
        began_s = time.perf_counter()
        writer.write(request)
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.complete:
            parser.feed_data(await reader.read(1 << 18))
        answers.times_s.append(time.perf_counter() - began_s)
        answers.failed += parser.get_status_code() != 200
        answers.body_bytes = answer.body_bytes
    writer.close()


async def _load(port: int, connections: int, seconds: float, path: str) -> Answers:
    warm = Answers()
    await asyncio.gather(*(_connection(port, path, time.perf_counter() + WARM_S, warm) for _ in range(connections)))
    answers = Answers(all_requests=len(warm.times_s))
    until_s = time.perf_counter() + seconds
    await asyncio.gather(*(_connection(port, path, until_s, answers) for _ in range(connections)))
    return answers


def _figures(answers: Answers, seconds: float) -> dict[str, float | int]:
    times_ms = [time_s * 1000 for time_s in answers.times_s]
    quantiles = statistics.quantiles(times_ms, n=100, method="inclusive")
    return {
        # Those that warmed up are the server's work as well.
        "requests": answers.all_requests + len(times_ms),
        "requests_per_s": round(len(times_ms) / seconds, 1),
        "p50_ms": round(quantiles[49], 2),
        "p95_ms": round(quantiles[94], 2),
        "p99_ms": round(quantiles[98], 2),
        "not_200": answers.failed,
        "kb_on_wire": round(answers.body_bytes / 1024, 1),
    }


if __name__ == "__main__":
    _port, _connections, _seconds, _path = sys.argv[1:]
    _answers = uvloop.run(_load(int(_port), int(_connections), float(_seconds), _path))
    sys.stdout.write(json.dumps(_figures(_answers, float(_seconds))) + "\n")
