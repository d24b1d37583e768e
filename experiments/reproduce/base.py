"""Reproduction of published tables and figures, one per script beside this module.

By default a script makes a reduced form on the embedded models, whose numbers stand beside the
published ones but are not comparable with them; --models paper takes the paper's networks, size and
steps. Every run is made with three seeds (--seeds). The table goes to results/ as CSV, with its
origin in every row, and `python -m experiments.reproduce` writes docs/results.md from these files.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import io
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datamodules.support.files import write_text
from experiments.campaigns.campaign import run_campaign
from experiments.campaigns.job import Job
from experiments.campaigns.options import add_campaign_arguments, campaign_options
from experiments.campaigns.plan import folder_of, make_job
from experiments.run.configuration import EMBEDDED

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "results.md"
SEEDS = (0, 1, 2)
ENOUGH = 3  # seeds from which on a deviation is shown
REDUCED = {  # with the papers' generator, in place of the painter of the embedded presets
    "size": 256,
    "steps": 40,
    "model.generator": "stylenet",
    "model.lr_scheduler.every": 60,
}
UNITS = {"size": "px", "steps": "steps"}
PROVENANCE = ("models", "size", "steps", "machine", "date", "commit", "script", "seeds")


@dataclass(frozen=True)
class Study:
    """One published table or figure.

    name:     of its script and CSV. title: subject, with the paper and the place in it.
    by:       labels of a row.
    metrics:  of the evaluation.
    scores:   headings of the columns, by score without its network's name.
    runs:     function that returns values (see `make_job`) and labels of the runs, without seeds.
    published: the paper's number for each row, by the row's first label; heading "published".
    reduced:  values of the reduced form alone, beside `REDUCED`.
    """

    name: str
    title: str
    by: tuple[str, ...]
    metrics: tuple[str, ...]
    scores: Mapping[str, str]
    runs: Callable[[], list[tuple[dict[str, Any], dict[str, Any]]]]
    published: Mapping[str, str] = field(default_factory=dict)
    reduced: Mapping[str, Any] = field(default_factory=dict)

    def jobs(self, models: str = EMBEDDED, seeds: Sequence[int] = SEEDS) -> list[Job]:
        """All runs of the study; with other models than the embedded ones in the paper's form."""
        shared = {"models": models, **(REDUCED | self.reduced if models == EMBEDDED else {})}
        return [
            make_job({**shared, **values, "seed": seed}, {**labels, "seed": seed}, self.name, False)
            for values, labels in self.runs()
            for seed in seeds
        ]


def main(study: Study, arguments: Sequence[str] | None = None) -> None:
    """Make the study's runs, score them, and write its CSV."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--models", default=EMBEDDED, help="embedded (reduced) or paper")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=SEEDS, help="of each run (default: 0 1 2)"
    )
    add_campaign_arguments(parser)
    args = parser.parse_args(arguments)
    options = replace(campaign_options(args), metrics=study.metrics, wandb=False)
    jobs = study.jobs(args.models, args.seeds)
    name = f"reproduce-{study.name}"
    run_campaign(name, jobs, args.models, options)
    if not options.dry_run:
        rows = rows_of(study, jobs, folder_of(name, options.out))
        about = {name: REDUCED[name] for name in UNITS} if args.models == EMBEDDED else {}
        write_rows(study.name, rows, args.models, about, args.seeds)


def rows_of(study: Study, jobs: Sequence[Job], root: Path) -> list[dict[str, Any]]:
    """The study's table: one row per group, with mean and deviation of each score."""
    from evaluation.tables.groups import grouped
    from evaluation.tables.numbers import deviation, mean
    from evaluation.tables.runs import read_runs

    ids = {job.id for job in jobs}
    runs = [run for run in read_runs(root) if not run.failure and Path(run.folder).name in ids]
    names = dict.fromkeys(name for run in runs for name in run.metrics)
    columns = {score: _column(score, names) for score in study.scores}
    rows = []
    for group in grouped(runs, study.by):
        row = dict(group.key) | {"runs": group.n}
        for score, name in columns.items():
            cell = group.cell(name)
            row[study.scores[score]] = mean(cell) if cell.n else ""
            row[f"{study.scores[score]} sd"] = deviation(cell)
        if study.published:
            row["published"] = study.published.get(str(row[study.by[0]]), "")
        rows.append(row)
    return rows


def _column(score: str, names: Mapping[str, None]) -> str:
    """The score under the name of the network that judged, the first of them."""
    return next((name for name in names if name == score or name.startswith(f"{score}.")), "")


def write_rows(
    name: str,
    rows: list[dict[str, Any]],
    models: str,
    about: Mapping[str, Any],
    seeds: Sequence[int] = (),
) -> None:
    """The CSV of a study, with where it comes from, and its path on stdout.

    about: size and steps, where they are not the paper's. seeds: none where nothing is drawn.
    """
    source = {
        "models": models,
        "size": about.get("size", "the paper's"),
        "steps": about.get("steps", "the paper's"),
        "machine": machine(),
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "script": f"python -m experiments.reproduce.{name}",
        "seeds": " ".join(map(str, seeds)) or "-",
    }
    write_text(RESULTS / f"{name}.csv", as_csv([row | source for row in rows]))
    print(RESULTS / f"{name}.csv")


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of the same columns as CSV, with a heading."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*rows[0]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def machine() -> str:
    """The machine: processor cores, and the GPU if there is one."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{os.cpu_count()} cores {platform.machine()}, {gpu}"


def commit() -> str:
    """The commit of this checkout, "+" after it if files have changed since; "" outside of one."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--exclude=*", "--dirty=+"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip()


def markdown(path: Path, title: str) -> str:
    """A CSV as a section of docs/results.md: a table, and a line that says where it comes from.

    Columns and rows without any number are left out, rows of equal numbers are one row.
    """
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    about = rows[0]
    columns = [name for name in rows[0] if name not in PROVENANCE and not name.endswith(" sd")]
    columns = [name for name in columns if any(row[name] for row in rows if _is_measured(row))]
    lines = [f"## {title}", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    lines += [f"| {' | '.join(cells)} |" for cells in _cells(rows, columns)]
    shapes = [f"{about[name]} {unit}" for name, unit in UNITS.items() if about[name] != "-"]
    words = [f"{about['models']} models", *shapes]
    words += [f"seeds {about['seeds'].replace(' ', ', ')}"] if _seeds(about) else []
    words += [about["machine"], about["date"]]
    words += [f"commit {about['commit']}"] if about.get("commit") else []
    lines += ["", f"{', '.join(words)}: `{about['script']}`"]
    return "\n".join(lines) + "\n"


def _is_measured(row: Mapping[str, str]) -> bool:
    """Whether there is a number, and not the reason alone why there is none."""
    return not row.get("not measured")


def _cells(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> list[list[str]]:
    """Cells of a table; the first labels of rows that are otherwise equal share one row."""
    label, *others = columns
    labels: dict[tuple[str, ...], list[str]] = {}
    for row in filter(_is_measured, rows):
        labels.setdefault(tuple(_cell(row, name) for name in others), []).append(row[label])
    return [[", ".join(names), *cells] for cells, names in labels.items()]


def _cell(row: Mapping[str, str], name: str) -> str:
    from evaluation.tables.numbers import MISSING, plus_minus

    spread = row.get(f"{name} sd") or ""
    return plus_minus(row[name] or MISSING, spread if _seeds(row) >= ENOUGH else "")


def _seeds(row: Mapping[str, str]) -> int:
    """Number of seeds; 0 where nothing is drawn, or in files from before seeds were noted."""
    return len((row.get("seeds") or "-").replace("-", "").split())


def page() -> str:
    """docs/results.md with the tables that the CSVs have."""
    tables = "\n".join(markdown(RESULTS / f"{name}.csv", title) for name, title in titles().items())
    return re.sub(
        r"(<!-- results -->\n).*?(<!-- end of results -->)",
        lambda match: f"{match[1]}{tables}{match[2]}",
        PAGE.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )


def titles() -> dict[str, str]:
    """The tables in the page's order, each with its script's first line."""
    return {
        script.stem: script.read_text("utf-8").split("\n")[0].strip('".') for script in scripts()
    }


def scripts() -> list[Path]:
    """The modules of this package that reproduce a table: those with a committed result."""
    return [Path(__file__).with_name(f"{path.stem}.py") for path in sorted(RESULTS.glob("*.csv"))]
