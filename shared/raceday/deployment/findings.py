"""What is wrong, or worth knowing, about a deployment, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a diagnosis: what it is about, what was seen, and the remedy.

    A problem has to be mended; anything else is worth knowing and does not count against the deployment. One that
    `refuses_writes` keeps rows of RaceDay's from being written.
    """

    about: str
    seen: str
    remedy: str
    is_problem: bool = True
    refuses_writes: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked: what it was, what was seen in a few words, and what there is to say about it."""

    title: str
    seen: str
    findings: tuple[Finding, ...] = ()

    @property
    def problems(self) -> int:
        """Return how many findings have to be mended."""
        return sum(finding.is_problem for finding in self.findings)
