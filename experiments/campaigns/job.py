"""One run of many: what it is, where it lies, and how it is made exactly once.

A job's folder is named after the hash of all that determines its pictures, so that finished work is
found again by whoever asks for the same. A lock that the system releases when its process dies
keeps two programs from the same job; result.json, written last, says that it is done.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shlex
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import yaml

from datamodules.run_folder import (
    CONFIG,
    FAILURE,
    RESULT,
    FailureRecord,
    JobRecord,
    RunFolder,
    RunWriter,
)
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256

log = logging.getLogger(__name__)

RUNS = "runs"  # folder of a campaign's runs
INPUTS = ("data.image", "data.style_image", "data.mask")  # settings that name pictures
CHUNKS = (16, 4)  # views that the encoder sees together once memory has run out

State = Literal["done", "skipped", "busy", "failed"]


@dataclass(frozen=True)
class Job:
    """A configuration to be run.

    config:   a method's composed YAML. settings: over it, by dotted name.
    labels:   what identifies it for people: method, picture, style, seed and what varies.
    extra:    settings that change nothing in the pictures: where results are logged.
    set:      the benchmark or sweep that it belongs to.
    """

    config: str
    settings: Mapping[str, Any]
    labels: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    set: str = ""

    @cached_property
    def kind(self) -> str:
        """Jobs of one kind can be optimised jointly: the same networks, size and steps."""
        from lightning_modules.steps.joint import SHARED_SETTINGS

        shared = {k: v for k, v in self.settings.items() if k.startswith(SHARED_SETTINGS)}
        return json.dumps([_canonical(self.config), shared], sort_keys=True)

    @cached_property
    def id(self) -> str:
        """16 hex digits of the hash of configuration, settings, input files and version.

        Files count by their content, not their place.
        """
        settings = {name: _identified(name, value) for name, value in self.settings.items()}
        whole = [_version(), _canonical(self.config), settings]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]

    def arguments(self, folder: Path) -> list[str]:
        """For LightningCLI."""
        own = {"run.out": str(folder), "run.overwrite": True}
        given = {**self.settings, **self.extra, **own}
        return [f"--config={self.config}", *(f"--{k}={_word(v)}" for k, v in given.items())]


@dataclass(frozen=True)
class Outcome:
    """What became of a job. reason: why it failed. seconds: it took; tries: attempts so far."""

    id: str
    state: State
    reason: str = ""
    seconds: float = 0.0
    tries: int = 0


# Thousands of jobs share a configuration and a few pictures, which are read once.


@lru_cache(maxsize=64)
def _canonical(config: str) -> str:
    return json.dumps(yaml.safe_load(config), sort_keys=True)


@cache
def _version() -> str:
    return version("atelier")


@lru_cache(maxsize=1024)
def _digest(file: Path, changed: int) -> str:
    return sha256(file)


def _identified(name: str, value: Any) -> Any:
    if name not in INPUTS or not value:
        return value
    files = json.loads(value) if str(value).startswith("[") else [value]
    return [
        _digest(path, path.stat().st_mtime_ns) if (path := Path(file)).is_file() else file
        for file in files
    ]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def state_of(job_id: str, root: Path) -> State | Literal["open"]:
    """What the folder says of a job."""
    folder = root / RUNS / job_id
    if (folder / RESULT).exists():
        return "done"
    return "failed" if (folder / FAILURE).exists() else "open"


def run_jobs(jobs: Sequence[Job], root: Path, limit: float = 0, threads: int = 0) -> list[Outcome]:
    """Make the jobs' runs, those left out that are done or in another's hands.

    Several are optimised together; what cannot be is made alone. Every failure is an outcome.
    limit: seconds after which the system ends this process, even where it hangs in foreign code;
    0 = none. threads: of the processor that a run uses; 0 = as many as torch takes.
    """
    from filelock import FileLock, Timeout

    outcomes, left = [], []
    with ExitStack() as locks:
        for job in jobs:
            folder = root / RUNS / job.id
            folder.mkdir(parents=True, exist_ok=True)
            try:
                locks.enter_context(FileLock(folder.parent / f".{job.id}.lock", timeout=0))
            except Timeout:
                outcomes.append(Outcome(job.id, "busy"))
                continue
            if state_of(job.id, root) == "done":
                outcomes.append(Outcome(job.id, "skipped"))
            else:
                left.append((job, folder))
        made = _run_together(left, threads) if len(left) > 1 else {}
        outcomes += [made.get(job.id) or _run(job, folder, limit, threads) for job, folder in left]
    return outcomes


def run_job(job: Job, root: Path, limit: float = 0, threads: int = 0) -> Outcome:
    """Make one job's run."""
    return run_jobs([job], root, limit, threads)[0]


def _run_together(jobs: Sequence[tuple[Job, Path]], threads: int) -> dict[str, Outcome]:
    """Outcomes, by id, of those jobs whose runs could be optimised as one."""
    import torch

    from experiments.run.lightning_cli import AtelierCLI, run_together

    start, ready, made = time.perf_counter(), {}, {}
    if threads:
        torch.set_num_threads(threads)
    # What fails here is made alone, and fails there again, with its reason noted.
    for job, folder in jobs:
        with suppress(Exception):
            RunWriter(folder).write_job(described(job, folder))
            cli = AtelierCLI.from_arguments(job.arguments(folder), time.perf_counter())
            ready[job.id] = cli, cli.set_up()
    if len(ready) < 2:
        return {}
    try:
        run_together(list(ready.values()))
    except Exception as error:
        said = "%d runs cannot be optimised together (%s); they are made one after another"
        log.warning(said, len(ready), _reason(error))
        torch.cuda.empty_cache()
        return {}
    seconds = (time.perf_counter() - start) / len(ready)
    for job_id, (cli, folder) in ready.items():
        tries = failed_tries(folder.folder) + 1
        with suppress(Exception):  # as above
            cli.conclude(folder)
            (folder.folder / FAILURE).unlink(missing_ok=True)
            made[job_id] = Outcome(job_id, "done", seconds=seconds, tries=tries)
    return made


def _run(job: Job, folder: Path, limit: float, threads: int) -> Outcome:
    start, tries = time.perf_counter(), failed_tries(folder) + 1
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        RunWriter(folder).write_job(described(job, folder, limit))
        _fit(job, folder, start, threads)
    except Exception as error:  # whatever went wrong in one run, the others go on
        said = note_failure(folder, _reason(error), tries)
        return Outcome(job.id, "failed", said, time.perf_counter() - start, tries)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    (folder / FAILURE).unlink(missing_ok=True)
    return Outcome(job.id, "done", seconds=time.perf_counter() - start, tries=tries)


def _fit(job: Job, folder: Path, start: float, threads: int) -> None:
    """The run itself; again with the encoder's views in chunks where memory has run out."""
    import torch

    from experiments.run.lightning_cli import AtelierCLI

    if threads:
        torch.set_num_threads(threads)
    for chunk in (None, *CHUNKS):
        extra = [f"--model.chunk={chunk}"] if chunk else []
        try:
            AtelierCLI.from_arguments(job.arguments(folder) + extra, start).run()
            return
        except (torch.OutOfMemoryError, MemoryError):
            if chunk == CHUNKS[-1]:
                raise
        torch.cuda.empty_cache()


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split())
    return words if isinstance(error, AtelierError) else f"{type(error).__name__}: {words}"[:500]


def described(job: Job, folder: Path, limit: float = 0) -> JobRecord:
    """The contents of job.json for a job that starts now."""
    again = ["atelier", "stylize", "--config", str(folder / CONFIG), "--out", "runs/again"]
    return JobRecord(
        job.id,
        job.set,
        dict(job.labels),
        dict(job.settings),
        shlex.join(again),
        started=time.time(),
        limit=limit,
    )


def note_failure(folder: Path, reason: str, tries: int) -> str:
    """Note why a job has failed, for reports and for --retry-failed; what there is to say of it."""
    try:
        RunWriter(folder).write_failure(FailureRecord(reason, tries))
    except AtelierError as unwritable:  # a full disk: it is at least said
        return f"{reason}; {unwritable}"
    return reason


def failed_tries(folder: Path) -> int:
    """How often a job has failed so far."""
    return RunFolder(folder, strict=False).failure.tries
