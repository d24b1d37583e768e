"""The tab that looks back on a folder of runs: its report, and how far a sweep has come."""

from __future__ import annotations

import time
from pathlib import Path

import gradio as gr

from datamodules.support.errors import AtelierError
from experiments.studio.studio import say

REPORT = "/report/"  # address of the report's page


def lay_out_look_back(runs: Path, report: Path) -> None:
    """Build the tab. report: folder for the report, which the server shows at `REPORT`."""
    with gr.Row():
        again = gr.Button("Read the folder again", scale=1, elem_id="again")
        about = gr.HTML(say(f"{runs}: not read yet"), elem_id="about-runs")
    frame = gr.HTML("", elem_id="report")

    def read() -> tuple[str, str]:
        from evaluation.report.write import write_report

        try:
            write_report(runs, report)
        except AtelierError as error:
            return say(str(error), "warning"), ""
        # The address changes, so that the browser reads the new page.
        address = f"{REPORT}index.html?{time.time():.0f}"
        return say(_state(runs)), f'<iframe title="Report of {runs.name}" src="{address}"></iframe>'

    settings = {"api_visibility": "private", "concurrency_limit": 1, "show_progress_on": frame}
    again.click(read, None, [about, frame], **settings)


def _state(runs: Path) -> str:
    """Number of finished runs, and of planned ones if there is a plan."""
    from evaluation.report.campaigns import planned
    from evaluation.tables.runs import present, read_runs

    finished, _ = present(runs, read_runs(runs))
    total = planned(runs, finished)
    return f"{runs.name}: {len(finished)} runs" + (f" of {total}" if total else "")
