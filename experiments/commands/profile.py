"""Measure what a step of the optimisation costs, and where its time goes.

The method's own loop runs for some steps on a square picture, under Lightning and with a temporary
run folder, as in `atelier stylize`. The command prints the seconds per step by stage (medians),
steps per second, peak memory, the floating-point operations per step, and the share of the device's
measured matrix rate that they reach.

  atelier profile                                    CLIPstyler on the embedded models
  atelier profile --method soulstyler --size 384
  atelier profile --models paper --against naive     how much faster than the papers' own loop
  atelier profile --models paper --device gpu --against naive --json
  atelier profile --model.generator stylenet --model.chunk 8

--against naive runs a literal transcription of CLIPstyler's published loop
(experiments/profiling/published_loop.py) in the same process, step by step in turn, and prints the
ratio of the medians, published over ours. In the first step both loops use the same patches, and
the difference of their losses is printed.

The papers' networks are built untrained where their weights are missing: speed does not depend on
their values. It may depend on the share of patches that threshold rejection accepts, so this share
is fixed: with --accept 0.4 each step has the tau that accepts the 40% of the patches with the
highest losses; by default all are accepted.

Any setting of the configuration can be given by its dotted name. docs/performance.md explains how
to read the figures.
"""

from __future__ import annotations

import argparse
import json

from experiments.profiling.page import page
from experiments.run.configuration import EMBEDDED
from experiments.run.options import A_METHOD, add_options, dotted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--method", default="clipstyler", help=f"{A_METHOD} (default: %(default)s)")
    add_options(parser, "--models")
    add("--size", type=int, metavar="PX", help="both sides of the picture (default: the method's)")
    add("--patches", type=int, metavar="N", help="patches per step (default: the method's)")
    add("--steps", type=int, default=10, help="steps that are timed (default: %(default)s)")
    add("--warmup", type=int, default=2, help="steps before them, 2 or more (default: %(default)s)")
    add_options(parser, "--device")
    add("--against", choices=["naive"], help="also the published loop, in turn with ours")
    add(
        "--accept",
        type=float,
        default=1.0,
        metavar="0..1",
        help="share of the patches that threshold rejection accepts (default: all of them)",
    )
    add(
        "--random-weights",
        action="store_true",
        help="the papers' networks untrained, even where their weights are here",
    )
    add("--json", action="store_true", help="print JSON: seconds, bytes, FLOPs, FLOP/s")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    settings = {
        "data.size": args.size,
        "model.patches.count": args.patches,
        "trainer.accelerator": args.device,
    }
    settings = {name: value for name, value in settings.items() if value is not None}
    settings |= dotted(rest, "profile", "")

    from experiments.profiling.figures import Plan, profile
    from experiments.profiling.subject import Subject

    plan = Plan(args.steps, args.warmup, args.accept, published=args.against is not None)
    subject = Subject(args.method, args.models or EMBEDDED, settings, args.random_weights)
    figures = profile(subject, plan)
    print(json.dumps(figures, indent=2) if args.json else "\n".join(page(figures)))
    return 0
