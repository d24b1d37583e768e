"""Subject of a profile: a method on a square picture, built as `atelier stylize` builds it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import signature
from pkgutil import resolve_name
from typing import Any

import torch

from datamodules.images import load_picture, to_tensor
from datamodules.models.published import UNTRAINED, local_path
from datamodules.models.schemes import by_name
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget, StyleTask
from experiments.run.configuration import EMBEDDED, Configuration, compose, weights_of
from experiments.run.lightning_cli import AtelierCLI
from lightning_modules.clipstyler import CLIPstyler

PICTURE, STYLE_PICTURE, STYLE = "skimage:astronaut", "skimage:coffee", "fire"
NETWORKS = ("encoder", "content_features", "style_features")
SMALLEST = 32  # px


@dataclass(frozen=True)
class Subject:
    """Method, models and settings of a profile.

    method: name of a file in configs/methods. models: name of a preset in configs/models.
    settings: over these, by dotted name.
    random_weights: build the papers' networks untrained even if their weights are here.
    """

    method: str = "clipstyler"
    models: str = EMBEDDED
    settings: Mapping[str, Any] = field(default_factory=dict)
    random_weights: bool = False

    def build(self) -> AtelierCLI:
        """The method and its trainer, ready to fit a square picture."""
        settings = {"wandb.enabled": False, **self.settings}
        cli = AtelierCLI.from_settings(self.configuration(), settings, time.perf_counter())
        cli.datamodule.task = square_task(cli)
        cli.model.begin(cli.datamodule)
        cli.fit_into_memory()
        return cli

    def configuration(self) -> Configuration:
        """The method on its models, with a picture that needs neither parser nor segmenter."""
        config = compose(self.method, self.models)
        config["data"] = {
            "size": config["data"]["size"],
            "image": PICTURE,
            "style": STYLE,
            "parser": {"class_path": "datamodules.parsing.tree.TreeParser"},
            "segmenter": {"class_path": "datamodules.segmentation.whole.WholePicture"},
        }
        steps = self.settings.get("trainer.max_steps", config["trainer"]["max_steps"])
        if str(steps) == "0":
            raise AtelierError(
                f"{self.method} paints in one pass and has no steps to measure; atelier stylize "
                "says how long it takes, and --trainer.max_steps 30 measures steps from there"
            )
        missing = any(local_path(by_name(name)) is None for name in weights_of(config))
        if self.random_weights or missing:  # nothing is fetched
            _untrain(config["model"]["init_args"])
        return config


def _untrain(settings: dict[str, Any]) -> None:
    """Set random weights for every network of a method that can have them."""
    for network in filter(None, (settings.get(name) for name in NETWORKS)):
        parameters = signature(resolve_name(network["class_path"])).parameters
        for name in {"pretrained", "weights"} & parameters.keys():
            network["init_args"] = network.get("init_args", {}) | {name: UNTRAINED}


def square_task(cli: AtelierCLI) -> StyleTask:
    """The square picture; for methods with an object, a disc in its middle is the object."""
    data, side = cli.datamodule, cli.datamodule.size
    if side < SMALLEST:
        raise AtelierError(f"Size {side} is too small; give --size {SMALLEST} or more")
    content = to_tensor(load_picture(data.image).resize((side, side)))
    axis = torch.linspace(-1, 1, side)
    disc = (torch.hypot(axis[:, None], axis[None, :]) < 0.7).float()
    mask = torch.ones_like(disc) if isinstance(cli.model, CLIPstyler) else disc
    path = data.style_image or (STYLE_PICTURE if "gram" in cli.model.weights else "")
    style_picture = to_tensor(load_picture(path).resize((side, side))) if path else None
    targets = (StyleTarget("", data.request.style),)
    texts = {"source_text": data.source_text, "style_image": style_picture}
    return StyleTask.of(content, targets, [mask], **texts)
