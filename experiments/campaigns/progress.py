"""Progress of a campaign as a bar on stderr: counts, speed, time left, and the latest run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from datamodules.support.progress import progress_bar
from experiments.campaigns.job import Job
from experiments.campaigns.making import Outcome


def watched(
    outcomes: Iterable[Outcome], jobs: Sequence[Job], counts: Mapping[str, int]
) -> Iterator[Outcome]:
    """The outcomes, shown as they pass. counts: by state; the caller adds each outcome to it."""
    labels = {job.id: job.labels for job in jobs}
    after = "{task.fields[rate]}  {task.fields[counts]}  {task.fields[last]}"
    with progress_bar(after, elapsed=True, remaining=True, memory=3600) as bar:
        task = bar.add_task("", total=len(jobs), rate="", counts="", last="")
        for outcome in outcomes:
            yield outcome
            state = bar.tasks[task]
            # Over the whole time: several may end at the same moment.
            hours = (state.elapsed or 0) / 3600
            bar.update(
                task,
                advance=1,
                rate=f"{(state.completed + 1) / hours:.0f} runs/h" if hours else "",
                counts=", ".join(f"{n} {state}" for state, n in counts.items() if n),
                last=" ".join(str(value) for value in labels[outcome.id].values())[:60],
            )
