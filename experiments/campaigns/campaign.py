"""Many runs in one folder: planned, made, shown while they are made, counted, scored, reported.

What `atelier sweep` and `atelier bench` share.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from datamodules.run_folder import RESULT, RunFolder
from datamodules.support.errors import AtelierError
from datamodules.support.files import slug
from experiments.campaigns.job import INPUTS, RUNS, Job, Outcome, state_of
from experiments.campaigns.workers import SERIAL, Workers
from experiments.run.configuration import EMBEDDED, compose, weights_of
from experiments.run.options import SETTINGS, absolute
from experiments.run.registry import part

SPECIAL = ("method", "models")  # in a sweep, besides settings
OWN = ("out", "device")  # short options that every job has its own of
SHORT = {name: dotted for name, dotted in SETTINGS.items() if name not in OWN}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of everything that makes many runs."""
    add = parser.add_argument
    add("--out", metavar="DIR", help="the folder of all runs (default: runs/NAME); give it again "
        "to go on after an interruption")  # fmt: skip
    add("--workers", default="auto", help="at the same time (default: one a GPU, else one)")
    add("--serial", action="store_true", help="in this process, one after another; for debugging")
    add("--address", default="", help='of a Ray cluster to join, e.g. "auto" (default: none)')
    add("--limit", type=float, default=0, metavar="S", help="end a run after so many seconds")
    add("--tries", type=int, default=2, help="attempts at a run whose process dies (default: 2)")
    add("--threads", type=int, default=0, help="of the processor a worker (default: its share)")
    add(
        "--runs-per-device",
        type=int,
        default=0,
        metavar="K",
        help="how many a worker optimises at once, where models and size are the same "
        "(default: 4 on a GPU, else 1)",
    )
    add("--retry-failed", action="store_true", help="make again what has failed before")
    add("--shard", metavar="I/N", help="only the I-th of N parts, e.g. for a SLURM array job")
    add("--dry-run", action="store_true", help="list the runs, the models and the time; make none")
    add("--metrics", metavar="A,B", help="of the evaluation at the end (default: all)")
    add("--no-evaluate", action="store_true", help="make the runs only")
    add("--no-wandb", action="store_true", help="do not log to Weights & Biases")


def workers_of(args: argparse.Namespace) -> Workers:
    """What --workers, --serial and the others say."""
    if args.workers != "auto" and not (args.workers.isdecimal() and int(args.workers) > 0):
        raise AtelierError(f"--workers is {args.workers!r}; give a number, or auto")
    count = 0 if args.workers == "auto" else int(args.workers)
    return Workers(
        count=SERIAL if args.serial else count,
        address=args.address,
        limit=args.limit,
        tries=args.tries,
        threads=args.threads,
        runs_per_device=args.runs_per_device,
    )


def make_job(given: dict[str, Any], labels: dict[str, Any], name: str, wandb: bool) -> Job:
    """The job of settings as people give them, short names and dotted ones.

    given: also "method" and "models", which are no settings of a configuration.
    """
    method = given.get("method", "soulstyler")
    text = _composed(method, given.get("models") or EMBEDDED)
    settings = dict(dotted(key, value) for key, value in given.items() if key not in SPECIAL)
    labels = {"method": method, **labels}
    job = Job(text, settings, labels, set=name)
    extra: dict[str, Any] = {"wandb.enabled": wandb}
    if wandb:
        extra |= {"wandb.group": name, "wandb.tags": [method], "wandb.id": job.id}
    return replace(job, extra=extra)


@cache
def _composed(method: str, models: str) -> str:
    return yaml.safe_dump(compose(method, models), sort_keys=False)


def dotted(name: str, value: Any) -> tuple[str, Any]:
    """A setting by its dotted name, and as LightningCLI reads it."""
    name = SHORT.get(name, name)
    if "." not in name and name != "seed_everything":
        raise AtelierError(
            f"{name!r} is no setting; give one of {', '.join(SHORT)}, or a dotted name such as "
            "model.tau (docs/methods.md)"
        )
    part(name, value)  # an unknown name is refused now, not in every run
    return name, absolute(value) if name in INPUTS else value


def overrides(rest: Sequence[str], command: str) -> dict[str, str]:
    """Dotted settings of the command line, "--a.b 1" or "--a.b=1", by name."""
    words: list[str] = []
    for word in rest:
        if word.startswith("--") or not words:
            words.append(word)
        else:
            words[-1] += f"={word}"
    pairs = [word.removeprefix("--").partition("=") for word in words]
    for name, equals, _ in pairs:
        if not equals or "." not in name:
            raise AtelierError(f"atelier {command} knows no --{name}; see atelier {command} --help")
    return {name: value for name, _, value in pairs}


def shard(jobs: Sequence[Job], given: str | None) -> list[Job]:
    """The I-th of N parts of the jobs, from "I/N", counted from 1; all for None."""
    if given is None:
        return list(jobs)
    first, _, count = given.partition("/")
    if not (first.isdecimal() and count.isdecimal() and 1 <= int(first) <= int(count)):
        raise AtelierError(f"--shard is {given!r}; give the part and their number, e.g. 1/4")
    return list(jobs)[int(first) - 1 :: int(count)]


def run_all(jobs: Sequence[Job], root: Path, workers: Workers, retry: bool) -> Counter[str]:
    """Make what is not there yet, with a live table on stderr; how many ended how."""
    unique = {job.id: job for job in jobs}
    states = {job_id: state_of(job_id, root) for job_id in unique}
    skipped = [i for i, state in states.items() if state == "done"]
    given_up = [i for i, state in states.items() if state == "failed" and not retry]
    left = [job for i, job in unique.items() if i not in {*skipped, *given_up}]
    ended = Counter(skipped=len(skipped), failed=len(given_up), done=0)
    if left:
        from experiments.campaigns.progress import watched

        _make_folder(root / RUNS)
        _settle_wandb(left)

        for outcome in watched(workers.run(left, root), left, ended):
            ended[outcome.state] += 1
            if outcome.state == "failed":
                _say(unique[outcome.id], outcome)
    if given_up:
        print(f"{len(given_up)} failed before; --retry-failed tries again", file=sys.stderr)
    return ended


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AtelierError(
            f"Cannot make {folder} ({error.strerror}); choose another place with --out"
        ) from error


def _settle_wandb(jobs: Sequence[Job]) -> None:
    """Ask once for all runs whether W&B answers; each alone would wait for it."""
    if os.environ.get("WANDB_MODE") or not any(job.extra.get("wandb.enabled") for job in jobs):
        return
    from experiments.run.tracking import has_key

    if has_key():
        import wandb

        from datamodules.models.published import answers

        if not answers(wandb.Settings().base_url):
            os.environ["WANDB_MODE"] = "offline"  # the workers' too
            print(
                "atelier: W&B cannot be reached; the runs are logged offline, for wandb sync",
                file=sys.stderr,
            )


def _say(job: Job, outcome: Outcome) -> None:
    named = ", ".join(f"{name} {value}" for name, value in job.labels.items())
    print(f"atelier: {outcome.id} ({named}) failed: {outcome.reason}", file=sys.stderr)


def summary(ended: Counter[str]) -> str:
    """The last line: "10 done, 2 skipped, 0 failed"."""
    words = f"{ended['done']} done, {ended['skipped']} skipped, {ended['failed']} failed"
    return words + (f", {ended['busy']} made by another program" if ended["busy"] else "")


def finish(root: Path, args: argparse.Namespace, models: str) -> int:
    """Score the finished runs of the folder, print their table, write the report; the exit code.

    models: that made them; the papers' are judged by the papers' networks.
    """
    if args.no_evaluate or not list((root / RUNS).glob(f"*/{RESULT}")):
        return 0
    from experiments.commands import evaluate, report, results

    runs = [str(file.parent) for file in sorted((root / RUNS).glob(f"*/{RESULT}"))]
    only = [f"--models={'embedded' if _packaged(models) else 'paper'}"]
    only += [f"--metrics={args.metrics}"] if args.metrics else []
    quiet = ["--quiet", *(["--no-wandb"] if args.no_wandb else [])]
    code = call(evaluate, [*runs, *only, *quiet])
    call(results, [str(root)])
    call(report, [str(root), "--out", str(root / "report")])
    return code


def _packaged(models: str) -> bool:
    """Whether the networks of a preset all come with packages."""
    return not weights_of(compose("clipstyler", models))


def call(command: ModuleType, words: list[str]) -> int:
    """Another command of this package, as if given on the command line; its exit code."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words), [])


def describe(jobs: Sequence[Job], root: Path, workers: Workers, models: str) -> None:
    """What would be made, on stdout: the runs, the weights they need, and the time."""
    from datamodules.models.published import local_path
    from datamodules.models.schemes import by_name

    states = Counter(state_of(job.id, root) for job in jobs)
    for job in jobs:
        words = ", ".join(f"{name} {value}" for name, value in job.labels.items())
        print(f"{job.id}  {state_of(job.id, root):7}  {words}")
    methods = {str(job.labels["method"]) for job in jobs}
    needed = sorted({n for method in methods for n in weights_of(compose(method, models))})
    for name in needed:
        print(f"needs {name}: {'here' if local_path(by_name(name)) else 'MISSING'}")
    left = states["open"] + states["failed"]
    seconds = history(root)
    many = max(1, workers.count)
    time = f"about {left * seconds / many / 60:.0f} min" if seconds else "unknown, no run is done"
    print(f"{len(jobs)} runs: {states['done']} done, {left} to make; time: {time}")


def history(root: Path) -> float:
    """Mean seconds of the finished runs at or beside a folder; 0 if there are none."""
    for place in (root, root.parent):
        files = [*place.glob(f"**/{RESULT}")][:200]
        totals = [
            sum(RunFolder(file.parent, strict=False).result.seconds.values()) for file in files
        ]
        if any(totals):
            return statistics.mean(total for total in totals if total)
    return 0.0


def folder_of(name: str, given: str | None) -> Path:
    """The folder of a campaign; what the user calls it is never a path."""
    return Path(given) if given else Path("runs") / slug(name)
