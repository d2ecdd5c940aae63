"""`.env.example`: every variable of the server with what it does and its default, made from the settings."""

from __future__ import annotations

from collections.abc import Callable

from raceday.server.settings import ServerSettings
from raceday.server.settings_sources import SERVER_VARIABLES, default_text, example_of

_SECTIONS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("The server", lambda name: name in {"PORT", "RACEDAY_HOST", "RACEDAY_ENV", "RACEDAY_LOG_LEVEL", "RACEDAY_FOLDER"}),
    ("The database", lambda name: name == "DATABASE_URL" or name.startswith("RACEDAY_POOL_")),
    ("The feed", lambda name: name.startswith(("NZTAB_", "RACEDAY_FEED"))),
    (
        "The API",
        lambda name: (
            name in {"RACEDAY_API_KEYS", "RACEDAY_RATE_LIMIT", "RACEDAY_CORS_ORIGINS", "RACEDAY_HISTORY_LIMIT"}
        ),
    ),
    ("Alerts", lambda name: name.startswith(("RACEDAY_ALERT_", "RACEDAY_WEBHOOK_"))),
    ("What is followed, and how", lambda _name: True),
)


def env_example() -> str:
    """Return the file: every variable commented out, with its default, or an example where it has none."""
    lines = [
        "# The server's settings. Copy this file to .env and uncomment what is to differ; the environment goes first.",
    ]
    left = list(SERVER_VARIABLES)
    for title, belongs in _SECTIONS:
        chosen = [name for name in left if belongs(name)]
        left = [name for name in left if name not in chosen]
        lines += ["", f"# {title}"]
        for name in chosen:
            lines += _lines(name)
    return "\n".join(lines) + "\n"


def _lines(name: str) -> list[str]:
    field = next(field for field in ServerSettings.model_fields.values() if field.alias == name)
    default = default_text(name)
    shown = default or example_of(name)
    note = "" if default else " (not set by default)"
    return [f"# {field.description}{note}", f"# {name}={shown}"]
