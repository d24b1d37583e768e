"""Refusal of configurations of version 0.1, with the new names of classes and settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from datamodules.support.errors import AtelierError

MOVED = {  # classes
    "lightning_modules.painter.Painter": "lightning_modules.generators.painter.Painter",
    "lightning_modules.stylenet.StyleNet": "lightning_modules.generators.small_unet.SmallUNet",
    "lightning_modules.pixels.Pixels": "lightning_modules.generators.pixels.Pixels",
    "lightning_modules.soap.Soap": "lightning_modules.optimizers.soap.Soap",
    "datamodules.parsing.rules.RulesParser": "datamodules.parsing.tree.TreeParser",
    "datamodules.segmentation.dino.DINODense": "datamodules.segmentation.features.dino.DINODense",
    "datamodules.segmentation.spectral.EfficientNetDense": (
        "datamodules.segmentation.features.efficientnet.EfficientNetDense"
    ),
}
BLENDING = ("composite", "keep_color", "strength")
DEVIATIONS = ("tv_norms", "reject_below", "early_halving", "extra_step", "no_global")
DEVIATIONS += ("softmax_source", "masked_source", "background_patch_text", "misplaced_weights")
RENAMED = {  # settings by dotted name
    "model.learning_rate": "model.optimizer.lr",
    "model.betas": "model.optimizer.betas",
    "model.schedule": "model.lr_scheduler",
    "model.halve_every": "model.lr_scheduler.every",
    **{f"model.{name}": f"model.blending.{name}" for name in BLENDING},
    **{f"model.{name}": f"model.deviations.{name}" for name in DEVIATIONS},
}


def refuse_outdated(config: Any, source: str) -> None:
    """AtelierError if a configuration has names of version 0.1. source: its file."""
    if changes := [*dict.fromkeys(_moved(config)), *_renamed(config)]:
        raise AtelierError(
            f"{source} is a configuration of Atelier 0.1: {', '.join(changes)}; change that there, "
            "or begin again with --method"
        )


def refuse_renamed(setting: str) -> None:
    """AtelierError for the dotted name of a setting of version 0.1."""
    if setting in RENAMED:
        raise AtelierError(f"The setting {setting} is now {RENAMED[setting]}")


def refuse_outdated_files(words: Sequence[str]) -> None:
    """AtelierError if a YAML file among the words of a command line has names of version 0.1."""
    for word in words:
        path = Path(word.removeprefix("--config="))
        if path.suffix == ".yaml" and path.is_file():
            with suppress(yaml.YAMLError):  # LightningCLI refuses it in its own words
                refuse_outdated(yaml.safe_load(path.read_text(encoding="utf-8")), str(path))


def _moved(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for value in node.values():
            yield from _moved(value)
    elif isinstance(node, str) and node in MOVED:
        yield f"{node} is now {MOVED[node]}"


def _renamed(config: Any) -> Iterator[str]:
    for setting, successor in RENAMED.items():
        node = config
        for key in setting.split("."):
            node = node.get("init_args", node) if isinstance(node, Mapping) else {}
            node = node.get(key) if isinstance(node, Mapping) else None
        if node is not None:
            yield f"{setting} is now {successor}"
