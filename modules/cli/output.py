"""How commands print: a rich table on a terminal, plain columns elsewhere, JSON where a program reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

STYLES = {"ok": "green", "failed": "bold red", "skipped": "yellow"}
"""Words that stand out wherever they fill a cell."""


def table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text under headers, on standard output."""
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        print("\n".join(plain_table(headers, rows)))
        return
    grid = Table(title=title or None, title_justify="left", header_style="bold")
    for header in headers:
        grid.add_column(header, overflow="fold")
    for row in rows:
        grid.add_row(*(_styled(cell) for cell in row))
    console.print(grid)


def plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns two spaces apart, one line a row: for pipes, logs and grep."""
    lines = [[" ".join(str(cell).split()) for cell in row] for row in [[h.upper() for h in headers], *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headers))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def as_json(data: Any) -> None:
    """Print data for a program."""
    print(json.dumps(data, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """A line for people, on standard error: never in the way of what a program reads."""
    print(text, file=sys.stderr)


def _styled(cell: str) -> str:
    style = STYLES.get(cell)
    return f"[{style}]{escape(cell)}[/]" if style else escape(cell)
