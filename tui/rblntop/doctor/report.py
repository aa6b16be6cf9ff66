"""Prints findings, for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rblntop.doctor.finding import Finding, Level
from rblntop.text.cells import clean

MARKS = {Level.OK: "ok", Level.NOTE: "note", Level.PROBLEM: "PROBLEM"}


def as_lines(findings: Sequence[Finding]) -> list[str]:
    """A line for each finding, below it the command, and at the end how many problems there are."""
    lines = []
    for finding in findings:
        lines.append(f"{MARKS[finding.level]:<8} {finding.subject:<8} {clean(finding.text)}")
        if finding.command:
            lines.append(f"{'':<17} -> {clean(finding.command)}")
    count = sum(finding.level is Level.PROBLEM for finding in findings)
    lines.append(f"{count or 'no'} problem{'s' * (count != 1)}")
    return lines


def as_json(findings: Sequence[Finding]) -> str:
    """One object: ``problems``, how many, and ``findings``."""
    found = [
        {
            "level": finding.level.value,
            "subject": finding.subject,
            "text": clean(finding.text),
            "command": clean(finding.command),
        }
        for finding in findings
    ]
    count = sum(finding.level is Level.PROBLEM for finding in findings)
    return json.dumps({"problems": count, "findings": found}, indent=2, ensure_ascii=False)
