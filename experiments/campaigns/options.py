"""Options of all commands that make many runs."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

from datamodules.support.errors import AtelierError
from datamodules.support.extras import require_extra
from experiments.campaigns.workers import SERIAL, Workers


@dataclass(frozen=True)
class CampaignOptions:
    """The way in which a campaign is carried out.

    out:      folder of all runs, None for runs/NAME.
    shard:    "I/N" for the I-th of N parts of the jobs, None for all.
    retry:    make again what has failed before.
    force:    make again what is done, too.
    only_missing: leave as they are runs that other code or other packages have finished.
    dry_run:  describe the work and make nothing.
    evaluate: score the runs at the end, print their table and write the report.
    metrics:  of the evaluation, None for all.
    wandb:    log to Weights & Biases.
    """

    workers: Workers = field(default_factory=Workers)
    out: str | None = None
    shard: str | None = None
    retry: bool = False
    force: bool = False
    only_missing: bool = False
    dry_run: bool = False
    evaluate: bool = True
    metrics: tuple[str, ...] | None = None
    wandb: bool = True

    def require_packages(self) -> None:
        """AtelierError, before any run is made, if a package that the campaign needs is missing."""
        if self.dry_run:
            return
        if self.workers.count != SERIAL:
            require_extra("ray", "sweep")
        for module in ("duckdb", "plotly") if self.evaluate else ():
            require_extra(module, "report")


def add_campaign_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that `campaign_options` reads."""
    add = parser.add_argument
    add("--out", metavar="DIR", help="the folder of all runs (default: runs/NAME); give it again "
        "to go on after an interruption")  # fmt: skip
    add("--workers", default="auto", help="runs at a time (default: one per GPU, else per node)")
    add("--serial", action="store_true", help="in this process, one after another; for debugging")
    add("--address", default="", help='of a Ray cluster to join, e.g. "auto" (default: none)')
    add("--limit", type=float, default=0, metavar="S", help="seconds after which a run is ended")
    add("--tries", type=int, default=2, help="attempts at a run whose process dies (default: 2)")
    add("--patience", type=float, default=600, metavar="S", help="seconds in which no run begins, "
        "goes on or ends, after which a Ray cluster is given up (default: 600)")  # fmt: skip
    add("--threads", type=int, default=0, help="processor threads per worker (default: its share)")
    add(
        "--runs-per-device",
        type=int,
        default=0,
        metavar="K",
        help="runs with the same models and size that a worker optimises jointly "
        "(default: 8 on a GPU, else 1)",
    )
    add("--retry-failed", action="store_true", help="make again what has failed before")
    add("--force", action="store_true", help="make all runs again, finished ones too")
    add("--only-missing", action="store_true", help="leave finished runs as they are, even if code "
        "or packages have changed since")  # fmt: skip
    add("--shard", metavar="I/N", help="only the I-th of N parts, e.g. for a SLURM array job")
    add("--dry-run", action="store_true", help="list the runs, the models and the time; make none")
    add("--metrics", metavar="A,B", help="metrics of the evaluation at the end (default: all)")
    add("--no-evaluate", action="store_true", help="make the runs only")
    add("--no-wandb", action="store_true", help="do not log to Weights & Biases")


def campaign_options(args: argparse.Namespace) -> CampaignOptions:
    """The options as typed values; AtelierError for those that do not fit together."""
    if args.workers != "auto" and not (args.workers.isdecimal() and int(args.workers) > 0):
        raise AtelierError(f"--workers is {args.workers!r}; give a number, or auto")
    if args.force and args.only_missing:
        raise AtelierError(
            "--force makes finished runs again, and --only-missing does not; give one"
        )
    count = 0 if args.workers == "auto" else int(args.workers)
    workers = Workers(
        count=SERIAL if args.serial else count,
        address=args.address,
        limit=args.limit,
        tries=args.tries,
        threads=args.threads,
        patience=args.patience,
        runs_per_device=args.runs_per_device,
    )
    return CampaignOptions(
        workers,
        out=args.out,
        shard=args.shard,
        retry=args.retry_failed,
        force=args.force,
        only_missing=args.only_missing,
        dry_run=args.dry_run,
        evaluate=not args.no_evaluate,
        metrics=tuple(args.metrics.split(",")) if args.metrics else None,
        wandb=not args.no_wandb,
    )
