"""Training of a one-pass network: from a configuration to a folder with its weights.

config.yaml           the complete configuration
losses.csv            one row per step
steps/000100.png      a few photos in a few styles
last.ckpt             all that is needed to go on
weights.safetensors   the trained network; written last: a training that has it has finished
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonargparse.typing import NonNegativeInt, PositiveInt
from lightning import LightningDataModule, Trainer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import WandbLogger
from torch import Tensor

from datamodules.images import save_png, to_picture
from datamodules.parsing.blend import in_words
from datamodules.run_folder import CONFIG, LOSSES, STEPS, WANDB
from datamodules.support.errors import AtelierError
from datamodules.support.files import write_text
from datamodules.task import Blend
from datamodules.training.draws import Shares
from evaluation.contact_sheet import labelled_grid
from experiments.run.building import add_code, build, unbuilt
from experiments.run.configuration import Configuration, require_networks, with_settings
from experiments.run.schema import TRAINER_DEFAULTS
from experiments.run.tracking import Wandb, wandb_logger
from lightning_modules.callbacks import StepProgress
from lightning_modules.steps.memory import available, fit_training
from lightning_modules.steps.style_texts import check_texts
from lightning_modules.training import Training
from lightning_modules.training_callbacks import Checkpoints, Preview, WriteLosses

CHECKPOINT, WEIGHTS = "last.ckpt", "weights.safetensors"
SAME = ("model", "data", "seed_everything")  # settings that a training keeps from first to last
FREE = ("data.init_args.workers",)  # of these, one that changes nothing in the result


@dataclass
class Files:
    """Files of a training.

    Args:
        out: its folder.
        checkpoint_every: steps from one checkpoint to the next.
        pictures_every: steps from one picture of some photos in some styles to the next; 0 = none.
        overwrite: begin anew in a folder that holds a training.
    """

    out: str = ""
    checkpoint_every: PositiveInt = 100
    pictures_every: NonNegativeInt = 100
    overwrite: bool = False


class TrainingCLI(LightningCLI):
    """LightningCLI with a network in training, photos, and the settings `training` and `wandb`."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_class_arguments(Files, "training")
        parser.add_class_arguments(Wandb, "wandb")
        add_code(parser)


def train(config: Configuration, settings: Mapping[str, Any]) -> Path | None:
    """Train by a configuration, with settings over it by dotted name; the file of the weights.

    Of several processes the first returns it, the others None. A folder with an unfinished training
    of the same settings goes on where it stopped. Raises AtelierError for settings that do not fit,
    KeyboardInterrupt after a stop.
    """
    config = with_settings(config, settings)
    require_networks(config)
    job = Job(_build(TrainingCLI, config))
    job.prepare()
    try:
        job.fit()
    except SystemExit as error:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from error
    return job.folder / WEIGHTS if job.trainer.is_global_zero else None


def refuse_wrong(config: Configuration) -> None:
    """AtelierError for a configuration of which a training would not be built; none is built."""
    _build(unbuilt(TrainingCLI), config)


def _build(kind: type[TrainingCLI], config: Configuration) -> TrainingCLI:
    return build(
        kind,
        Training,
        LightningDataModule,
        config,
        subclass_mode_model=True,
        subclass_mode_data=True,
        trainer_defaults=TRAINER_DEFAULTS | {"use_distributed_sampler": False},
        parser_kwargs={"prog": "atelier train"},
    )


class Job:
    """One training.

    Attributes:
        folder: of its files. name: the folder's. config: the complete configuration as YAML.
        checkpoint: from which it goes on; None from the beginning.
    """

    def __init__(self, cli: TrainingCLI) -> None:
        self.cli, self.trainer, self.data = cli, cli.trainer, cli.datamodule
        self.module: Training = cli.model
        self.files = Files(**cli.config["training"])
        self.folder = Path(self.files.out)
        self.name = self.folder.name
        self.config = cli.parser.dump(cli.config, skip_unset=False, skip_validation=True)
        self.checkpoint: Path | None = None

    def prepare(self) -> None:
        """Check everything before the first step: settings, photos, texts, folder, memory."""
        if self.trainer.max_steps < 1:
            raise AtelierError("A training needs its number of steps; give --steps 2000")
        Shares(self.data.batch_size, 0, self.trainer.accumulate_grad_batches, self._devices)
        self.data.setup()
        check_texts(self.module.encoder, self.data.blends)
        texts = dict.fromkeys(text for blend in self.data.blends for _, text in blend)
        self.module.generator.begin(list(texts))
        self.module.blends = self.data.blends
        self.checkpoint = self._open()
        if not self.trainer.is_global_zero:
            return
        needed = self._needed()
        photos, styles = len(self.data.files), len(self.data.blends)
        print(f"photos   {photos}, in {styles} styles", file=sys.stderr)
        print(f"memory   about {needed / 1e9:.1f} GB beside the networks", file=sys.stderr)
        if self.checkpoint:
            print(f"goes on  from {self.checkpoint}", file=sys.stderr)

    def _open(self) -> Path | None:
        """The checkpoint of the folder, from which the training goes on, None for a new one."""
        last = self.folder / CHECKPOINT
        first = self.trainer.is_global_zero
        if self.files.overwrite:
            for name in (WEIGHTS, CHECKPOINT, LOSSES) if first else ():
                (self.folder / name).unlink(missing_ok=True)
        elif (self.folder / WEIGHTS).exists():
            raise AtelierError(
                f"{self.folder} holds a finished training; give another --out, or --overwrite"
            )
        elif last.exists():
            self._refuse_changes(yaml.safe_load((self.folder / CONFIG).read_text("utf-8")))
            return last
        if first:
            write_text(self.folder / CONFIG, self.config)
        return None

    def _refuse_changes(self, before: Mapping[str, Any]) -> None:
        """AtelierError if a setting is another than that of the unfinished training."""
        now = yaml.safe_load(self.config)
        for key in SAME:
            if change := first_change(key, before.get(key), now.get(key)):
                setting, old, new = change
                raise AtelierError(
                    f"{self.folder} holds an unfinished training with {setting} {old}, not {new}; "
                    "give the same, another --out, or --overwrite"
                )

    def _needed(self) -> int:
        """Estimate of the bytes of a step on one device; AtelierError if there are fewer."""
        parts = self.trainer.accumulate_grad_batches * self._devices
        free = available(self.trainer.strategy.root_device)
        return fit_training(self.module, self.data.example(), self.data.batch_size // parts, free)

    @property
    def _devices(self) -> int:
        return self.trainer.num_devices * self.trainer.num_nodes

    def fit(self) -> None:
        """Train, and write the weights at the end."""
        trainer = self.trainer
        trainer.callbacks += [
            StepProgress(),
            WriteLosses(self.folder),
            Preview(self.files.pictures_every, self._show),
            Checkpoints(self.folder / CHECKPOINT, self.files.checkpoint_every),
        ]
        logger = self._logger()
        trainer.loggers = [logger] if logger else []
        trainer.fit(self.module, datamodule=self.data, ckpt_path=self.checkpoint, weights_only=True)
        if trainer.is_global_zero:
            about = {"training": self.name, "steps": str(trainer.global_step)}
            self.module.generator.save(self.folder / WEIGHTS, about)
            self.module.generator.provide(self.folder / WEIGHTS)
        if logger:
            logger.experiment.finish()

    def _logger(self) -> WandbLogger | None:
        """The W&B run, the same one after a break; None if disabled."""
        if not self.trainer.is_global_zero:
            return None
        settings = Wandb(**self.cli.config["wandb"])
        earlier = sorted((self.folder / WANDB).glob("*run-*-*"))
        if earlier and not settings.id:
            settings.id = earlier[-1].name.rpartition("-")[2]
        return wandb_logger(settings, self)

    def _show(
        self,
        trainer: Trainer,
        step: int,
        photos: Tensor,
        blends: Sequence[Blend],
        painted: Sequence[Tensor],
    ) -> None:
        """Write photos and their painted versions, one row per photo, and log them at W&B."""
        columns = [("photo", photos), *zip(map(in_words, blends), painted, strict=True)]
        cells = [
            (to_picture(pictures[row]), [title])
            for row in range(len(photos))
            for title, pictures in columns
        ]
        path = self.folder / STEPS / f"{step:06d}.png"
        save_png(labelled_grid(cells, len(columns), gap=4), path)
        for logger in trainer.loggers:
            logger.log_image("pictures", [str(path)], step=step)


def first_change(name: str, before: Any, now: Any) -> tuple[str, Any, Any] | None:
    """Dotted name of the first setting that differs, with both values; None if none does."""
    if name in FREE or before == now:
        return None
    if not (isinstance(before, Mapping) and isinstance(now, Mapping)):
        return name.replace(".init_args", ""), before, now
    changes = (
        first_change(f"{name}.{key}", before.get(key), now.get(key))
        for key in dict.fromkeys((*before, *now))
    )
    return next(filter(None, changes), None)
