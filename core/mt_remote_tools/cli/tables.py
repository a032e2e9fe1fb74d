"""Tables on standard output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDTH_OF_A_PIPE = 160
"""Characters."""


def table_of(*columns: str) -> Table:
    """An empty table for :func:`console`; its first column is never broken."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_lines=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    table.columns[0].no_wrap = True
    return table


def console() -> Console:
    """Standard output; wide where it is a pipe."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE, markup=False, highlight=False)
