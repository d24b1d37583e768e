"""Make, score and report all runs of a benchmark set: its pictures and styles, by several methods.

The folder can be given again at any time: what is done is not done again. Pictures that may not be
shipped are looked for in --pictures and checked by their hash; a missing one is named, and the rest
runs. A folder of your own pictures with a text file of instructions, one per line, is a set too.

  atelier bench demo                             runs offline anywhere
  atelier bench soulstyler --pictures ~/soulstyler --models paper --workers 4
  atelier bench ./photos --instructions list.txt --methods soulstyler,clipstyler
  atelier bench demo --size 192 --steps 40       reduced
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError
from datamodules.support.files import write_json
from experiments.campaigns import campaign
from experiments.run.registry import METHODS, method_class, path_of

if TYPE_CHECKING:
    from datamodules.benchmarks.sets import BenchmarkSet
    from experiments.campaigns.job import Job

PARSERS = "parsers.json"  # where `atelier report` expects them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("set", help="a set in datamodules/benchmarks, or a folder of pictures")
    add("--methods", metavar="A,B", help="files in configs/methods (default: the set's)")
    add("--models", default="embedded", help="a file in configs/models (default: %(default)s)")
    add("--pictures", metavar="DIR", help="where the set's pictures are, if they are not shipped")
    add("--instructions", metavar="FILE", help="with a folder of pictures: one per line")
    add("--size", type=int, metavar="PX", help="longer side of the working picture")
    add("--steps", type=int, help="optimisation steps")
    campaign.add_arguments(parser)


def run(args: argparse.Namespace, rest: list[str]) -> int:
    workers, overrides = campaign.workers_of(args), campaign.overrides(rest, "bench")
    overrides |= {name: v for name in ("size", "steps") if (v := getattr(args, name)) is not None}
    found = _set(args)
    for picture, why in found.missing.items():
        print(f"atelier: {picture} is left out: {why}", file=sys.stderr)
    root = campaign.folder_of(f"bench-{found.name}", args.out)
    if found.kind == "parsing":
        return _parsers(found.instructions, args, root)
    jobs = campaign.shard(_jobs(found, args, overrides), args.shard)
    if not jobs:
        raise AtelierError(f"Nothing of the set {found.name} can be run here; see above")
    if args.dry_run:
        campaign.describe(jobs, root, workers, args.models)
        return 0
    ended = campaign.run_all(jobs, root, workers, args.retry_failed)
    code = campaign.finish(root, args, args.models)
    print(f"{root}: {campaign.summary(ended)}", file=sys.stderr)
    return 2 if ended["failed"] or found.missing else code


def _set(args: argparse.Namespace) -> BenchmarkSet:
    from datamodules.benchmarks.own_folder import folder_set
    from datamodules.benchmarks.sets import load_set

    if Path(args.set).is_dir():
        if not args.instructions:
            raise AtelierError("A folder of pictures needs --instructions FILE, one per line")
        return folder_set(Path(args.set), Path(args.instructions))
    return load_set(args.set, Path(args.pictures) if args.pictures else None)


def _jobs(found: BenchmarkSet, args: argparse.Namespace, overrides: dict[str, Any]) -> list[Job]:
    """Every picture and style by every method that can serve it; those that cannot are named."""
    names = args.methods.split(",") if args.methods else found.methods
    jobs, unserved = [], {}
    for name in dict.fromkeys(name.strip() for name in names):
        path_of(name, METHODS, "method")
        for entry in found.entries:
            if why := _refusal(name, entry.settings):
                unserved[name] = why
                continue
            given = {"method": name, "models": args.models, "image": entry.image}
            given |= {"seed": entry.seed, **entry.settings, **overrides}
            labels = {"picture": entry.picture, **entry.labels, "seed": entry.seed}
            jobs.append(campaign.make_job(given, labels, found.name, not args.no_wandb))
    for name, why in unserved.items():
        print(f"atelier: {name} is left out where it cannot serve: {why}", file=sys.stderr)
    return jobs


def _refusal(method: str, settings: dict[str, str]) -> str:
    """Why a method cannot serve an entry, "" if it can, as far as that is known before parsing."""
    from datamodules.parsing.blend import targets_of
    from datamodules.task import BACKGROUND

    pairs = json.loads(settings.get("data.targets", "{}"))
    if not pairs:
        pairs = {settings.get("data.object", ""): settings.get("data.style", "")}
        if settings.get("data.background_style"):
            pairs[BACKGROUND] = settings["data.background_style"]
    try:
        method_class(method).check([t for pair in pairs.items() for t in targets_of(*pair)])
    except AtelierError as error:
        return str(error)
    return ""


def _parsers(instructions: Path, args: argparse.Namespace, root: Path) -> int:
    """The table of parsers for a set without pictures."""
    from evaluation.parsers import measure_parsers
    from experiments.run.parsers import ParserProgress, parsers_by_name

    parsers = parsers_by_name("smollm2,rules")
    if args.dry_run:
        print(f"the parsers {', '.join(parsers)} on the instructions of {instructions}")
        return 0
    table = measure_parsers(parsers, str(instructions), watch=ParserProgress())
    write_json(root / PARSERS, table.summary())
    print(root / PARSERS)
    return 0 if table.complete else 2
