"""Offline logs of Weights & Biases, and the command that uploads them; with light imports."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from datamodules.campaign_folder import RUNS
from datamodules.run_folder import WANDB
from datamodules.support.extras import install_command

PROJECT = "atelier"  # at W&B, by default
WITHOUT_PACKAGE = f"W&B      not logged: wandb is not installed ({install_command('wandb')})"
PARTS = f"{WANDB}/offline-run-*"  # in a run's folder


def say_sync(root: Path) -> None:
    """Print the command that uploads what was logged offline in a run's or a campaign's folder."""
    if own := [shlex.quote(str(part)) for part in sorted(root.glob(PARTS))]:
        print(f"W&B      wandb sync {' '.join(own)}", file=sys.stderr)
    elif any(root.glob(f"{RUNS}/*/{PARTS}")):
        print(f"W&B      wandb sync {shlex.quote(str(root))}/{RUNS}/*/{PARTS}", file=sys.stderr)
