"""A table of a campaign's progress on stderr: how far, how fast, how long still, what last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from experiments.campaigns.job import Job, Outcome


def watched(
    outcomes: Iterable[Outcome], jobs: Sequence[Job], ended: Mapping[str, int]
) -> Iterator[Outcome]:
    """The outcomes, shown as they pass. ended: counts so far, kept up to date by who asks."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    labels = {job.id: job.labels for job in jobs}
    columns = (
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rate]}  {task.fields[counts]}  {task.fields[last]}"),
    )
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=3600) as bar:
        task = bar.add_task("", total=len(jobs), rate="", counts="", last="")
        for outcome in outcomes:
            yield outcome
            state = bar.tasks[task]  # several may come at the same moment: no speed of the last one
            hours = (state.elapsed or 0) / 3600
            bar.update(
                task,
                advance=1,
                rate=f"{(state.completed + 1) / hours:.0f} runs/h" if hours else "",
                counts=_counts(ended),
                last=" ".join(str(value) for value in labels[outcome.id].values())[:60],
            )


def _counts(ended: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in ended.items() if count)
