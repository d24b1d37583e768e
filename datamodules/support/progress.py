"""Progress bars on stderr: stdout is for results."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def progress_bar(
    after: str = "",
    before: str = "",
    elapsed: bool = False,
    remaining: bool = False,
    memory: float = 30.0,
) -> Progress:
    """A bar that counts, to be started; it is drawn once a task is added.

    before, after: formats of text at either side, such as "{task.description}".
    elapsed, remaining: show the time so far, the time left.
    memory: seconds over which the speed is averaged.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = [
        *([TextColumn(before)] if before else []),
        BarColumn(20),
        MofNCompleteColumn(),
        *([TimeElapsedColumn()] if elapsed else []),
        *([TextColumn("left")] if elapsed and remaining else []),
        *([TimeRemainingColumn()] if remaining else []),
        *([TextColumn(after)] if after else []),
    ]
    # In a notebook rich moves a bar by ipywidgets, and warns if they are missing.
    console = Console(stderr=True, force_jupyter=None if find_spec("ipywidgets") else False)
    return Progress(*columns, console=console, speed_estimate_period=memory)
