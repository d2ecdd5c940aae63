"""How the feed is asked: where, as whom, how patiently, how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from raceday import __version__
from raceday.errors import ConfigError

MIB = 1024 * 1024


def _fits_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """Everything about asking the feed that an operator may choose.

    The feed wants its users to identify themselves: `contact_email` goes into `From`, `partner` into `X-Partner`,
    `partner_id` into `X-Partner-ID`; what is not set is not sent. A call may take `call_budget_s` in all, waiting
    included, and each of its attempts `attempt_timeout_s`. After a failed attempt it pauses for
    `first_retry_wait_s`, twice that after the next, and so on: 100, 200 and 400 ms for the default of 4 attempts.
    """

    base_url: str = "https://api.tab.co.nz/affiliates/v1"
    contact_email: str | None = None
    partner: str | None = None
    partner_id: str | None = field(default=None, repr=False)
    user_agent: str = f"raceday/{__version__}"
    attempt_timeout_s: float = 5.0
    call_budget_s: float = 15.0
    attempts: int = 4
    first_retry_wait_s: float = 0.1
    max_body_bytes: int = 16 * MIB
    with_tote_trends: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot work. Raises ConfigError that names the setting."""
        if urlsplit(self.base_url).scheme not in {"http", "https"} or not urlsplit(self.base_url).netloc:
            raise ConfigError(f"base_url must be an http(s) address, not {self.base_url!r}")
        for name in ("contact_email", "partner", "partner_id", "user_agent"):
            if not _fits_header(getattr(self, name) or ""):
                raise ConfigError(f"{name} may only hold printable ASCII characters: it is sent as a header")
        for name in ("attempt_timeout_s", "call_budget_s", "attempts", "max_body_bytes"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be above 0, not {getattr(self, name)}")
        if self.first_retry_wait_s < 0:
            raise ConfigError(f"first_retry_wait_s must not be below 0, is {self.first_retry_wait_s}")

    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        identification = {"From": self.contact_email, "X-Partner": self.partner, "X-Partner-ID": self.partner_id}
        known = {name: value for name, value in identification.items() if value}
        return {
            "User-Agent": self.user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            **known,
        }

    def retry_wait_s(self, attempt: int) -> float:
        """Return the pause after the given failed attempt (1 is the first)."""
        return float(self.first_retry_wait_s * 2 ** (attempt - 1))
