"""One question to the feed, asked until it is answered: attempts, time limits, pauses and the log of each attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stamina import AsyncRetryingCaller
from stamina.instrumentation import set_on_retry_hooks

from raceday.domain.cadence import SOURCE_REFRESH_S
from raceday.errors import FeedError, FeedThrottled, FeedUnavailable
from raceday.nztab.answers import TOO_MANY_REQUESTS, refusal, retry_after_s, wants_retry
from raceday.nztab.budget import LONGEST_HOLD_OFF_S
from raceday.nztab.redaction import Redaction
from raceday.nztab.transport import FeedTransport
from raceday.transport import AsyncTransport, HttpAnswer

if TYPE_CHECKING:
    from raceday.clock import Clock
    from raceday.nztab.budget import RequestBudget
    from raceday.nztab.settings import FeedSettings

FeedLog = Callable[[str, Mapping[str, object]], None]
"""Takes the name of what happened (one of the two below) and its fields; never gets headers."""
FEED_ATTEMPT = "feed_attempt"
"""One request was made; its field `error` says what went wrong with it, if anything did."""
FEED_DRIFT = "feed_drift"
"""A list strayed from the feed's usual shape; its field `drift` counts how. Nothing failed, but it is worth a look."""

UNSAID_PAUSE_S = float(SOURCE_REFRESH_S)
"""How long the feed is left alone when it kept refusing (429) without saying how long: one refresh of its source."""

# Every attempt is logged here, with its outcome; the retry library would log the same in its own words.
set_on_retry_hooks(())


@dataclass(slots=True)
class FeedCall:
    """One question while it is being answered; `about` names its subject in logs and errors."""

    endpoint: str
    path: str
    query: Mapping[str, str | int]
    about: Mapping[str, object]
    deadline_s: float = 0.0
    attempts: int = 0
    last_error: str = "none of its attempts had begun"

    def __str__(self) -> str:
        """Name the question, for errors."""
        return " ".join([self.endpoint, *(str(value) for value in self.about.values())])


class FeedCaller:
    """Asks the feed with retries, within the budget of the process and the time limits of the settings.

    `attempts_made` counts requests since the start, retries included; `redaction` cleans whatever is said of answers.
    """

    def __init__(
        self,
        settings: FeedSettings,
        clock: Clock,
        budget: RequestBudget,
        log: FeedLog,
        transport: AsyncTransport | None,
    ) -> None:
        """Ask through `transport`, or over the network when it is None."""
        self.attempts_made = 0
        self.redaction = Redaction(settings.partner_id)
        self._settings = settings
        self._clock = clock
        self._budget = budget
        self._log = log
        self._transport = FeedTransport(settings, transport)
        self._retrying = AsyncRetryingCaller(
            attempts=settings.attempts,
            timeout=None,
            wait_initial=settings.first_retry_wait_s,
            wait_max=settings.retry_wait_s(settings.attempts),
            wait_jitter=0,
        )

    async def get(self, call: FeedCall) -> bytes:
        """Return the body of a 200 answer.

        Time-outs, connection errors, 5xx and 429 are tried again; nothing else is. Raises FeedThrottled,
        FeedUnavailable, FeedNotFound (404) or FeedContractError, all within `call_budget_s`, which includes the
        wait for other callers.
        """
        call.deadline_s = _now_s() + self._settings.call_budget_s
        try:
            async with asyncio.timeout_at(call.deadline_s):
                answer = await self._retrying(lambda error: self._pause(call, error), self._attempt, call)
        except TimeoutError:
            raise FeedUnavailable(
                f"no answer to {call} within {self._settings.call_budget_s} s and {call.attempts} attempts: "
                f"{call.last_error}"
            ) from None
        error = refusal(answer, str(call))
        if error is not None:
            raise self.redaction.error(error)
        return answer.body

    async def aclose(self) -> None:
        """Close the connections that are its own."""
        await self._transport.aclose()

    def _pause(self, call: FeedCall, error: BaseException) -> bool | float:
        """Say whether to try again after an error, or after how many seconds when the feed asked for a pause."""
        if isinstance(error, FeedThrottled):
            return error.retry_after_s if _now_s() + error.retry_after_s < call.deadline_s else False
        return isinstance(error, FeedUnavailable)

    async def _attempt(self, call: FeedCall) -> HttpAnswer:
        async with self._budget.turn(call.deadline_s):
            answer = await self._asked_once(call)
        if wants_retry(answer):
            raise self._failure(call, answer)
        return answer

    async def _asked_once(self, call: FeedCall) -> HttpAnswer:
        call.attempts += 1
        self.attempts_made += 1
        started_s, limit_s = _now_s(), self._settings.attempt_timeout_s
        outcome: dict[str, object] = {"error": "cut off by the time limit of the call"}
        try:
            async with asyncio.timeout(limit_s):
                answer = self.redaction.refused(await self._transport.get(call.path, call.query))
            outcome = {"status": answer.status, "bytes": len(answer.body)}
            error = refusal(answer, str(call))
            if error is not None:
                outcome["error"] = str(self.redaction.error(error))
        except TimeoutError:
            outcome = {"error": f"no complete answer within {limit_s} s"}
            raise FeedUnavailable(f"{call}: no complete answer within {limit_s} s") from None
        except FeedError as failure:
            outcome = {"error": str(self.redaction.error(failure))}
            raise
        finally:
            call.last_error = str(outcome.get("error", outcome))
            latency_ms = round((_now_s() - started_s) * 1000)
            self._log(
                FEED_ATTEMPT,
                {"endpoint": call.endpoint, **call.about, "attempt": call.attempts, **outcome, "ms": latency_ms},
            )
        return answer

    def _failure(self, call: FeedCall, answer: HttpAnswer) -> FeedUnavailable:
        """Return the error of an answer that is worth another try; make all callers pause when the feed asks for it."""
        pause_s = retry_after_s(answer.retry_after, self._clock.now())
        if pause_s is None and answer.status == TOO_MANY_REQUESTS:
            last = call.attempts >= self._settings.attempts
            pause_s = UNSAID_PAUSE_S if last else self._settings.retry_wait_s(call.attempts)
        message = self.redaction.text(str(refusal(answer, str(call))))
        if pause_s is None:
            return FeedUnavailable(message)
        pause_s = min(max(pause_s, self._settings.retry_wait_s(call.attempts)), LONGEST_HOLD_OFF_S)
        self._budget.hold_off(pause_s)
        return FeedThrottled(message, pause_s)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
