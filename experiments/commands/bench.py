"""Make, score and report all runs of a benchmark set: its pictures and styles, by several methods.

Give the same folder again at any time: finished runs are not made again. Pictures that may not be
shipped are looked for in --pictures and checked by their hash; a missing one is reported, and the
rest runs. A folder of your own pictures with a text file of instructions, one per line, is a set
too.

  atelier bench demo                             runs offline anywhere
  atelier bench soulstyler --pictures ~/soulstyler --models paper --workers 4
  atelier bench ./photos --instructions list.txt --methods soulstyler,clipstyler
  atelier bench demo --size 192 --steps 40       reduced
  atelier bench demo --segmenter sam3            the objects by another segmenter
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from experiments.campaigns.campaign import run_campaign
from experiments.campaigns.options import (
    CampaignOptions,
    add_campaign_arguments,
    campaign_options,
)
from experiments.campaigns.plan import folder_of
from experiments.run.configuration import EMBEDDED
from experiments.run.options import A_METHOD, add_options, below, dotted
from experiments.run.registry import find_methods, part

SHORT = ("size", "steps")  # options that become settings of all runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("set", help="a set of `atelier list sets`, a set's YAML file, or a folder of pictures")
    add("--methods", metavar="A,B", help=f"{A_METHOD}, and more after commas (default: the set's)")
    add_options(parser, "--models")
    parser.set_defaults(models="")
    add("--pictures", metavar="DIR", help="where the set's pictures are, if they are not shipped")
    add("--instructions", metavar="FILE", help="with a folder of pictures: one per line")
    add_options(parser, "--segmenter", "--size", "--steps")
    add_campaign_arguments(parser)


def run(args: argparse.Namespace, rest: list[str]) -> int:
    options, overrides = campaign_options(args), dotted(rest, "bench", "")
    methods = [word.strip() for word in (args.methods or "").split(",") if word.strip()]
    find_methods(methods)  # refused now if one is unknown
    part("data.segmenter", args.segmenter)
    overrides |= {name: value for name in SHORT if (value := getattr(args, name)) is not None}
    from experiments.campaigns.benchmark import benchmark_jobs, read_benchmark

    benchmark = read_benchmark(args.set, args.pictures, args.instructions)
    args.models = args.models or benchmark.models or EMBEDDED
    name = f"bench-{benchmark.name}"
    if benchmark.instructions:
        return _parsers(benchmark.instructions, folder_of(name, options.out), options)
    for picture, why in benchmark.missing.items():
        print(f"atelier: {picture} is left out: {why}", file=sys.stderr)
    methods = methods or benchmark.methods
    segmenter = _segmenter(args, methods, overrides)
    options.require_packages()
    jobs, refusals = benchmark_jobs(
        benchmark, methods, args.models, overrides, options.wandb, segmenter
    )
    for method, why in refusals.items():
        print(f"atelier: {method} is left out where it cannot serve: {why}", file=sys.stderr)
    if not jobs:
        raise AtelierError(f"Nothing of the set {benchmark.name} can be run here; see above")
    code = run_campaign(name, jobs, args.models, options, benchmark.title)
    return 2 if benchmark.missing and not options.dry_run else code


def _segmenter(
    args: argparse.Namespace, methods: Sequence[str], overrides: dict[str, Any]
) -> dict[str, Any]:
    """The settings of --segmenter, taken out of the overrides; {} without it.

    Methods that keep their own masks are named on stderr; AtelierError if all of them do.
    """
    from experiments.campaigns.benchmark import looks_for_objects

    if not args.segmenter:
        return {}
    part("data.segmenter", args.segmenter)  # refused now if it is unknown
    own = [method for method in methods if not looks_for_objects(method, args.models)]
    if len(own) == len(methods):
        raise AtelierError(
            f"--segmenter is of no use to {', '.join(own)}, which look for no object by its name; "
            "leave it out, or add a method such as soulstyler"
        )
    if own:
        print(f"atelier: --segmenter is of no use to {', '.join(own)}", file=sys.stderr)
    settings = {name: overrides.pop(name) for name in below(overrides, "data.segmenter.")}
    return {"segmenter": args.segmenter, **settings}


def _parsers(instructions: Path, root: Path, options: CampaignOptions) -> int:
    """Measure the parsers on a set of sentences."""
    from datamodules.campaign_folder import PARSERS
    from datamodules.support.files import write_json
    from evaluation.parsers import measure_parsers
    from experiments.run.parsers import ParserProgress, parsers_by_name

    parsers = parsers_by_name("smollm2,rules")
    if options.dry_run:
        print(f"the parsers {', '.join(parsers)} on the instructions of {instructions}")
        return 0
    table = measure_parsers(parsers, str(instructions), watch=ParserProgress())
    write_json(root / PARSERS, table.summary())
    print(root / PARSERS)
    return 0 if table.complete else 2
