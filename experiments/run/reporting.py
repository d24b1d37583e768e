"""Reports on the command line: with a bar on stderr while pictures are copied."""

from __future__ import annotations

from pathlib import Path

from datamodules.support.extras import require_extra
from datamodules.support.progress import progress_bar


def report_runs(root: Path, out: Path, title: str = "") -> Path:
    """Write the report of all runs below `root` to the folder `out`; the path of its page.

    Raises AtelierError as `write_report`.
    """
    require_extra("plotly", "report")
    from evaluation.report.write import write_report

    bar = progress_bar(before="{task.description}", elapsed=True)

    def announce(done: int, total: int) -> None:
        if not bar.tasks:  # not earlier: a refusal is one sentence and nothing else
            bar.add_task("pictures")
            bar.start()
        bar.update(bar.tasks[0].id, completed=done, total=total)

    try:
        return write_report(root, out, title, announce)
    finally:
        if bar.tasks:
            bar.stop()
