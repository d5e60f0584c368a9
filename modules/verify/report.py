"""Findings and exposures as rows and as JSON data. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modules.topology import promises
from modules.verify.finding import Finding
from modules.verify.lab import Lab

CHECK_COLUMNS = ("check", "result", "seconds", "evidence")
ADDRESS_COLUMNS = ("app", "exposure", "reach it by", "address", "host name")


def check_rows(findings: Sequence[Finding]) -> list[list[str]]:
    """A row for each finding; what to do next stands under what failed."""
    return [
        [
            finding.name,
            "ok" if finding.ok else "failed",
            f"{finding.seconds:.1f}",
            finding.evidence if finding.ok else f"{finding.evidence}\nnext: {finding.hint}",
        ]
        for finding in findings
    ]


def address_rows(lab: Lab) -> list[list[str]]:
    """A row for each exposure: what a user types."""
    return [[e.app.name, e.kind, e.shown, e.address, e.host if e.host != e.address else ""] for e in lab.exposures]


def last_lines(lab: Lab, findings: Sequence[Finding], seconds: float) -> list[str]:
    """What differs on the lab's backend, and how it went."""
    failed = sum(not finding.ok for finding in findings)
    end = f"{lab.stack}: {len(findings) - failed} of {len(findings)} checks ok in {seconds:.1f} s"
    return [line for line in (promises.summary(lab.backend), end) if line]


def as_data(lab: Lab, findings: Sequence[Finding]) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "stack": lab.stack,
        "ok": all(finding.ok for finding in findings),
        "notes": list(promises.notes(lab.backend)),
        "checks": [finding.as_dict() for finding in findings],
        "exposures": [
            {
                "app": e.app.name,
                "kind": e.kind,
                "url": e.url,
                "command": e.command,
                "host": e.host,
                "address": e.address,
                "port": e.port,
            }
            for e in lab.exposures
        ],
    }
