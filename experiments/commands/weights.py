"""Get and check the papers' models, whose weights no package ships.

  atelier weights list                              what a configuration can name, and what is here
  atelier weights fetch --method soulstyler         what the method's paper preset needs
  atelier weights fetch torchvision:vgg19           one of them
  atelier weights path torchvision:vgg19=vgg19.pth  let a name stand for a file you have
  atelier weights verify                            compare what is here with its checksums

Files go to the libraries' own caches (HF_HOME, TORCH_HOME) and are found there if other programs
have put them there. Besides the listed names, fetch takes any open_clip:MODEL/TAG,
torchvision:MODEL, timm:MODEL, hf:REPOSITORY and file:REPOSITORY/FILE.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from datamodules.support.errors import AtelierError

ACTIONS = ("list", "fetch", "path", "verify")


@dataclass(frozen=True)
class Known:
    """A model that the shipped configurations name. Sizes are about right, in MB."""

    name: str
    use: str
    megabytes: int
    licence: str


KNOWN = (
    Known("open_clip:ViT-B-32-quickgelu/openai", "encoder of all four papers", 605, "MIT"),
    Known("open_clip:RN50/openai", "encoder of Sem-CS, double text", 408, "MIT"),
    Known("open_clip:ViT-B-16-SigLIP/webli", "encoder, preset siglip", 813, "Apache-2.0"),
    Known("tokenizer:timm/ViT-B-16-SigLIP", "SigLIP's tokenizer", 3, "Apache-2.0"),
    Known("torchvision:vgg19", "content features of all papers", 548, "BSD-3-Clause"),
    Known("torchvision:vgg16", "DISTS, LPIPS (vgg)", 528, "BSD-3-Clause"),
    Known("torchvision:alexnet", "LPIPS (alex)", 233, "BSD-3-Clause"),
    Known("torchvision:squeezenet1_1", "LPIPS (squeeze)", 5, "BSD-3-Clause"),
    Known(
        "file:chaofengc/IQA-PyTorch-Weights/NIMA_InceptionV2_ava-b0c77c00.pth",
        "NIMA (Inception-ResNet-v2)",
        218,
        "CC-BY-NC-SA-4.0",
    ),
    Known(
        "file:chaofengc/IQA-PyTorch-Weights/NIMA_VGG16_ava-dc4e8265.pth",
        "NIMA (VGG-16)",
        59,
        "CC-BY-NC-SA-4.0",
    ),
    Known("torchvision:fcn_resnet101", "portrait masks", 208, "BSD-3-Clause"),
    Known("hf:CIDAS/clipseg-rd64-refined", "masks by phrase", 603, "Apache-2.0"),
    Known("timm:vit_small_patch16_224.dino", "salient masks of Sem-CS", 87, "Apache-2.0"),
    Known("hf:meta-llama/Llama-2-7b-chat-hf", "parser of Soulstyler", 13500, "Llama 2 (gated)"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("action", choices=ACTIONS)
    add("names", nargs="*", metavar="NAME", help="weights, or NAME=FILE for path")
    add("--method", help="all that this method's paper preset needs")
    add("--all", action="store_true", help="all that list shows")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(f"atelier weights knows no {rest[0]}; see atelier weights --help")
    actions = {"list": _list, "fetch": _fetch, "path": _path, "verify": _verify}
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from datamodules.models.published import local_path
    from datamodules.models.schemes import by_name

    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("name", "for", "MB", "licence", "here"):
        table.add_column(column, justify="right" if column == "MB" else "left", no_wrap=True)
    for known in KNOWN:
        here = "yes" if local_path(by_name(known.name)) else "no"
        table.add_row(known.name, known.use, str(known.megabytes), known.licence, here)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 0


def _asked(args: argparse.Namespace) -> list[str]:
    """The names that are meant: given, all, or those of a method's paper preset."""
    names = list(args.names)
    if args.all:
        names += [known.name for known in KNOWN]
    if args.method:
        from experiments.run.presets import weights_of

        names += weights_of(args.method)
    return list(dict.fromkeys(names))


def _fetch(args: argparse.Namespace) -> int:
    from datamodules.models.published import fetch, local_path, offline
    from datamodules.models.schemes import by_name

    names = _asked(args)
    if not names:
        raise AtelierError("Nothing is named to fetch; give a NAME, --method M or --all")
    missing = [weights for weights in map(by_name, names) if not local_path(weights)]
    if missing and offline():
        raise AtelierError(
            f"HF_HUB_OFFLINE forbids connections, and {missing[0].name} is missing; unset it"
        )
    failures = []
    for weights in missing:
        print(f"fetching {weights.name}", file=sys.stderr)
        try:
            fetch(weights)
        except AtelierError as error:  # one that fails does not keep the others
            failures.append(error)
            print(f"atelier: {error}", file=sys.stderr)
    for weights in map(by_name, names):
        if path := local_path(weights):
            print(f"{weights.name}  {path}")
    return 2 if failures else 0


def _path(args: argparse.Namespace) -> int:
    from datamodules.models.published import register

    if not args.names:
        raise AtelierError("No file is named; write atelier weights path NAME=FILE")
    for pair in args.names:
        name, equals, file = pair.partition("=")
        if not (equals and file):
            raise AtelierError(f"{pair!r} is not NAME=FILE, e.g. torchvision:vgg19=vgg19.pth")
        register(name, Path(file))
        print(f"{name}  {Path(file).absolute()}")
    return 0


def _verify(args: argparse.Namespace) -> int:
    from datamodules.models.published import intact, local_path
    from datamodules.models.schemes import by_name

    verdicts = {True: "intact", False: "ALTERED", None: "no checksum is known"}
    altered = 0
    for weights in map(by_name, _asked(args) or [known.name for known in KNOWN]):
        if path := local_path(weights):
            verdict = intact(path)
            altered += verdict is False
            print(f"{weights.name}  {verdicts[verdict]}  {path}")
        elif args.names:
            raise AtelierError(f"{weights.name} is not here; fetch it first")
    return 2 if altered else 0
