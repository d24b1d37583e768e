"""Progress of a campaign: a line per run in progress.log, and on stderr a bar or the same lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from datamodules.support.progress import progress_bar
from experiments.campaigns.job import Job
from experiments.campaigns.making import Outcome

LOG = "progress.log"  # in the folder of a campaign, for all programs that work on it

Show = Callable[[Outcome, str], None]


def watched(
    outcomes: Iterable[Outcome], jobs: Sequence[Job], counts: Mapping[str, int], root: Path
) -> Iterator[Outcome]:
    """The outcomes, shown as they pass and noted in the folder's progress.log.

    counts: by state; the caller adds each outcome to it.
    """
    described = {job.id: job.described() for job in jobs}
    with (_bar if sys.stderr.isatty() else _lines)(len(jobs), counts) as show:
        for outcome in outcomes:
            yield outcome
            write_line(root, _line(outcome, described[outcome.id], outcome.reason))
            show(outcome, described[outcome.id])


def note(root: Path, text: str) -> None:
    """Say a line on stderr, and note it in the folder's progress.log."""
    print(text, file=sys.stderr)
    write_line(root, text)


def write_line(root: Path, text: str) -> None:
    """Add a line with the present time to the folder's progress.log."""
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {' '.join(text.split())}\n"
    with (root / LOG).open("a", encoding="utf-8") as log:  # at once: other programs write too
        log.write(line)


def _line(outcome: Outcome, described: str, reason: str = "") -> str:
    seconds = f"{outcome.seconds:.1f} s" if outcome.seconds else ""
    parts = (outcome.state, outcome.id, seconds, described, reason)
    return "  ".join(part for part in parts if part)


@contextmanager
def _lines(total: int, counts: Mapping[str, int]) -> Iterator[Show]:
    """Lines, for a file or a pipe: number of the run, its state, seconds and labels."""
    start, number = time.monotonic(), 0

    def show(outcome: Outcome, described: str) -> None:
        nonlocal number
        number += 1
        left = (time.monotonic() - start) / number * (total - number)
        # The reason of a failure has a line of its own.
        remaining = f"  ({left / 60:.0f} min left)" if number < total else ""
        print(f"{number}/{total}  {_line(outcome, described)}{remaining}", file=sys.stderr)

    yield show


@contextmanager
def _bar(total: int, counts: Mapping[str, int]) -> Iterator[Show]:
    """A bar with counts, speed, time left, and the latest run."""
    after = "{task.fields[rate]}  {task.fields[counts]}  {task.fields[last]}"
    with progress_bar(after, elapsed=True, remaining=True, memory=3600) as bar:
        task = bar.add_task("", total=total, rate="", counts="", last="")

        def show(outcome: Outcome, described: str) -> None:
            state = bar.tasks[task]
            # Over the whole time: several may end at the same moment.
            hours = (state.elapsed or 0) / 3600
            bar.update(
                task,
                advance=1,
                rate=f"{(state.completed + 1) / hours:.0f} runs/h" if hours else "",
                counts=", ".join(f"{n} {state}" for state, n in counts.items() if n),
                last=described[:60],
            )

        yield show
