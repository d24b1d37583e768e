"""Measure what a step of the optimisation costs, and where its time goes.

The method's own loop runs for some steps on a square picture, under Lightning and with a run folder
(a temporary one), as `atelier stylize` runs it. Printed are the seconds of a step by stage
(medians), steps per second, peak memory, the floating-point operations of a step, and the share of
the device's measured matrix rate that they reach.

  atelier profile                                    CLIPstyler on the embedded models
  atelier profile --method soulstyler --size 384
  atelier profile --models paper --against naive     how much faster than the papers' own loop
  atelier profile --models paper --device gpu --against naive --json
  atelier profile --model.generator stylenet --model.chunk 8

--against naive runs a plain transcription of CLIPstyler's published loop
(experiments/profiling/published_loop.py) in the same process, step by step in turn, and prints the
ratio of the medians, naive over ours. In the first step both look at the same patches, and how much
their losses differ is printed.

The papers' networks are built untrained where their weights are missing: speed does not depend on
their values. It may depend on the share of patches that threshold rejection accepts, so that is
fixed: --accept 0.4 chooses tau in each step so that the 40% of the patches with the highest losses
count; by default all do.

Any setting of the configuration can be given by its dotted name. docs/performance.md says how to
read the figures.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError
from experiments.run.configuration import EMBEDDED, Configuration, compose, weights_of
from experiments.run.options import dotted

if TYPE_CHECKING:
    import torch

    from datamodules.task import StyleTask
    from experiments.profiling.stopwatch import Meter
    from experiments.run.lightning_cli import AtelierCLI

PICTURE, STYLE_PICTURE, STYLE = "skimage:astronaut", "skimage:coffee", "fire"
NETWORKS = ("encoder", "content_features", "style_features")
NAMES = {"content_features": "content features"}  # as people read them
UNITS = ("", "k", "M", "G", "T", "P")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--method", default="clipstyler", help="a file in configs/methods (default: %(default)s)")
    add("--models", help="a file in configs/models: embedded, fast, paper, siglip, reference")
    add("--size", type=int, metavar="PX", help="both sides of the picture (default: the models')")
    add("--patches", type=int, metavar="N", help="patches a step (default: the models')")
    add("--steps", type=int, default=10, help="steps that are timed (default: %(default)s)")
    add("--warmup", type=int, default=2, help="steps before them, 2 or more (default: %(default)s)")
    add("--device", choices=["auto", "cpu", "gpu"], help="where to compute (default: auto)")
    add("--against", choices=["naive"], help="the published loop, in turn with ours")
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
    if args.steps < 1 or args.warmup < 2 or not 0 <= args.accept <= 1:
        raise AtelierError(
            f"--steps {args.steps} must be 1 or more, --warmup {args.warmup} 2 or more, and "
            f"--accept {args.accept:g} in [0, 1]"
        )
    if args.against and args.method != "clipstyler":
        raise AtelierError(
            f"The naive loop is CLIPstyler's and cannot stand beside {args.method}; choose "
            "--method clipstyler, or leave --against out"
        )
    result = measured(args, rest)
    print(json.dumps(result, indent=2)) if args.json else print("\n".join(page(result)))
    return 0


def measured(args: argparse.Namespace, rest: list[str]) -> dict[str, Any]:
    """All that --json prints."""
    config = _configuration(args)
    missing = _missing(config)
    cli = _built(args, config, missing, dotted(rest, "profile", ""))
    task = _task(cli)
    cli.datamodule.task = task
    cli.model.check(task.targets)
    cli.model.generator.start(task.batch())
    cli.fit_into_memory()
    from experiments.profiling.stopwatch import matrix_rates

    rates = matrix_rates(cli.trainer.strategy.root_device)
    meter = _run(cli, task, args)
    return {
        **_described(cli, task, args),
        **_figures(meter, rates),
        **(_compared(meter) if meter.naive else {}),
    }


def _configuration(args: argparse.Namespace) -> Configuration:
    """The method on its models, with a fixed picture that needs no parser and no segmenter."""
    config = compose(args.method, args.models or EMBEDDED)
    config["data"] = {"size": config["data"]["size"], "image": PICTURE, "style": STYLE} | {
        "parser": {"class_path": "datamodules.parsing.rules.RulesParser"},
        "segmenter": {"class_path": "datamodules.segmentation.whole.WholePicture"},
    }
    return config


def _missing(config: Configuration) -> list[str]:
    """Weights of the networks that are not on this machine; nothing is fetched."""
    from datamodules.models.published import local_path
    from datamodules.models.schemes import by_name

    return [name for name in weights_of(config) if not local_path(by_name(name))]


def _built(
    args: argparse.Namespace,
    config: Configuration,
    missing: list[str],
    settings: Mapping[str, str],
) -> AtelierCLI:
    """The method and a trainer, built as `atelier stylize` does."""
    from experiments.run.lightning_cli import AtelierCLI

    if untrained := args.random_weights or bool(missing):
        _untrain(config["model"]["init_args"])
    own = {
        "data.size": args.size,
        "model.patches.count": args.patches,
        "trainer.accelerator": args.device,
        "wandb.enabled": False,
    }
    given = {name: value for name, value in own.items() if value is not None}
    no_tokenizer = untrained and any(name.startswith("tokenizer:") for name in missing)
    with _blank() if no_tokenizer else nullcontext():
        return AtelierCLI.from_settings(config, given | dict(settings), time.perf_counter())


def _untrain(settings: dict[str, Any]) -> None:
    """Random weights for every network of the configuration that can have them."""
    from datamodules.models.published import UNTRAINED

    for network in filter(None, (settings.get(name) for name in NETWORKS)):
        known = signature(resolve_name(network["class_path"])).parameters
        for name in {"pretrained", "weights"} & known.keys():
            network["init_args"] = network.get("init_args", {}) | {name: UNTRAINED}


def _blank() -> AbstractContextManager[None]:
    """Tokens of the right number, for an untrained network that reads nothing in them."""
    import open_clip
    import torch

    from experiments.profiling.stopwatch import replaced
    from lightning_modules.encoders import open_clip as encoders

    def tokenizer(model: str):
        length = open_clip.get_model_config(model)["text_cfg"].get("context_length", 77)
        return lambda texts: torch.tensor([[sum(t.encode()) % 1000] * length for t in texts])

    return replaced(encoders, "_tokenizer", tokenizer)


def _task(cli: AtelierCLI) -> StyleTask:
    """The square picture; a disc in its middle is the object where a method has one."""
    import torch

    from datamodules.images import load_picture, to_tensor
    from datamodules.task import StyleTarget, StyleTask
    from lightning_modules.clipstyler import CLIPstyler

    data, side = cli.datamodule, cli.datamodule.size
    if side < 32:
        raise AtelierError(f"Size {side} is too small; give --size 32 or more")
    content = to_tensor(load_picture(data.image).resize((side, side)))
    axis = torch.linspace(-1, 1, side)
    disc = (torch.hypot(axis[:, None], axis[None, :]) < 0.7).float()
    mask = torch.ones_like(disc) if isinstance(cli.model, CLIPstyler) else disc
    shown = data.style_image or (STYLE_PICTURE if "gram" in cli.model.weights else "")
    picture = to_tensor(load_picture(shown).resize((side, side))) if shown else None
    targets = (StyleTarget("", data.request.style),)
    return StyleTask.of(content, targets, [mask], data.source_text, picture)


def _run(cli: AtelierCLI, task: StyleTask, args: argparse.Namespace) -> Meter:
    """The steps, timed."""
    from experiments.profiling.stopwatch import Meter, Stopwatch, accepting, attached, rejecting
    from lightning_modules.callbacks import StepProgress, WriteRun

    device, naive = cli.trainer.strategy.root_device, None
    if args.against:
        from experiments.profiling.published_loop import Naive

        batch = task.batch().to(device)
        naive = Naive(cli.model.to(device), batch, accepting(args.accept))
    cuts: list[tuple[torch.Tensor, torch.Tensor]] = []
    watch = Stopwatch(device)
    meter = Meter(watch, args.warmup, args.steps, naive, cuts)
    cli.model.reject = rejecting(args.accept)
    with tempfile.TemporaryDirectory() as path:
        folder = WriteRun(Path(path), "", task, "", cli.config["run"]["keep_every"])
        callbacks = [StepProgress(), folder, meter]
        trainer = cli.instantiate_trainer(
            max_steps=len(meter.kinds), profiler=watch, callbacks=callbacks
        )
        with attached(watch, cli.model, cuts), _said():
            trainer.fit(cli.model, datamodule=cli.datamodule)
    return meter


@contextmanager
def _said() -> Iterator[None]:
    """What ends a run early, as this program says it."""
    import torch

    try:
        yield
    except SystemExit as error:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from error
    except torch.OutOfMemoryError as error:
        raise AtelierError(
            "The device's memory has run out; give a smaller --size, fewer --patches or "
            "--model.chunk 16"
        ) from error


def _described(cli: AtelierCLI, task: StyleTask, args: argparse.Namespace) -> dict[str, Any]:
    """What was measured, and on what."""
    import torch

    from datamodules.models.published import UNTRAINED

    method, device = cli.model, cli.trainer.strategy.root_device
    return {
        "method": type(method).__name__,
        "generator": type(method.generator).__name__,
        "encoder": method.encoder.identity,
        "content_features": method.content_features.identity,
        "untrained": UNTRAINED in str(cli.config["model"]),
        "size": task.content.shape[-1],
        "patches": method.patches.count if method.patches else 0,
        "patch_sizes": method.sizes(task.batch()) if method.patches else [],
        "accept": args.accept,
        "device": _device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
        "timed_steps": args.steps,
    }


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    try:
        found = [
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        return f"{found[0]}, {len(found)} cores"
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def _figures(meter: Meter, rates: Mapping[str, float]) -> dict[str, Any]:
    """Medians over the timed steps; FLOPs of one step."""
    from experiments.profiling.stopwatch import STAGES

    by_stage = meter.ours.get("fine") or meter.ours["whole"]
    seconds = statistics.median(sum(step.values()) for step in meter.ours["whole"])
    flops = meter.flops["ours"]
    return {
        "seconds": seconds,
        "stages": {name: statistics.median(s[name] for s in by_stage) for name in STAGES},
        "steps_per_second": 1 / seconds,
        "peak_bytes": meter.peaks["ours"],
        "flops": flops,
        "matrix_rates": dict(rates),
        "shares": {kind: flops / seconds / rate for kind, rate in rates.items()},
    }


def _compared(meter: Meter) -> dict[str, Any]:
    """The naive loop's figures, and the ratio of the medians."""
    ours = statistics.median(sum(step.values()) for step in meter.ours["whole"])
    theirs = statistics.median(meter.theirs)
    first = meter.first
    return {
        "naive": {
            "seconds": theirs,
            "peak_bytes": meter.peaks["naive"],
            "flops": meter.flops["naive"],
        },
        "ratio": theirs / ours,
        "first_losses": first,
        "loss_differences": {
            name: abs(first["ours"][name] - value) / (abs(value) or 1.0)
            for name, value in first["naive"].items()
        },
    }


def page(result: Mapping[str, Any]) -> list[str]:
    """The result as lines for people."""
    r = result
    looks = f", {r['patches']} patches of {r['patch_sizes']} px, {r['accept']:.0%} accepted"
    lines = [
        f"{r['method']}: {r['generator']}, {r['encoder']}, {r['content_features']}"
        + (", untrained" if r["untrained"] else ""),
        f"{r['size']}x{r['size']} px" + (looks if r["patches"] else ""),
        f"{r['device']}, {r['threads']} threads, torch {r['torch']}, {r['date']}",
        "",
        f"{'':18}{'ms a step':>12}{'share':>8}",
    ]
    total = sum(r["stages"].values())
    for name, seconds in r["stages"].items():
        shown = NAMES.get(name, name)
        if name == "generator":
            shown = r["generator"]
        lines.append(f"{shown:18}{seconds * 1e3:12.1f}{seconds / total:8.1%}")
    lines += [
        f"{'step':18}{r['seconds'] * 1e3:12.1f}   median of {r['timed_steps']}",
        "",
        f"steps per second  {r['steps_per_second']:.4g}",
        f"peak memory       {_scaled(r['peak_bytes'])}B",
        f"operations        {_scaled(r['flops'])}FLOP a step",
    ]
    for kind, rate in r["matrix_rates"].items():
        lines.append(
            f"matrix rate       {_scaled(rate)}FLOP/s in {kind}, of which a step reaches "
            f"{r['shares'][kind]:.1%}"
        )
    return lines + (_naive_lines(r) if "naive" in r else [])


def _naive_lines(r: Mapping[str, Any]) -> list[str]:
    naive = r["naive"]
    differences = ", ".join(f"{name} {value:.1e}" for name, value in r["loss_differences"].items())
    return [
        "",
        f"naive loop        {naive['seconds'] * 1e3:.1f} ms a step, {_scaled(naive['flops'])}FLOP, "
        f"{_scaled(naive['peak_bytes'])}B",
        f"ratio             {r['ratio']:.2f} (naive over ours)",
        f"losses            differ by {differences} (relative, same patches)",
    ]


def _scaled(value: float) -> str:
    """With a decimal prefix: 1.5e9 as "1.5 G"."""
    power = 0
    while value >= 1000 and power < len(UNITS) - 1:
        value, power = value / 1000, power + 1
    return f"{value:.3g} {UNITS[power]}"
