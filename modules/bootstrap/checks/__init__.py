"""Machines that exist already are looked at before anything is changed: every problem of every machine at once.

ask      all machines in parallel: facts, or why there are none
judge    facts -> problems, pure            table    problems as one text
"""

from __future__ import annotations

from modules.bootstrap.checks.ask import Answer, ask
from modules.bootstrap.checks.judge import Problem, Target, Wanted, judge
from modules.bootstrap.checks.table import table

__all__ = ["Answer", "Problem", "Target", "Wanted", "ask", "judge", "table"]
