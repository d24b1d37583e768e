"""The making of jobs: each exactly once, whoever else makes them, whatever dies on the way.

A lock keeps two programs from the same job, and is free again when its process or host dies.
result.json, which is written last, marks a job as done. A failure is noted with its reason.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from datamodules.run_folder import FAILURE, LOCK, RunFolder, RunWriter
from datamodules.run_records import FailureRecord
from datamodules.support.errors import AtelierError, StoppedEarlyError
from datamodules.support.files import make_folder
from datamodules.support.locks import BusyError, hold
from experiments.campaigns.job import Job
from experiments.run.own_code import fault
from experiments.run.watch import Watch

if TYPE_CHECKING:
    from lightning_modules.callbacks import WriteRun

log = logging.getLogger(__name__)

Ending = Literal["done", "stopped"]
CHUNKS = (16, 4)  # views per call of the encoder once memory has run out


@dataclass(frozen=True)
class Outcome:
    """The end of an attempt at a job.

    state: "skipped" if it was done before, "busy" if another program is making it, "stopped" if a
    search has stopped it, "open" if nothing was noted, so that the same command tries again.
    reason: of a failure or a stop, or why the job is open. seconds: of this attempt. tries:
    attempts so far.
    """

    id: str
    state: Literal["done", "skipped", "busy", "failed", "stopped", "open"]
    reason: str = ""
    seconds: float = 0.0
    tries: int = 0


def make_jobs(jobs: Sequence[Job], root: Path, limit: float = 0, threads: int = 0) -> list[Outcome]:
    """Make those jobs that are neither done nor in the hands of another program.

    Several are optimised jointly; a job for which this fails is made alone. Every failure is an
    outcome.
    limit: seconds after which the system ends this process, even where it hangs in foreign code;
    0 = none. threads: of the processor per run; 0 = torch's default.
    """
    outcomes, mine = [], []
    with ExitStack() as locks:
        for job in jobs:
            folder = job.folder(root)
            try:
                make_folder(folder)
                locks.enter_context(hold(folder / LOCK))
            except BusyError:
                outcomes.append(Outcome(job.id, "busy"))
                continue
            except (AtelierError, OSError) as error:  # the folder is another user's
                outcomes.append(Outcome(job.id, "failed", _reason(error)))
                continue
            if job.state(root) in ("done", "stopped"):
                outcomes.append(Outcome(job.id, "skipped"))
            else:
                mine.append(job)
        joint = _make_jointly(mine, root, threads) if len(mine) > 1 else {}
        outcomes += [joint.get(job.id) or _make(job, root, limit, threads) for job in mine]
    return outcomes


def _make_jointly(jobs: Sequence[Job], root: Path, threads: int) -> dict[str, Outcome]:
    """Outcomes, by id, of those jobs that could be optimised jointly."""
    import torch

    from experiments.run.lightning_cli import AtelierCLI, run_together

    start, ready, outcomes = time.perf_counter(), {}, {}
    if threads:
        torch.set_num_threads(threads)
    # A job that fails here is made alone, and fails there again, with its reason noted.
    for job in jobs:
        with suppress(Exception):
            RunWriter(job.folder(root)).write_job(job.record(root))
            started = time.perf_counter()
            cli = AtelierCLI.from_settings(job.config, job.placed(root), started)
            run = cli.set_up()
            job.check_inputs()
            ready[job.id] = cli, run
    if len(ready) < 2:
        return {}
    try:
        run_together(list(ready.values()))
    except Exception as error:
        message = "%d runs cannot be optimised jointly (%s); they are made one after another"
        log.warning(message, len(ready), _reason(error))
        torch.cuda.empty_cache()
        return {}
    seconds = (time.perf_counter() - start) / len(ready)
    for job in [job for job in jobs if job.id in ready]:
        with suppress(Exception):  # as above
            cli, run = ready[job.id]
            cli.conclude(run)
            outcomes[job.id] = _ended(job, root, "done", seconds)
    return outcomes


def _make(job: Job, root: Path, limit: float, threads: int) -> Outcome:
    """Make one job alone."""
    start = time.perf_counter()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        RunWriter(job.folder(root)).write_job(job.record(root, limit))
        job.check_inputs()
        _run(job, root, start, threads)
    except StoppedEarlyError as stop:
        return _ended(job, root, "stopped", time.perf_counter() - start, str(stop))
    except Exception as error:  # whatever goes wrong in one run, the others go on
        return _failure(job, root, _reason(error), time.perf_counter() - start)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return _ended(job, root, "done", time.perf_counter() - start)


class _InputCheck(Watch):
    """Check of a job's inputs, once they have been read."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def on_start(self, run: WriteRun, needed: int) -> None:
        self.job.check_inputs()


def _run(job: Job, root: Path, started: float, threads: int) -> None:
    """The run itself; again with fewer views per call of the encoder where memory has run out."""
    import torch

    from experiments.run.lightning_cli import AtelierCLI

    if threads:
        torch.set_num_threads(threads)
    for chunk in (None, *CHUNKS):
        settings = job.placed(root) | ({"model.chunk": chunk} if chunk else {})
        try:
            AtelierCLI.from_settings(job.config, settings, started).run(_InputCheck(job))
            return
        except (torch.OutOfMemoryError, MemoryError):
            if chunk == CHUNKS[-1]:
                raise
        torch.cuda.empty_cache()


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split())
    if isinstance(error, AtelierError):
        return words
    return (fault(error) or f"{type(error).__name__}: {words}")[:500]


def _ended(job: Job, root: Path, state: Ending, seconds: float, reason: str = "") -> Outcome:
    """The outcome of a job that is done or was stopped; the note of an earlier failure goes."""
    tries = failed_tries(job.folder(root)) + 1
    (job.folder(root) / FAILURE).unlink(missing_ok=True)
    return Outcome(job.id, state, reason, seconds, tries)


def _failure(job: Job, root: Path, reason: str, seconds: float = 0.0) -> Outcome:
    """The outcome of a job that has failed, noted in its folder for reports and --retry-failed."""
    tries = failed_tries(job.folder(root)) + 1
    try:
        RunWriter(job.folder(root)).write_failure(FailureRecord(reason, tries))
    except AtelierError as unwritable:  # a full disk: the outcome still says so
        reason = f"{reason}; {unwritable}"
    return Outcome(job.id, "failed", reason, seconds, tries)


def failed_tries(folder: Path) -> int:
    """The number of failed attempts so far."""
    return RunFolder(folder, strict=False).failure.tries


def after_death(job: Job, root: Path, limit: float, error: Exception) -> Outcome:
    """The outcome of a job whose worker died, with the error that Ray raised."""
    if job.state(root) == "done":
        return Outcome(job.id, "done")
    started = RunFolder(job.folder(root), strict=False).job.started or time.time()
    if limit and time.time() - started >= limit:
        return _failure(job, root, f"ran past its limit of {limit:g} s")
    if type(error).__name__ == "WorkerCrashedError":
        return _failure(job, root, "its process died: killed, or out of memory")
    words = " ".join(str(error).split())[:300]
    return _failure(job, root, f"{type(error).__name__}: {words}")
