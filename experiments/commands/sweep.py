"""Make all runs of a sweep: a grid or a random sample over any setting.

The folder can be given again at any time: what is done is skipped, what was interrupted is made
again, and two programs on one folder share the work without making a run twice. A run that fails
is noted with its reason, and the others go on. At the end all runs are scored.

  atelier sweep threshold                        configs/sweeps/threshold.yaml
  atelier sweep my.yaml --out runs/mine --workers 4
  atelier sweep llm --dry-run                    what would be made, and how long it takes
  atelier sweep my.yaml --shard 2/8              one of eight parts, for a SLURM array job
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from experiments.campaigns import campaign
from experiments.campaigns.grid import combinations, read_sweep
from experiments.campaigns.job import Job


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", help="a name in configs/sweeps, or a YAML file")
    parser.add_argument("--export-wandb", metavar="FILE", help="write it as a W&B sweep; make none")
    campaign.add_arguments(parser)


def run(args: argparse.Namespace, rest: list[str]) -> int:
    sweep, workers = read_sweep(args.sweep), campaign.workers_of(args)
    overrides = campaign.overrides(rest, "sweep")
    if args.export_wandb:
        from experiments.campaigns.wandb_sweep import export

        return export(sweep, overrides, Path(args.export_wandb))
    jobs = campaign.shard(jobs_of(sweep, overrides, wandb=not args.no_wandb), args.shard)
    root = campaign.folder_of(sweep["name"], args.out)
    if args.dry_run:
        campaign.describe(jobs, root, workers, _models(sweep))
        return 0
    ended = campaign.run_all(jobs, root, workers, args.retry_failed)
    code = campaign.finish(root, args, _models(sweep))
    print(f"{root}: {campaign.summary(ended)}", file=sys.stderr)
    return 2 if ended["failed"] else code


def jobs_of(sweep: dict[str, Any], overrides: dict[str, Any], wandb: bool) -> list[Job]:
    """One job a combination. overrides: settings of the command line, which go before all."""
    fixed = {name: sweep[name] for name in campaign.SPECIAL if isinstance(sweep.get(name), str)}
    fixed |= sweep.get("fixed") or {}
    entries = _entries(sweep)
    jobs = []
    for settings, named in entries:
        for varied in combinations(sweep):
            given = {**fixed, **settings, **varied, **overrides}
            jobs.append(campaign.make_job(given, {**named, **varied}, sweep["name"], wandb))
    return jobs


def _entries(sweep: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Settings and labels of the pictures: a benchmark set's, or those that `fixed` names."""
    fixed = sweep.get("fixed") or {}
    if "set" not in sweep:
        picture = Path(str(fixed.get("image", ""))).stem.split(":")[-1]
        said = {name: fixed[name] for name in ("object", "style") if name in fixed}
        return [({}, {"picture": picture, **said})]
    from datamodules.benchmarks.sets import load_set

    found = load_set(sweep["set"])
    return [
        ({"image": e.image, "seed": e.seed, **e.settings}, {**e.labels, "picture": e.picture})
        for e in found.entries
    ]


def _models(sweep: dict[str, Any]) -> str:
    models = sweep.get("models") or "embedded"
    return models if isinstance(models, str) else models[0]
