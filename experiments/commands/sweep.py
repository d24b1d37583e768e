"""Make all runs of a sweep: a grid, a random sample or a search over any setting.

Give the same folder again at any time: finished runs are skipped, interrupted ones are made again,
and two programs on one folder share the work without making a run twice. A run that fails is noted
with its reason, and the others go on. At the end all runs are scored.

  atelier sweep threshold                        configs/sweeps/threshold.yaml
  atelier sweep my.yaml --out runs/mine --workers 4
  atelier sweep llm --dry-run                    the runs, and how long they take
  atelier sweep my.yaml --shard 2/8              one of eight parts, for a SLURM array job
"""

from __future__ import annotations

import argparse
from pathlib import Path

from experiments.campaigns.grid import read_sweep
from experiments.campaigns.options import add_campaign_arguments, campaign_options
from experiments.campaigns.sweeping import run_sweep
from experiments.run.options import dotted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sweep", help="a name in configs/sweeps, or a YAML file")
    parser.add_argument("--export-wandb", metavar="FILE", help="write it as a W&B sweep; make none")
    add_campaign_arguments(parser)


def run(args: argparse.Namespace, rest: list[str]) -> int:
    sweep, options = read_sweep(args.sweep), campaign_options(args)
    overrides = dotted(rest, "sweep", "")
    if args.export_wandb:
        from experiments.campaigns.wandb_sweep import export

        path = Path(args.export_wandb)
        export(sweep, overrides, path)
        print(f"{path}\nwandb sweep {path}    then, in this folder on every machine:")
        print("wandb agent SWEEP-ID")
        return 0
    return run_sweep(sweep, overrides, options)
