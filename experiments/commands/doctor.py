"""Say what of Atelier is on this machine and what is missing, with the remedy for each.

  atelier doctor                  one screen
  atelier doctor --papers         also the papers' weights, by method; takes some seconds
  atelier doctor --json           the same for programs

Exit code 0: stylize, parse, mask and evaluate can work here. 2: something that they need is missing
or damaged.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict

from datamodules.support.errors import AtelierError
from experiments.health import machine, models, packages
from experiments.health.finding import Finding, findings
from experiments.run.options import dotted

MARKS = {"fine": "ok", "absent": "-", "broken": "BROKEN"}
CHECKS = {
    "Python": packages.python,
    "packages": packages.core,
    "embedded models": models.embedded,
    "processor": machine.processor,
    "GPU": machine.gpu,
    "memory": machine.memory,
    "folders": machine.folders,
    "extras": packages.extras,
    "W&B key": machine.wandb_key,
    "programs": machine.programs,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--papers", action="store_true", help="also the papers' weights, by method")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    dotted(rest, "doctor")
    checks = CHECKS | ({"papers' weights": models.papers} if args.papers else {})
    all_of_them = list(findings(checks))
    if args.json:
        print(json.dumps([asdict(finding) for finding in all_of_them], indent=2))
    else:
        _show(all_of_them)
    if broken := [finding for finding in all_of_them if finding.state == "broken"]:
        first, others = broken[0], len(broken) - 1
        more = f", and {others} more in the table" if others else ""
        raise AtelierError(f"{first.name}: {first.here}{more}; run: {first.remedy}")
    return 0


def _show(rows: Iterable[Finding]) -> None:
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
    except ImportError:  # it is in the table itself
        for row in rows:
            print(MARKS[row.state], row.name, row.here, row.remedy, sep="\t")
        return
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("", "what", "here", "remedy"):
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = (MARKS[row.state], row.name, row.here, row.remedy)
        table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
