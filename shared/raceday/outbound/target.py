"""The address of an outgoing request, taken apart and checked before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

import idna

from raceday.errors import OutboundRefused

HTTPS_PORT = 443
HTTP_PORT = 80
FIRST_FREE_PORT = 1024
"""Ports below it belong to services such as mail that must not be spoken to in HTTP."""
_LABEL = r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
LONGEST_HOST = 253
_SAFE = "/%:@!$&'()*+,;=~-._?"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: scheme, host in lower-case ASCII, port, and path with query."""

    scheme: str
    host: str
    port: int
    path: str


def target_of(url: str, *, allow_private: bool = False) -> Target:
    """Take a URL apart; only `allow_private` lets it be plain http and go to port 80.

    Raises `OutboundRefused` saying which rule it breaks; the message names the host at most, for a path may hold a
    secret.
    """
    if not url.isprintable() or " " in url or "\\" in url:
        raise OutboundRefused("the URL has spaces, control characters or backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise OutboundRefused("the URL cannot be read") from None
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise OutboundRefused("the URL is not https")
    if "@" in parts.netloc:
        raise OutboundRefused("the URL holds a user name or password")
    if port is None:
        port = HTTPS_PORT if parts.scheme == "https" else HTTP_PORT
    if port != HTTPS_PORT and port < FIRST_FREE_PORT and not (allow_private and port == HTTP_PORT):
        raise OutboundRefused(f"port {port} is neither {HTTPS_PORT} nor {FIRST_FREE_PORT} or above")
    return Target(parts.scheme, _ascii_host(parts.hostname), port, _ascii_path(parts))


def host_matches(host: str, patterns: frozenset[str]) -> bool:
    """Whether a host is on a list of hosts; `*.example.org` stands for one or more labels before `example.org`."""
    labels = host.split(".")
    return host in patterns or any("*." + ".".join(labels[left:]) in patterns for left in range(1, len(labels)))


def _ascii_host(host: str | None) -> str:
    name = (host or "").removesuffix(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise OutboundRefused("the URL's host is no domain name") from None
    if len(name) > LONGEST_HOST or not _HOST.fullmatch(name):
        raise OutboundRefused("the URL has no host, or one that is no domain name")
    return name


def _ascii_path(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=_SAFE)
    return path + ("?" + quote(parts.query, safe=_SAFE) if parts.query else "")
