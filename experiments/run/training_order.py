"""Order of a training, by the command line or from Python, and the configuration it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from datamodules.support.files import slug
from experiments.run.configuration import EMBEDDED, Configuration, compose_training, read_config
from experiments.run.options import absolute
from experiments.run.registry import TRAINING, names


@dataclass(frozen=True)
class TrainingOrder:
    """A training, before anything is loaded; None stands for what is left out.

    Args:
        config: a name in configs/training, or a YAML file.
        resume: instead, the folder of an unfinished training.
        folders: of photos; "packages" is those that installed packages ship.
        styles: texts, or the path of a file with one per line.
        models: a preset of models.
        crop: side of the random crops in px. batch: pictures per step, over all devices.
        ckpt: weights to begin with.
        out: its folder, by default runs/train-CONFIG-STYLES.
        further: settings by dotted name, over all others.
    """

    config: str | None = None
    resume: str | None = None
    folders: Sequence[str] | None = None
    styles: Sequence[str] | str | None = None
    models: str | None = None
    crop: int | None = None
    batch: int | None = None
    ckpt: str | None = None
    steps: int | None = None
    seed: int | None = None
    device: str | None = None
    out: str | None = None
    overwrite: bool = False
    wandb: bool = True
    further: Mapping[str, Any] = field(default_factory=dict)

    def carry_out(self) -> Path | None:
        """Train; the file of the weights, None in all processes but the first.

        Raises AtelierError as `experiments.run.train.train`.
        """
        config, settings = self._configuration(), self._settings()
        from experiments.run.train import train

        return train(config, settings | dict(self.further))

    def _configuration(self) -> Configuration:
        if bool(self.config) == bool(self.resume):
            raise AtelierError(
                f"Give what to train, one of {', '.join(names(TRAINING))} or a YAML file, or "
                "--resume with the folder of an unfinished training"
            )
        if not self.resume:
            return compose_training(self.config, self.models or EMBEDDED)
        if self.models or self.out:
            raise AtelierError(
                "--resume has its own folder and networks; leave --out and --models out"
            )
        return read_config(Path(self.resume, "config.yaml"))

    def _settings(self) -> dict[str, Any]:
        """The options as settings by dotted name."""
        folders = self.folders and [
            place if place == "packages" else absolute(place) for place in self.folders
        ]
        by_file = isinstance(self.styles, str)
        every = {
            "data.folders": folders,
            "data.styles": absolute(self.styles) if by_file else self.styles and [*self.styles],
            "data.crop": self.crop,
            "data.batch_size": self.batch,
            "model.generator.weights": self.ckpt and absolute(self.ckpt),
            "trainer.max_steps": self.steps,
            "seed_everything": self.seed,
            "trainer.accelerator": self.device,
            "training.out": self.resume or self.out or self._folder(),
            "training.overwrite": self.overwrite or None,
            "wandb.enabled": None if self.wandb else False,
        }
        return {setting: value for setting, value in every.items() if value is not None}

    def _folder(self) -> str:
        styles = () if isinstance(self.styles, str) else self.styles or ()
        words = ("train", Path(self.config).stem, *map(slug, styles))
        return str(Path("runs", "-".join(words)[:100]))
